"""
An entry as it will look in the mail, while it is being written.

Nothing is read of the entry but what is given, nothing is written, no clock is asked: an agenda entry is shown as in an
issue of the day of its first sitting, so that all of them stand in it.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from newsletter.assembly.composition import build_edition
from newsletter.assembly.days import span_of
from newsletter.assembly.edition import Edition
from newsletter.assembly.facts import IssueFacts, IssueState, PlacedItem, Placement
from newsletter.content import store as content
from newsletter.content.entry import Entry, StoredEntry
from newsletter.content.issue import IssuePlan, Period
from newsletter.content.newsletter import Fallback, Newsletter, Section, Show, Topic
from newsletter.database import reading
from newsletter.links import Links
from newsletter.pipeline.parts import Parts
from newsletter.words import catalogue

_NEVER: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
"""Of an entry that is not stored: no theme shows when it was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedBlock:
    """
    An entry in one edition; `language` is that of the text which stands there.

    `html` is a whole page, "" where the edition has no place for the entry.
    """

    html: str
    language: str


class Rendering:
    """The verbs of looking at one entry."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def block(self, newsletter: str, entry: Entry, *, language: str, dark: bool = False) -> RenderedBlock:
        """
        Show an entry, stored or not, as it will stand in the edition of a language, by the newsletter's theme.

        Where it has no text in that language it falls back as in an issue. Raises NotFound for an unknown newsletter,
        CompilationFailed where the theme is wrong.
        """
        from newsletter.compilation.block import compile_block
        from newsletter.compilation.preview import in_scheme

        facts = self._facts(newsletter, entry)
        links = Links(self._parts.links.root)
        edition = build_edition(facts, language=language, links=links, catalogue=catalogue(language))
        if not edition.sections:
            return RenderedBlock(html="", language=language)
        page = in_scheme(compile_block(edition), "dark" if dark else "light")
        # What is stored is shown from where the desk is, wherever readers will fetch it.
        page = page.replace(f'"{links.picture("")}', f'"{urlsplit(links.picture("")).path}')
        return RenderedBlock(html=page, language=_shown(edition, language))

    def _facts(self, newsletter: str, entry: Entry) -> IssueFacts:
        with reading(self._parts.engine) as session:
            newsletter_id, settings = content.get_newsletter(session, newsletter)
            topics = content.topics(session, newsletter_id)
            sizes = content.picture_sizes(session, entry.image.file.values() if entry.image else ())
        return _alone(entry, _with_section(settings, entry), topics=tuple(topics.values()), sizes=sizes)


def _alone(
    entry: Entry, settings: Newsletter, *, topics: tuple[Topic, ...], sizes: dict[str, tuple[int, int]]
) -> IssueFacts:
    """An issue of one entry, of the day on which its first sitting begins or on which it may be published."""
    day = min((span_of(sitting, settings.timezone).first_day for sitting in entry.sittings), default=entry.published)
    shows = {section.key: section.show for section in settings.sections}
    placement = Placement.LINES if shows[entry.section] is Show.LINES else Placement.BLOCK
    stored = StoredEntry(id=0, entry=entry, stale=frozenset(), sequences={}, changed=_NEVER)
    return IssueFacts(
        id=0,
        newsletter_id=0,
        state=IssueState.DRAFT,
        revision=0,
        plan=IssuePlan(slug="preview", date=day, period=Period.model_validate({"from": day, "to": day})),
        settings=settings,
        topics=topics,
        items=(PlacedItem(key=entry.key, section=entry.section, position=0, segment=None, placement=placement),),
        entries={entry.key: stored},
        pictures=sizes,
    )


def _with_section(settings: Newsletter, entry: Entry) -> Newsletter:
    """The settings with the entry's section alone; an issue may have sections that the newsletter lacks."""
    own = next((section for section in settings.sections if section.key == entry.section), Section(key=entry.section))
    return settings.model_copy(update={"sections": (own,), "fallback": Fallback.SHOW})


def _shown(edition: Edition, language: str) -> str:
    return next((tag for _, tag in edition.fallbacks), language)
