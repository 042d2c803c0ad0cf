"""
Contrast and size: whether the words can be made out, in the light scheme and in the dark one.

Takes a compiled edition, yields findings. Sources: WCAG 2.2, 1.4.3, level AA: 4.5:1, and 3:1 for large text (from 24
pixels, bold from 18.66); the dark scheme is the one that the theme's sheet asks for, programs that invert colours by
force are not foreseen. 13 pixels are the smallest size that a phone leaves as it is (iOS enlarges smaller text).
Words on a picture or a gradient are not judged.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from math import floor
from typing import Final

from newsletter.assembly.facts import IssueFacts
from newsletter.compilation.colours import READABLE, contrast
from newsletter.preflight.cascade import Look, Seen, View, seen_in
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.finding import Finding, Rule, Severity

READABLE_LARGE: Final = 3.0
"""Contrast of large text: WCAG 2.2, 1.4.3, level AA."""

LARGE: Final = 24.0
"""Pixels from which text is large: 18 points."""

LARGE_BOLD: Final = 18.66
"""Pixels from which bold text is large: 14 points."""

SMALLEST: Final = 13.0
"""Pixels."""

LIGHT: Final = View()
DARK: Final = View(dark=True)
NARROW: Final = View(width=375)

_EXCERPT: Final = 60
"""Characters that show which words are meant."""

_ASK: Final = "The theme has to do this; ask whoever looks after it."

LOW: Final = Rule(
    code="contrast-low",
    severity=Severity.WARNING,
    message="In the {edition} edition “{words}” is hard to read: {colour} on {ground} has a contrast of {ratio}:1, and "
    "{needed}:1 is needed.",
    hint=_ASK,
)
LOW_DARK: Final = Rule(
    code="contrast-low-dark",
    severity=Severity.WARNING,
    message="In the dark scheme of the {edition} edition “{words}” is hard to read: {colour} on {ground} has a "
    "contrast of {ratio}:1, and {needed}:1 is needed.",
    hint=_ASK,
)
ACCENT: Final = Rule(
    code="accent-unreadable",
    severity=Severity.WARNING,
    message="Links in the newsletter's colour {accent} are hard to read on {ground}: their contrast is {ratio}:1, and "
    "{needed}:1 is needed.",
    hint="Choose a darker colour for the newsletter's theme (accent).",
    shared=True,
)
SHADED: Final = Rule(
    code="accent-shaded",
    severity=Severity.NOTICE,
    message="The newsletter's colour {accent} is too pale for words on {ground} (contrast {ratio}:1): links are shown "
    "in a darker shade of it.",
    hint="Nothing has to be done; a darker colour for the newsletter's theme (accent) is shown as it is.",
    shared=True,
)
SMALL: Final = Rule(
    code="text-small",
    severity=Severity.WARNING,
    message="In the {edition} edition “{words}” is {size} pixels high, and less than 13 is hard to read on a phone.",
    hint=_ASK,
)
RULES: Final = (LOW, LOW_DARK, ACCENT, SHADED, SMALL)


def check(given: CompiledEdition, issue: IssueFacts) -> Iterator[Finding]:
    """Look at an edition in both colour schemes."""
    del issue
    accent = (given.edition.theme.accent or "").lower()
    light = tuple(seen_in(given.document, LIGHT))
    yield from _low(light, LOW, given.name, accent=accent)
    yield from _low(seen_in(given.document, DARK), LOW_DARK, given.name)
    if accent:
        yield from _shaded(light, given.name, accent=accent)
    yield from _small((*light, *seen_in(given.document, NARROW)), given.name)


def _low(seen: Iterable[Seen], rule: Rule, edition: str, *, accent: str = "") -> Iterator[Finding]:
    """One finding for each pair of colours, by the first words that have them."""
    known = set()
    for each in seen:
        look = each.look
        pair = look.colour, look.ground
        if look.colour is None or look.ground is None or pair in known:
            continue
        ratio, needed = contrast(look.colour, look.ground), _needed(look)
        if ratio < needed:
            known.add(pair)
            yield _judged(each, rule, edition, accent=accent, ratio=_rounded(ratio), needed=needed)


def _judged(each: Seen, rule: Rule, edition: str, *, accent: str, ratio: float, needed: float) -> Finding:
    colour, ground = each.look.colour or "", each.look.ground or ""
    if each.look.link and colour == accent:
        return ACCENT.found(edition=edition, accent=accent, ground=ground, ratio=ratio, needed=needed)
    words = _excerpt(each.words)
    return rule.found(edition=edition, words=words, colour=colour, ground=ground, ratio=ratio, needed=needed)


def _needed(look: Look) -> float:
    return READABLE_LARGE if look.size >= (LARGE_BOLD if look.bold else LARGE) else READABLE


def _shaded(seen: Collection[Seen], edition: str, *, accent: str) -> Iterator[Finding]:
    """Whether links on the paper, the ground of most words, can not have the accent as it is."""
    grounds = Counter(each.look.ground for each in seen if each.look.ground)
    for paper, _ in grounds.most_common(1):
        linked = {each.look.colour for each in seen if each.look.link and each.look.ground == paper}
        ratio = contrast(accent, paper)
        if linked and accent not in linked and ratio < READABLE:
            yield SHADED.found(edition=edition, accent=accent, ground=paper, ratio=_rounded(ratio))


def _small(seen: Iterable[Seen], edition: str) -> Iterator[Finding]:
    known = set()
    for each in seen:
        size = round(each.look.size, 1)
        if 0 < size < SMALLEST and size not in known:
            known.add(size)
            yield SMALL.found(edition=edition, words=_excerpt(each.words), size=size)


def _rounded(ratio: float) -> float:
    """Down to one decimal, so that no ratio that is too low reads like enough."""
    return floor(ratio * 10) / 10


def _excerpt(words: str) -> str:
    return words if len(words) <= _EXCERPT else f"{words[:_EXCERPT].rstrip()}…"
