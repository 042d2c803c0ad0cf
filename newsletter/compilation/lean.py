"""
Takes away what no mail program needs, for Gmail clips a message near 102 kB.

Takes finished HTML, yields shorter HTML that is rendered the same: classes that no remaining sheet names (their rules
stand in the elements by now), blanks and units in `style` attributes, the direction that the page has anyway, and the
seams between neighbouring comments for Outlook. What stands inside those comments is not touched. Pure.
"""

import re
from typing import Final

from newsletter.assembly.edition import Direction

_COMMENTS: Final = re.compile(r"(<!--.*?-->)", re.DOTALL)
_TAG: Final = re.compile(r"<[a-z][^<>]*>")
"""A start tag: the inliner writes `<` and `>` in attributes and text as entities, so none is mistaken for one."""

_SHEETS: Final = re.compile(r"<style\b[^>]*>(.*?)</style>", re.DOTALL)
_CLASS_NAME: Final = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
_CLASS: Final = re.compile(r' class="([^"]*)"')
_STYLE: Final = re.compile(r' style="([^"]*)"')
_CONDITIONAL: Final = re.compile(r"<!--(\[if [^\]]+\])>(?!<!-->)(.*?)<!\[endif\]-->", re.DOTALL)


def lean(html: str, *, direction: Direction) -> str:
    """The HTML without what is rendered the same when it is gone."""
    named = _classes_named(html)

    def shorter(found: re.Match[str]) -> str:
        tag = found[0] if named is None else _CLASS.sub(lambda classes: _kept(classes[1], named), found[0])
        return _STYLE.sub(lambda style: _style(style[1], direction), tag)

    parts = _COMMENTS.split(html)
    return "".join(_merged([part if part.startswith("<!--") else _TAG.sub(shorter, part) for part in parts]))


def _classes_named(html: str) -> frozenset[str] | None:
    """The classes that sheets name, those for Outlook included; None where a sheet asks for parts of a name."""
    sheets = "".join(_SHEETS.findall(html))
    return None if "[class" in sheets else frozenset(_CLASS_NAME.findall(sheets))


def _kept(classes: str, named: frozenset[str]) -> str:
    kept = [name for name in classes.split() if name in named]
    return f' class="{" ".join(kept)}"' if kept else ""


def _style(style: str, direction: Direction) -> str:
    declarations = (":".join(part.strip() for part in one.split(":", 1)) for one in _split(style))
    kept = [_short(one) for one in declarations if one and not (direction == "ltr" and one == "direction:ltr")]
    return f' style="{";".join(kept)}"' if kept else ""


def _split(style: str) -> list[str]:
    """The declarations: cut at semicolons that are not part of an address, a string or an entity."""
    return re.findall(r"""(?:[^;&('"]|\([^)]*\)|'[^']*'|"[^"]*"|&[#\w]+;|[&('"])+""", style)


def _short(declaration: str) -> str:
    return declaration if re.search(r"""[('"]""", declaration) else re.sub(r"(?<![\w.#-])0px\b", "0", declaration)


def _merged(parts: list[str]) -> list[str]:
    """Join comments for Outlook that have one condition and nothing between them, as MJML's own renderer does."""
    out: list[str] = []
    for part in parts:
        last = next((one for one in reversed(out) if one), "")
        before, now = _CONDITIONAL.fullmatch(last), _CONDITIONAL.fullmatch(part)
        if before and now and before[1] == now[1]:
            while out[-1] != last:
                out.pop()
            out[-1] = f"<!--{now[1]}>{before[2]}{now[2]}<![endif]-->"
        else:
            out.append(part)
    return out
