"""Backups and moves over both databases: nothing is lost, nothing is sent twice, nothing is overwritten."""

import contextlib
import datetime as dt
import io
import sqlite3

import pytest
from alembic import command
from databases import FILES, SERVED, databases
from integration.sent_scene import ISSUE, pipeline_over, settings_over, tried
from sqlalchemy import text
from sqlmodel import Session, select

from newsletter.accounts.models import AuditRow, Deed
from newsletter.assembly.facts import IssueState
from newsletter.bootstrap import build
from newsletter.database import _alembic, migrate, open_engine, revisions
from newsletter.dispatch.outcome import Verdict
from newsletter.doctor.check import Status
from newsletter.doctor.storage import check_known_keys
from newsletter.errors import ConfigurationFault, DatabaseFault, InvalidInput, WrongState
from newsletter.keeping.databases import snapshot
from newsletter.keeping.file import BackupFile
from newsletter.keeping.known_keys import ensured_keys
from newsletter.keeping.tally import Counting
from newsletter.keyring import KEY_FILE, key_file, load_keys
from newsletter.pipeline.keeping import Given, back_up, last_backup, look_at, move, note_backup, restore
from newsletter.planning.models import DeliveryState, RunRow, RunState
from subscribers.models import Subscriber

NOW = dt.datetime(2026, 12, 2, 3, 0, tzinfo=dt.UTC)
BEFORE = "2026-12-02T03:00:00Z"

NOTED = {"audit_entry", "backup_entry", "known_key", "run", "issue"}
"""Tables in which a restore notes what it did."""


def quiet(_done, _total):
    pass


def given(**more):
    return Given(now=NOW, progress=quiet, **more)


def installation(folder, kind="sqlite", name="n.sqlite"):
    """The settings of an installation in a folder of its own."""
    folder.mkdir(exist_ok=True)
    url = databases(kind).address(folder / name)
    return settings_over(url, key_file=folder / KEY_FILE)


def made(settings):
    """An empty database for these settings, its keys made."""
    engine = open_engine(settings.database.url)
    migrate(engine)
    ensured_keys(engine, settings, now=NOW)
    engine.dispose()
    return settings


def kept(settings):
    stream = io.BytesIO()
    back_up(settings, stream, now=NOW, progress=quiet)
    return stream.getvalue()


def put_back(settings, content, **more):
    return restore(settings, BackupFile(io.BytesIO(content), name="b"), name="b", operator="anne", given=given(**more))


def tallies(settings):
    """What the tables of a database come to."""
    engine = open_engine(settings.database.url)
    counted = {}
    with snapshot(engine) as source:
        for table in source.shape.tables:
            counted[table.name] = Counting(table)
        for table, lines in source.portions():
            counted[table.name].add(lines)
    engine.dispose()
    return {name: each.tally for name, each in counted.items() if name not in NOTED}


@pytest.fixture(scope="module")
def at_work(tmp_path_factory):
    """An installation whose issue is under way: three of six have got it."""
    settings = made(installation(tmp_path_factory.mktemp("work")))
    engine = open_engine(settings.database.url)
    running = pipeline_over(engine, key_file=settings.key_file)
    running.sending.queue(ISSUE, newsletter=None, segment="all", at=None, zone=None)
    running.wake()
    for address in ("anna@lakes.example", "bela@lakes.example", "cora@lakes.example"):
        tried(running, address, Verdict.ACCEPTED, code=250)
    running.parts.engine.dispose()
    engine.dispose()
    FILES.rows(
        settings.key_file.with_name("n.sqlite"), "UPDATE sqlite_sequence SET seq = 70 WHERE name = 'consent_entry'"
    )
    return settings


@pytest.fixture(scope="module")
def backup(at_work):
    return kept(at_work)


@pytest.fixture(scope="module")
def in_both(backup, tmp_path_factory):
    """The backup in PostgreSQL, and a backup of that in SQLite: what was said of the first restore, and the settings."""
    served = installation(tmp_path_factory.mktemp("served"), "postgresql")
    said = put_back(served, backup)
    filed = installation(tmp_path_factory.mktemp("filed"))
    put_back(filed, kept(served))
    return said, {"postgresql": served, "sqlite": filed}


