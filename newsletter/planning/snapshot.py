"""
The audience of a run as it was at one moment: who belongs to it, in the order in which they are planned.

Takes the queries of those a run means, yields them as a numbered table, which only its own connection sees and which
goes with it. Nobody is asked twice whether they are meant, however many parts the audience is planned in.

The order is that of the first digit of the digests, and within it that of the people. Their rows and memberships lie in
the order of people, and so does the index of deliveries by subscriber; the index that keeps deliveries unique lies in
that of digests. In either order alone each part would read or write nearly every page of the other. Readers who came
together, and often share a provider, are spread over the run all the same.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    func,
    insert,
    literal,
    select,
    union_all,
)
from sqlmodel import Session, col

from subscribers.models import Subscriber
from subscribers.store import AudienceQuery

AUDIENCE: Final = Table(
    "audience",
    MetaData(),
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    Column("id", BigInteger(), nullable=False),
    Column("language", String()),
    Column("timezone", String()),
    Column("variant", Integer(), nullable=False),
    prefixes=["TEMPORARY"],
)
"""
Number from 1 on, id of the subscriber, what they asked for (NULL: nothing), and the place of the query that means them.
"""


class Snapshot:
    """An audience that stands still, on a connection of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        #: How many people it holds.
        self.total: int = connection.scalar(select(func.max(AUDIENCE.c.number))) or 0
        #: The languages that are asked for, each once; None is not known.
        self.languages: list[str | None] = _distinct(connection, AUDIENCE.c.language)
        #: The time zones that occur, each once; None is not known.
        self.zones: list[str | None] = _distinct(connection, AUDIENCE.c.timezone)

    def writing(self) -> Session:
        """A transaction that sees the audience beside everything else, and begins as every writer's does."""
        return Session(self._connection, expire_on_commit=False)


@contextmanager
def snapshot(engine: Engine, queries: Sequence[AudienceQuery]) -> Iterator[Snapshot]:
    """
    Look once at whom these queries mean, of which none means somebody whom another does.

    Keeps nobody from writing meanwhile. On SQLite what it writes goes into a file of its own, which is gone with the
    process whatever becomes of that.
    """
    with engine.connect() as connection:
        try:
            connection.execution_options(sqlite_begin="DEFERRED")
            AUDIENCE.create(connection)
            columns = ["id", "language", "timezone", "variant"]
            connection.execute(insert(AUDIENCE).from_select(columns, _in_order(queries)))
            taken = Snapshot(connection)
            connection.commit()
            connection.execution_options(sqlite_begin="IMMEDIATE")
            yield taken
        finally:
            connection.invalidate()  # the table goes with it


def _distinct(connection: Connection, column: Column[Any]) -> list[Any]:
    return list(connection.scalars(select(column).distinct()))


def _in_order(queries: Sequence[AudienceQuery]) -> Select[Any]:
    meant = [
        query.with_only_columns(
            func.substr(col(Subscriber.digest), 1, 1).label("part"),
            col(Subscriber.id).label("id"),
            col(Subscriber.language).label("language"),
            col(Subscriber.timezone).label("timezone"),
            literal(place).label("variant"),
        )
        for place, query in enumerate(queries)
    ]
    each = (union_all(*meant) if len(meant) > 1 else meant[0]).subquery()
    return select(each.c.id, each.c.language, each.c.timezone, each.c.variant).order_by(each.c.part, each.c.id)
