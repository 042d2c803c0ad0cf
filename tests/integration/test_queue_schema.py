"""Procrastinate's tables are made, brought up to date, and watched over, beside those of the program."""

import threading

import pytest
from procrastinate import SyncPsycopgConnector
from procrastinate.schema import SchemaManager
from sqlalchemy import text

from newsletter.database import ensure_current, migrate
from newsletter.errors import DatabaseFault
from newsletter.queue_schema import _files, bring_up_to_date

NEWEST_OF_OLD = "03.02.00_50_post_batch_defer_jobs.sql"
"""The last file of the version that an older installation had."""

SIGNATURES = text(
    "SELECT p.proname, pg_get_function_identity_arguments(p.oid), md5(regexp_replace(prosrc, '\\s+', ' ', 'g'))"
    " FROM pg_proc p WHERE p.proname LIKE 'procrastinate%' ORDER BY 1, 2"
)


def names(engine):
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT name FROM procrastinate_migration ORDER BY name")))


def signatures(engine):
    with engine.connect() as connection:
        return connection.execute(SIGNATURES).all()


def test_init_makes_the_tables_of_jobs_once(bare_postgres_engine):
    migrate(bare_postgres_engine)
    applied = names(bare_postgres_engine)
    assert applied == [file.name for file in _files()]
    assert NEWEST_OF_OLD in applied
    migrate(bare_postgres_engine)
    assert names(bare_postgres_engine) == applied
    ensure_current(bare_postgres_engine)


def test_two_that_migrate_at_once_wait_for_each_other(bare_postgres_engine):
    failed = []

    def run():
        try:
            migrate(bare_postgres_engine)
        except Exception as error:  # noqa: BLE001  whatever it is, it is told below
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    ensure_current(bare_postgres_engine)


def test_an_older_installation_is_brought_up_to_date_with_its_jobs(bare_postgres_engine):
    with bare_postgres_engine.connect() as connection:
        driver = connection.connection.driver_connection
        connection.execute(text("CREATE TABLE procrastinate_migration (name text PRIMARY KEY, applied timestamptz)"))
        connection.commit()
        for file in (file for file in _files() if file.name <= NEWEST_OF_OLD):
            driver.execute(file.read_text(encoding="utf-8"))
            driver.execute("INSERT INTO procrastinate_migration VALUES (%s, now())", (file.name,))
            driver.commit()
        driver.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('shards', 'shards:send_shard', '{}')"
        )
        driver.commit()

    migrate(bare_postgres_engine)

    ensure_current(bare_postgres_engine)
    assert names(bare_postgres_engine) == [file.name for file in _files()]
    with bare_postgres_engine.connect() as connection:
        assert connection.scalar(text("SELECT status::text FROM procrastinate_jobs")) == "todo"
        worker = connection.scalar(text("SELECT worker_id FROM procrastinate_register_worker_v1()"))
        fetch = text("SELECT task_name FROM procrastinate_fetch_job_v2(NULL, :worker)")
        assert connection.scalar(fetch, {"worker": worker}) == "shards:send_shard"
    upgraded = signatures(bare_postgres_engine)
    with bare_postgres_engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    migrate(bare_postgres_engine)
    assert [row[:2] for row in upgraded] == [row[:2] for row in signatures(bare_postgres_engine)]


def test_a_database_whose_jobs_are_older_says_what_to_do(bare_postgres_engine):
    migrate(bare_postgres_engine)
    with bare_postgres_engine.begin() as connection:
        connection.execute(text("DELETE FROM procrastinate_migration WHERE name LIKE '03.04%'"))
    with pytest.raises(DatabaseFault, match="run `newsletter init`"):
        ensure_current(bare_postgres_engine)
    with bare_postgres_engine.begin() as connection:
        connection.execute(text("DROP TABLE procrastinate_migration"))
    with pytest.raises(DatabaseFault, match="run `newsletter init`"):
        ensure_current(bare_postgres_engine)


def test_a_database_whose_jobs_are_newer_wants_a_newer_program(bare_postgres_engine):
    migrate(bare_postgres_engine)
    with bare_postgres_engine.begin() as connection:
        connection.execute(text("INSERT INTO procrastinate_migration VALUES ('99.00.00_01_pre.sql', now())"))
    with pytest.raises(DatabaseFault, match="upgrade the program"):
        ensure_current(bare_postgres_engine)


def test_the_jobs_of_another_program_are_left_alone(bare_postgres_engine):
    with bare_postgres_engine.connect() as connection:
        connection.connection.driver_connection.execute(SchemaManager(SyncPsycopgConnector()).get_schema())
        connection.commit()
        with pytest.raises(DatabaseFault, match="jobs of another program"):
            bring_up_to_date(connection)
