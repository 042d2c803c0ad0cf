"""Queries for thousands of subscribers at a time: plain rows in and out, no object per row."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import Connection, Table, bindparam, delete, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col

from subscribers.models import (
    Attribute,
    ConsentAction,
    ConsentEntry,
    Departure,
    Membership,
    MembershipState,
    Subscriber,
    SubscriberTag,
    Suppression,
    SuppressionReason,
)
from subscribers.store.batches import BATCH, among, in_batches

_PEOPLE, _TAGS, _MEMBERSHIPS, _CONSENT, _SUPPRESSIONS = (
    Subscriber.metadata.tables[table.__tablename__]
    for table in (Subscriber, SubscriberTag, Membership, ConsentEntry, Suppression)
)
"""Core tables: inserting through the mapped classes costs a quarter more."""

PRESENT: Final = (MembershipState.CONFIRMED, MembershipState.PENDING)
"""States of those who are on a list, or about to be."""


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
    columns = [_PEOPLE.c[name] for name in Known._fields]
    rows = session.connection().execute(select(*columns).where(among(session, _PEOPLE.c.address_key, keys)))
    return {row[1]: Known._make(row) for row in rows}


def ids_of(session: Session, keys: Collection[str]) -> list[int]:
    """Return the ids of the stored ones among the keys of addresses."""
    query = select(_PEOPLE.c.id).where(among(session, _PEOPLE.c.address_key, keys))
    return [row[0] for row in session.connection().execute(query)]


def tags_of(session: Session, ids: Collection[int]) -> dict[int, list[str]]:
    """Return the tags of subscribers by id, in any order; who has none is missing."""
    tags: dict[int, list[str]] = {}
    query = select(_TAGS.c.subscriber_id, _TAGS.c.tag).where(among(session, _TAGS.c.subscriber_id, ids))
    for key, tag in session.connection().execute(query):
        tags.setdefault(key, []).append(tag)
    return tags


def present_in(session: Session, list_id: int) -> Iterator[int]:
    """Yield the ids of all who are on a list or about to be, in flat memory; the session must not end meanwhile."""
    for state in PRESENT:
        last = 0
        while True:
            query = select(_MEMBERSHIPS.c.subscriber_id).where(
                _MEMBERSHIPS.c.list_id == list_id, _MEMBERSHIPS.c.state == state, _MEMBERSHIPS.c.subscriber_id > last
            )
            query = query.order_by(_MEMBERSHIPS.c.subscriber_id).limit(BATCH)
            ids = [row[0] for row in session.connection().execute(query)]
            if not ids:
                break
            yield from ids
            last = ids[-1]


def end_memberships(
    session: Session, *, list_id: int, ids: Collection[int], state: MembershipState, now: datetime
) -> list[tuple[int, str]]:
    """Let those who are still on a list stand to it in another way; return the id and digest of each of them."""
    chosen = (_MEMBERSHIPS.c.list_id == list_id) & among(session, _MEMBERSHIPS.c.subscriber_id, ids)
    ended = update(_MEMBERSHIPS).where(chosen, _MEMBERSHIPS.c.state.in_(PRESENT)).values(state=state, changed=now)
    connection = session.connection()
    found = [row[0] for row in connection.execute(ended.returning(_MEMBERSHIPS.c.subscriber_id))]
    query = select(_PEOPLE.c.id, _PEOPLE.c.digest).where(among(session, _PEOPLE.c.id, found))
    return [(row[0], row[1]) for row in connection.execute(query)]


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


def insert_consent(session: Session, people: Sequence[tuple[int, str, str]], *, entry: ConsentEntry) -> None:
    """Append the same line to the consent log for many people, as tuples of id, digest and proof.

    Args:
        session: nothing is committed.
        people: whose line it is.
        entry: the line; its own person and proof do not count, and it is not stored itself.
    """
    constants = entry.model_dump(exclude={"id", "subscriber_id", "digest", "proof"})
    _insert(session, _CONSENT, columns=("subscriber_id", "digest", "proof"), rows=people, constants=constants)


def put_suppressions(
    session: Session, rows: Sequence[tuple[str, SuppressionReason]], *, note: str, now: datetime
) -> None:
    """Suppress addresses by their digests; none of them may be suppressed for a reason as strong."""
    for batch in in_batches([digest for digest, _ in rows]):
        session.execute(delete(Suppression).where(col(Suppression.digest).in_(batch)))
    constants = {"note": note, "since": now}
    _insert(session, _SUPPRESSIONS, columns=("digest", "reason"), rows=rows, constants=constants)


def lift_departures(session: Session, people: Sequence[tuple[int, str]]) -> None:
    """Forget that people, as pairs of id and digest, left newsletters or everything: they have agreed anew."""
    for batch in in_batches(people):
        ids, digests = [key for key, _ in batch], [digest for _, digest in batch]
        session.execute(delete(Departure).where(col(Departure.subscriber_id).in_(ids)))
        unsubscribed = col(Suppression.reason) == SuppressionReason.UNSUBSCRIBED
        session.execute(delete(Suppression).where(col(Suppression.digest).in_(digests), unsubscribed))


def _insert(
    session: Session,
    table: Table,
    *,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    constants: Mapping[str, Any],
) -> None:
    """Insert plain tuples: the values of `columns`, then `constants`, which are the same for every row.

    SQLAlchemy would take twice the time to turn every value of every row on its own; here constants are turned once,
    and other columns only where their type asks for it.
    """
    if not rows:
        return
    connection = session.connection()
    names = [*columns, *constants]
    turn = [table.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect) for name in names]
    tail = tuple(
        process(value) if process else value
        for process, value in zip(turn[len(columns) :], constants.values(), strict=True)
    )
    turned = [(place, process) for place, process in enumerate(turn[: len(columns)]) if process]
    values = ((*_turned(row, turned), *tail) for row in rows) if turned else ((*row, *tail) for row in rows)
    into = f"{table.name} ({', '.join(names)})"
    if connection.dialect.name == "postgresql":
        _copy(connection, f"COPY {into} FROM STDIN", values)
    else:
        marks = ", ".join("?" * len(names))
        connection.exec_driver_sql(f"INSERT INTO {into} VALUES ({marks})", list(values))  # noqa: S608 - names of ours


def _copy(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Send rows to PostgreSQL in its own way for many: a fifth of the time of as many INSERTs."""
    driver = cast("Any", connection.connection.driver_connection)
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except cast("Any", connection.dialect.loaded_dbapi).IntegrityError as error:
        # The driver speaks for itself here; whoever calls knows SQLAlchemy's word for the same.
        raise IntegrityError(statement, None, error) from error


def _turned(row: tuple[Any, ...], turned: Sequence[tuple[int, Callable[[Any], Any]]]) -> Sequence[Any]:
    values = list(row)
    for place, process in turned:
        values[place] = process(values[place])
    return values
