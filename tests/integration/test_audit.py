"""What the audit finds: each invariant broken by hand, and the time it takes over many rows."""

import datetime as dt
import time

import pytest
from sqlalchemy import delete, insert, update
from sqlmodel import col

from newsletter.dispatch.audit import audit
from newsletter.dispatch.ledger import Ledger, Mark, Result
from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Fault, Outcome, Phase, Reply, Verdict
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.planning.store import move_deliveries, of_digest
from newsletter.settings import Uncertain
from subscribers.models import Departure, Subscriber, Suppression, SuppressionReason

HOLD = dt.timedelta(seconds=900)
MINUTE = dt.timedelta(minutes=1)
MAILING = "issue:rivers/2026-12"
ACCEPTED = Outcome(verdict=Verdict.ACCEPTED, phase=Phase.CONTENT, reply=Reply(250, "2.0.0", "2.0.0 Ok"))
DEFERRED = Outcome(verdict=Verdict.DEFERRED, phase=Phase.CONTENT, fault=Fault.RELAY, reply=Reply(451, None, "later"))


@pytest.fixture
def ledger(rows, now):
    ledger = Ledger(rows.sessions, worker="host:1", uncertain=Uncertain.REPEAT, hold=HOLD, connections=2)
    ledger.take_over(now)
    return ledger


def attempt(ledger, outcome, now, *, count=1):
    """Claim, mark and end; what is deferred is due again at once."""
    claims = ledger.claim(count, now)
    ledger.commit([Mark(claim=claim) for claim in claims], now)
    relay = "relay.example:25"
    return ledger.commit(
        [Result(claim=claim, outcome=outcome, marked=True, relay=relay, next_at=now) for claim in claims], now
    )


def violations(rows):
    with rows.sessions() as session:
        return {check.code: check.violations for check in audit(session, MAILING) if not check.holds}


def of_first(rows):
    return col(AttemptRow.delivery_id) == rows.delivery("d0").id


def test_on_the_wire_of_a_cancelled_run_is_beyond_recall_and_no_fault(rows, ledger, now):
    rows.run(1)
    ledger.commit([Mark(claim=ledger.claim(1, now)[0])], now)

    rows.change(update(RunRow).values(state=RunState.CANCELLED))
    assert violations(rows) == {}
    rows.change(update(RunRow).values(state=RunState.FINISHED))
    assert violations(rows) == {"I1": 1}


def test_a_repetition_that_no_doubt_asked_for_is_found(rows, ledger, now):
    rows.run(2)
    rows.change(update(DeliveryRow).where(of_digest("d1")).values(repeats=1))

    assert violations(rows) == {"I3": 1}


@pytest.mark.parametrize("state", [DeliveryState.SUPPRESSED, DeliveryState.CANCELLED])
def test_an_attempt_that_follows_a_stop_is_found(rows, ledger, now, state):
    rows.run(1)
    attempt(ledger, DEFERRED, now)
    with rows.sessions() as session:
        move_deliveries(session, of_digest("d0"), expected=[DeliveryState.DEFERRED], state=state, now=now)
        session.commit()
    assert violations(rows) == {}

    rows.change(update(DeliveryRow).values(epoch=1))
    assert violations(rows) == {"I4": 1}
    rows.change(update(AttemptRow).values(seal=None))
    rows.change(update(DeliveryRow).values(seal=None))
    assert violations(rows) == {}, "before there were seals a stop did not count"


@pytest.mark.parametrize("epoch", [0, 2])
def test_an_attempt_without_a_claim_is_found(rows, ledger, now, epoch):
    rows.run(1)
    attempt(ledger, ACCEPTED, now)
    rows.change(update(AttemptRow).values(epoch=epoch))

    assert violations(rows) == {"I4": 1, "I7": 1}


def test_attempts_of_one_claim_are_found(rows, ledger, now):
    rows.run(1)
    attempt(ledger, DEFERRED, now)
    attempt(ledger, ACCEPTED, now)
    rows.change(update(AttemptRow).values(epoch=2))

    assert violations(rows) == {"I5": 1, "I7": 1}


@pytest.mark.parametrize(
    ("worker", "seconds", "overlaps"),
    [("host:1", 0.01, True), ("host:1", 0, False), ("host:2", 29, False), ("host:2", 31, True)],
)
def test_attempts_that_overlapped_are_found_as_far_as_clocks_can_tell(rows, ledger, worker, seconds, overlaps):
    now = rows.now
    rows.run(1)
    attempt(ledger, DEFERRED, now)
    attempt(ledger, ACCEPTED, now)
    second = update(AttemptRow).where(col(AttemptRow.number) == 2)
    rows.change(second.values(began=now - dt.timedelta(seconds=seconds), worker=worker))

    assert ("I5" in violations(rows)) is overlaps


