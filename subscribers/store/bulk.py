"""Queries for thousands of subscribers at a time: plain rows in and out, no object per row."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, func, insert, select, text, update
from sqlalchemy.orm import Session
from sqlmodel import col

from subscribers.models import (
    Attribute,
    ConsentAction,
    ConsentEntry,
    Membership,
    MembershipState,
    Subscriber,
    SubscriberTag,
)
from subscribers.store.batches import in_batches

_PEOPLE, _TAGS, _MEMBERSHIPS, _CONSENT = (
    Subscriber.metadata.tables[table.__tablename__] for table in (Subscriber, SubscriberTag, Membership, ConsentEntry)
)
"""Core tables: inserting through the mapped classes costs a quarter more."""


class Known(NamedTuple):
    """A stored subscriber, as far as an import compares."""

    id: int
    address_key: str
    first_name: str
    last_name: str
    organisation: str
    city: str
    country: str
    language: str | None
    timezone: str | None
    attributes: Mapping[str, Attribute]


class NewPerson(NamedTuple):
    """A subscriber to be inserted: the columns of the table in their order, without the times."""

    id: int
    uid: str
    address: str
    address_key: str
    digest: str
    first_name: str
    last_name: str
    organisation: str
    city: str
    country: str
    language: str | None
    timezone: str | None
    attributes: Mapping[str, Attribute]


def known_people(session: Session, keys: Collection[str]) -> dict[str, Known]:
    """Return the stored ones among the keys of addresses."""
    known: dict[str, Known] = {}
    columns = [_PEOPLE.c[name] for name in Known._fields]
    for batch in in_batches(keys):
        rows = session.execute(select(*columns).where(_PEOPLE.c.address_key.in_(batch)))
        known.update((row.address_key, Known(*row)) for row in rows)
    return known


def states_in_list(session: Session, *, list_id: int, ids: Collection[int]) -> dict[int, MembershipState]:
    """Return how subscribers stand to a list, by id; who never had to do with it is missing."""
    states: dict[int, MembershipState] = {}
    for batch in in_batches(ids):
        query = select(col(Membership.subscriber_id), col(Membership.state))
        query = query.where(col(Membership.list_id) == list_id, col(Membership.subscriber_id).in_(batch))
        states.update(session.execute(query).all())
    return states


def leavers(session: Session, *, list_name: str, ids: Collection[int]) -> frozenset[int]:
    """Return those who once left a list, by the consent log."""
    left: set[int] = set()
    for batch in in_batches(ids):
        query = select(_CONSENT.c.subscriber_id).where(
            _CONSENT.c.subscriber_id.in_(batch),
            _CONSENT.c.list_name == list_name,
            _CONSENT.c.action == ConsentAction.LEFT,
        )
        left.update(session.scalars(query))
    return frozenset(left)


def new_ids(session: Session, count: int) -> Sequence[int]:
    """Return ids for subscribers that are about to be inserted in this transaction.

    Asking for them afterwards costs a look-up a person. SQLite lets one transaction write at a time: were another to
    take the same ids, the later of the two could not begin to write.
    """
    if session.get_bind().dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(_PEOPLE.name, "id")
        return session.scalars(select(func.nextval(sequence)).select_from(func.generate_series(1, count))).all()
    last = session.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :table"), {"table": _PEOPLE.name}) or 0
    return range(last + 1, last + 1 + count)


def insert_people(session: Session, people: Sequence[NewPerson], *, now: datetime) -> None:
    """Insert subscribers that are not stored yet."""
    _insert(session, _PEOPLE, columns=NewPerson._fields, rows=people, constants={"created": now, "updated": now})


def update_people(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update subscribers by `id`; every row must give the same columns."""
    if rows:
        named: dict[str, Any] = {name: bindparam(f"new_{name}") for name in rows[0] if name != "id"}
        statement = update(_PEOPLE).where(_PEOPLE.c.id == bindparam("new_id")).values(named)
        session.execute(statement, [{f"new_{name}": value for name, value in row.items()} for row in rows])


def insert_tags(session: Session, rows: Iterable[tuple[int, str]]) -> None:
    """Insert tags as pairs of subscriber's id and tag; none of them may be there."""
    _insert(session, _TAGS, columns=("subscriber_id", "tag"), rows=list(rows), constants={})


def put_memberships(
    session: Session,
    *,
    list_id: int,
    new: Collection[int],
    known: Collection[int],
    state: MembershipState,
    now: datetime,
) -> None:
    """Let subscribers stand to a list in one way: `new` had nothing to do with it before, `known` had."""
    constants = {"list_id": list_id, "state": state, "changed": now}
    _insert(session, _MEMBERSHIPS, columns=("subscriber_id",), rows=[(key,) for key in new], constants=constants)
    for batch in in_batches(known):
        chosen = (_MEMBERSHIPS.c.list_id == list_id) & _MEMBERSHIPS.c.subscriber_id.in_(batch)
        session.execute(update(_MEMBERSHIPS).where(chosen).values(state=state, changed=now))


def insert_consent(session: Session, people: Sequence[tuple[int, str]], *, entry: ConsentEntry) -> None:
    """Append the same line to the consent log for many people, as pairs of id and digest.

    Args:
        session: nothing is committed.
        people: whose line it is.
        entry: the line; its own person does not count, and it is not stored itself.
    """
    constants = entry.model_dump(exclude={"id", "subscriber_id", "digest"})
    _insert(session, _CONSENT, columns=("subscriber_id", "digest"), rows=people, constants=constants)


def _insert(
    session: Session,
    table: Table,
    *,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    constants: Mapping[str, Any],
) -> None:
    """Insert plain tuples: `columns`, the first of the table in its own order, then `constants` in any order.

    SQLAlchemy would take twice the time to turn every value of every row on its own; here constants are turned once,
    and other columns only where their type asks for it.
    """
    if not rows:
        return
    connection = session.connection()
    names = [*columns, *(name for name in table.c.keys() if name in constants)]  # noqa: SIM118 - no dict
    statement = insert(table).compile(dialect=connection.dialect, column_keys=names)
    turn = [table.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect) for name in names]
    tail = tuple(
        process(value) if process else value
        for process, value in zip(turn[len(columns) :], map(constants.get, names[len(columns) :]), strict=True)
    )
    turned = [(place, process) for place, process in enumerate(turn[: len(columns)]) if process]
    values = [(*_turned(row, turned), *tail) for row in rows]
    if statement.positional:
        connection.exec_driver_sql(str(statement), values)
    else:
        connection.exec_driver_sql(str(statement), [dict(zip(names, row, strict=True)) for row in values])


def _turned(row: tuple[Any, ...], turned: Sequence[tuple[int, Callable[[Any], Any]]]) -> Sequence[Any]:
    if not turned:
        return row
    values = list(row)
    for place, process in turned:
        values[place] = process(values[place])
    return values