def test_a_backup_of_either_kind_goes_back_into_either(at_work, in_both):
    _said, there = in_both
    expected = tallies(at_work)
    assert expected["delivery"].rows == 6
    assert expected["artifact"].rows > 0
    assert tallies(there["postgresql"]) == expected
    assert tallies(there["sqlite"]) == expected


def test_a_run_that_was_under_way_is_held_and_says_why(in_both):
    said, there = in_both
    [held] = said.held
    assert (held.issue, held.state) == ("river-cities/2026-12", RunState.RUNNING)
    assert (held.accepted, held.total) == (3, 6)
    for settings in there.values():
        restored = build(settings)
        standing = restored.control.status(ISSUE, newsletter=None)
        assert standing.state is IssueState.PAUSED
        assert standing.held == f"as in the backup of {BEFORE}"
        assert standing.counts[DeliveryState.PLANNED] == 3
        restored.parts.engine.dispose()


def test_what_a_restore_did_stands_in_the_audit_log(in_both):
    _said, there = in_both
    engine = open_engine(there["postgresql"].database.url)
    with Session(engine) as session:
        found = [(row.action, row.operator) for row in session.exec(select(AuditRow).order_by(AuditRow.id.desc()))]
    engine.dispose()
    assert found[:2] == [(Deed.RESTORED.value, "anne"), (Deed.RUN_PAUSED.value, "anne")]


def test_a_restored_database_goes_on_numbering_where_it_was_left_off(in_both):
    for settings in in_both[1].values():
        engine = open_engine(settings.database.url)
        with Session(engine) as session:
            highest = max(session.exec(select(Subscriber.id)))
            copy = {
                "address": "z@z.example",
                "address_key": "z@z.example",
                "digest": "d",
                "created": NOW,
                "updated": NOW,
            }
            added = Subscriber(**copy)
            session.add(added)
            session.flush()
            assert added.id == highest + 1
            session.rollback()
        engine.dispose()


def test_the_keys_come_back_with_the_database(at_work, in_both):
    for settings in in_both[1].values():
        assert load_keys(settings, made=False) == load_keys(at_work)
        assert key_file(settings).stat().st_mode & 0o777 == 0o600


def test_what_was_deleted_at_the_end_is_not_numbered_again(in_both):
    _said, there = in_both
    file = there["postgresql"].key_file.with_name("n.sqlite")
    assert SERVED.rows(file, "SELECT last_value FROM consent_entry_id_seq") == [(70,)]
    file = there["sqlite"].key_file.with_name("n.sqlite")
    assert FILES.rows(file, "SELECT seq FROM sqlite_sequence WHERE name = 'consent_entry'") == [(70,)]


def test_a_database_that_holds_something_is_not_overwritten(at_work, backup):
    before = tallies(at_work)
    with pytest.raises(WrongState, match="is not empty: nothing was changed"):
        put_back(at_work, backup)
    assert tallies(at_work) == before


def test_one_that_is_given_up_stays_beside_the_other(backup, tmp_path):
    settings = made(installation(tmp_path))
    put_back(settings, backup)
    asked = []

    said = put_back(settings, backup, ask=lambda: asked.append("once"))

    assert asked == ["once"]
    assert said.file_aside == tmp_path / "n.sqlite.before-20261202T030000Z"
    with contextlib.closing(sqlite3.connect(said.file_aside)) as connection:
        assert connection.execute("SELECT state FROM run").fetchall() == [("paused",)]
    assert sorted(path.name for path in tmp_path.iterdir() if ".before-" not in path.name) == ["n.sqlite", KEY_FILE]


