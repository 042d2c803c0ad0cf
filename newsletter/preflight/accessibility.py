"""
Accessibility: what somebody who hears a message, rather than sees it, needs.

Takes a compiled edition, yields findings from its HTML and from the words of its pictures. Sources: WCAG 2.2, success
criteria 3.1.1 (language of page), 2.4.2 (page titled), 1.1.1 (text alternatives), 1.3.1 (headings) and 2.4.4 (link
purpose). Mail programs drop the `html` element, so the wrapper inside the body bears language and direction once more.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from newsletter.assembly.facts import IssueFacts
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.finding import Finding, Rule, Severity
from newsletter.preflight.outline import Outline
from newsletter.preflight.places import pictures_in

_ASK: Final = "The theme has to do this; ask whoever looks after it."

LANGUAGE: Final = Rule(
    code="html-language",
    severity=Severity.ERROR,
    message="The HTML of the {edition} edition does not say its language and direction, or says another.",
    hint=_ASK,
)
TITLE: Final = Rule(
    code="html-title",
    severity=Severity.ERROR,
    message="The HTML of the {edition} edition has no title.",
    hint=_ASK,
)
ALT: Final = Rule(
    code="alt-missing",
    severity=Severity.WARNING,
    message="The picture {url} has no words for those who do not see it.",
    hint="Write as its alternative text what the picture tells.",
    shared=True,
)
HEADINGS: Final = Rule(
    code="heading-order",
    severity=Severity.WARNING,
    message="The headings of the {edition} edition skip a level at “{words}” ({levels}).",
    hint=_ASK,
)
SILENT: Final = Rule(
    code="link-silent",
    severity=Severity.ERROR,
    message="In the {edition} edition a link has no words that can be spoken; it leads to {url}",
    hint="Give the picture inside it an alternative text, or take the link off.",
)
RULES: Final = (LANGUAGE, TITLE, ALT, HEADINGS, SILENT)


def check(given: CompiledEdition, issue: IssueFacts) -> Iterator[Finding]:
    """Listen to an edition."""
    del issue
    edition, outline, name = given.edition, given.outline, given.name
    # Entries may be articles too, but they stand inside the wrapper.
    if outline.languages[:2] != ((edition.language, edition.dir),) * 2:
        yield LANGUAGE.found(edition=name)
    if not outline.title:
        yield TITLE.found(edition=name)
    yield from _pictures(given)
    yield from _headings(outline, name)
    for link in outline.links:
        if not link.words:
            yield SILENT.found(edition=name, url=link.url)


def _pictures(given: CompiledEdition) -> Iterator[Finding]:
    wordless = [(place, picture.url) for place, picture in pictures_in(given.edition) if not picture.alt.text.strip()]
    told = {url for _, url in wordless}
    # An empty alt says "decoration", which is the theme's to decide; without the attribute the address is read aloud.
    bare = [image.url for image in given.outline.images if image.alt is None and image.url not in told]
    for place, url in (*wordless, *(("", url) for url in bare)):
        yield ALT.found(edition=given.name, place=place, url=url)


def _headings(outline: Outline, edition: str) -> Iterator[Finding]:
    headings = [(0, ""), *((heading.level, heading.words) for heading in outline.headings)]
    for (above, _), (below, words) in pairwise(headings):
        if below > above + 1:
            levels = f"h{above}, h{below}" if above else f"h{below}"
            yield HEADINGS.found(edition=edition, words=words, levels=levels)
