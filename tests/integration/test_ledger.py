"""The ledger over both databases: claims, marks, results, fencing, death, hold, and the audit that proves it."""

import datetime as dt

import pytest
from sqlalchemy import delete, event, insert, literal, text, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.dispatch.audit import audit
from newsletter.dispatch.ledger import Ledger, Mark, Result, Standing
from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Fault, Outcome, Phase, Reply, Verdict
from newsletter.dispatch.statements import READY, Ready
from newsletter.dispatch.store import AT_ONCE, Waiting, taken_since, waits_of
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.planning.shards import Shard
from newsletter.planning.stage import HELD_BACK, Stage
from newsletter.planning.store import change_run, move_deliveries, of_digest, of_run, reopen
from newsletter.settings import Uncertain
from subscribers.columns import UTCDateTime
from subscribers.models import (
    Departure,
    MailingList,
    Membership,
    MembershipState,
    Subscriber,
    Suppression,
    SuppressionReason,
)

HOLD = dt.timedelta(seconds=900)
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def ledger(rows):
    return a_ledger(rows)


def a_ledger(rows, *, worker="host:1", uncertain=Uncertain.REPEAT):
    return Ledger(rows.sessions, worker=worker, uncertain=uncertain, hold=HOLD)


def an_outcome(verdict, *, fault=None, phase=Phase.CONTENT, code=None, words=""):
    return Outcome(
        verdict=verdict, phase=phase, fault=fault, reply=Reply(code, None, words) if code else None, note=words
    )


ACCEPTED = an_outcome(Verdict.ACCEPTED, code=250, words="Ok: queued as 4Xq2mT")
DEFERRED = an_outcome(Verdict.DEFERRED, fault=Fault.RELAY, code=451, words="later")
REFUSED = an_outcome(Verdict.REFUSED, fault=Fault.RECIPIENT, phase=Phase.RCPT, code=550, words="unknown")
BLOCKED = an_outcome(Verdict.REFUSED, fault=Fault.SENDER, phase=Phase.RCPT, code=550, words="blocked")
UNCERTAIN = an_outcome(Verdict.UNCERTAIN, fault=Fault.RELAY, words="the connection was lost")
NOT_SENT = an_outcome(Verdict.NOT_SENT, fault=Fault.RELAY, phase=Phase.MAIL, words="the connection was lost")


def result(claim, outcome, *, marked=True, next_at=None):
    return Result(claim=claim, outcome=outcome, marked=marked, relay="relay.example:25", next_at=next_at)


def send(ledger, claim, outcome, now, *, next_at=None):
    """Mark and end an attempt; says whether both held."""
    return ledger.commit([Mark(claim=claim)], now) + ledger.commit([result(claim, outcome, next_at=next_at)], now)


def claim_one(ledger, now):
    (claim,) = ledger.claim(1, now)
    return claim


def violations(rows, mailing="issue:rivers/2026-12"):
    with rows.sessions() as session:
        return {check.code: check.violations for check in audit(session, mailing) if not check.holds}


def test_a_claim_takes_planned_deliveries_of_running_runs_once(rows, ledger, now):
    rows.run(5)

    first, second = ledger.claim(3, now), ledger.claim(3, now)

    assert [claim.digest for claim in first + second] == ["d0", "d1", "d2", "d3", "d4"]
    assert ledger.claim(3, now) == []
    assert rows.states() == {DeliveryState.CLAIMED: 5}


def test_a_claim_knows_what_the_dispatcher_needs(rows, ledger, now):
    run_id = rows.run(1, language="fr", artifact="b" * 64)

    claim = claim_one(ledger, now + HOLD)

    assert (claim.run_id, claim.mailing, claim.language, claim.artifact) == (
        run_id,
        "issue:rivers/2026-12",
        "fr",
        "b" * 64,
    )
    assert (claim.number, claim.epoch, claim.repeats, claim.since, claim.dated) == (1, 1, 0, now, now)


@pytest.mark.parametrize(
    "state", [RunState.SCHEDULED, RunState.PLANNING, RunState.PAUSED, RunState.FINISHED, RunState.CANCELLED]
)
def test_nothing_is_claimed_of_a_run_that_is_not_running(rows, ledger, now, state):
    rows.run(1, state=state)

    assert ledger.claim(1, now) == []


def test_single_messages_go_before_runs_and_retries_before_first_attempts(rows, ledger, now):
    rows.run(1)
    rows.single()
    rows.change(
        insert(DeliveryRow).values(
            mailing="issue:rivers/2026-12",
            run_id=rows.delivery().run_id,
            digest="again",
            language="en",
            artifact="a" * 64,
            state=DeliveryState.DEFERRED,
            epoch=1,
            attempts=1,
            repeats=0,
            next_at=now,
            changed=now,
        )
    )

    assert [claim.digest for claim in ledger.claim(9, now)] == ["single", "again", "d0"]


def test_a_claim_takes_no_more_than_it_asked_for_of_all_kinds_together(rows, ledger, now):
    rows.run(3)
    rows.single()

    assert [claim.digest for claim in ledger.claim(2, now)] == ["single", "d0"]


def test_a_reason_is_as_long_as_its_column(rows, ledger, now):
    rows.run(1)
    send(ledger, claim_one(ledger, now), an_outcome(Verdict.REFUSED, fault=Fault.CONTENT, words="why " * 99), now)

    assert len(rows.delivery().reason) == DeliveryRow.__table__.columns["reason"].type.length


def test_a_deferred_delivery_waits_for_its_time(rows, ledger, now):
    rows.run(1)
    send(ledger, claim_one(ledger, now), DEFERRED, now, next_at=now + HOLD)

    assert ledger.claim(1, now + HOLD - SECOND) == []
    assert claim_one(ledger, now + HOLD).number == 2


