from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest
from sqlalchemy import CheckConstraint, create_engine, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable
from sqlmodel import Field

from subscribers.columns import Base, UTCDateTime, enum_column, identity, instant, json_column, reference


class Colour(StrEnum):
    RED = "red-ish"
    BLUE = "blue"


class ColumnsSample(Base, table=True):
    __tablename__ = "columns_sample"

    id: int | None = identity()
    name: str = Field(unique=True)
    at: datetime = instant(index=True)
    until: datetime | None = instant(nullable=True)
    colour: Colour = enum_column(Colour, "colour")
    shade: Colour | None = enum_column(Colour, "shade", nullable=True)
    tone: Colour = enum_column(Colour, "tone", default=Colour.BLUE)
    facts: dict[str, int] = json_column(dict)
    notes: list[str] = json_column()
    more: list[str] | None = json_column(nullable=True)
    parent_id: int | None = reference("columns_sample.id", ondelete="SET NULL", nullable=True, index=True)
    other_id: int = reference("columns_sample.id")


TABLE = Base.metadata.tables["columns_sample"]
AT = datetime(2026, 11, 21, 10, 0, tzinfo=timezone(timedelta(hours=1)))


@pytest.fixture
def session():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine, tables=[TABLE])
    with Session(engine) as session:
        yield session
    engine.dispose()


def sample(**changes):
    facts = {"name": "a", "at": AT, "colour": Colour.RED, "notes": [], "other_id": 1}
    return ColumnsSample(**facts | changes)


def test_an_instant_comes_back_aware_and_in_utc(session):
    session.add(sample())
    session.commit()
    stored = session.scalars(select(ColumnsSample)).one()
    assert stored.at == AT
    assert stored.at.tzinfo is UTC
    assert stored.until is None


def test_an_aware_answer_of_the_database_is_turned_to_utc():
    answer = UTCDateTime().process_result_value(AT, postgresql.dialect())
    assert answer.tzinfo is UTC
    assert answer == AT


def test_a_naive_datetime_is_refused(session):
    session.add(sample(at=datetime(2026, 11, 21)))  # noqa: DTZ001 - the mistake under test
    with pytest.raises(StatementError, match="without time zone"):
        session.flush()


def test_ids_are_numbered_by_the_database(session):
    people = [sample(name="a"), sample(name="b")]
    session.add_all(people)
    session.flush()
    assert [person.id for person in people] == [1, 2]


def test_enums_are_stored_by_value(session):
    session.add(sample())
    session.flush()
    assert session.execute(text("SELECT colour, shade, tone FROM columns_sample")).one() == ("red-ish", None, "blue")
    assert session.scalars(select(ColumnsSample)).one().colour is Colour.RED


def test_the_database_refuses_a_value_that_is_no_member(session):
    session.add(sample())
    session.flush()
    with pytest.raises(IntegrityError, match="ck_columns_sample_colour"):
        session.execute(text("UPDATE columns_sample SET colour = 'green'"))


def test_structured_values_come_back(session):
    session.add(sample(notes=["x"], more=None))
    session.commit()
    stored = session.scalars(select(ColumnsSample)).one()
    assert (stored.facts, stored.notes, stored.more) == ({}, ["x"], None)
    assert session.scalar(text("SELECT more IS NULL FROM columns_sample"))


def test_every_constraint_has_a_name(session):
    assert all(constraint.name for constraint in TABLE.constraints)
    checks = {constraint.name for constraint in TABLE.constraints if isinstance(constraint, CheckConstraint)}
    assert checks == {"colour", "shade", "tone"} or all("columns_sample" in name for name in checks)
    found = inspect(session.connection())
    assert found.get_pk_constraint("columns_sample")["name"] == "pk_columns_sample"
    assert {key["name"] for key in found.get_foreign_keys("columns_sample")} == {
        "fk_columns_sample_parent_id_columns_sample",
        "fk_columns_sample_other_id_columns_sample",
    }
    assert found.get_unique_constraints("columns_sample")[0]["name"] == "uq_columns_sample_name"


def test_types_differ_only_where_the_databases_do():
    on_postgresql = str(CreateTable(TABLE).compile(dialect=postgresql.dialect()))
    on_sqlite = str(CreateTable(TABLE).compile(dialect=sqlite.dialect()))
    assert "id BIGSERIAL" in on_postgresql
    assert "facts JSONB" in on_postgresql
    assert "TIMESTAMP WITH TIME ZONE" in on_postgresql
    assert "id INTEGER" in on_sqlite
    assert "ON DELETE SET NULL" in on_sqlite
