"""The database: WAL, one writer at a time, and errors that say what to do."""

import multiprocessing
import shutil
import sqlite3
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from newsletter.content.models import NewsletterRow
from newsletter.database import changed_rows, ensure_current, migrate, open_engine, reading, session_factory
from newsletter.errors import ConfigurationFault, DatabaseFault
from newsletter.paths import migrations

WRITES = 200


def pragma(engine, name):
    with engine.connect() as connection:
        return connection.execute(text(f"PRAGMA {name}")).scalar()


def test_sqlite_keeps_a_write_ahead_log_and_its_foreign_keys(sqlite_engine):
    assert pragma(sqlite_engine, "journal_mode") == "wal"
    assert pragma(sqlite_engine, "foreign_keys") == 1
    assert pragma(sqlite_engine, "synchronous") == 1, "NORMAL: a commit survives the process, not always the power"


def test_foreign_keys_are_enforced(engine):
    stray = text("INSERT INTO membership VALUES (7, 7, 'confirmed', '2026-12-01 08:00:00+00:00')")

    with session_factory(engine)() as session, pytest.raises(IntegrityError):
        session.execute(stray)


def test_the_folder_of_a_sqlite_file_is_made(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'a' / 'b' / 'newsletter.sqlite'}")

    migrate(engine)
    engine.dispose()

    assert (tmp_path / "a" / "b" / "newsletter.sqlite").exists()


def test_a_database_in_memory_needs_no_folder():
    engine = open_engine("sqlite:///:memory:")

    assert pragma(engine, "foreign_keys") == 1
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("no address", "NEWSLETTER_DATABASE__URL cannot be read"),
        ("mysql://host/name", "the database is mysql; it must be sqlite or postgresql"),
    ],
)
def test_an_address_that_leads_to_no_database_of_ours_is_refused(url, words):
    with pytest.raises(ConfigurationFault, match=words):
        open_engine(url)


def test_a_short_postgresql_address_gets_our_driver():
    engine = open_engine("postgresql://anna@db.example/newsletter")

    assert engine.url.drivername == "postgresql+psycopg"
    engine.dispose()


def _count_up(file, begin):
    """In a process of its own: read, think, write, as a verb does."""
    engine = open_engine(f"sqlite:///{file}")
    sessions = session_factory(engine)
    begin.wait()
    for _ in range(WRITES):
        with sessions() as session:
            count = session.execute(text("SELECT value FROM counter")).scalar()
            session.execute(text("UPDATE counter SET value = :value"), {"value": count + 1})
            session.commit()
    engine.dispose()


def test_two_processes_that_write_wait_for_each_other_and_lose_nothing(tmp_path):
    file = tmp_path / "newsletter.sqlite"
    engine = open_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE counter (value INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))
    context = multiprocessing.get_context("spawn")
    begin = context.Event()
    processes = [context.Process(target=_count_up, args=(file, begin)) for _ in range(2)]
    for process in processes:
        process.start()
    begin.set()
    for process in processes:
        process.join(60)

    with engine.connect() as connection:
        assert connection.execute(text("SELECT value FROM counter")).scalar() == 2 * WRITES
    assert [process.exitcode for process in processes] == [0, 0]
    engine.dispose()


def test_reading_goes_on_while_somebody_writes(sqlite_engine, now):
    writer = sqlite3.connect(sqlite_engine.url.database, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()

    with reading(sqlite_engine) as session:
        assert session.execute(text("SELECT count(*) FROM newsletter")).scalar() == 0

    assert time.monotonic() - begun < 5, "it did not wait for the writer"
    writer.execute("ROLLBACK")
    writer.close()


def test_what_was_read_stays_readable_after_the_commit(engine, now):
    with session_factory(engine)() as session:
        row = NewsletterRow(slug="rivers", settings={}, created=now, changed=now)
        session.add(row)
        session.commit()

    assert row.slug == "rivers"


def test_changed_rows_are_counted(engine, now):
    with session_factory(engine)() as session:
        session.add(NewsletterRow(slug="rivers", settings={}, created=now, changed=now))
        session.flush()

        counts = [
            changed_rows(session, text(f"UPDATE newsletter SET slug = 'x' WHERE slug = '{slug}'"))
            for slug in ("rivers", "lakes")
        ]

    assert counts == [1, 0]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, tmp_path):
    """A database without tables."""
    if request.param == "sqlite":
        engine = open_engine(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    else:
        engine = request.getfixturevalue("bare_postgres_engine")
    yield engine
    engine.dispose()


def test_a_migrated_database_is_current(empty):
    assert migrate(empty) == migrate(empty)
    ensure_current(empty)


def test_an_empty_database_asks_for_init(empty):
    with pytest.raises(DatabaseFault, match="the database is empty: run `newsletter init` on a database of its own"):
        ensure_current(empty)


def test_a_database_of_somebody_else_is_left_alone(empty):
    with empty.begin() as connection:
        connection.execute(text("CREATE TABLE invoices (id INTEGER)"))

    with pytest.raises(DatabaseFault, match="holds tables of another program"):
        ensure_current(empty)


def test_a_database_of_a_newer_program_asks_for_the_program(empty):
    migrate(empty)
    with empty.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(DatabaseFault, match="made by a newer version of this program: upgrade the program"):
        ensure_current(empty)


def test_a_database_of_an_older_program_asks_for_init(empty, tmp_path, monkeypatch):
    head = migrate(empty)
    newer = shutil.copytree(migrations(), tmp_path / "migrations")
    lines = ['"""One more."""', 'revision = "9999"', f"down_revision = {head!r}", "def upgrade():", "    pass"]
    (newer / "versions" / "9999_one_more.py").write_text("\n".join(lines))
    monkeypatch.setattr("newsletter.database.migrations", lambda: newer)

    with pytest.raises(DatabaseFault, match="of an older version: run `newsletter init` to migrate it"):
        ensure_current(empty)
    assert migrate(empty) == "9999"
    ensure_current(empty)
