"""
Composition: from what is known of an issue to one of its editions.

Takes an issue's facts and a language; yields the frozen `Edition`. Touches no database, clock or network, so that the
same facts give an equal edition at any time.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Final

from newsletter.assembly.days import Window, chronological
from newsletter.assembly.edition import (
    Alternate,
    CalendarEvent,
    Counting,
    Edition,
    FooterView,
    LogoView,
    Phrase,
    SectionView,
    SocialView,
)
from newsletter.assembly.facts import IssueFacts, PlacedItem, stands_in
from newsletter.assembly.sections import sections_of
from newsletter.assembly.sittings import calendar_event
from newsletter.assembly.wording import Rendition, Wording
from newsletter.content.issue import IssueText
from newsletter.content.newsletter import Fallback, Footer, Logo, Newsletter, Tracking
from newsletter.errors import InvalidInput
from newsletter.links import Links
from newsletter.times import day_words, month_words, own_name
from newsletter.words import Catalogue
from subscribers.language import direction

MOST_SEGMENTS: Final = 3
"""Segments that the items of one issue may be limited to: each doubles the editions that somebody has to look at."""


def variants(items: Iterable[PlacedItem]) -> tuple[frozenset[str], ...]:
    """
    Every combination of the segments that items are limited to: the plain edition first, then by size and name.

    Raises InvalidInput for more than three segments.
    """
    segments = sorted({item.segment for item in items if item.segment})
    if len(segments) > MOST_SEGMENTS:
        names = ", ".join(segments)
        raise InvalidInput(f"items of one issue may be limited to {MOST_SEGMENTS} segments; these name {names}")
    return tuple(frozenset(names) for size in range(len(segments) + 1) for names in combinations(segments, size))


def variant_name(segments: Iterable[str]) -> str:
    """The name of a variant: "" for the plain edition, else its segments' names joined by "+"."""
    return "+".join(sorted(segments))


def build_edition(
    issue: IssueFacts, *, language: str, segments: frozenset[str] = frozenset(), links: Links, catalogue: Catalogue
) -> Edition:
    """
    Build the edition of an issue in one of its languages, with the items for everybody and those for `segments`.

    The text of an entry, and that of the issue, falls back as a whole: the edition's language, its parents, the
    language it was written in, the newsletter's first. A subject that nobody wrote is made of the newsletter's name and
    the issue's title; being a header, it keeps its spaces as they are.
    """
    settings, plan = issue.settings, issue.plan
    wording = Wording(language=language, settings=settings, catalogue=catalogue)
    items = [item for item in issue.items if item.segment is None or item.segment in segments]
    cast = _cast(issue, items, wording=wording)
    foreign = tuple((key, rendition.tag) for key, rendition in cast.items() if rendition.tag)
    if settings.fallback is Fallback.OMIT:
        cast = {key: rendition for key, rendition in cast.items() if not rendition.tag}
    shown = [item for item in items if item.key in cast]
    sections = sections_of(issue, shown, cast=cast, wording=wording, links=links)
    cast = _standing(cast, sections)
    name = wording.phrase(settings.name) or Phrase(text=settings.slug)
    tag, text = _issue_text(issue, wording)
    title = wording.marked(text.title, tag) if text.title else _month(issue, wording)
    return Edition(
        newsletter=settings.slug,
        issue=plan.slug,
        number=plan.number,
        date=plan.date,
        date_words=day_words(plan.date, locale=wording.locale),
        language=language,
        locale=wording.locale,
        dir=direction(language),
        variant=variant_name(segments),
        name=name,
        title=title,
        subject=text.subject or f"{name.text} – {title.text}",
        preheader=wording.marked(text.preheader, tag),
        intro=wording.marked(text.intro, tag),
        sender_name=(wording.phrase(settings.sender.name) or name).text,
        sender_address=settings.sender.address,
        reply_to=settings.sender.reply_to,
        list_id=settings.list_id,
        website=settings.website,
        theme=settings.theme,
        logo=_logo(logo, wording=wording, alt=name, link=settings.website) if (logo := settings.theme.logo) else None,
        web_view=links.web_view(settings.slug, plan.slug, language),
        calendar=links.issue_calendar(settings.slug, plan.slug, language),
        alternates=_alternates(issue, language, links=links),
        sections=sections,
        footer=_footer(settings.footer, wording=wording, credit_lines=_credits(issue, cast, wording=wording)),
        events=_events(issue, cast, wording=wording),
        fallbacks=tuple((key, tag) for key, tag in foreign if key in cast),
        missing=tuple(key for key, _ in foreign if settings.fallback is Fallback.OMIT),
        blocked=tuple(key for key, _ in foreign if settings.fallback is Fallback.BLOCK),
        counting=_counting(settings, catalogue),
    )


