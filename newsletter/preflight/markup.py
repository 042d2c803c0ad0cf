"""
The markup: what is for Outlook alone, and what a message must not ask for.

Takes a compiled edition, yields findings from its HTML. Outlook for Windows reads conditional comments and builds its
tables from what stands in them and between them; one that is left open breaks the rest of the message. Mail programs
fetch pictures and nothing else: a script, a sheet or a font elsewhere is dropped, tells somebody who reads, and makes
filters suspicious.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from newsletter.assembly.facts import IssueFacts
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.document import Document
from newsletter.preflight.finding import Finding, Rule, Severity

_ASK: Final = "The theme has to do this; ask whoever looks after it."

UNBALANCED: Final = Rule(
    code="mso-unbalanced",
    severity=Severity.ERROR,
    message="In the {edition} edition what is for Outlook for Windows alone is not closed as it was opened ({what}).",
    hint=_ASK,
)
EXTERNAL: Final = Rule(
    code="external-resource",
    severity=Severity.WARNING,
    message="The {edition} edition asks for more than pictures: {what}",
    hint="The theme has to do without it; ask whoever looks after it.",
)
RULES: Final = (UNBALANCED, EXTERNAL)

_MARK: Final = re.compile(r"<!--\[if\b[^\]]*\]>(?:<!-->|-->)?|(?:<!--)?<!\[endif\]-->", re.IGNORECASE)
_NOT_OUTLOOK: Final = re.compile(r"<!--\[if !mso[^\]]*\]>(?:<!-->|-->).*?<!--<!\[endif\]-->", re.IGNORECASE | re.DOTALL)
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_TABLE_TAG: Final = re.compile(r"<(/?)(table|tr|td)\b", re.IGNORECASE)

_FETCHING: Final = {
    "script": "src", "iframe": "src", "frame": "src", "link": "href", "object": "data", "embed": "src",
    "video": "src", "audio": "src", "source": "src", "track": "src", "input": "src",
}  # fmt: skip
"""Elements that make a program fetch something, with the attribute that says what."""

_ADDRESS: Final = re.compile(r"""url\(\s*["']?([^"')\s]+)""", re.IGNORECASE)
_PICTURES: Final = frozenset({"background", "background-image", "list-style", "list-style-image", "border-image"})


def check(given: CompiledEdition, issue: IssueFacts) -> Iterator[Finding]:
    """Look at the markup of an edition."""
    del issue
    for what in _unbalanced(given.artifact.html):
        yield UNBALANCED.found(edition=given.name, what=what)
    for what in dict.fromkeys(_fetched(given.document)):
        yield EXTERNAL.found(edition=given.name, what=what)


def _unbalanced(html: str) -> Iterator[str]:
    is_open = False
    for mark in _MARK.findall(html):
        opens = "[if" in mark.lower()
        if opens == is_open:
            yield "[endif]" if opens else "[if]"
            return
        is_open = opens
    if is_open:
        yield "[endif]"
        return
    counted: Counter[str] = Counter()
    for closing, tag in _TABLE_TAG.findall(_for_outlook(html)):
        counted[tag.lower()] += -1 if closing else 1
    yield from (f"<{tag}>" for tag, number in counted.items() if number)


def _for_outlook(html: str) -> str:
    """The HTML as Outlook for Windows reads it."""
    return _COMMENT.sub("", _MARK.sub("", _NOT_OUTLOOK.sub("", html)))


def _fetched(document: Document) -> Iterator[str]:
    for element in document.elements():
        tag = str(element.tag)
        if tag in _FETCHING and (tag == "script" or element.get(_FETCHING[tag])):
            yield str(element.get(_FETCHING[tag]) or f"<{tag}>")
    for rule in document.rules:
        yield from (context for context in rule.context if context.lower().startswith("@import"))
        for declaration in rule.declarations:
            if declaration.name not in _PICTURES:
                addresses = _ADDRESS.findall(declaration.value)
                yield from (address for address in addresses if not address.startswith("data:"))
