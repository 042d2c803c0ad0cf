"""
Places: where in an edition its words and links stand.

Takes an edition, yields every text and every link that an officer is answerable for, each with its place. What the
program makes itself (web view, calendar files, the links to leave) is not among them. Pure.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from newsletter.assembly.edition import Anchor, Block, Edition, Line, LogoView, Phrase, Picture, PlaceView, SittingView
from newsletter.content.entry import SAFE_SCHEMES
from newsletter.content.markdown import links_in

_CODE: Final = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_MEANT_AS_LINK: Final = re.compile(r"(?<!\\)\[([^\[\]\n]*)\]\(([^()\n]*)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedText:
    """Words in their place, written in `language`: plain text, or CommonMark where `markdown` is set."""

    place: str
    text: str
    language: str
    markdown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLink:
    """
    A link in its place.

    `label` is what somebody wrote for it; None where the theme gives the words, or where it has none of its own (a
    picture, an address of an online event). `dated` links belong to one sitting and stand under its date. `language` is
    that of the text that the link was entered with; None where one link serves the texts of all languages.
    """

    place: str
    url: str
    label: str | None = None
    dated: bool = False
    language: str | None = None

    @property
    def entry(self) -> str:
        """The key of the entry, or the part of the issue, that it belongs to."""
        return self.place.partition(": ")[0]


def opened(url: str) -> SplitResult | None:
    """The parts of an address that a mail program can open; None for any other."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    whole = parts.hostname if scheme in {"http", "https"} else parts.path
    return parts if scheme in SAFE_SCHEMES and whole else None


def texts_in(edition: Edition) -> Iterator[PlacedText]:
    """All words that somebody wrote for this edition, in their order."""
    yield from _phrases(edition, "title", edition.title)
    yield PlacedText(place="subject", text=edition.subject, language=edition.title.lang or edition.language)
    yield from _phrases(edition, "preheader", edition.preheader)
    yield from _phrases(edition, "intro", edition.intro, markdown=True)
    for section in edition.sections:
        yield from _phrases(edition, f"section: {section.key}", section.title)
        for block in section.blocks:
            yield from _block_texts(edition, block)
    for line in _lines(edition):
        for part in line.parts:
            yield from _phrases(edition, line.key, part.title)
            yield from _labels(edition, line.key, part.links)
    yield from _phrases(edition, "footer", edition.footer.text)


def links_of(edition: Edition) -> Iterator[PlacedLink]:
    """All links that somebody entered for this edition, in their order; pictures are links too, of another kind."""
    own = urlsplit(edition.web_view)
    root = f"{own.scheme}://{own.netloc}/"
    # Stored pictures (whose size is known) lie where the settings say, which is for `newsletter doctor` to judge.
    stored = {picture.url for _, picture in pictures_in(edition) if isinstance(picture, Picture) and picture.width}
    return (link for link in _links(edition) if not link.url.startswith(root) and link.url not in stored)


def pictures_in(edition: Edition) -> Iterator[tuple[str, Picture | LogoView]]:
    """The pictures that say something, with their places."""
    if edition.logo:
        yield "masthead", edition.logo
    for section in edition.sections:
        for block in section.blocks:
            if block.picture:
                yield block.key, block.picture
    for logo in edition.footer.logos:
        yield "footer", logo


def entries_in(edition: Edition) -> tuple[str, ...]:
    """The keys of the entries that stand in the edition, as block or line, in their order."""
    sections = edition.sections
    blocks = (block.key for section in sections for block in section.blocks)
    lines = (line.key for section in sections for line in section.lines)
    return tuple(dict.fromkeys((*blocks, *lines)))


def _lines(edition: Edition) -> Iterator[Line]:
    """The lines of entries that do not stand as a block as well: these would say the same words once more."""
    blocks = {block.key for section in edition.sections for block in section.blocks}
    return (line for section in edition.sections for line in section.lines if line.key not in blocks)


def _phrases(edition: Edition, place: str, phrase: Phrase | None, *, markdown: bool = False) -> Iterator[PlacedText]:
    if phrase and phrase.text:
        yield PlacedText(place=place, text=phrase.text, language=phrase.lang or edition.language, markdown=markdown)


def _labels(edition: Edition, place: str, anchors: Iterable[Anchor]) -> Iterator[PlacedText]:
    for anchor in anchors:
        yield from _phrases(edition, place, anchor.label)


def _block_texts(edition: Edition, block: Block) -> Iterator[PlacedText]:
    yield from _phrases(edition, block.key, Phrase(text=block.title, lang=block.lang))
    yield from _phrases(edition, block.key, Phrase(text=block.body, lang=block.lang), markdown=True)
    yield from _labels(edition, block.key, block.links)
    for sitting in block.sittings:
        place = f"{block.key}: {sitting.key}"
        yield from _phrases(edition, place, sitting.title)
        yield from _phrases(edition, place, sitting.body, markdown=True)
        yield from _labels(edition, place, sitting.links)


def _links(edition: Edition) -> Iterator[PlacedLink]:
    yield from _in_markdown("intro", edition.intro.text, language=edition.intro.lang or edition.language)
    for section in edition.sections:
        for block in section.blocks:
            yield from _block_links(block, edition.language)
    for line in _lines(edition):
        for part in line.parts:
            yield from _anchors(line.key, part.links, dated=True)
        yield from _online(line.key, line.place)
    yield from _bare("masthead", edition.website)
    for place, picture in pictures_in(edition):
        yield from _bare(place, picture.url)
        yield from _bare(place, picture.link)
    for page in edition.footer.social:
        yield from _bare("footer", page.url)


def _block_links(block: Block, language: str) -> Iterator[PlacedLink]:
    written = block.lang or language
    yield from _bare(block.key, block.topic_url)
    yield from _in_markdown(block.key, block.body, language=written)
    yield from _anchors(block.key, block.links, language=written)
    yield from _online(block.key, block.place)
    for sitting in block.sittings:
        yield from _sitting_links(f"{block.key}: {sitting.key}", sitting, language)


def _sitting_links(place: str, sitting: SittingView, language: str) -> Iterator[PlacedLink]:
    if sitting.body:
        yield from _in_markdown(place, sitting.body.text, dated=True, language=sitting.body.lang or language)
    yield from _anchors(place, sitting.links, dated=True)
    yield from _online(place, sitting.place)


def _anchors(
    place: str, anchors: Iterable[Anchor], *, dated: bool = False, language: str | None = None
) -> Iterator[PlacedLink]:
    for anchor in anchors:
        label = anchor.label.text if anchor.label else None
        yield PlacedLink(place=place, url=anchor.url, label=label, dated=dated, language=language)


def _in_markdown(place: str, source: str, *, language: str, dated: bool = False) -> Iterator[PlacedLink]:
    meant = [(label, _address(inside)) for label, inside in _MEANT_AS_LINK.findall(_CODE.sub("", source))]
    # What leads nowhere is left in its brackets, and so is no link, but it was meant as one.
    found = [each for each in links_in(source) if opened(each[1])] + [each for each in meant if not opened(each[1])]
    for label, url in found:
        yield PlacedLink(place=place, url=url, label=label, dated=dated, language=language)


def _address(inside: str) -> str:
    """What stands between a link's round brackets, without its title and the brackets around an address with blanks."""
    return (inside.split() or [""])[0].strip("<>")


def _online(place: str, where: PlaceView | None) -> Iterator[PlacedLink]:
    yield from _bare(place, where.online if where else None)


def _bare(place: str, url: str | None) -> Iterator[PlacedLink]:
    if url:
        yield PlacedLink(place=place, url=url)
