r"""
mjml-python: MJML becomes HTML.

Takes MJML, yields HTML with MJML's own style sheets in its head. Promises that a mistake is reported by line and column
before the library sees it (it would render most mistakes as something else, and very deep markup kills the process),
that no font and no file is fetched, that attributes keep their words (the library writes those it thinks unprintable,
a French blank or an Arabic vowel sign, as `\u{a0}`), and that sheets to be inlined are marked for `inline.py`, because
the library puts them into the head like any other.
"""

import re
from typing import Final

from mjml import mjml2html

from newsletter.assembly.edition import Direction
from newsletter.compilation.mjml_rules import check_mjml
from newsletter.errors import MjmlFault, Problem

INLINE_MARK: Final = "/*inline*/"
"""Begins a style sheet that is to be inlined."""

_INLINE_STYLE: Final = re.compile(r'<mj-style\s+inline="inline"\s*>')
_INLINE_TAG: Final = (
    "/?(?:a|abbr|b|bdi|bdo|cite|code|del|dfn|em|i|ins|kbd|mark|q|s|small|span|strong|sub|sup|time|u|var)"
)
_WORD_BREAK: Final = re.compile(rf"(<{_INLINE_TAG}\b[^>]*>)\s*\n\s*(?=<{_INLINE_TAG}\b)")
_TAG: Final = re.compile(r"<[A-Za-z][^<>]*>")
_VALUE: Final = re.compile(r'=\s*"[^"]*"')
_WRITTEN_ODDLY: Final = re.compile(r"[^\t\n\r\x20-\x7e]|\\")
"""What stands in an attribute as something else afterwards: some of Unicode, and every backslash twice."""

_POSITION: Final = re.compile(r"\bposition (\d+)(?::\d+)?")
_DIRECTED: Final = (
    '<mj-attributes><mj-wrapper direction="rtl"/><mj-section direction="rtl"/><mj-column direction="rtl"/>'
    '<mj-group direction="rtl"/><mj-text align="right"/><mj-table align="right"/></mj-attributes>'
)
"""What MJML does not derive from `dir`: without it, Arabic punctuation and the order of columns come out wrong."""


def directed(mjml: str, direction: Direction) -> str:
    """The MJML with the defaults that a right-to-left edition needs; what the theme sets itself wins."""
    return mjml.replace("<mj-head>", f"<mj-head>{_DIRECTED}", 1) if direction == "rtl" else mjml


def html_from(mjml: str) -> str:
    """
    Render MJML.

    Raises MjmlFault with every problem that our rules find, or the one that the library reports.
    """
    if problems := check_mjml(mjml):
        raise MjmlFault(problems)
    # The library drops a line break between two elements, and with it the blank between two words.
    source = _WORD_BREAK.sub(r"\1 ", _INLINE_STYLE.sub(f"<mj-style>{INLINE_MARK}", mjml))
    source = _TAG.sub(lambda tag: _VALUE.sub(_referred, tag[0]), source)
    try:
        # Without `fonts` the library links to a font host; comments of the template are nobody's business.
        return str(mjml2html(source, fonts={}, disable_comments=True))
    except ValueError as error:
        raise MjmlFault([_problem(str(error), source)]) from error


def _referred(value: re.Match[str]) -> str:
    return _WRITTEN_ODDLY.sub(lambda sign: f"&#{ord(sign[0])};", value[0])


def _problem(message: str, source: str) -> Problem:
    """The library's message, with its byte offset turned into line and column."""
    found = _POSITION.search(message)
    if found is None:
        return Problem(message=message)
    before = source.encode()[: int(found[1])].decode(errors="ignore")
    return Problem(message=message, line=before.count("\n") + 1, column=len(before) - before.rfind("\n"))
