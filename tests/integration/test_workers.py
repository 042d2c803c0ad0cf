"""Several dispatchers on one server: heartbeats, silence, and what becomes of the deliveries of the dead."""

import datetime as dt
import errno
import threading

import psycopg
import pytest
from faults.bench import until
from sqlalchemy import event, text, update
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from newsletter.dispatch import barrier, outage, transactions
from newsletter.dispatch.audit import audit
from newsletter.dispatch.ledger import Ledger, Mark, Result
from newsletter.dispatch.models import WorkerRow
from newsletter.dispatch.outcome import Fault, Outcome, Phase, Reply, Verdict
from newsletter.planning.models import DeliveryState, RunRow, RunState
from newsletter.planning.store import change_run, move_deliveries, of_run
from newsletter.settings import Uncertain

HOLD = dt.timedelta(seconds=900)
ACCEPTED = Outcome(verdict=Verdict.ACCEPTED, phase=Phase.CONTENT, reply=Reply(250, "2.0.0", "2.0.0 Ok"))
LATER = Outcome(verdict=Verdict.DEFERRED, phase=Phase.CONTENT, fault=Fault.RELAY, reply=Reply(451, None, "later"))


def begun(rows, name, *, connections=4, policy=Uncertain.REPEAT):
    """A dispatcher that has begun its life."""
    ledger = Ledger(rows.sessions, worker=name, uncertain=policy, hold=HOLD, connections=connections)
    ledger.take_over(rows.now)
    return ledger


def accepted(claim):
    return Result(claim=claim, outcome=ACCEPTED, marked=True, relay="relay.example:25")


def deferred(claim, now):
    return Result(claim=claim, outcome=LATER, marked=True, relay="relay.example:25", next_at=now + HOLD)


def fall_silent(rows, name, seconds=9):
    rows.change(
        text("UPDATE worker SET heartbeat = heartbeat - :silence * interval '1 second' WHERE name = :name").bindparams(
            silence=seconds, name=name
        )
    )


def lives(rows):
    """Each worker, and whether it lives."""
    with rows.sessions() as session:
        return {row.name: row.ended is None for row in session.scalars(select(WorkerRow))}


@pytest.fixture
def shared(postgres_rows):
    """The rows of a server."""
    return postgres_rows


def test_the_deliveries_of_a_silent_worker_go_to_the_others(shared, now):
    shared.run(6)
    first, second = begun(shared, "host:1"), begun(shared, "host:2")
    theirs, others = first.claim(3, now), second.claim(3, now)
    first.commit([Mark(claim=theirs[0])], now)
    second.commit([Mark(claim=others[0])], now)

    assert second.reap(now) == (0, 0), "everybody lives"
    fall_silent(shared, "host:1")
    assert second.reap(now) == (2, 1)
    assert second.reap(now) == (0, 0)

    assert first.heartbeat(now) is False
    assert second.heartbeat(now) is True
    assert lives(shared) == {"host:1": False, "host:2": True}
    assert shared.states() == {DeliveryState.PLANNED: 3, DeliveryState.CLAIMED: 2, DeliveryState.SENDING: 1}
    (lost,) = shared.attempts(theirs[0].digest)
    assert (lost.worker, lost.began, lost.verdict) == ("host:1", now, Verdict.UNCERTAIN)


def test_what_a_dead_worker_still_writes_does_not_hold(shared, now):
    shared.run(4)
    first, second = begun(shared, "host:1"), begun(shared, "host:2")
    claims = first.claim(2, now)
    first.commit([Mark(claim=claims[0])], now)
    fall_silent(shared, "host:1")
    second.reap(now)

    assert first.commit([accepted(claims[0]), Mark(claim=claims[1])], now) == [False, False]
    assert first.claim(4, now) == []
    assert len(second.claim(4, now)) == 4


def test_a_short_silence_is_no_death(shared, now):
    shared.run(1)
    first, second = begun(shared, "host:1"), begun(shared, "host:2")
    first.claim(1, now)
    fall_silent(shared, "host:1", seconds=7)

    assert second.reap(now) == (0, 0)
    assert first.heartbeat(now) is True


