"""
The column types and the base class of every table of the program.

Takes nothing; yields `Base`, from which all tables derive, and columns that behave alike on SQLite and PostgreSQL,
with the one statement that SQLAlchemy has once for each of them;
promises that every constraint has a name, that datetimes come back aware and in UTC, and that enums are stored by
value and checked by the database.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal

from sqlalchemy import JSON, BigInteger, Column, DateTime, Dialect, Enum, ForeignKey, Integer, MetaData
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""How constraints are called: a migration can only drop what has the same name on both databases."""

ENUM_LENGTH = 32
"""Room for values that come later, so that a new one changes the check and not the column."""

OnDelete = Literal["CASCADE", "SET NULL", "RESTRICT"]
"""What happens to a row when the row it refers to goes."""


class Base(SQLModel):
    """The base of every table, with one `metadata` for the whole program."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING)


class UTCDateTime(TypeDecorator[datetime]):
    """An instant: takes aware datetimes only, stores UTC, gives back aware UTC on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return `value` in UTC.

        Raises:
            ValueError: the datetime is naive. SQLAlchemy wraps it in a `StatementError`.
        """
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a datetime without time zone cannot be stored: {value.isoformat()}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored instant as aware UTC; SQLite drops the offset, PostgreSQL answers in its own zone."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _big_integer() -> TypeEngine[int]:
    # SQLite numbers rows by itself only where the type reads INTEGER.
    return BigInteger().with_variant(Integer(), "sqlite")


def identity() -> Any:
    """Return a 64-bit primary key that the database numbers."""
    return Field(default=None, sa_column=Column(_big_integer(), primary_key=True, autoincrement=True))


def reference(
    target: str,
    *,
    ondelete: OnDelete = "CASCADE",
    primary_key: bool = False,
    nullable: bool = False,
    index: bool = False,
) -> Any:
    """Return a 64-bit column that refers to `target`, such as `"subscriber.id"`."""
    column: Column[int] = Column(
        _big_integer(),
        ForeignKey(target, ondelete=ondelete),
        primary_key=primary_key,
        nullable=nullable,
        index=index,
        autoincrement=False,
    )
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


def instant(*, nullable: bool = False, index: bool = False) -> Any:
    """Return a column of the type `UTCDateTime`; it has no default, the caller knows what time it is."""
    column: Column[datetime] = Column(UTCDateTime(), nullable=nullable, index=index)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


def enum_type(kind: type[StrEnum], name: str) -> Enum:
    """Return `kind` as VARCHAR with a check called `ck_TABLE_NAME` over its values.

    No native enum: PostgreSQL keeps such a type after its table is dropped, and migrating up again fails.
    """
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        length=ENUM_LENGTH,
        values_callable=lambda members: [member.value for member in members],
    )


def enum_column(
    kind: type[StrEnum], name: str, *, default: StrEnum | None = None, nullable: bool = False, index: bool = False
) -> Any:
    """Return a column that holds a member of `kind` by value; without `default` it must be given."""
    column: Column[Any] = Column(enum_type(kind, name), nullable=nullable, index=index)
    if default is None and not nullable:
        return Field(sa_column=column)
    return Field(default=default, sa_column=column)


def json_type() -> TypeEngine[Any]:
    """Return the type of structured values: JSON, and JSONB on PostgreSQL."""
    return JSON().with_variant(JSONB(), "postgresql")


def json_column(default_factory: Callable[[], Any] | None = None, *, nullable: bool = False) -> Any:
    """Return a column of structured values.

    Assign a new value to change it: a change inside the stored value is not noticed. `None` is stored as SQL NULL.
    """
    column: Column[Any] = Column(
        JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"), nullable=nullable
    )
    if default_factory is not None:
        return Field(default_factory=default_factory, sa_column=column)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


def insert_into(session: Session, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """Return the INSERT of the session's database, which can say what happens where a row stands in its way."""
    return postgresql.insert(table) if session.get_bind().dialect.name == "postgresql" else sqlite.insert(table)
