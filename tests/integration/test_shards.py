"""Runs are cut into shards, handed out with the run itself, and claimed before what is anybody's."""

import datetime as dt

import pytest
from sqlalchemy import text, update
from sqlmodel import col

from newsletter.dispatch.ledger import Ledger
from newsletter.planning import shards as module
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.planning.shards import Shard, shards_of
from newsletter.settings import Uncertain
from newsletter.tasks.shards import hand_out


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(module, "SHARD", 3)


@pytest.fixture
def ledger(postgres_rows, now):
    made = Ledger(postgres_rows.sessions, worker="host:1", uncertain=Uncertain.REPEAT, hold=dt.timedelta(minutes=15))
    made.take_over(now)
    return made


def jobs(rows):
    """What is handed out: task and shard of each job."""
    with rows.sessions() as session:
        found = session.execute(text("SELECT task_name, queue_name, status::text, args FROM procrastinate_jobs")).all()
    return [(task, queue, status, Shard(**args)) for task, queue, status, args in found]


def cut(rows, run):
    with rows.sessions() as session:
        return shards_of(session, run)


def ids(rows, run):
    with rows.sessions() as session:
        query = "SELECT id FROM delivery WHERE run_id = :run ORDER BY id"
        return list(session.scalars(text(query), {"run": run}))


def end(rows, id_, **values):
    rows.change(update(DeliveryRow).where(col(DeliveryRow.id) == id_).values(**values))


def test_a_run_is_cut_in_order_and_the_last_shard_may_be_short(rows):
    run = rows.run(7)
    first, *_, last = ids(rows, run)
    assert cut(rows, run) == [
        Shard(run, first, first + 2),
        Shard(run, first + 3, first + 5),
        Shard(run, last, last),
    ]


def test_what_has_ended_or_waits_for_its_own_time_is_in_no_shard(rows, now):
    run = rows.run(6)
    other = rows.run(2, slug="2027-01")
    one, two, three, four, five, six = ids(rows, run)
    end(rows, one, state=DeliveryState.ACCEPTED)
    end(rows, three, next_at=now)
    end(rows, six, state=DeliveryState.CLAIMED)
    assert cut(rows, run) == [Shard(run, two, five)]
    assert five - four == 1
    assert [shard.run_id for shard in cut(rows, other)] == [other]


def test_nothing_is_cut_where_nothing_is_left(rows):
    run = rows.run(1)
    end(rows, ids(rows, run)[0], state=DeliveryState.REFUSED)
    assert cut(rows, run) == []


def test_shards_are_handed_out_with_the_transaction_and_not_without_it(postgres_rows):
    run = postgres_rows.run(4)
    with postgres_rows.sessions() as session:
        assert hand_out(session, run) == 2
        session.rollback()
    assert jobs(postgres_rows) == []

    with postgres_rows.sessions() as session:
        assert hand_out(session, run) == 2
        session.commit()
    assert jobs(postgres_rows) == [("shards:send_shard", "shards", "todo", shard) for shard in cut(postgres_rows, run)]


def test_a_run_without_anybody_hands_out_nothing(postgres_rows):
    run = postgres_rows.run(0)
    with postgres_rows.sessions() as session:
        assert hand_out(session, run) == 0
        session.commit()
    assert jobs(postgres_rows) == []


def test_granted_shards_are_claimed_before_what_is_anybodys(postgres_rows, ledger, now):
    run = postgres_rows.run(9)
    _, middle, last = cut(postgres_rows, run)

    claims, spent = ledger.claim_within([last, middle], limit=5, now=now)

    assert [claim.delivery_id for claim in claims] == [
        *range(last.first, last.last + 1),
        middle.first,
        middle.first + 1,
    ]
    assert spent == [last]
    claims, spent = ledger.claim_within([middle], limit=5, now=now)
    assert [claim.delivery_id for claim in claims] == [middle.last]
    assert spent == [middle]


def test_what_nobody_was_granted_is_claimed_where_there_is_nothing_else(postgres_rows, ledger, now):
    run = postgres_rows.run(4)
    first, last = cut(postgres_rows, run)
    claims, spent = ledger.claim_within([last], limit=9, now=now)
    assert (len(claims), spent) == (1, [last]), "the others may be somebody's"
    claims, spent = ledger.claim_within([], limit=9, now=now)
    assert [claim.delivery_id for claim in claims] == list(range(first.first, first.last + 1))
    assert ledger.claim_within([first], limit=9, now=now) == ([], [first])


def test_what_is_due_again_and_single_messages_are_everybodys(postgres_rows, ledger, now):
    run = postgres_rows.run(4)
    _, last = cut(postgres_rows, run)
    due = ids(postgres_rows, run)[0]
    end(postgres_rows, due, state=DeliveryState.DEFERRED, next_at=now)
    single = postgres_rows.single()

    claims, _ = ledger.claim_within([last], limit=9, now=now)

    assert [claim.delivery_id for claim in claims] == [single, due, last.first]


@pytest.mark.parametrize("state", [RunState.PAUSED, RunState.FINISHED, RunState.CANCELLED])
def test_shards_of_a_run_that_does_not_run_are_spent_at_once(postgres_rows, ledger, now, state):
    run = postgres_rows.run(2)
    (shard,) = cut(postgres_rows, run)
    postgres_rows.change(update(RunRow).values(state=state))
    assert ledger.claim_within([shard], limit=9, now=now) == ([], [shard])


def test_one_that_counts_as_dead_claims_nothing_and_keeps_its_shards(postgres_rows, ledger, now):
    run = postgres_rows.run(2)
    postgres_rows.change(text("UPDATE worker SET ended = now()"))
    assert ledger.claim_within(cut(postgres_rows, run), limit=9, now=now) == ([], [])


def test_what_the_dead_had_is_known_to_whoever_took_it_from_them(postgres_rows, ledger, now):
    run = postgres_rows.run(6)
    (claims, _) = ledger.claim_within([], limit=4, now=now)
    postgres_rows.change(text("UPDATE worker SET heartbeat = heartbeat - interval '9 seconds'"))
    heir = Ledger(postgres_rows.sessions, worker="host:2", uncertain=Uncertain.REPEAT, hold=dt.timedelta(minutes=15))
    assert heir.take_over(now) == (4, 0)
    assert heir.freed == [Shard(run, claims[0].delivery_id, claims[-1].delivery_id)]