def test_whoever_is_asked_may_refuse(backup, in_both):
    def refuse():
        raise WrongState("no")

    served = in_both[1]["postgresql"]
    before = tallies(served)
    with pytest.raises(WrongState, match=r"^no$"):
        put_back(served, backup, ask=refuse)
    assert tallies(served) == before


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_restore_that_is_interrupted_leaves_nothing_behind(backup, tmp_path, kind):
    settings = installation(tmp_path, kind)

    def interrupted(done, total):
        if done > total * 0.6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(
            settings,
            BackupFile(io.BytesIO(backup), name="b"),
            name="b",
            operator="anne",
            given=Given(now=NOW, progress=interrupted),
        )
    assert list(tmp_path.iterdir()) == []
    if kind == "postgresql":
        assert SERVED.rows(tmp_path / "n.sqlite", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [
            (0,)
        ]


def test_a_damaged_backup_leaves_nothing_behind(backup, tmp_path):
    settings = installation(tmp_path)
    with pytest.raises(InvalidInput, match="damaged"):
        put_back(settings, backup[: int(len(backup) * 0.9)])
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_somebody_works_with_is_left_alone(backup, tmp_path):
    settings = made(installation(tmp_path))
    engine = open_engine(settings.database.url)
    with engine.connect(), pytest.raises(WrongState, match=r"is in use: end `newsletter run`"):
        put_back(settings, backup)
    engine.dispose()


def test_one_on_a_server_too(backup, in_both):
    served = in_both[1]["postgresql"]
    engine = open_engine(served.database.url)
    with engine.connect(), pytest.raises(WrongState, match="another connection is open"):
        put_back(served, backup, ask=lambda: None)
    engine.dispose()


def test_the_tables_of_another_program_are_not_touched(backup, tmp_path):
    settings = installation(tmp_path)
    FILES.rows(tmp_path / "n.sqlite", "CREATE TABLE theirs (id INTEGER)")
    with pytest.raises(DatabaseFault, match="holds tables of another program"):
        put_back(settings, backup, ask=lambda: None)


def test_a_backup_of_an_earlier_version_is_brought_to_this_one(tmp_path):
    old = installation(tmp_path / "old")
    load_keys(old)
    engine = open_engine(old.database.url)
    config = _alembic(engine)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0018")
        connection.execute(text("INSERT INTO tally (id, key, at) VALUES (3, 'all', '2026-12-01')"))
        connection.commit()
    engine.dispose()
    content = kept(old)
    note_backup(old, look_at(io.BytesIO(content), name="b", progress=quiet), octets=1, operator="anne")

    settings = installation(tmp_path / "new")
    assert put_back(settings, content).head.shape.revision == "0018"

    assert FILES.rows(tmp_path / "new" / "n.sqlite", "SELECT version_num FROM alembic_version") == [(revisions()[-1],)]
    assert FILES.rows(tmp_path / "new" / "n.sqlite", "SELECT key, at FROM tally") == [
        ("all", "2026-12-01 00:00:00.000000")
    ]


def test_the_last_backup_is_known_and_a_backup_is_made_while_others_write(tmp_path):
    settings = made(installation(tmp_path))
    engine = open_engine(settings.database.url)
    with Session(engine) as session:
        assert last_backup(session) is None
    with engine.connect() as writing:
        writing.execute(text("INSERT INTO tally (key, at) VALUES ('a', '2026-12-01')"))
        head = back_up(settings, io.BytesIO(), now=NOW, progress=quiet)
        writing.rollback()
    note_backup(settings, head, octets=123, operator="anne")
    with Session(engine) as session:
        found = last_backup(session)
        assert (found.at, found.octets, found.rows, found.operator) == (NOW, 123, head.rows, "anne")
    engine.dispose()


def test_a_database_moves_to_the_other_kind_and_back_as_it_is(at_work, tmp_path):
    served = installation(tmp_path / "served", "postgresql")
    back = installation(tmp_path / "back")
    expected = tallies(at_work)

    moved = move(at_work, served, operator="anne", given=given())
    move(served, back, operator="anne", given=given())

    assert moved.poured.removed == {}
    assert tallies(served) == tallies(back) == expected
    for settings in (served, back):
        assert load_keys(settings, made=False) == load_keys(at_work)
        engine = open_engine(settings.database.url)
        with Session(engine) as session:
            assert [run.state for run in session.exec(select(RunRow))] == [RunState.RUNNING]
        engine.dispose()
    with pytest.raises(WrongState, match="is not empty"):
        move(back, served, operator="anne", given=given())


def test_a_database_that_works_is_not_moved(at_work, tmp_path):
    engine = open_engine(at_work.database.url)
    with engine.connect(), pytest.raises(WrongState, match="is in use"):
        move(at_work, installation(tmp_path), operator="anne", given=given())
    engine.dispose()
    assert list(tmp_path.iterdir()) == []


def test_what_postgresql_cannot_hold_is_left_out_and_told(tmp_path):
    settings = made(installation(tmp_path / "here"))
    FILES.rows(
        tmp_path / "here" / "n.sqlite", "INSERT INTO tally (key, at) VALUES ('a' || char(0) || 'b', '2026-12-01')"
    )
    served = installation(tmp_path / "there", "postgresql")
    assert move(settings, served, operator="anne", given=given()).poured.removed == {"tally": 1}
    assert SERVED.rows(tmp_path / "there" / "n.sqlite", "SELECT key FROM tally") == [("ab",)]


def test_a_value_that_does_not_fit_is_named_without_being_said(tmp_path):
    settings = made(installation(tmp_path / "here"))
    long = "s3cret" * 30
    FILES.rows(tmp_path / "here" / "n.sqlite", f"INSERT INTO tally (key, at) VALUES ('{long}', '2026-12-01')")
    served = installation(tmp_path / "there", "postgresql")
    with pytest.raises(DatabaseFault, match=r"COPY tally, line 1, column key.*value too long") as refused:
        move(settings, served, operator="anne", given=given())
    assert "s3cret" not in str(refused.value)
    assert not (tmp_path / "there" / KEY_FILE).exists()


def test_a_machine_without_the_keys_of_the_database_does_not_start(at_work, tmp_path):
    elsewhere = at_work.model_copy(update={"key_file": tmp_path / KEY_FILE})
    with pytest.raises(ConfigurationFault, match="is missing, and this database was used with keys"):
        build(elsewhere)
    assert list(tmp_path.iterdir()) == []
    engine = open_engine(elsewhere.database.url)
    assert [check.status for check in check_known_keys(engine, elsewhere)] == [Status.ERROR]
    load_keys(elsewhere)
    with pytest.raises(ConfigurationFault, match="are those of another installation"):
        build(elsewhere)
    [check] = check_known_keys(engine, elsewhere)
    assert (check.status, check.code) == (Status.ERROR, "known-keys")
    assert [check.status for check in check_known_keys(engine, at_work)] == [Status.OK]
    engine.dispose()


def test_a_machine_that_lacks_the_newest_key_does_not_start_until_it_has_it(tmp_path):
    settings = made(installation(tmp_path))
    old = key_file(settings).read_bytes()
    build(settings).keys.rotate()
    new = key_file(settings).read_bytes()
    key_file(settings).write_bytes(old)
    with pytest.raises(
        ConfigurationFault, match=r"lacks the signing key .*: copy the file from the machine that has it"
    ):
        build(settings)
    key_file(settings).write_bytes(new)
    build(settings).parts.engine.dispose()


def test_a_key_that_is_revoked_need_not_be_anywhere(tmp_path):
    settings = made(installation(tmp_path))
    [(old, _)] = load_keys(settings).signing
    pipeline = build(settings)
    pipeline.keys.rotate()
    pipeline.keys.revoke(old)
    assert len(build(settings).parts.keys.signing) == 1
    deeds = FILES.rows(tmp_path / "n.sqlite", "SELECT action FROM audit_entry ORDER BY id")
    assert deeds == [(Deed.KEY_ROTATED.value,), (Deed.KEY_REVOKED.value,)]
    pipeline.parts.engine.dispose()
