"""
Queries that say who receives something, and what is written about each of them into a message.

The audience of a newsletter is the segment, of those only the confirmed members of at least one list, without those
who left this newsletter and without suppressed addresses.
"""

import json
from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import BigInteger, Select, any_, bindparam, func, inspect, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlmodel import col

from subscribers.models import Departure, Membership, MembershipState, Subscriber, Suppression
from subscribers.segments import Condition

AudienceQuery = Select[int | None, str, str | None, str | None, str]
"""Rows of id, digest, language, time zone and country."""


class SlotValues(NamedTuple):
    """What a message may say about its recipient, and how it is addressed."""

    #: As shown, see `Address.text`.
    address: str
    first_name: str
    last_name: str
    organisation: str
    city: str
    #: ISO 3166-1 alpha-2.
    country: str
    #: Public id, for links.
    uid: str


_PEOPLE = inspect(Subscriber).local_table
_SLOTS = select(_PEOPLE.c.id, *(_PEOPLE.c[name] for name in SlotValues._fields))
_SLOTS_ON_SQLITE = _SLOTS.where(
    _PEOPLE.c.id.in_(select(func.json_each(bindparam("ids")).table_valued("value").c.value))
)
_SLOTS_ON_POSTGRESQL = _SLOTS.where(_PEOPLE.c.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))


def audience_query(condition: Condition, *, newsletter: str) -> AudienceQuery:
    """Return a query for those who receive the newsletter, as (id, digest, language, timezone, country), unordered.

    Args:
        condition: the segment, see `segments.to_condition`.
        newsletter: the newsletter's key.
    """
    query = select(
        col(Subscriber.id),
        col(Subscriber.digest),
        col(Subscriber.language),
        col(Subscriber.timezone),
        col(Subscriber.country),
    )
    return query.where(condition, *_may_receive(newsletter))


def count_audience(session: Session, condition: Condition, *, newsletter: str, at_most: int | None = None) -> int:
    """Return how many receive the newsletter; counting ends at `at_most`."""
    query = select(col(Subscriber.id)).where(condition, *_may_receive(newsletter)).limit(at_most)
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def audience_languages(session: Session, condition: Condition, *, newsletter: str) -> dict[str | None, int]:
    """Return how many of those who receive the newsletter want which language; None is not known."""
    language = col(Subscriber.language)
    query = select(language, func.count()).where(condition, *_may_receive(newsletter)).group_by(language)
    return dict(session.execute(query).all())


def slot_values(session: Session, ids: Collection[int]) -> dict[int, SlotValues]:
    """
    Return what is known about subscribers by id; who is gone is missing.

    Asked for every batch of a run: one statement, whatever the number, whose ids are one parameter, and plain rows.
    """
    if not ids:
        return {}
    wanted = list(ids)
    if session.get_bind().dialect.name == "sqlite":
        rows = session.connection().execute(_SLOTS_ON_SQLITE, {"ids": json.dumps(wanted)})
    else:
        rows = session.connection().execute(_SLOTS_ON_POSTGRESQL, {"ids": wanted})
    return {row[0]: SlotValues._make(row[1:]) for row in rows.all()}  # at once: one by one takes twice as long


def _may_receive(newsletter: str) -> tuple[Condition, Condition, Condition]:
    membership = select(col(Membership.list_id)).where(
        col(Membership.subscriber_id) == Subscriber.id, col(Membership.state) == MembershipState.CONFIRMED
    )
    departure = select(col(Departure.at)).where(
        col(Departure.subscriber_id) == Subscriber.id, col(Departure.newsletter) == newsletter
    )
    suppression = select(col(Suppression.since)).where(col(Suppression.digest) == Subscriber.digest)
    return (
        membership.correlate(Subscriber).exists(),
        ~departure.correlate(Subscriber).exists(),
        ~suppression.correlate(Subscriber).exists(),
    )
