"""
Sections of an edition: blocks with title, text, picture, place, sittings and links, or the lines of the agenda.

Takes an issue's items and their entries in an edition's words, yields its sections; one without content does not occur.
A block shows every sitting that is not over before the issue's date, in order of time, the cancelled ones as such.
"""

from collections.abc import Iterable, Mapping

from newsletter.assembly.agenda import agenda_lines, in_order
from newsletter.assembly.days import Window, chronological, span_of
from newsletter.assembly.edition import Block, Line, Phrase, Picture, SectionView
from newsletter.assembly.facts import IssueFacts, PlacedItem, Placement
from newsletter.assembly.sittings import sitting_view
from newsletter.assembly.wording import Rendition, Wording
from newsletter.content.entry import Image
from newsletter.content.localised import chosen
from newsletter.links import Links
from subscribers.language import direction


def sections_of(
    issue: IssueFacts, items: Iterable[PlacedItem], *, cast: Mapping[str, Rendition], wording: Wording, links: Links
) -> tuple[SectionView, ...]:
    """The sections of an edition that have content; `cast` has the entries of `items` in the edition's words."""
    placed: dict[str, list[PlacedItem]] = {}
    for item in items:
        placed.setdefault(item.section, []).append(item)
    views = (
        SectionView(
            key=section.key,
            title=wording.phrase(section.title) if section.title else None,
            show=section.show,
            columns=section.columns,
            marker=section.marker,
            blocks=_blocks(issue, placed.get(section.key, ()), cast=cast, wording=wording, links=links),
            lines=_lines(issue, placed.get(section.key, ()), cast=cast, wording=wording),
        )
        for section in issue.settings.sections
    )
    return tuple(view for view in views if view.blocks or view.lines)


def _blocks(
    issue: IssueFacts, items: Iterable[PlacedItem], *, cast: Mapping[str, Rendition], wording: Wording, links: Links
) -> tuple[Block, ...]:
    return tuple(
        _block(cast[item.key], wording=wording, issue=issue, links=links, segment=item.segment)
        for item in items
        if item.placement is Placement.BLOCK
    )


def _lines(
    issue: IssueFacts, items: Iterable[PlacedItem], *, cast: Mapping[str, Rendition], wording: Wording
) -> tuple[Line, ...]:
    window = Window.of(issue.plan, issue.settings)
    told = [(cast[item.key], item.segment) for item in items if item.placement is Placement.LINES]
    return in_order(
        (rendition.entry.priority, line)
        for rendition, segment in told
        for line in agenda_lines(rendition, window.within(rendition.entry.sittings), wording=wording, segment=segment)
    )


def _block(rendition: Rendition, *, wording: Wording, issue: IssueFacts, links: Links, segment: str | None) -> Block:
    entry, zone = rendition.entry, issue.settings.timezone
    sittings = Window.of(issue.plan, issue.settings).open(entry.sittings)
    return Block(
        key=entry.key,
        kind=entry.kind,
        topic=rendition.topic,
        topic_url=rendition.topic_url,
        lang=rendition.tag,
        dir=direction(rendition.tag) if rendition.tag else None,
        title=rendition.title.text,
        body=rendition.body,
        links=rendition.links,
        picture=_picture(entry.image, wording=wording, issue=issue, links=links, source=entry.source),
        place=rendition.place,
        sittings=tuple(
            sitting_view(rendition, sitting, wording=wording, issue=issue, links=links)
            for sitting in sorted(sittings, key=lambda each: chronological(span_of(each, zone)))
        ),
        segment=segment,
    )


def _picture(image: Image | None, *, wording: Wording, issue: IssueFacts, links: Links, source: str) -> Picture | None:
    # An image has an address or a stored file in at least one language: `Image` refuses anything else.
    found = chosen(image.url or image.file, wording.chain(source)) if image else None
    if image is None or found is None:
        return None
    width, height = issue.pictures.get(found[0], (None, None)) if image.file else (None, None)
    return Picture(
        url=links.picture(found[0]) if image.file else found[0],
        alt=wording.phrase(image.alt, source) or Phrase(text=""),
        credit=wording.phrase(image.credit, source),
        link=image.link,
        width=width,
        height=height,
    )
