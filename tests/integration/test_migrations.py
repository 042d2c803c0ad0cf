"""The migrations make exactly the tables that the code describes."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from sqlalchemy import Engine, Inspector, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from newsletter.content.entry import Text
from newsletter.content.versions import text_digest
from newsletter.database import _alembic, ensure_current, migrate, open_engine
from newsletter.errors import DatabaseFault

ROWS = """
INSERT INTO newsletter (id, slug, settings, created, changed) VALUES (1, 'rivers', '{}', '2026-12-01', '2026-12-01');
INSERT INTO issue (id, newsletter_id, slug, revision, state, plan, date, period_from, period_to, created, changed)
VALUES (1, 1, '2026-12', 1, 'sending', '{}', '2026-12-01', '2026-11-01', '2026-11-30', '2026-12-01', '2026-12-01');
INSERT INTO run (id, issue_id, mailing, segment, expression, state, operator, created, total)
VALUES (1, 1, 'issue:rivers/2026-12', 'all', 'all', 'running', 'anna', '2026-12-01', 0)
"""
"""A run as an earlier version left it."""


CONSENT = """
INSERT INTO subscriber (id, uid, address, address_key, digest, first_name, last_name, organisation, city, country,
                        attributes, created, updated)
VALUES (1, 'u', 'a@x.example', 'a@x.example', 'd', '', '', '', '', '', '{}', '2026-12-01', '2026-12-01');
INSERT INTO mailing_list (id, name, public, double_opt_in, opt_in_reason, description, created)
VALUES (1, 'members', true, true, '', '', '2026-12-01');
INSERT INTO consent_entry (id, subscriber_id, digest, action, list_name, newsletter, wording_version, wording_language,
                           source, operator, origin, at)
VALUES (1, 1, 'd', 'imported', 'members', '', '', '', 'import', 'anna', '', '2026-12-01')
"""
"""Somebody who was imported, as an earlier version left it."""


def test_migrated_tables_are_those_of_the_code(empty_engine: Engine):
    # In a process of its own, where no test has made tables of its own.
    code = (
        "import sys; from alembic import command; from newsletter.database import _alembic, migrate, open_engine\n"
        "engine = open_engine(sys.argv[1]); migrate(engine); command.check(_alembic(engine))"
    )
    url = empty_engine.url.render_as_string(hide_password=False)
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


LINE = """
INSERT INTO consent_entry (digest, action, list_name, newsletter, wording_version, wording_language, source, operator,
    origin, at)