def test_suppressed_addresses_end_at_the_claim(rows, ledger, now):
    rows.run(3)
    rows.change(insert(Suppression).values(digest="d1", reason=SuppressionReason.MANUAL, note="", since=now))

    claims = ledger.claim(9, now)

    assert [claim.digest for claim in claims] == ["d0", "d2"]
    assert (rows.delivery("d1").state, rows.delivery("d1").epoch) == (DeliveryState.SUPPRESSED, 1)
    assert violations(rows) == {}


def test_a_single_message_goes_to_a_suppressed_address_too(rows, ledger, now):
    rows.single()
    rows.change(insert(Suppression).values(digest="single", reason=SuppressionReason.UNSUBSCRIBED, note="", since=now))

    assert claim_one(ledger, now).address == "anna@lakes.example"


def test_two_dispatchers_never_claim_the_same(rows, now):
    rows.run(40)
    ledgers = [a_ledger(rows, worker=f"host:{number}") for number in range(2)]

    taken = [claim.digest for _ in range(5) for ledger in ledgers for claim in ledger.claim(4, now)]

    assert len(taken) == len(set(taken)) == 40


def test_what_was_not_begun_is_released(rows, ledger, now):
    rows.run(2)
    claims = ledger.claim(2, now)
    ledger.commit([Mark(claim=claims[1])], now)

    ledger.release(claims, now)

    assert (rows.delivery("d0").state, rows.delivery("d1").state) == (DeliveryState.PLANNED, DeliveryState.SENDING)
    assert (rows.delivery("d0").worker, rows.delivery("d1").worker) == (None, "host:1")


def test_a_claim_of_somebody_who_was_erased_is_dropped(rows, ledger, now):
    rows.run(1)
    rows.single()
    ledger.drop([], now)

    ledger.drop(ledger.claim(2, now), now)

    assert rows.states() == {DeliveryState.SUPPRESSED: 2}
    assert (rows.delivery().reason, rows.delivery().epoch, rows.delivery("single").address) == ("erased", 2, None)


def test_to_drop_one_claim_leaves_all_others_alone(rows, ledger, now):
    rows.run(4)
    claims = ledger.claim(3, now)

    ledger.drop([claims[1]], now)

    assert [rows.delivery(f"d{number}").state for number in range(4)] == [
        DeliveryState.CLAIMED,
        DeliveryState.SUPPRESSED,
        DeliveryState.CLAIMED,
        DeliveryState.PLANNED,
    ]


def test_a_mark_is_durable_before_the_content_goes_out(rows, ledger, now):
    rows.run(1)

    assert ledger.commit([Mark(claim=claim_one(ledger, now))], now) == [True]

    delivery = rows.delivery()
    assert (delivery.state, delivery.attempts) == (DeliveryState.SENDING, 1)
    assert violations(rows) == {}


@pytest.mark.parametrize(
    ("outcome", "wait", "expected"),
    [
        (ACCEPTED, None, (DeliveryState.ACCEPTED, None)),
        (DEFERRED, HOLD, (DeliveryState.DEFERRED, "relay: 451 later")),
        (DEFERRED, None, (DeliveryState.EXPIRED, "relay: 451 later")),
        (REFUSED, HOLD, (DeliveryState.REFUSED, "recipient: 550 unknown")),
        (BLOCKED, HOLD, (DeliveryState.DEFERRED, "sender: 550 blocked")),
        (BLOCKED, None, (DeliveryState.EXPIRED, "sender: 550 blocked")),
        (UNCERTAIN, HOLD, (DeliveryState.UNCERTAIN, "relay: the connection was lost")),
    ],
)
def test_a_result_ends_an_attempt(rows, ledger, outcome, wait, expected):
    now = rows.now
    rows.run(1)

    assert send(ledger, claim_one(ledger, now), outcome, now, next_at=wait and now + wait) == [True, True]

    delivery, (attempt,) = rows.delivery(), rows.attempts()
    assert (delivery.state, delivery.reason) == expected
    assert (delivery.worker, delivery.attempts) == (None, 1)
    assert (attempt.number, attempt.verdict, attempt.worker, attempt.relay) == (
        1,
        outcome.verdict,
        "host:1",
        "relay.example:25",
    )
    assert violations(rows) == {}


def test_what_was_certainly_not_sent_costs_no_attempt(rows, ledger, now):
    rows.run(1)

    ledger.commit([result(claim_one(ledger, now), NOT_SENT, marked=False)], now)

    assert (rows.delivery().state, rows.delivery().attempts, list(rows.attempts())) == (DeliveryState.PLANNED, 0, [])
    assert claim_one(ledger, now).number == 1


def test_what_was_marked_and_not_sent_leaves_an_attempt(rows, ledger, now):
    rows.run(1)

    send(ledger, claim_one(ledger, now), NOT_SENT, now)

    assert (rows.delivery().state, [attempt.verdict for attempt in rows.attempts()]) == (
        DeliveryState.PLANNED,
        [Verdict.NOT_SENT],
    )
    assert violations(rows) == {}


def test_several_connections_share_one_commit(rows, ledger, now):
    rows.run(3)
    claims = ledger.claim(3, now)
    ledger.commit([Mark(claim=claims[0])], now)

    held = ledger.commit([result(claims[0], ACCEPTED), Mark(claim=claims[1]), Mark(claim=claims[2])], now)

    assert held == [True, True, True]
    assert rows.states() == {DeliveryState.SENDING: 2, DeliveryState.ACCEPTED: 1}


