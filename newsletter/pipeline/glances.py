"""
What an expression means, at a glance: while somebody writes it.

Takes text, yields counts by language, a few people, and every slip of the pen that can be seen; promises to be back
within a bounded time, saying that it could not count where that was too short. Changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlmodel import Session

from newsletter.database import reading, reading_within
from newsletter.errors import TooSlow
from newsletter.pipeline.meaning import check_reactions, condition_of_text
from newsletter.pipeline.naming import naming_list, naming_segment, naming_tag
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.person import Person, people_of
from newsletter.pipeline.segments import SegmentTest, doubts_about, tested
from subscribers import store
from subscribers.segments import parse, to_words

PATIENCE: Final = 1.5
"""Seconds for counting everybody whom an expression means: beyond, an officer writes on without a number."""

SAMPLE: Final = 5
"""People who are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """
    Whom an expression means.

    `count` is None where counting took too long; `languages` has the count of each, None for those whose language is
    not known, the largest first.
    """

    words: str
    count: int | None
    languages: Mapping[str | None, int] = field(default_factory=dict)
    sample: Sequence[Person] = ()
    doubts: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What exists and can be named in an expression, each in order."""

    lists: Sequence[str]
    tags: Sequence[str]
    segments: Sequence[str]
    languages: Sequence[str]
    attributes: Sequence[str]


class Glances:
    """The verbs that show whom an expression means."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def look(self, expression: str) -> Glance:
        """
        Show whom an expression means.

        Raises SegmentSyntaxError with its place, SegmentCycle, UnknownList and UnknownSegment with the nearest name,
        NotFound for an issue, InvalidInput where it asks for what is not counted.
        """
        words = to_words(parse(expression))
        with reading(self._parts.engine) as session:
            check_reactions(session, store.checked_expression(session, expression))
        try:
            with reading_within(self._parts.engine, PATIENCE) as session:
                return self._counted(session, expression, words)
        except TooSlow:
            return Glance(words=words, count=None)

    def count(self, expression: str) -> int | None:
        """How many an expression means; None where counting took too long. Raises as `look` does."""
        try:
            with reading_within(self._parts.engine, PATIENCE) as session:
                return store.count_subscribers(session, condition_of_text(session, expression, now=self._parts.now()))
        except TooSlow:
            return None

    def test(self, expression: str, address: str) -> SegmentTest:
        """Say whether an expression means somebody, and which part of it does not; raises UnknownSubscriber."""
        with reading(self._parts.engine) as session:
            return tested(session, expression, store.get_subscriber(session, address), now=self._parts.now())

    def names(self) -> Names:
        """What can be named. Reads through the attributes of everybody."""
        with reading(self._parts.engine) as session:
            return Names(
                lists=[each.name for each in store.all_lists(session)],
                tags=store.known_tags(session),
                segments=[each.name for each in store.all_segments(session)],
                languages=store.languages_known(session),
                attributes=store.attribute_names(session),
            )

    def named_by(self, *, segment: str = "", mailing_list: str = "", tag: str = "") -> list[str]:
        """What names a segment, a list or a tag, in words: it cannot be deleted meanwhile."""
        with reading(self._parts.engine) as session:
            if segment:
                return naming_segment(session, segment)
            return naming_list(session, mailing_list) if mailing_list else naming_tag(session, tag)

    def _counted(self, session: Session, expression: str, words: str) -> Glance:
        condition = condition_of_text(session, expression, now=self._parts.now())
        languages = store.count_by_language(session, condition)
        sample = store.search(session, store.Sought(), limit=SAMPLE, condition=condition)
        return Glance(
            words=words,
            count=sum(languages.values()),
            languages=languages,
            sample=people_of(session, sample),
            doubts=doubts_about(session, expression, now=self._parts.now()),
        )
