"""The migrations make exactly the tables that the code describes."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from newsletter.database import _alembic, ensure_current, migrate, open_engine
from newsletter.errors import DatabaseFault


def test_migrated_tables_are_those_of_the_code(tmp_path: Path):
    # In a process of its own, where no test has made tables of its own.
    code = (
        "import sys; from alembic import command; from newsletter.database import _alembic, migrate, open_engine\n"
        "engine = open_engine(sys.argv[1]); migrate(engine); command.check(_alembic(engine))"
    )
    url = f"sqlite:///{tmp_path / 'n.sqlite'}"
    run = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]


def test_migrating_twice_changes_nothing(tmp_path: Path):
    engine = open_engine(f"sqlite:///{tmp_path / 'n.sqlite'}")
    assert migrate(engine) == migrate(engine)
    ensure_current(engine)


def test_migrations_can_be_taken_back(tmp_path: Path):
    engine = open_engine(f"sqlite:///{tmp_path / 'n.sqlite'}")
    migrate(engine)
    command.downgrade(_alembic(engine), "base")
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
    assert set(tables) <= {"alembic_version", "sqlite_sequence"}


def test_an_empty_database_says_what_to_do(tmp_path: Path):
    with pytest.raises(DatabaseFault, match="is empty: run `newsletter init`"):
        ensure_current(open_engine(f"sqlite:///{tmp_path / 'n.sqlite'}"))


def test_the_tables_of_another_program_are_left_alone(tmp_path: Path):
    engine = open_engine(f"sqlite:///{tmp_path / 'n.sqlite'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE theirs (id INTEGER)"))
    with pytest.raises(DatabaseFault, match="tables of another program"):
        ensure_current(engine)


def test_a_newer_database_is_not_touched(tmp_path: Path):
    engine = open_engine(f"sqlite:///{tmp_path / 'n.sqlite'}")
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseFault, match="newer version"):
        ensure_current(engine)