def test_replies_are_kept_with_addresses_masked(rows, ledger, now):
    rows.run(1)
    told = an_outcome(Verdict.REFUSED, fault=Fault.RECIPIENT, code=550, words="<anna@lakes.example>: User unknown")

    send(ledger, claim_one(ledger, now), told, now)

    kept = f"{rows.delivery().reason} {rows.attempts()[0].text}"
    assert "User unknown" in kept
    assert "anna@lakes.example" not in kept


@pytest.mark.parametrize(
    ("outcome", "policy", "forgotten"),
    [
        (ACCEPTED, Uncertain.REPEAT, True),
        (REFUSED, Uncertain.REPEAT, True),
        (DEFERRED, Uncertain.REPEAT, True),
        (UNCERTAIN, Uncertain.REPEAT, False),
        (UNCERTAIN, Uncertain.ASK, False),
        (UNCERTAIN, Uncertain.SKIP, True),
    ],
)
def test_the_address_of_a_single_message_is_forgotten_when_it_ends(rows, now, outcome, policy, forgotten):
    rows.single()
    ledger = a_ledger(rows, uncertain=policy)

    send(ledger, claim_one(ledger, now), outcome, now)

    assert (rows.delivery("single").address is None) is forgotten


def test_a_repeated_single_message_that_stays_uncertain_is_forgotten(rows, ledger, now):
    rows.single(repeats=1)

    send(ledger, claim_one(ledger, now), UNCERTAIN, now)

    assert rows.delivery("single").address is None


def test_a_single_message_waits_since_its_first_attempt(rows, ledger, now):
    rows.single()
    at = now
    for number in range(1, 4):
        claim = claim_one(ledger, at)
        assert (claim.number, claim.since) == (number, now)
        send(ledger, claim, DEFERRED, at, next_at=at + HOLD)
        at += HOLD


def test_a_single_message_keeps_its_date_at_every_attempt(rows, ledger, now):
    rows.single()
    dates = []
    for number in range(1, 4):
        at = now + number * HOLD
        claim = claim_one(ledger, at)
        dates.append(claim.dated)
        if number == 1:
            ledger.release([claim], at)
        else:
            send(ledger, claim, DEFERRED, at, next_at=at)

    assert dates == [now, now, now]


def test_a_single_message_that_waited_before_its_first_attempt_does_not_expire_for_that(rows, ledger, now):
    rows.single()

    assert claim_one(ledger, now + 9 * HOLD).since == now + 9 * HOLD


def test_an_attempt_tells_when_it_began_and_when_it_ended(rows, ledger, now):
    rows.run(2)
    first, second = ledger.claim(2, now)
    ledger.commit([Mark(claim=first)], now + SECOND)
    ledger.commit([result(first, ACCEPTED), result(second, REFUSED, marked=False)], now + HOLD)

    (sent,), (refused,) = rows.attempts("d0"), rows.attempts("d1")
    assert (sent.began, sent.at) == (now + SECOND, now + HOLD)
    assert (refused.began, refused.at) == (None, now + HOLD)


def ended_by_a_result(ledger, claim, now):
    ledger.commit([result(claim, DEFERRED, next_at=now)], now)


def ended_by_a_death(ledger, _claim, now):
    ledger.take_over(now)


@pytest.mark.parametrize("end", [ended_by_a_result, ended_by_a_death])
def test_an_attempt_whose_mark_was_not_heard_of_did_not_begin_with_the_one_before(rows, ledger, now, end):
    """A connection may be lost after the database has committed the mark, and before it has said so."""
    rows.run(1)
    first = claim_one(ledger, now)
    ledger.commit([Mark(claim=first)], now)
    end(ledger, first, now + SECOND)
    second = claim_one(ledger, now + HOLD)
    rows.change(update(DeliveryRow).values(state=DeliveryState.SENDING))

    assert ledger.commit([result(second, NOT_SENT)], now + HOLD) == [True]

    assert [attempt.began for attempt in rows.attempts()] == [now, now + HOLD]


def test_time_never_goes_back_between_attempts(rows, ledger, now):
    rows.run(1)
    send(ledger, claim_one(ledger, now), DEFERRED, now, next_at=now)

    send(ledger, claim_one(ledger, now), ACCEPTED, now - HOLD)

    assert [attempt.at for attempt in rows.attempts()] == [now, now]
    assert violations(rows) == {}


def test_in_a_group_each_entry_holds_or_not_by_itself(rows, ledger, now):
    rows.run(6)
    claims = ledger.claim(6, now)
    ledger.commit([Mark(claim=claim) for claim in claims[:3]], now)
    for digest in ("d1", "d4"):
        rows.change(update(DeliveryRow).where(of_digest(digest)).values(epoch=9))

    held = ledger.commit(
        [*[result(claim, ACCEPTED) for claim in claims[:3]], *[Mark(claim=claim) for claim in claims[3:]]], now
    )

    assert held == [True, False, True, True, False, True]
    assert [len(rows.attempts(f"d{number}")) for number in range(6)] == [1, 0, 1, 0, 0, 0]
    assert rows.states() == {DeliveryState.ACCEPTED: 2, DeliveryState.SENDING: 3, DeliveryState.CLAIMED: 1}


def test_a_delivery_may_stand_twice_in_a_group(rows, ledger, now):
    rows.run(2)
    first, second = ledger.claim(2, now)

    held = ledger.commit([result(first, REFUSED, marked=False), Mark(claim=second), Mark(claim=first)], now)

    assert held == [True, True, False]
    assert rows.states() == {DeliveryState.REFUSED: 1, DeliveryState.SENDING: 1}


def test_a_delivery_is_marked_once_and_ends_once(rows, ledger, now):
    rows.run(1)
    claim = claim_one(ledger, now)

    assert [ledger.commit([Mark(claim=claim)], now) for _ in range(2)] == [[True], [False]]
    assert [ledger.commit([result(claim, ACCEPTED)], now) for _ in range(2)] == [[True], [False]]
    assert len(rows.attempts()) == 1