def test_a_beat_ends_a_silence_that_nobody_has_noticed(shared, now):
    shared.run(1)
    first, second = begun(shared, "host:1"), begun(shared, "host:2")
    (claim,) = first.claim(1, now)
    fall_silent(shared, "host:1")

    assert first.heartbeat(now) is True
    assert second.reap(now) == (0, 0)
    assert first.commit([Mark(claim=claim)], now) == [True]


def test_a_worker_that_begins_takes_over_from_the_dead_only(shared, now):
    shared.run(4)
    first, second = begun(shared, "host:1"), begun(shared, "host:2")
    first.claim(2, now)
    second.claim(1, now)
    fall_silent(shared, "host:1")
    third = Ledger(shared.sessions, worker="host:3", uncertain=Uncertain.SKIP, hold=HOLD)

    assert third.take_over(now) == (2, 0)
    assert lives(shared) == {"host:1": False, "host:2": True, "host:3": True}


def test_who_signs_off_leaves_nothing_to_wait_for(shared, now):
    shared.run(1)
    first, second = begun(shared, "host:1"), begun(shared, "host:2")
    (claim,) = first.claim(1, now)
    first.release([claim], now)
    first.sign_off(now)

    assert lives(shared) == {"host:1": False, "host:2": True}
    assert second.reap(now) == (0, 0)
    assert len(second.claim(1, now)) == 1


def test_two_that_fall_silent_one_after_the_other_are_each_cleared_up_after_at_once(shared, now):
    shared.run(4)
    first, second, third = (begun(shared, f"host:{number}") for number in (1, 2, 3))
    first.claim(2, now)
    second.claim(1, now)
    fall_silent(shared, "host:1")
    assert third.reap(now) == (2, 0)

    fall_silent(shared, "host:2")

    assert third.reap(now) == (1, 0)


def test_what_is_left_by_who_has_signed_off_is_looked_for_now_and_then(shared, now, monkeypatch):
    monkeypatch.setattr("newsletter.dispatch.ledger.CLEAR_SECONDS", 3600.0)
    shared.run(2)
    first, second, third = (begun(shared, f"host:{number}") for number in (1, 2, 3))
    first.claim(1, now)
    first.sign_off(now)
    assert third.reap(now) == (1, 0), "it has never been looked for"

    second.claim(1, now)
    second.sign_off(now)

    assert third.reap(now) == (0, 0), "it was looked for a moment ago"
    monkeypatch.setattr("newsletter.dispatch.ledger.CLEAR_SECONDS", 0.0)
    assert third.reap(now) == (1, 0)


def test_who_signs_off_keeps_no_connection(rows, engine, now):
    rows.run(1)
    ledger = begun(rows, "host:1")
    (claim,) = ledger.claim(1, now)
    ledger.commit([Mark(claim=claim)], now)
    assert engine.pool.checkedout() == 1, "that of the groups, kept from one to the next"

    ledger.sign_off(now)

    assert engine.pool.checkedout() == 0


def test_a_name_is_never_used_again(rows, now):
    """In a container every dispatcher is the same process of the same host."""
    begun(rows, "host:1")
    again = begun(rows, "host:1")
    rows.run(1)
    (claim,) = again.claim(1, now)
    again.commit([Mark(claim=claim)], now)

    assert rows.delivery().worker == "host:1~2"
    begun(rows, "host:1")
    assert set(lives(rows)) == {"host:1", "host:1~2", "host:1~3"}


def test_on_sqlite_the_lock_speaks_for_the_heart(sqlite_rows, now):
    ledger = begun(sqlite_rows, "host:1")
    begun(sqlite_rows, "host:2")

    assert lives(sqlite_rows) == {"host:1": False, "host:2": True}
    assert ledger.heartbeat(now) is True
    assert ledger.reap(now) == (0, 0)


