"""
Accessibility: what somebody who hears a message, rather than sees it, needs.

Takes a compiled edition, yields findings from its HTML and from the words of its pictures. Sources: WCAG 2.2, success
criteria 3.1.1 (language of page), 2.4.2 (page titled), 1.1.1 (text alternatives), 1.3.1 (headings, tables), 3.1.2
(language of parts) and 2.4.4 (link purpose). What officers called their links is judged by `links`; here it is what
the theme makes of it. Mail programs drop the `html` element, so the wrapper inside the body bears language and
direction once more.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from newsletter.assembly.facts import IssueFacts
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.finding import Finding, Rule, Severity, Tongue
from newsletter.preflight.links import is_vague, words_of
from newsletter.preflight.outline import Outline, Spoken
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
ALT_LANGUAGE: Final = Rule(
    code="alt-other-language",
    severity=Severity.WARNING,
    message="In the {edition} edition the alternative text of a picture is in {language}: “{words}”.",
    hint="Translate the alternative text as well.",
)
TABLES: Final = Rule(
    code="table-role",
    severity=Severity.WARNING,
    message="A table of the {edition} edition that is there for its layout alone does not say so (role=presentation).",
    several="{n} tables of the {edition} edition that are there for their layout alone do not say so "
    "(role=presentation).",
    hint=_ASK,
)
SPOKEN_VAGUE: Final = Rule(
    code="link-spoken-vague",
    severity=Severity.WARNING,
    message="In the {edition} edition a link is read aloud as “{words}”, which does not say where it leads: {url}",
    hint="The theme has to add the title for those who hear the message; ask whoever looks after it.",
)
SPOKEN_ALIKE: Final = Rule(
    code="link-spoken-alike",
    severity=Severity.WARNING,
    message="In the {edition} edition links to different pages are read aloud alike, as “{words}”: {urls}.",
    hint="The theme has to add the title for those who hear the message; ask whoever looks after it.",
)
RULES: Final = (LANGUAGE, TITLE, ALT, HEADINGS, SILENT, ALT_LANGUAGE, TABLES, SPOKEN_VAGUE, SPOKEN_ALIKE)

_FOR_LAYOUT: Final = frozenset({"presentation", "none"})


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
    yield from _translated(given)
    yield from _tables(given)
    yield from _spoken(given)


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


def _translated(given: CompiledEdition) -> Iterator[Finding]:
    """Pictures of entries; the words of a logo are a name."""
    for block in (block for section in given.edition.sections for block in section.blocks):
        alt = block.picture.alt if block.picture else None
        if alt and alt.text.strip() and alt.lang and alt.lang != block.lang:
            yield ALT_LANGUAGE.found(edition=given.name, place=block.key, language=Tongue(alt.lang), words=alt.text)


def _tables(given: CompiledEdition) -> Iterator[Finding]:
    bare = [
        table
        for table in given.document.root.iter("table")
        if table.get("role") not in _FOR_LAYOUT and next(table.iter("th"), None) is None
    ]
    if bare:
        yield TABLES.found(edition=given.name, n=len(bare))


def _spoken(given: CompiledEdition) -> Iterator[Finding]:
    written = {words_of(link.label) for link in given.links if link.label}
    by_words: dict[str, list[Spoken]] = {}
    for link in given.outline.links:
        if not link.words:
            yield SILENT.found(edition=given.name, url=link.url)
        elif (words := words_of(link.words)) not in written:
            by_words.setdefault(words, []).append(link)
    for links in by_words.values():
        words, urls = links[0].words, tuple(dict.fromkeys(link.url for link in links))
        if is_vague(words):
            yield SPOKEN_VAGUE.found(edition=given.name, words=words, url=urls[0])
        elif len(urls) > 1 and len({link.block for link in links}) > 1:
            yield SPOKEN_ALIKE.found(edition=given.name, words=words, urls=urls)