def test_an_empty_group_holds(ledger, now):
    assert ledger.commit([], now) == []
    ledger.release([], now)


def test_an_error_of_the_driver_is_told_as_one_of_the_database(spoilt, rows, ledger, now):
    rows.run(1)
    claim = claim_one(ledger, now)
    assert ledger.commit([Mark(claim=claim)], now) == [True]
    rows.change(text("DROP TABLE attempt"))

    with pytest.raises(DBAPIError, match="attempt"):
        ledger.commit([result(claim, ACCEPTED)], now)
    assert rows.delivery().state is DeliveryState.SENDING


def pause(session, now):
    run = session.scalars(select(RunRow)).one()
    change_run(session, run.id, expected=[RunState.RUNNING], state=RunState.PAUSED)
    move_deliveries(session, of_run(run.id), expected=[DeliveryState.CLAIMED], state=DeliveryState.PLANNED, now=now)


def cancel(session, now):
    run = session.scalars(select(RunRow)).one()
    change_run(session, run.id, expected=[RunState.RUNNING], state=RunState.CANCELLED, ended=now)
    unsent = [DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.DEFERRED]
    move_deliveries(session, of_run(run.id), expected=unsent, state=DeliveryState.CANCELLED, now=now)


def suppress(session, now):
    claimed = [DeliveryState.CLAIMED]
    move_deliveries(session, of_digest("d0"), expected=claimed, state=DeliveryState.SUPPRESSED, now=now)


@pytest.fixture(params=[pause, cancel, suppress])
def meanwhile(request, rows, now):
    """Somebody decides about the delivery while a dispatcher has it."""

    def act():
        with rows.sessions() as session:
            request.param(session, now)
            session.commit()

    return act


def test_a_mark_does_not_hold_after_somebody_decided_otherwise(rows, ledger, now, meanwhile):
    rows.run(1)
    claim = claim_one(ledger, now)
    meanwhile()
    before = rows.delivery()

    assert ledger.commit([Mark(claim=claim)], now) == [False]
    assert rows.delivery() == before


def test_a_late_result_changes_nothing_and_is_in_nobodys_way(rows, ledger, now, meanwhile):
    """A refusal at RCPT comes in when the run has just been paused: the next attempt has the same number."""
    rows.run(1)
    claim = claim_one(ledger, now)
    meanwhile()

    assert ledger.commit([result(claim, REFUSED, marked=False)], now) == [False]
    assert list(rows.attempts()) == []

    rows.change(update(RunRow).values(state=RunState.RUNNING))
    rows.change(update(DeliveryRow).values(state=DeliveryState.PLANNED))
    assert send(ledger, claim_one(ledger, now), ACCEPTED, now) == [True, True]
    assert violations(rows) == {}


def test_what_is_on_the_wire_is_beyond_recall(rows, ledger, now, meanwhile):
    rows.run(1)
    claim = claim_one(ledger, now)
    ledger.commit([Mark(claim=claim)], now)
    meanwhile()

    assert ledger.commit([result(claim, ACCEPTED)], now) == [True]
    assert rows.delivery().state is DeliveryState.ACCEPTED
    assert violations(rows) == {}


@pytest.mark.parametrize("outcome", [DEFERRED, NOT_SENT])
def test_what_comes_back_to_a_cancelled_run_is_cancelled(rows, ledger, now, outcome):
    rows.run(1)
    claim = claim_one(ledger, now)
    ledger.commit([Mark(claim=claim)], now)
    with rows.sessions() as session:
        cancel(session, now)
        session.commit()

    ledger.commit([result(claim, outcome, next_at=now + HOLD)], now)

    assert rows.states() == {DeliveryState.CANCELLED: 1}
    assert violations(rows) == {}


def test_a_worker_whose_delivery_was_taken_over_cannot_write_any_more(rows, now):
    rows.run(1)
    old, new = a_ledger(rows, worker="host:1"), a_ledger(rows, worker="host:2")
    stale = claim_one(old, now)
    old.commit([Mark(claim=stale)], now)
    new.take_over(now)
    fresh = claim_one(new, now)

    assert old.commit([result(stale, ACCEPTED)], now) == [False]
    assert send(new, fresh, ACCEPTED, now) == [True, True]
    assert [attempt.verdict for attempt in rows.attempts()] == [Verdict.UNCERTAIN, Verdict.ACCEPTED]
    assert violations(rows) == {}


def test_a_worker_of_the_same_name_cannot_write_for_its_predecessor(rows, ledger, now):
    rows.run(1)
    stale = claim_one(ledger, now)
    ledger.take_over(now)
    claim_one(ledger, now)

    assert ledger.commit([Mark(claim=stale)], now) == [False]


@pytest.mark.parametrize(
    ("policy", "state"),
    [
        (Uncertain.REPEAT, DeliveryState.PLANNED),
        (Uncertain.SKIP, DeliveryState.UNCERTAIN),
        (Uncertain.ASK, DeliveryState.UNCERTAIN),
    ],
)
def test_after_a_death_the_claimed_are_planned_and_the_sending_named_uncertain(rows, now, policy, state):
    rows.run(5)
    dying, heir = a_ledger(rows), a_ledger(rows, worker="host:2", uncertain=policy)
    claims = dying.claim(4, now)
    dying.commit([Mark(claim=claims[0])], now)
    send(dying, claims[1], ACCEPTED, now)

    assert heir.take_over(now) == (2, 1)

    assert [rows.delivery(f"d{number}").state for number in range(5)] == [
        state,
        DeliveryState.ACCEPTED,
        *[DeliveryState.PLANNED] * 3,
    ]
    (lost,) = rows.attempts("d0")
    assert (lost.verdict, lost.worker, lost.number) == (Verdict.UNCERTAIN, "host:1", 1)
    assert lost.text == "the dispatcher died before the relay replied"
    assert violations(rows) == {}
    assert heir.take_over(now) == (0, 0)