def test_many_workers_claim_each_delivery_once(shared, now):
    shared.run(60)
    ledgers = [begun(shared, f"host:{number}") for number in range(3)]
    start, taken = threading.Barrier(3), [[], [], []]

    def claim_all(ledger, mine):
        start.wait(10)
        while claims := ledger.claim(4, now):
            ledger.commit([Mark(claim=claim) for claim in claims], now)
            assert all(ledger.commit([accepted(claim) for claim in claims], now))
            mine.extend(claim.digest for claim in claims)

    threads = [threading.Thread(target=claim_all, args=pair) for pair in zip(ledgers, taken, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    everything = [digest for mine in taken for digest in mine]
    assert len(everything) == len(set(everything)) == 60
    with shared.sessions() as session:
        assert all(check.holds for check in audit(session, "issue:rivers/2026-12"))


def waits(rows):
    """Whether somebody waits for what somebody else has locked."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with rows.sessions() as session:
        return session.scalar(text(waiting)) > 0


def test_a_mark_waits_for_whoever_is_pausing_the_run_and_does_not_hold_then(shared, now):
    """A pause first stops the run and then takes back what was claimed: no message may go out in between."""
    run_id = shared.run(1)
    ledger, held = begun(shared, "host:1"), []
    (claim,) = ledger.claim(1, now)
    marking = threading.Thread(target=lambda: held.extend(ledger.commit([Mark(claim=claim)], now)))
    with shared.sessions() as session:
        change_run(session, run_id, expected=[RunState.RUNNING], state=RunState.PAUSED)
        marking.start()
        until(lambda: held or waits(shared))
        move_deliveries(session, of_run(run_id), expected=[DeliveryState.CLAIMED], state=DeliveryState.PLANNED, now=now)
        session.commit()
    marking.join(60)

    assert held == [False]
    assert shared.states() == {DeliveryState.PLANNED: 1}


def writers(rows):
    """The transactions in which deliveries and attempts were written last."""
    with rows.sessions() as session:
        found = session.scalars(text("SELECT xmin::text FROM delivery UNION SELECT xmin::text FROM attempt"))
        return list(found)


def test_a_group_in_which_a_delivery_stands_twice_is_one_transaction(shared, now):
    shared.run(2)
    ledger = begun(shared, "host:1")
    first, second = ledger.claim(2, now)

    assert ledger.commit([Mark(claim=first), Mark(claim=second), accepted(first)], now) == [True, True, True]

    assert len(writers(shared)) == 1


def test_what_comes_back_to_a_cancelled_run_ends_in_the_transaction_that_brought_it_back(shared, now):
    shared.run(2)
    ledger = begun(shared, "host:1")
    claims = ledger.claim(2, now)
    ledger.commit([Mark(claim=claim) for claim in claims], now)
    shared.change(update(RunRow).values(state=RunState.CANCELLED))

    assert ledger.commit([deferred(claims[0], now), accepted(claims[1])], now) == [True, True]

    assert shared.states() == {DeliveryState.ACCEPTED: 1, DeliveryState.CANCELLED: 1}
    assert len(writers(shared)) == 1


def test_a_group_of_which_nothing_comes_back_is_one_round_trip(shared, now, monkeypatch):
    shared.run(2)
    ledger = begun(shared, "host:1")
    first, second = ledger.claim(2, now)
    ledger.commit([Mark(claim=first)], now)
    asked, execute = [], psycopg.Connection.execute

    def note(connection, query, *values):
        asked.append(query.split()[0])
        return execute(connection, query, *values)

    monkeypatch.setattr(psycopg.Connection, "execute", note)
    assert ledger.commit([accepted(first), Mark(claim=second)], now) == [True, True]

    assert asked == ["WITH"]


def test_reapers_at_the_same_time_do_it_once(shared, now):
    shared.run(20)
    gone = begun(shared, "host:0")
    claims = gone.claim(20, now)
    gone.commit([Mark(claim=claim) for claim in claims[:4]], now)
    heirs = [begun(shared, f"host:{number}") for number in (1, 2, 3)]
    fall_silent(shared, "host:0")
    start, reaped = threading.Barrier(3), []

    def reap(ledger):
        start.wait(10)
        reaped.append(ledger.reap(now))

    threads = [threading.Thread(target=reap, args=(ledger,)) for ledger in heirs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(reaped) == [(0, 0), (0, 0), (16, 4)]


@pytest.fixture
def levels(sqlite_engine):
    """How each transaction waits for the disk, in order."""
    seen = []

    @event.listens_for(sqlite_engine, "connect")
    def _follow(connection, _record):
        level = [NORMAL]

        def note(statement):
            if statement.startswith("PRAGMA synchronous = "):
                level[:] = [statement.rpartition(" ")[2]]
            elif statement == "COMMIT":
                seen.append(level[0])

        connection.set_trace_callback(note)

    sqlite_engine.dispose()
    return seen


NORMAL, FULL = "NORMAL", "FULL"


def sent_six(rows, now, levels, monkeypatch):
    """Six messages one by one, with a barrier after three results; their ledger, and what it has claimed."""
    rows.run(40)
    ledger = begun(rows, "host:1")
    claims = ledger.claim(40, now)
    monkeypatch.setattr(transactions, "BARRIER_RESULTS", 3)
    monkeypatch.setattr(transactions, "BARRIER_SECONDS", 3600)
    levels.clear()
    for claim in claims[:6]:
        ledger.commit([Mark(claim=claim)], now)
        ledger.commit([accepted(claim)], now)
    return ledger, claims


@pytest.fixture
def taken(monkeypatch):
    """The files that the disk was asked to take meanwhile, in order."""
    files = []
    monkeypatch.setattr(barrier, "sync", files.append)
    return files


def test_the_disk_takes_marks_once_in_a_while_and_no_commit_waits(sqlite_rows, now, levels, taken, monkeypatch):
    ledger, _ = sent_six(sqlite_rows, now, levels, monkeypatch)
    ledger.sign_off(now)  # which waits itself, for the one before too

    assert levels == [*[NORMAL] * 12, FULL]
    assert [file.name for file in taken] == ["newsletter.sqlite-wal"]


def test_a_barrier_waits_for_the_one_before(sqlite_rows, now, monkeypatch):
    sqlite_rows.run(2)
    ledger = begun(sqlite_rows, "host:1")
    claims = ledger.claim(2, now)
    slow, order = threading.Event(), []

    def take(_file):
        slow.wait(10)
        order.append("taken")

    monkeypatch.setattr(barrier, "sync", take)
    monkeypatch.setattr(transactions, "BARRIER_SECONDS", 0)
    assert ledger.commit([Mark(claim=claims[0])], now) == [True]
    order.append("committed, the disk at work")
    threading.Timer(0.1, slow.set).start()
    ledger.commit([Mark(claim=claims[1])], now)
    order.append("committed")

    assert order[:2] == ["committed, the disk at work", "taken"]
    assert "committed" in order[2:]


def test_nothing_more_is_committed_once_the_disk_has_failed(sqlite_rows, now, monkeypatch):
    sqlite_rows.run(2)
    ledger = begun(sqlite_rows, "host:1")
    claims = ledger.claim(2, now)

    def fail(_file):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(transactions, "BARRIER_SECONDS", 0)
    with monkeypatch.context() as patched:
        patched.setattr(barrier, "sync", fail)
        assert ledger.commit([Mark(claim=claims[0])], now) == [True]
        with pytest.raises(OperationalError, match="the disk did not take what was committed: Input/output") as failed:
            ledger.commit([Mark(claim=claims[1])], now)
    assert outage.may_pass(failed.value), "the writer keeps the group and tries again"

    assert ledger.commit([Mark(claim=claims[1])], now) == [True]


def test_where_nothing_is_written_ahead_a_commit_waits_for_the_disk(sqlite_rows, now, levels, monkeypatch):
    monkeypatch.setattr(transactions, "barrier_of", lambda _driver: None)
    ledger, claims = sent_six(sqlite_rows, now, levels, monkeypatch)

    assert levels == [*[NORMAL] * 6, FULL, *[NORMAL] * 5]
    monkeypatch.setattr(transactions, "BARRIER_SECONDS", 0)
    levels.clear()
    ledger.commit([Mark(claim=claims[7])], now)
    assert levels == [FULL]


def test_a_pause_and_an_end_wait_for_the_disk(sqlite_rows, now, levels):
    run_id = sqlite_rows.run(1)
    ledger = begun(sqlite_rows, "host:1")
    levels.clear()

    ledger.pause(run_id, "blocked", now)
    ledger.finished_runs(now)
    ledger.heartbeat(now)
    ledger.sign_off(now)
    ledger.sweep(now)

    assert levels == [FULL, FULL, FULL, FULL, NORMAL]