@pytest.mark.parametrize(("after", "found"), [(31, True), (29, False), (-60, False)])
def test_a_message_to_a_suppressed_address_is_found(rows, ledger, now, after, found):
    rows.run(2)
    attempt(ledger, ACCEPTED, now, count=2)
    since = now - dt.timedelta(seconds=after)
    rows.change(insert(Suppression).values(digest="d1", reason=SuppressionReason.MANUAL, note="", since=since))

    assert violations(rows) == ({"I6": 1} if found else {})


@pytest.mark.parametrize(("newsletter", "found"), [("rivers", True), ("lakes", False)])
def test_a_message_to_somebody_who_had_left_is_found(rows, ledger, now, newsletter, found):
    with rows.sessions() as session:
        person = Subscriber(address="a@b.example", address_key="a@b.example", digest="d0", created=now, updated=now)
        session.add(person)
        session.flush()
        session.add(Departure(subscriber_id=person.id, newsletter=newsletter, at=now - MINUTE))
        session.commit()
        person_id = person.id
    rows.run(1, subscriber_id=person_id)
    attempt(ledger, ACCEPTED, now)

    assert violations(rows) == ({"I6": 1} if found else {})


@pytest.mark.parametrize(
    "change",
    [
        {"text": "2.0.0 Ok, really"},
        {"relay": "other.example:25"},
        {"code": 251},
        {"worker": "host:9"},
        {"at": dt.datetime(2026, 12, 1, 8, 0, 0, 1, dt.UTC)},
        {"seal": b"x" * 32},
        {"seal": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_attempt_that_was_altered_is_found(rows, ledger, now, change):
    rows.run(3)
    attempt(ledger, ACCEPTED, now, count=3)
    rows.change(update(AttemptRow).where(of_first(rows)).values(**change))

    assert violations(rows) == {"I7": 1}


def test_a_last_attempt_that_was_removed_is_missed_by_its_delivery(rows, ledger, now):
    rows.run(2)
    attempt(ledger, DEFERRED, now, count=2)
    rows.change(delete(AttemptRow).where(of_first(rows)))
    rows.change(update(DeliveryRow).where(of_digest("d0")).values(attempts=0))

    assert violations(rows) == {"I7": 1}


def test_attempts_from_before_there_were_seals_are_sound(rows, ledger, now):
    rows.run(1)
    attempt(ledger, DEFERRED, now)
    rows.change(update(AttemptRow).values(seal=None, began=None))
    rows.change(update(DeliveryRow).values(seal=None))
    attempt(ledger, DEFERRED, now)
    attempt(ledger, ACCEPTED, now)

    assert violations(rows) == {}
    rows.change(update(AttemptRow).where(col(AttemptRow.number) == 2).values(seal=None))
    assert violations(rows) == {"I7": 1}


@pytest.mark.parametrize(("connections", "found"), [(2, True), (3, False), (None, False)])
def test_a_death_that_left_too_much_in_doubt_is_found(rows, now, connections, found):
    rows.run(3)
    dying, heir = (
        Ledger(rows.sessions, worker=name, uncertain=Uncertain.REPEAT, hold=HOLD, connections=connections)
        for name in ("host:1", "host:2")
    )
    dying.take_over(now)
    dying.commit([Mark(claim=claim) for claim in dying.claim(3, now)], now)
    dying.sign_off(now)  # so that nobody waits for its silence
    heir.take_over(now)

    assert violations(rows) == ({"I8": 1} if found else {})


@pytest.mark.unwatched  # what is measured is the program, not its being watched
def test_many_deliveries_are_audited_in_seconds(chosen_rows, now):
    count = 20_000
    run_id = chosen_rows.run(0)
    plain = {"mailing": MAILING, "run_id": run_id, "language": "en", "artifact": "a" * 64, "changed": now}
    zero = {"state": DeliveryState.PLANNED, "epoch": 0, "attempts": 0, "repeats": 0}
    with chosen_rows.sessions() as session:
        session.execute(insert(DeliveryRow), [{**plain, **zero, "digest": f"p{number}"} for number in range(count)])
        session.commit()
    ledger = Ledger(chosen_rows.sessions, worker="host:1", uncertain=Uncertain.REPEAT, hold=HOLD)
    for _ in range(count // 500):
        assert all(attempt(ledger, ACCEPTED, now, count=500))

    start = time.process_time()
    assert violations(chosen_rows) == {}
    assert time.process_time() - start < 5