@pytest.mark.parametrize("policy", list(Uncertain))
def test_of_what_was_on_the_wire_at_a_death_only_what_is_repeated_is_there_to_be_taken(rows, now, policy):
    run_id = rows.run(2)
    dying, heir = a_ledger(rows), a_ledger(rows, worker="host:2", uncertain=policy)
    claim = claim_one(dying, now)
    dying.commit([Mark(claim=claim)], now)

    heir.take_over(now)

    again = [Shard(run_id, claim.delivery_id, claim.delivery_id)]
    assert heir.freed == (again if policy is Uncertain.REPEAT else [])


def test_a_message_that_was_on_the_wire_of_a_cancelled_run_stays_uncertain(rows, ledger, now):
    rows.run(1)
    ledger.commit([Mark(claim=claim_one(ledger, now))], now)
    with rows.sessions() as session:
        cancel(session, now)
        session.commit()

    ledger.take_over(now)

    assert rows.states() == {DeliveryState.UNCERTAIN: 1}
    assert (ledger.sweep(now + HOLD), violations(rows)) == (0, {})


def test_each_death_may_add_one_attempt_and_nobody_is_left_out(rows, ledger, now):
    rows.run(1)
    for _ in range(3):
        ledger.commit([Mark(claim=claim_one(ledger, now))], now)
        ledger.take_over(now)

    assert send(ledger, claim_one(ledger, now), ACCEPTED, now) == [True, True]
    assert [attempt.number for attempt in rows.attempts()] == [1, 2, 3, 4]
    assert violations(rows) == {}


def test_an_uncertain_delivery_is_repeated_once_after_the_hold(rows, ledger, now):
    rows.run(1)
    send(ledger, claim_one(ledger, now), UNCERTAIN, now)

    assert ledger.sweep(now + HOLD - SECOND) == 0
    assert ledger.sweep(now + HOLD) == 1

    again = claim_one(ledger, now + HOLD)
    send(ledger, again, UNCERTAIN, now + HOLD)
    assert (again.number, again.repeats) == (2, 1)
    assert ledger.sweep(now + 3 * HOLD) == 0
    assert rows.states() == {DeliveryState.UNCERTAIN: 1}
    assert violations(rows) == {}


@pytest.mark.parametrize("policy", [Uncertain.SKIP, Uncertain.ASK])
def test_under_skip_and_ask_nothing_is_repeated(rows, now, policy):
    rows.run(1)
    ledger = a_ledger(rows, uncertain=policy)
    send(ledger, claim_one(ledger, now), UNCERTAIN, now)

    assert ledger.sweep(now + 9 * HOLD) == 0


@pytest.mark.parametrize("state", [RunState.FINISHED, RunState.CANCELLED])
def test_nothing_is_repeated_for_a_run_that_has_ended(rows, ledger, now, state):
    rows.run(1)
    send(ledger, claim_one(ledger, now), UNCERTAIN, now)
    rows.change(update(RunRow).values(state=state))

    assert ledger.sweep(now + HOLD) == 0
    assert violations(rows) == {}


def a_member(rows, now):
    """A confirmed member of a list, to whom the only delivery goes."""
    with rows.sessions() as session:
        person = Subscriber(address="a@b.example", address_key="a@b.example", digest="d0", created=now, updated=now)
        members = MailingList(name="members", created=now)
        session.add_all([person, members])
        session.flush()
        session.add(
            Membership(subscriber_id=person.id, list_id=members.id, state=MembershipState.CONFIRMED, changed=now)
        )
        session.commit()
        return person.id


def test_somebody_who_left_while_it_was_uncertain_does_not_get_it_again(rows, ledger, now):
    person = a_member(rows, now)
    rows.run(1, subscriber_id=person)
    send(ledger, claim_one(ledger, now), UNCERTAIN, now)
    ledger.sweep(now + HOLD)
    rows.change(insert(Departure).values(subscriber_id=person, newsletter="rivers", at=now))

    assert ledger.claim(1, now + HOLD) == []
    assert rows.states() == {DeliveryState.SUPPRESSED: 1}
    assert violations(rows) == {}


def test_somebody_who_stayed_gets_a_deferred_message(rows, ledger, now):
    person = a_member(rows, now)
    rows.run(1, subscriber_id=person)
    send(ledger, claim_one(ledger, now), DEFERRED, now, next_at=now)
    rows.change(insert(Departure).values(subscriber_id=person, newsletter="lakes", at=now))

    assert claim_one(ledger, now).number == 2


def test_standing_tells_whether_and_when_there_is_something_to_do(rows, ledger, now):
    assert ledger.standing(now) == (Standing.DONE, None)
    rows.run(1)
    assert ledger.standing(now) == (Standing.READY, None)

    send(ledger, claim_one(ledger, now), DEFERRED, now, next_at=now + HOLD)
    assert ledger.standing(now) == (Standing.WAITING, now + HOLD)
    assert ledger.standing(now + HOLD) == (Standing.READY, now + HOLD)

    send(ledger, claim_one(ledger, now + HOLD), UNCERTAIN, now + HOLD)
    assert ledger.standing(now + HOLD) == (Standing.WAITING, now + 2 * HOLD)

    ledger.sweep(now + 2 * HOLD)
    send(ledger, claim_one(ledger, now + 2 * HOLD), ACCEPTED, now + 2 * HOLD)
    assert ledger.standing(now + 2 * HOLD) == (Standing.DONE, None)


