"""Queries about tags over everybody who has them; those about single subscribers are in `people`."""

from collections.abc import Sequence

from sqlalchemy import delete, func, literal, select
from sqlalchemy.orm import Session
from sqlmodel import col

from subscribers.errors import UnknownTag
from subscribers.models import SubscriberTag
from subscribers.store.values import clean_name


def known_tags(session: Session) -> Sequence[str]:
    """Return every tag that somebody has, in order."""
    tag = col(SubscriberTag.tag)
    return session.scalars(select(tag).distinct().order_by(tag)).all()


def count_tagged(session: Session, tag: str) -> int:
    """Return how many subscribers have a tag.

    Raises:
        UnknownTag: nobody has; with the tag most like it.
    """
    count = session.scalar(select(func.count()).where(col(SubscriberTag.tag) == tag)) or 0
    if not count:
        raise UnknownTag(tag, known_tags(session))
    return count


def rename_tag(session: Session, old: str, new: str) -> int:
    """Give everybody who has one tag another one instead; who has both keeps one. Return how many had the old one.

    Raises:
        UnknownTag: nobody has the old one.
        InvalidValue: the new one is empty or too long.
    """
    new, count = clean_name("tag", new), count_tagged(session, old)
    if new == old:
        return count
    table = SubscriberTag.metadata.tables["subscriber_tag"]
    have = select(table.c.subscriber_id).where(table.c.tag == new)
    lack = select(table.c.subscriber_id, literal(new)).where(table.c.tag == old, table.c.subscriber_id.not_in(have))
    session.execute(table.insert().from_select(["subscriber_id", "tag"], lack))
    session.execute(delete(SubscriberTag).where(col(SubscriberTag.tag) == old))
    return count


def delete_tag(session: Session, tag: str) -> int:
    """Take a tag off everybody who has it; return how many had.

    Raises:
        UnknownTag: nobody has.
    """
    count = count_tagged(session, tag)
    session.execute(delete(SubscriberTag).where(col(SubscriberTag.tag) == tag))
    return count