VALUES ('d', 'imported', 'members', '', '', '', 'import', 'marie', '', '2026-11-21 09:00:00')
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without tables, of either kind."""
    url = f"sqlite:///{tmp_path / 'n.sqlite'}"
    if request.param == "postgresql":
        folder = request.getfixturevalue("postgres")
        with psycopg.connect(host=str(folder), user="tests", dbname="postgres", autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS migrated")
            connection.execute("CREATE DATABASE migrated")
        url = f"postgresql://tests@/migrated?host={folder}"
    engine = open_engine(url)
    yield engine
    engine.dispose()


def moved(engine: Engine, step: Callable[..., None], revision: str) -> Inspector:
    """Take a database up or down to a revision; what looks at it afterwards."""
    config = _alembic(engine)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        step(config, revision)
        connection.commit()
    return inspect(engine)


def test_what_a_run_is_goes_up_and_down_with_its_rows(empty_engine: Engine):
    def migrated(step: Callable[..., None], revision: str) -> set[str]:
        return {column["name"] for column in moved(empty_engine, step, revision).get_columns("run")}

    before = migrated(command.upgrade, "0003")
    with empty_engine.begin() as connection:
        for statement in ROWS.strip().split(";"):
            connection.execute(text(statement))

    after = migrated(command.upgrade, "0004")

    assert after - before == {"missed", "doubtful", "local", "first", "hold", "stage", "staged"}
    with empty_engine.begin() as connection:
        assert connection.execute(text("SELECT missed, local, first, stage FROM run")).one() == (
            False,
            False,
            None,
            None,
        )
        connection.execute(text("UPDATE run SET stage = 'holding'"))
    with pytest.raises(IntegrityError, match="ck_run_stage"), empty_engine.begin() as connection:
        connection.execute(text("UPDATE run SET stage = 'unheard of'"))
    assert migrated(command.downgrade, "0003") == before
    with empty_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM run")).scalar() == 1


def test_the_consent_log_goes_up_and_down_with_its_lines(empty_engine: Engine):
    def migrated(step: Callable[..., None], revision: str) -> set[str]:
        return {column["name"] for column in moved(empty_engine, step, revision).get_columns("consent_entry")}

    before = migrated(command.upgrade, "0004")
    with empty_engine.begin() as connection:
        for statement in CONSENT.strip().split(";"):
            connection.execute(text(statement))

    assert migrated(command.upgrade, "0005") - before == {"state", "asked", "mailing"}

    with empty_engine.begin() as connection:
        assert connection.execute(text("SELECT titles FROM mailing_list")).scalar() in ({}, "{}")
        assert connection.execute(text("SELECT state, asked FROM consent_entry")).one() == (None, None)
        connection.execute(text("INSERT INTO tally (id, key, at) VALUES (1, 'all', '2026-12-01')"))
    for forged in ("UPDATE consent_entry SET action = 'left'", "DELETE FROM consent_entry"):
        with pytest.raises(DBAPIError, match="the consent log is never"), empty_engine.begin() as connection:
            connection.execute(text(forged))
    with empty_engine.begin() as connection:
        connection.execute(text("DELETE FROM subscriber"))
        assert connection.execute(text("SELECT subscriber_id FROM consent_entry")).scalar() is None
    assert migrated(command.downgrade, "0004") == before
    with empty_engine.begin() as connection:
        connection.execute(text("DELETE FROM consent_entry"))


def test_a_line_of_the_log_gets_an_empty_proof_and_loses_it_again(empty_engine: Engine):
    def migrated(step: Callable[..., None], revision: str) -> set[str]:
        return {column["name"] for column in moved(empty_engine, step, revision).get_columns("consent_entry")}

    before = migrated(command.upgrade, "0005")
    with empty_engine.begin() as connection:
        connection.execute(text(LINE))
    assert migrated(command.upgrade, "0006") - before == {"proof"}
    with empty_engine.begin() as connection:
        assert connection.execute(text("SELECT source, proof FROM consent_entry")).all() == [("import", "")]
    assert migrated(command.downgrade, "0005") == before
    with empty_engine.begin() as connection:
        assert connection.execute(text("SELECT source FROM consent_entry")).scalars().all() == ["import"]


def test_what_comes_back_goes_up_and_down(empty_engine: Engine):
    def migrated(step: Callable[..., None], revision: str) -> set[str | None]:
        return {index["name"] for index in moved(empty_engine, step, revision).get_indexes("attempt")}

    before = migrated(command.upgrade, "0006")
    assert migrated(command.upgrade, "0007") - before == {"ix_attempt_of_recipient"}
    event = "INSERT INTO event (key, kind, proof, source, status, text, did, at, received) VALUES "
    with empty_engine.begin() as connection:
        connection.execute(text(f"{event}('mail:1', 'hard', 'mac', 'mail', '', '', '', '2026-12-01', '2026-12-01')"))
    for wrong in ("'mail:1', 'hard', 'mac'", "'mail:2', 'unheard of', 'mac'", "'mail:3', 'hard', 'unheard of'"):
        with pytest.raises(IntegrityError), empty_engine.begin() as connection:
            connection.execute(text(f"{event}({wrong}, 'mail', '', '', '', '2026-12-01', '2026-12-01')"))
    assert migrated(command.downgrade, "0006") == before
    assert "event" not in inspect(empty_engine).get_table_names()


def test_the_tables_of_clicks_go_up_and_down(empty_engine: Engine):
    def migrated(step: Callable[..., None], revision: str) -> set[str]:
        names = moved(empty_engine, step, revision).get_table_names()
        return {"click_tally", "engagement", "hook_seen"} & set(names)

    steps = ((command.upgrade, "0008"), (command.downgrade, "0007"), (command.upgrade, "0008"))
    assert [len(migrated(*step)) for step in steps] == [3, 0, 3]


def test_privacy_goes_up_and_down_and_the_ledger_stays(empty_engine: Engine):
    def migrated(step: Callable[..., None], revision: str) -> tuple[set[str], set[str | None]]:
        found = moved(empty_engine, step, revision)
        return set(found.get_table_names()), {index["name"] for index in found.get_indexes("delivery")}

    tables, indexes = migrated(command.upgrade, "0008")
    with empty_engine.begin() as connection:
        for statement in ROWS.strip().split(";"):
            connection.execute(text(statement))

    more, others = migrated(command.upgrade, "0009")

    assert more - tables == {"audit_entry", "retention_entry"}
    assert others - indexes == {"ix_delivery_single"}
    with empty_engine.connect() as connection:
        assert connection.execute(text("SELECT forgotten FROM run")).scalar() is None
    assert migrated(command.downgrade, "0008") == (tables, indexes)
    with empty_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM run")).scalar() == 1


ENTRY = """
INSERT INTO entry (id, newsletter_id, key, kind, section, status, published, priority, source, document, created,
                   changed, revision)