def wait_for(rows, digest, at, **values):
    rows.change(update(DeliveryRow).where(of_digest(digest)).values(next_at=at, **values))


def test_what_has_an_hour_of_its_own_goes_out_then_with_that_date(rows, ledger, now):
    rows.run(2)
    wait_for(rows, "d1", now + HOLD, dated=now + HOLD)
    assert [claim.digest for claim in ledger.claim(9, now)] == ["d0"]

    claim = claim_one(ledger, now + HOLD + SECOND)

    assert (claim.digest, claim.dated, claim.since) == ("d1", now + HOLD, now + HOLD)
    later = now + 2 * HOLD
    send(ledger, claim, DEFERRED, now + HOLD + SECOND, next_at=later)
    again = claim_one(ledger, later)
    assert (again.digest, again.dated, again.since) == ("d1", now + HOLD, now + HOLD)


def test_what_waits_for_the_first_of_its_run_goes_out_when_they_have_passed(rows, ledger, now):
    run_id = rows.run(3)
    wait_for(rows, "d1", HELD_BACK)
    wait_for(rows, "d2", HELD_BACK)
    rows.change(update(RunRow).values(first=1, hold=900, stage=Stage.FIRST, staged=now))
    send(ledger, claim_one(ledger, now), ACCEPTED, now)
    for stage in (Stage.FIRST, Stage.HOLDING, Stage.STOPPED):
        rows.change(update(RunRow).values(stage=stage))
        assert ledger.claim(9, now + 9 * HOLD) == []

    rows.change(update(RunRow).values(stage=Stage.PASSED))
    first, second = ledger.claim(9, now + HOLD)
    assert [(claim.digest, claim.dated, claim.since) for claim in (first, second)] == [
        ("d1", now + HOLD, now + HOLD),
        ("d2", now + HOLD, now + HOLD),
    ]
    ledger.release([first], now + HOLD)
    send(ledger, second, DEFERRED, now + HOLD, next_at=now + 2 * HOLD)
    again = ledger.claim(9, now + 2 * HOLD)
    assert {claim.dated for claim in again} == {now + HOLD}, "the same Date at every attempt"
    assert (ledger.finished_runs(now), rows.get(RunRow, run_id).state) == ([], RunState.RUNNING)
    assert violations(rows) == {}


def test_a_retry_that_was_given_back_keeps_the_date_of_its_run(rows, ledger, now):
    rows.run(1)
    send(ledger, claim_one(ledger, now), DEFERRED, now, next_at=now + HOLD)
    ledger.release(ledger.claim(1, now + HOLD), now + HOLD)

    claim = claim_one(ledger, now + HOLD)

    assert (claim.number, claim.dated, claim.since) == (2, now, now)


def test_what_is_claimed_while_standing_is_asked_for_is_not_overlooked(postgres_rows, now):
    """It was claimed between the question for what is claimed and the one for what is planned, and seen by neither."""
    postgres_rows.single()
    asking, other = a_ledger(postgres_rows), a_ledger(postgres_rows, worker="host:2")
    claimed = []

    @event.listens_for(postgres_rows.engine, "after_cursor_execute")
    def claims(_connection, _cursor, statement, parameters, *_more):
        if not claimed and DeliveryState.CLAIMED in parameters.values():
            claimed.append(statement)
            claimed.extend(other.claim(10, now))

    standing, _ = asking.standing(now)

    event.remove(postgres_rows.engine, "after_cursor_execute", claims)
    assert len(claimed) == 2
    assert standing is Standing.READY


def test_standing_knows_what_waits_for_its_own_hour(rows, ledger, now):
    rows.run(2)
    wait_for(rows, "d0", now + HOLD)
    wait_for(rows, "d1", now + 2 * HOLD)

    assert ledger.standing(now) == (Standing.WAITING, now + HOLD)
    assert ledger.standing(now + HOLD) == (Standing.READY, now + HOLD)


def test_standing_knows_what_waits_for_the_first_of_its_run(rows, ledger, now):
    run_id = rows.run(2)
    wait_for(rows, "d1", HELD_BACK)
    rows.change(update(RunRow).values(first=1, hold=900, stage=Stage.FIRST, staged=now))
    assert ledger.standing(now) == (Standing.READY, None)
    send(ledger, claim_one(ledger, now), ACCEPTED, now)
    assert ledger.standing(now) == (Standing.READY, None), "somebody is to look after the stages"

    rows.change(update(RunRow).values(stage=Stage.HOLDING))
    assert ledger.standing(now) == (Standing.WAITING, now + HOLD)
    assert ledger.paused_among([]) == 0
    rows.change(update(RunRow).values(stage=Stage.STOPPED, state=RunState.PAUSED))
    assert ledger.standing(now) == (Standing.DONE, None)
    assert ledger.paused_among([]) == 1, "it saw the run before it was stopped"

    rows.change(update(RunRow).values(stage=Stage.PASSED, state=RunState.RUNNING))
    assert ledger.standing(now) == (Standing.READY, None)
    rows.change(update(DeliveryRow).where(of_digest("d1")).values(state=DeliveryState.SUPPRESSED))
    assert ledger.standing(now) == (Standing.DONE, None)
    assert rows.get(RunRow, run_id).stage is Stage.PASSED


@pytest.mark.parametrize("why", list(Ready))
def test_a_claim_reads_no_more_of_the_index_than_it_takes(sqlite_rows, why):
    """Whatever the number of those that wait: SQLite is to look up run, state and time."""
    query = READY[why, False]
    with sqlite_rows.sessions() as session:
        driver = session.connection().connection.driver_connection
        plan = driver.execute(f"EXPLAIN QUERY PLAN {query}", (1,) * query.count("?")).fetchall()

    sign = "<" if "<=" in why.value else ">" if ">=" in why.value else "="
    assert [row[3] for row in plan] == [
        f"SEARCH delivery USING INDEX ix_delivery_open (run_id=? AND state=? AND next_at{sign}?)"
    ]


