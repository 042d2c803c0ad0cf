"""The migrations keep what is in a database: every row of every table, up and down, from an early version on."""

import pytest
from alembic import command
from databases import KINDS
from integration.filling import everything, fill, lost
from sqlalchemy import inspect

from newsletter.database import _alembic, open_engine, revisions

EARLY = "0004"


@pytest.fixture(params=KINDS)
def bare(request, tmp_path):
    """A database without tables, of either kind."""
    if request.param == "postgresql":
        yield request.getfixturevalue("bare_postgres_engine")
        return
    engine = open_engine(f"sqlite:///{tmp_path / 'n.sqlite'}")
    yield engine
    engine.dispose()


def moved(engine, step, revision, before=None):
    """Take a database up or down, and say what it then holds; nothing that it held before may be lost."""
    config = _alembic(engine)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        step(config, revision)
        connection.commit()
    after = held(engine)
    assert lost(before or {}, after) == []
    return after


def held(engine):
    with engine.connect() as connection:
        return everything(connection)


def filled(engine):
    """Put rows into the tables that have none, and say what the database then holds."""
    with engine.begin() as connection:
        fill(connection)
    found = held(engine)
    assert [name for name, (_, rows) in found.items() if not rows] == []
    return found


@pytest.mark.parametrize("count", [2, pytest.param(len(revisions()) - 1, marks=pytest.mark.long)])
@pytest.mark.timeout(300)
def test_every_single_migration_keeps_every_row_up_and_down(bare, count):
    below, *others = revisions()[-1 - count :]
    moved(bare, command.upgrade, below)
    before = filled(bare)
    for revision in others:
        moved(bare, command.upgrade, revision, before)
        whole = filled(bare)
        moved(bare, command.downgrade, below, before)
        moved(bare, command.upgrade, revision, before)
        before, below = filled(bare), revision
        assert before.keys() == whole.keys()
    moved(bare, command.downgrade, "base")
    with bare.connect() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}


def test_a_database_of_an_early_version_goes_up_at_once_and_takes_rows_in_every_table(bare):
    moved(bare, command.upgrade, EARLY)
    before = filled(bare)
    assert len(before) > 10

    after = moved(bare, command.upgrade, "head", before)

    assert before.keys() <= after.keys()
    filled(bare)