VALUES (1, 1, 'quay', 'news', 'lead', 'published', '2026-11-03', 0, 'en', '{"languages": ["en", "fr"], "tags": ["Été"]}',
        '2026-12-01', '2026-12-01', 4);
INSERT INTO entry_text (entry_id, language, title, body, links, source_digest, changed)
VALUES (1, 'en', 'Quay', 'Words.', '[{"action": "watch", "url": "https://a.example"}]', NULL, '2026-12-01');
INSERT INTO entry_text (entry_id, language, title, body, links, source_digest, changed)
VALUES (1, 'fr', 'Quai', '', '[]', 'older', '2026-12-01')
"""
"""An entry as an earlier version left it."""


def test_entries_from_before_their_history_can_be_searched_and_compared(empty_engine: Engine):
    def tables(step: Callable[..., None], revision: str) -> set[str]:
        names = moved(empty_engine, step, revision).get_table_names()
        return {"entry_words", "entry_revision", "entry_draft"} & set(names)

    assert tables(command.upgrade, "0015") == set()
    with empty_engine.begin() as connection:
        for statement in (*ROWS.strip().split(";")[:1], *ENTRY.strip().split(";")):
            connection.exec_driver_sql(statement)

    assert len(tables(command.upgrade, "0016")) == 3

    quay = {"title": "Quay", "body": "Words.", "links": [{"action": "watch", "url": "https://a.example"}]}
    with empty_engine.connect() as connection:
        digest, meant = connection.execute(text("SELECT source_digest, meant FROM entry")).one()
        words = connection.execute(text("SELECT words FROM entry_words")).scalar()
    assert (digest, meant) == (text_digest(Text.model_validate(quay)), " en fr ")
    assert "ete" in words.split("\n")
    assert tables(command.downgrade, "0015") == set()


def test_what_undoes_a_change_of_items_goes_up_and_down(empty_engine: Engine):
    steps = ((command.upgrade, "0015"), (command.downgrade, "0014"), (command.upgrade, "0015"))
    found = [moved(empty_engine, *step).get_table_names() for step in steps]
    assert ["arrangement" in names for names in found] == [True, False, True]


def test_what_proves_who_somebody_is_goes_up_and_down_and_the_operators_stay(empty_engine: Engine):
    def migrated(step: Callable[..., None], revision: str) -> set[str]:
        return set(moved(empty_engine, step, revision).get_table_names())

    operator = "INSERT INTO operator (id, name, full_name, email, role, language, timezone, created) VALUES "
    before = migrated(command.upgrade, "0011")
    with empty_engine.begin() as connection:
        connection.execute(text(f"{operator} (1, 'anna', '', 'a@x.example', 'admin', 'en', 'UTC', '2026-12-01')"))
        connection.execute(text(f"{operator} (2, 'bela', '', '', 'viewer', 'en', 'UTC', '2026-12-01')"))
        connection.execute(
            text(
                "INSERT INTO operator_session (id, digest, operator_id, created, seen, agent) "
                "VALUES (1, 'd', 1, '2026-12-01', '2026-12-01', '')"
            )
        )

    added = {"second_factor", "recovery_code", "api_token", "setup_link", "operator_identity"}
    assert migrated(command.upgrade, "0012") - before == added

    with empty_engine.begin() as connection:
        assert connection.execute(text("SELECT provider FROM operator_session")).scalar() == ""
        connection.execute(text(f"{operator} (3, 'cleo', '', '', 'viewer', 'en', 'UTC', '2026-12-01')"))
    with pytest.raises(IntegrityError), empty_engine.begin() as connection:
        connection.execute(text(f"{operator} (4, 'dora', '', 'a@x.example', 'viewer', 'en', 'UTC', '2026-12-01')"))
    assert migrated(command.downgrade, "0011") == before
    with empty_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM operator")).scalar() == 3
        assert connection.execute(text("SELECT count(*) FROM operator_session")).scalar() == 1


def test_reports_go_up_and_down(empty_engine: Engine):
    steps = ((command.upgrade, "0017"), (command.downgrade, "0016"), (command.upgrade, "0017"))
    found = [moved(empty_engine, *step).get_table_names() for step in steps]
    assert ["report" in names for names in found] == [True, False, True]


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


def test_authors_approvals_and_reviews_go_up_and_down_and_the_issues_stay(empty_engine: Engine):
    tables = {"approval_entry", "review", "review_answer"}

    def migrated(step: Callable[..., None], revision: str) -> tuple[set[str], set[str]]:
        found = moved(empty_engine, step, revision)
        return tables & set(found.get_table_names()), {column["name"] for column in found.get_columns("issue")}

    _, before = migrated(command.upgrade, "0012")
    with empty_engine.begin() as connection:
        for statement in ROWS.strip().split(";"):
            connection.execute(text(statement))

    made, after = migrated(command.upgrade, "0013")

    assert (made, after - before) == (tables, {"author", "written"})
    with empty_engine.begin() as connection:
        assert connection.execute(text("SELECT author, written FROM issue")).one() == ("", None)
    assert migrated(command.downgrade, "0012") == (set(), before)
    with empty_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM issue")).scalar() == 1


def test_alerts_and_cadences_go_up_and_down_and_take_no_unknown_kind(empty_engine: Engine):
    tables = {"alert", "alert_choice", "cadence", "cadence_slot"}
    assert tables <= set(moved(empty_engine, command.upgrade, "0014").get_table_names())
    raised = (
        "INSERT INTO alert (kind, newsletter, matter, facts, since) VALUES ('{}', '', 'disk', '{{}}', '2026-12-01')"
    )
    with empty_engine.begin() as connection:
        connection.execute(text(raised.format("disk")))
    with (
        pytest.raises(IntegrityError, match=r"uq_alert_kind_newsletter_matter|UNIQUE"),
        empty_engine.begin() as connection,
    ):
        connection.execute(text(raised.format("disk")))
    with pytest.raises(IntegrityError, match="ck_alert_kind"), empty_engine.begin() as connection:
        connection.execute(text(raised.format("unheard of")))
    assert not tables & set(moved(empty_engine, command.downgrade, "0013").get_table_names())


def test_people_are_found_by_indexes_that_come_and_go_with_their_revision(empty_engine: Engine):
    before = moved(empty_engine, command.upgrade, "0010")
    assert "import_run" not in before.get_table_names()

    after = moved(empty_engine, command.upgrade, "0011")

    assert {column["name"] for column in after.get_columns("import_run")} >= {"key", "list_name", "state", "plan"}
    [tags] = after.get_indexes("subscriber_tag")
    assert tags["column_names"] == ["tag", "subscriber_id"]
    with empty_engine.connect() as connection:
        catalogue = "pg_indexes" if empty_engine.dialect.name == "postgresql" else "sqlite_master"
        name = "indexname" if empty_engine.dialect.name == "postgresql" else "name"
        names = connection.execute(text(f"SELECT {name} FROM {catalogue}")).scalars().all()
    assert {"ix_subscriber_language", "ix_subscriber_first_name", "ix_subscriber_last_name"} <= set(names)
    assert ("ix_subscriber_beginning" in names) is (empty_engine.dialect.name == "postgresql")

    back = moved(empty_engine, command.downgrade, "0010")
    assert "import_run" not in back.get_table_names()
    assert back.get_indexes("subscriber_tag") == []


def test_what_workers_share_of_a_relay_comes_and_goes_and_stands_once(empty_engine: Engine):
    tables = {"relay_pace", "relay_lease"}
    assert tables <= set(moved(empty_engine, command.upgrade, "0019").get_table_names())
    leased = "INSERT INTO relay_lease (relay, worker, day, leased) VALUES ('north', 'one', '2026-12-01', 3)"
    with empty_engine.begin() as connection:
        connection.execute(text("INSERT INTO relay_pace (relay, used) VALUES ('north', 0)"))
        connection.execute(text(leased))
    with pytest.raises(IntegrityError, match=r"pk_relay_lease|UNIQUE"), empty_engine.begin() as connection:
        connection.execute(text(leased))
    assert not tables & set(moved(empty_engine, command.downgrade, "0018").get_table_names())


UPLOAD = """
INSERT INTO import_run (id, key, name, list_name, state, plan, report, done, total, problem, operator, created, changed)
VALUES (7, 'k', 'people.csv', 'members', 'checked', '{}', '{}', 0, 0, '', 'anna', '2026-12-01', '2026-12-01')
"""
"""A file that was uploaded, as an earlier version left it."""


def test_pieces_of_uploads_come_and_go_with_their_revision_and_with_their_upload(empty_engine: Engine):
    moved(empty_engine, command.upgrade, "0021")
    with empty_engine.begin() as connection:
        connection.execute(text(UPLOAD))

    assert "upload_part" in moved(empty_engine, command.upgrade, "0022").get_table_names()

    with empty_engine.begin() as connection:
        assert connection.scalar(text("SELECT taken_by FROM import_run")) == ""
        piece = "INSERT INTO upload_part (upload_id, refused, number, octets) VALUES (7, false, 0, :octets)"
        connection.execute(text(piece), {"octets": b"email\n"})
        connection.execute(text("DELETE FROM import_run"))
        assert connection.scalar(text("SELECT count(*) FROM upload_part")) == 0
        connection.execute(text(UPLOAD))

    back = moved(empty_engine, command.downgrade, "0021")
    assert "upload_part" not in back.get_table_names()
    assert "taken_by" not in {column["name"] for column in back.get_columns("import_run")}
    with empty_engine.connect() as connection:
        assert connection.scalar(text("SELECT state FROM import_run")) == "checked"


def test_backups_and_known_keys_come_and_go(empty_engine: Engine):
    tables = {"backup_entry", "known_key"}
    assert tables <= set(moved(empty_engine, command.upgrade, "0021").get_table_names())
    known = "INSERT INTO known_key (name, fingerprint, since) VALUES ('suppression', 'f', '2026-12-01')"
    with empty_engine.begin() as connection:
        connection.execute(
            text("INSERT INTO backup_entry (at, octets, rows, operator) VALUES ('2026-12-01', 1, 2, 'a')")
        )
        connection.execute(text(known))
    with pytest.raises(IntegrityError, match=r"pk_known_key|UNIQUE"), empty_engine.begin() as connection:
        connection.execute(text(known))
    assert not tables & set(moved(empty_engine, command.downgrade, "0020").get_table_names())


def said(engine: Engine) -> dict[str, str]:
    """The words in which a SQLite database describes what it holds."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        return {name: words for name, words in rows if "alembic" not in name}