def test_looking_at_what_waits_reads_no_more_of_the_index_than_one_row_of_a_kind(sqlite_rows, now):
    run_id = sqlite_rows.run(1)
    plans = []

    def explain(connection, _cursor, statement, parameters, _context, _many):
        if statement.startswith("SELECT delivery"):
            driver = connection.connection.driver_connection
            plans.append(" ".join(row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)))

    with sqlite_rows.sessions() as session:
        event.listen(session.get_bind(), "before_cursor_execute", explain)
        run = Waiting(run_id, Stage.HOLDING, now, 900)
        assert list(waits_of(session, run, hold=HOLD)) == [AT_ONCE]

    assert len(plans) == 6
    assert all(plan.startswith("SEARCH delivery USING COVERING INDEX ix_delivery_open (run_id=?") for plan in plans)
    assert not any("TEMP B-TREE" in plan for plan in plans)


@pytest.mark.parametrize("state", [RunState.PAUSED, RunState.SCHEDULED, RunState.CANCELLED])
def test_runs_that_are_not_running_leave_nothing_to_do(rows, ledger, now, state):
    rows.run(2, state=state)

    assert ledger.standing(now) == (Standing.DONE, None)


def test_a_single_message_is_something_to_do(rows, ledger, now):
    rows.single()

    assert ledger.standing(now) == (Standing.READY, None)


@pytest.mark.parametrize("policy", [Uncertain.SKIP, Uncertain.ASK])
def test_under_skip_and_ask_an_uncertain_delivery_has_ended(rows, now, policy):
    run_id = rows.run(1)
    ledger = a_ledger(rows, uncertain=policy)
    send(ledger, claim_one(ledger, now), UNCERTAIN, now)

    assert ledger.standing(now) == (Standing.DONE, None)
    assert ledger.finished_runs(now) != []
    assert ledger.uncertain_among([run_id]) == 1


def test_a_run_finishes_with_its_issue_when_every_delivery_has_ended(rows, ledger, now):
    issue_id = rows.issue()
    run_id = rows.run(2, issue_id=issue_id)
    rows.run(1, slug="2027-01", state=RunState.PAUSED)
    claims = ledger.claim(2, now)
    send(ledger, claims[0], ACCEPTED, now)
    assert ledger.finished_runs(now) == []

    send(ledger, claims[1], REFUSED, now)
    assert ledger.finished_runs(now) == [issue_id]

    run = rows.get(RunRow, run_id)
    assert (run.state, run.ended) == (RunState.FINISHED, now)
    assert rows.get(IssueRow, issue_id).state is IssueState.SENT
    assert ledger.finished_runs(now) == []
    assert violations(rows) == {}


def test_a_run_does_not_finish_before_what_is_uncertain_has_been_repeated(rows, ledger, now):
    issue_id = rows.issue()
    rows.run(1, issue_id=issue_id)
    send(ledger, ledger.claim(1, now)[0], UNCERTAIN, now)
    assert ledger.finished_runs(now) == []

    later = now + HOLD
    assert ledger.sweep(later) == 1
    assert ledger.finished_runs(later) == []
    send(ledger, ledger.claim(1, later)[0], UNCERTAIN, later)

    assert ledger.finished_runs(later) == [issue_id], "it is repeated once, and then left as it is"


def test_a_run_for_nobody_finishes_at_once(rows, ledger, now):
    rows.run(0)

    assert len(ledger.finished_runs(now)) == 1


def test_a_run_that_is_paused_for_our_own_fault_gives_back_its_claims(rows, ledger, now):
    issue_id = rows.issue()
    run_id = rows.run(3, issue_id=issue_id)
    claims = ledger.claim(2, now)
    ledger.commit([Mark(claim=claims[0])], now)

    assert ledger.pause(run_id, "blocked " * 99, now)
    assert rows.get(IssueRow, issue_id).state is IssueState.PAUSED
    assert not ledger.pause(run_id, "blocked", now)

    assert rows.get(RunRow, run_id).held.startswith("blocked blocked")
    assert rows.states() == {DeliveryState.PLANNED: 2, DeliveryState.SENDING: 1}
    assert (ledger.paused_among([run_id]), ledger.paused_among([])) == (3, 0)


@pytest.fixture
def sent(rows, ledger, now):
    """A finished run: three accepted, one refused, one repeated."""
    rows.run(5)
    for claim in ledger.claim(4, now):
        send(ledger, claim, REFUSED if claim.digest == "d3" else ACCEPTED, now)
    send(ledger, claim_one(ledger, now), UNCERTAIN, now)
    ledger.sweep(now + HOLD)
    send(ledger, claim_one(ledger, now + HOLD), ACCEPTED, now + HOLD)
    ledger.finished_runs(now)
    return rows


def test_the_audit_of_a_clean_run_holds(sent):
    with sent.sessions() as session:
        checks = audit(session, "issue:rivers/2026-12")

    assert [(check.code, check.holds) for check in checks] == [(f"I{number}", True) for number in range(1, 10)]


def test_the_audit_of_a_mailing_without_a_run_holds(rows, ledger, now):
    rows.single()
    send(ledger, claim_one(ledger, now), ACCEPTED, now)

    assert violations(rows, "test:single") == {}


def test_the_audit_misses_somebody_without_a_delivery(sent):
    sent.change(delete(AttemptRow).where(col(AttemptRow.delivery_id) == sent.delivery("d2").id))
    sent.change(delete(DeliveryRow).where(col(DeliveryRow.digest) == "d2"))

    assert violations(sent) == {"I1": 1}