def _cast(issue: IssueFacts, items: Iterable[PlacedItem], *, wording: Wording) -> dict[str, Rendition]:
    """The entries that may stand in the edition, in its words and in the issue's order."""
    topics = {topic.key: topic for topic in issue.topics}
    entries = {item.key: issue.entries[item.key] for item in items}
    return {
        key: wording.rendition(stored, topics)
        for key, stored in entries.items()
        if stands_in(stored.entry, wording.language)
    }


def _standing(cast: Mapping[str, Rendition], sections: Iterable[SectionView]) -> dict[str, Rendition]:
    """Those of the cast that a section shows: an item without a date in the window has neither block nor line."""
    blocks = {block.key for section in sections for block in section.blocks}
    stand = blocks.union(line.key for section in sections for line in section.lines)
    return {key: rendition for key, rendition in cast.items() if key in stand}


def _issue_text(issue: IssueFacts, wording: Wording) -> tuple[str | None, IssueText]:
    """The issue's own words as a whole, in the first language of the chain that has any, else in any."""
    written = {tag: text for tag, text in issue.plan.texts.items() if text != IssueText()}
    for tag in (*wording.chain(), *written):
        if tag in written:
            return tag, written[tag]
    return None, IssueText()


def _month(issue: IssueFacts, wording: Wording) -> Phrase:
    words = month_words(issue.plan.date, locale=wording.locale)
    return Phrase(text=words[:1].upper() + words[1:])


def _alternates(issue: IssueFacts, language: str, *, links: Links) -> tuple[Alternate, ...]:
    return tuple(
        Alternate(language=tag, name=own_name(tag), url=links.web_view(issue.settings.slug, issue.plan.slug, tag))
        for tag in issue.settings.languages
        if tag != language
    )


def _credits(issue: IssueFacts, cast: Mapping[str, Rendition], *, wording: Wording) -> tuple[Phrase, ...]:
    """What funders ask for, once for each topic that stands in the edition: "SiltWatch: Co-funded by …"."""
    standing = dict.fromkeys(rendition.entry.topic for rendition in cast.values())
    by_key = {topic.key: topic for topic in issue.topics}
    topics = (by_key[key] for key in standing if key in by_key)
    return tuple(line for topic in topics if (line := wording.labelled(topic.name, topic.credit)))


def _events(issue: IssueFacts, cast: Mapping[str, Rendition], *, wording: Wording) -> tuple[CalendarEvent, ...]:
    """Every sitting, once, of every entry in the edition, unless it is over before the issue's date."""
    window = Window.of(issue.plan, issue.settings)
    events = [
        calendar_event(rendition, sitting, wording=wording)
        for rendition in cast.values()
        for sitting in window.open(rendition.entry.sittings)
    ]
    return tuple(sorted(events, key=lambda event: (chronological(event.span), event.uid)))


def _footer(footer: Footer, *, wording: Wording, credit_lines: tuple[Phrase, ...]) -> FooterView:
    return FooterView(
        address=wording.phrase(footer.address),
        phone=footer.phone,
        email=footer.email,
        text=wording.phrase(footer.text),
        social=tuple(SocialView(network=page.network, url=page.url) for page in footer.social),
        logos=tuple(_logo(logo, wording=wording, alt=Phrase(text="")) for logo in footer.logos),
        credits=credit_lines,
    )


_COUNTED: Final = {
    (Tracking.TOTALS, False): "We count clicks on the links of this message, without recording whose they are.",
    (Tracking.TOTALS, True): (
        "We count how often this message is opened and its links are clicked, without recording by whom."
    ),
    (Tracking.PEOPLE, False): "We record whether you click a link in this message.",
    (Tracking.PEOPLE, True): "We record whether you open this message and whether you click a link in it.",
}
"""What readers are told, by what is counted and whether opened messages are, too."""


def _counting(settings: Newsletter, catalogue: Catalogue) -> Counting | None:
    if settings.tracking is Tracking.OFF:
        return None
    words = catalogue.say(_COUNTED[settings.tracking, settings.opens])
    return Counting(tracking=settings.tracking, opens=settings.opens, words=words)


def _logo(logo: Logo, *, wording: Wording, alt: Phrase, link: str | None = None) -> LogoView:
    return LogoView(url=logo.url, alt=wording.phrase(logo.alt) or alt, link=logo.link or link)