def test_checks_on_sqlite_compare_and_fill_no_list(tmp_path: Path):
    engine = open_engine(f"sqlite:///{tmp_path / 'n.sqlite'}")
    moved(engine, command.upgrade, "0022")
    before = said(engine)

    moved(engine, command.upgrade, "0023")

    after = said(engine)
    assert before.keys() == after.keys()
    assert [name for name, words in after.items() if " IN (" in words] == []
    assert sum(before[name] != after[name] for name in before) > 10
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"

    moved(engine, command.downgrade, "0022")

    assert said(engine) == before


def test_a_check_in_other_words_refuses_and_takes_the_same(tmp_path: Path):
    engine = open_engine(f"sqlite:///{tmp_path / 'n.sqlite'}")
    moved(engine, command.upgrade, "0022")
    with engine.begin() as connection:
        for statement in ROWS.strip().split(";"):
            connection.execute(text(statement))

    moved(engine, command.upgrade, "0023")

    with engine.begin() as connection:
        connection.execute(text("UPDATE run SET state = 'paused', stage = NULL"))
        connection.execute(text("UPDATE run SET state = 'running', stage = 'holding'"))
    for wrong in ("state = 'sunk'", "stage = 'last'", "state = ''"):
        column = wrong.partition(" ")[0]
        with pytest.raises(IntegrityError, match=f"ck_run_{column}"), engine.begin() as connection:
            connection.execute(text(f"UPDATE run SET {wrong}"))


def test_who_withdraws_goes_with_their_run_and_with_themselves(empty_engine: Engine):
    tied = {
        key["referred_table"]: (key["constrained_columns"], key["options"]["ondelete"])
        for key in moved(empty_engine, command.upgrade, "0024").get_foreign_keys("withdrawal")
    }

    assert tied == {"run": (["run_id"], "CASCADE"), "subscriber": (["subscriber_id"], "CASCADE")}
    assert "withdrawal" not in moved(empty_engine, command.downgrade, "0023").get_table_names()