@pytest.mark.parametrize("state", [RunState.FINISHED, RunState.CANCELLED])
def test_the_audit_finds_a_delivery_that_is_open_after_the_end(rows, now, state):
    rows.run(2, state=state)

    assert violations(rows) == {"I1": 2}


def test_the_audit_finds_an_acceptance_without_an_attempt(sent):
    sent.change(delete(AttemptRow).where(col(AttemptRow.delivery_id) == sent.delivery("d0").id))

    assert violations(sent) == {"I2": 1, "I5": 1, "I7": 1}


def test_the_audit_finds_an_attempt_that_was_accepted_for_a_delivery_that_was_not(sent):
    sent.change(
        update(AttemptRow).where(col(AttemptRow.delivery_id) == sent.delivery("d3").id).values(verdict=Verdict.ACCEPTED)
    )

    assert violations(sent) == {"I2": 1, "I7": 1}


def test_the_audit_finds_an_accepted_delivery_that_was_sent_again(sent):
    twice = sent.delivery("d4").id
    sent.change(update(AttemptRow).where(col(AttemptRow.delivery_id) == twice).values(verdict=Verdict.ACCEPTED))

    assert violations(sent) == {"I2": 1, "I3": 2, "I7": 1}


def test_the_audit_finds_a_gap_between_attempts(sent):
    twice = sent.delivery("d4").id
    sent.change(
        update(AttemptRow).where(col(AttemptRow.delivery_id) == twice, col(AttemptRow.number) == 2).values(number=3)
    )

    assert "I5" in violations(sent)


def test_the_audit_finds_a_message_on_the_wire_that_already_has_an_attempt(rows, ledger, now):
    rows.run(1)
    send(ledger, claim_one(ledger, now), DEFERRED, now, next_at=now)
    rows.change(update(DeliveryRow).values(state=DeliveryState.SENDING))

    assert violations(rows) == {"I5": 1}


def test_the_audit_finds_two_deliveries_to_one_address(spoilt, sent, engine):
    """The database refuses that; the audit would see it nonetheless, after a careless repair."""
    statements = (
        ["ALTER TABLE delivery DROP CONSTRAINT uq_delivery_mailing_digest"]
        if engine.dialect.name == "postgresql"
        else ["ALTER TABLE delivery RENAME TO sound", "CREATE TABLE delivery AS SELECT * FROM sound"]
    )
    for statement in [*statements, "UPDATE delivery SET digest = 'd0' WHERE digest = 'd1'"]:
        sent.change(text(statement))

    assert violations(sent) == {"I9": 1}


def test_the_audit_counts_the_people_of_the_newest_run(rows, ledger, now):
    """A later run takes over what an earlier one left, so only the newest run's audience is complete."""
    issue_id = rows.issue()
    first = rows.run(2, issue_id=issue_id)
    with rows.sessions() as session:
        cancel(session, now)
        session.commit()
    second = rows.run(0, issue_id=issue_id)
    with rows.sessions() as session:
        at = literal(None, type_=UTCDateTime()).label("at")
        edition = literal("en").label("edition"), literal("c" * 64).label("artifact"), at
        people = select(col(DeliveryRow.id), col(DeliveryRow.digest), *edition).where(col(DeliveryRow.run_id) == first)
        run = session.get(RunRow, second)
        assert reopen(session, people, run=run, now=now) == 2
        run.total = 2
        session.commit()

    assert {claim.artifact for claim in ledger.claim(9, now)} == {"c" * 64}
    assert violations(rows) == {}


def test_what_is_postponed_waits_for_its_time_and_is_no_attempt(rows, ledger, now):
    rows.run(3)
    claims = ledger.claim(10, now)
    until = now + 300 * SECOND

    ledger.postpone([(claims[0], until), (claims[1], until + SECOND)], now)

    assert rows.states() == {DeliveryState.DEFERRED: 2, DeliveryState.CLAIMED: 1}
    assert rows.delivery("d0").attempts == 0
    assert rows.attempts("d0") == []
    assert ledger.claim(10, until - SECOND) == []
    (again,) = ledger.claim(10, until)
    assert (again.digest, again.number) == (claims[0].digest, 1)


def test_what_somebody_else_has_decided_about_is_not_postponed(rows, ledger, now):
    rows.run(2)
    claims = ledger.claim(10, now)
    rows.change(update(DeliveryRow).where(DeliveryRow.digest == "d0").values(state=DeliveryState.SUPPRESSED))
    a_ledger(rows, worker="host:2").postpone([(claims[1], now)], now)

    ledger.postpone([(claims[0], now + SECOND)], now)

    assert rows.states() == {DeliveryState.SUPPRESSED: 1, DeliveryState.CLAIMED: 1}


def test_what_a_relay_has_taken_since_midnight_is_counted_by_its_name(rows, ledger, now):
    rows.run(6)
    with rows.sessions() as session:
        assert taken_since(session, "relay.example:25", now) == 0
    claims = ledger.claim(10, now)
    for claim, outcome in zip(claims, [ACCEPTED, UNCERTAIN, REFUSED, ACCEPTED], strict=False):
        send(ledger, claim, outcome, now)
    elsewhere = Result(claim=claims[4], outcome=ACCEPTED, marked=True, relay="south")
    assert ledger.commit([Mark(claim=claims[4]), elsewhere], now) == [True, True]
    send(ledger, claims[5], ACCEPTED, now + 3600 * SECOND)

    with rows.sessions() as session:
        assert taken_since(session, "relay.example:25", now) == 4
        assert taken_since(session, "relay.example:25", now + SECOND) == 1
        assert taken_since(session, "relay.example:25", now + 7200 * SECOND) == 0
        assert taken_since(session, "south", now - SECOND) == 1
