"""
The last touches on the HTML: what MJML leaves out and readers need.

Takes finished HTML and the edition's language and direction, yields HTML whose `html` and wrapper elements carry both
(mail programs drop the `html` element, so the wrapper needs them too), whose layout tables are announced as such, and
whose white space is as short as it can be without changing a word. Works on characters, so that nothing else moves.
Pure.
"""

import re
from typing import Final

from newsletter.assembly.edition import Direction
from newsletter.errors import CompilationFailed

_HTML: Final = re.compile(r"<html\b[^>]*>")
_WRAPPER: Final = re.compile(r'<div\b[^>]*\brole="article"[^>]*>')
_TITLE: Final = re.compile(r"<title>([^<]*)</title>")
_COMMENTS: Final = re.compile(r"(<!--.*?-->)", re.DOTALL)
_TABLES: Final = re.compile(r"<table\b[^>]*>|</table>|<th\b")
_BREAKS: Final = re.compile(r"[ \t]*\r?\n[ \t\r\n]*")
_PRE: Final = re.compile(r"(<pre\b.*?</pre>)", re.DOTALL)


def dressed(html: str, *, language: str, direction: Direction) -> str:
    """
    The HTML with language, direction and roles in place.

    Raises CompilationFailed where there is no title or no wrapper to put them on.
    """
    title = _TITLE.search(html)
    if title is None or not title[1].strip():
        raise CompilationFailed("the HTML has no title: the theme needs <mj-title>")
    if not _WRAPPER.search(html):
        raise CompilationFailed("the HTML has no wrapper with role=article to carry language and direction")
    attributes = {"lang": language, "dir": direction}
    for tag in (_HTML, _WRAPPER):
        html = tag.sub(lambda found: _with(found[0], attributes), html, count=1)
    return _squeezed(_with_roles(html))


def _with(tag: str, attributes: dict[str, str]) -> str:
    for name, value in attributes.items():
        tag = re.sub(rf'\s+{name}="[^"]*"', "", tag)
        tag = f'{tag[:-1]} {name}="{value}">'
    return tag


def _with_roles(html: str) -> str:
    parts = _COMMENTS.split(html)
    body = [index for index, part in enumerate(parts) if not part.startswith("<!--")]
    layout = iter(_layout("\0".join(parts[index] for index in body)))
    for index in body:
        parts[index] = re.sub(
            r"<table\b[^>]*>", lambda found: _with_role(found[0], is_layout=next(layout)), parts[index]
        )
    return "".join(parts)


def _layout(html: str) -> list[bool]:
    """For each table in order whether it is for layout: it has no header cell of its own."""
    layout: list[bool] = []
    inside: list[int] = []
    for found in _TABLES.finditer(html):
        if found[0].startswith("<table"):
            inside.append(len(layout))
            layout.append(True)
        elif found[0] == "</table>":
            inside = inside[:-1]
        elif inside:
            layout[inside[-1]] = False
    return layout


def _with_role(tag: str, *, is_layout: bool) -> str:
    return tag if "role=" in tag or not is_layout else f'{tag[:-1]} role="presentation">'


def _squeezed(html: str) -> str:
    # A line break with its indentation is one blank to a reader, whatever its length; only <pre> shows it as it is.
    parts = _PRE.split(html)
    return "".join(part if part.startswith("<pre") else _BREAKS.sub("\n", part) for part in parts).strip() + "\n"
