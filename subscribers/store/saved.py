"""Queries about saved segments."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from subscribers.errors import SegmentExists, UnknownList, UnknownSegment
from subscribers.models import MailingList, Segment
from subscribers.segments import Expression, Resolve, expand, named_lists, parse
from subscribers.store.values import clean_name


def create_segment(session: Session, name: str, *, expression: str, now: datetime) -> Segment:
    """Save an expression under a name.

    Raises:
        SegmentExists: the name is taken.
        SegmentSyntaxError, SegmentCycle, UnknownSegment, UnknownList, InvalidValue: nothing was saved.
    """
    name = clean_name("segment", name)
    if find_segment(session, name) is not None:
        raise SegmentExists(name)
    checked_expression(session, expression, name=name)
    segment = Segment(name=name, expression=expression, created=now, updated=now)
    session.add(segment)
    session.flush()
    return segment


def find_segment(session: Session, name: str) -> Segment | None:
    """Return the saved segment of this name."""
    return session.scalar(select(Segment).where(col(Segment.name) == name))


def get_segment(session: Session, name: str) -> Segment:
    """Return the saved segment of this name.

    Raises:
        UnknownSegment: with the name most like it.
    """
    found = find_segment(session, name)
    if found is None:
        raise UnknownSegment(name, session.scalars(select(col(Segment.name))))
    return found


def all_segments(session: Session) -> Sequence[Segment]:
    """Return every saved segment, by name."""
    return session.scalars(select(Segment).order_by(col(Segment.name))).all()


def set_segment(session: Session, name: str, *, expression: str, now: datetime) -> Segment:
    """Save another expression under a name that is there.

    Raises:
        UnknownSegment, SegmentSyntaxError, SegmentCycle, UnknownList: nothing was changed.
    """
    segment = get_segment(session, name)
    checked_expression(session, expression, name=name)
    segment.expression, segment.updated = expression, now
    session.flush()
    return segment


def delete_segment(session: Session, name: str) -> None:
    """Delete a saved segment; others that name it can no longer be evaluated, and say so.

    Raises:
        UnknownSegment: with the name most like it.
    """
    session.delete(get_segment(session, name))
    session.flush()


def resolver(session: Session) -> Resolve:
    """Return what finds saved segments by name, for `segments.expand` and `segments.to_condition`."""
    return lambda name: parse(get_segment(session, name).expression)


def checked_expression(session: Session, text: str, *, name: str | None = None) -> Expression:
    """Read an expression, put in the saved segments it names, and check that the lists it names exist.

    Args:
        session: to read with.
        text: the expression.
        name: under which it is to be saved, so that it cannot come to name itself.

    Raises:
        SegmentSyntaxError, SegmentCycle, UnknownSegment, UnknownList: it could not be evaluated, or would by mistake
            mean nobody.
    """
    expression = parse(text)
    known = resolver(session)

    def resolve(wanted: str) -> Expression:
        return expression if wanted == name else known(wanted)

    expanded = expand(expression, resolve)
    lists = set(session.scalars(select(col(MailingList.name))))
    for missing in sorted(named_lists(expanded) - lists):
        raise UnknownList(missing, lists)
    return expanded
