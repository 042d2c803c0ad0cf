"""
The verbs about saved segments.

Takes expressions, yields whom they mean: in an English sentence and as counts. Promises that no segment is saved that
names a list or a segment that does not exist, and none given up that something else names.
"""

import datetime as dt
from dataclasses import dataclass

from sqlmodel import Session

from newsletter.content.store import get_newsletter
from newsletter.database import reading
from newsletter.pipeline.naming import naming_segment, refuse_named
from newsletter.pipeline.parts import Parts
from subscribers import store
from subscribers.errors import UnknownField
from subscribers.models import Segment
from subscribers.segments import (
    Condition,
    attribute_names,
    check_attributes,
    expand,
    parse,
    to_condition,
    to_words,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentFacts:
    """A saved segment, whom it means in words, and what in it looks like a slip of the pen."""

    name: str
    expression: str
    words: str
    created: dt.datetime
    updated: dt.datetime
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class SegmentCount:
    """How many people match a segment, and how many of them receive the newsletter that was asked about."""

    matching: int
    audience: int | None


class Segments:
    """The verbs about saved segments."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def create(self, name: str, expression: str) -> SegmentFacts:
        """
        Save an expression under a name.

        Raises SegmentExists, SegmentSyntaxError, SegmentCycle, UnknownList and UnknownSegment (with the nearest name).
        """
        with self._parts.sessions() as session:
            saved = store.create_segment(session, name, expression=expression, now=self._parts.now())
            facts = _facts(saved, doubt=_doubt(session, expression))
            session.commit()
        return facts

    def change(self, name: str, expression: str) -> SegmentFacts:
        """Save another expression under a name, as `create`; what is queued keeps the one it was queued with."""
        with self._parts.sessions() as session:
            saved = store.set_segment(session, name, expression=expression, now=self._parts.now())
            facts = _facts(saved, doubt=_doubt(session, expression))
            session.commit()
        return facts

    def get(self, name: str) -> SegmentFacts:
        """Return a saved segment."""
        with reading(self._parts.engine) as session:
            return _facts(store.get_segment(session, name))

    def all(self) -> list[SegmentFacts]:
        """Return every saved segment, by name."""
        with reading(self._parts.engine) as session:
            return [_facts(saved) for saved in store.all_segments(session)]

    def count(self, name: str, *, newsletter: str | None = None) -> SegmentCount:
        """Count who matches a segment, and with a newsletter who of them would receive it now."""
        with reading(self._parts.engine) as session:
            condition = condition_of(session, name, now=self._parts.now())
            matching = store.count_subscribers(session, condition)
            if newsletter is None:
                return SegmentCount(matching, None)
            _, settings = get_newsletter(session, newsletter)
            return SegmentCount(matching, store.count_audience(session, condition, newsletter=settings.slug))

    def delete(self, name: str) -> None:
        """Delete a saved segment; raises WrongState where another segment or an issue to come names it."""
        with self._parts.sessions() as session:
            store.get_segment(session, name)
            refuse_named(f"segment “{name}”", naming_segment(session, name))
            store.delete_segment(session, name)
            session.commit()


def condition_of(session: Session, name: str, *, now: dt.datetime) -> Condition:
    """Return the condition of a saved segment; raises UnknownSegment with the nearest name."""
    expression = parse(store.get_segment(session, name).expression)
    return to_condition(expression, now=now, resolve=store.resolver(session))


def _facts(saved: Segment, *, doubt: str | None = None) -> SegmentFacts:
    return SegmentFacts(
        name=saved.name,
        expression=saved.expression,
        words=to_words(parse(saved.expression)),
        created=saved.created,
        updated=saved.updated,
        doubt=doubt,
    )


def _doubt(session: Session, text: str) -> str | None:
    """Say which attribute nobody has: it may come with the next import, or be a slip that means nobody."""
    expression = expand(parse(text), store.resolver(session))
    if not attribute_names(expression):
        return None
    try:
        check_attributes(expression, store.attribute_names(session))
    except UnknownField as error:
        hint = f"; did you mean “{error.hint}”?" if error.hint else ""
        return f"nobody has an attribute “{error.name}” yet{hint}"
    return None
