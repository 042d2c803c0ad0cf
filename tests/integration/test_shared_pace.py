"""What several workers share of a relay's rate and of its number for a day, over a real server."""

import asyncio
import datetime as dt
import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from faults.bench import until
from integration.test_dispatcher import FakeComposer, FakeRelay, run
from sqlalchemy import text
from sqlmodel import col, select, update

from newsletter.bootstrap import build
from newsletter.database import open_engine, session_factory
from newsletter.dispatch import allowances, leases, workers
from newsletter.dispatch.dispatcher import Dispatcher, Ending
from newsletter.dispatch.leased_bucket import LeasedBucket, Rate
from newsletter.dispatch.leased_warm_up import LeasedWarmUp
from newsletter.dispatch.leases import Leases
from newsletter.dispatch.ledger import Ledger, Mark, Result
from newsletter.dispatch.models import RelayLeaseRow, RelayPaceRow
from newsletter.dispatch.outcome import Phase, classify, reply
from newsletter.dispatch.pace import Together
from newsletter.dispatch.retry import Backoff
from newsletter.dispatch.route import Route
from newsletter.dispatch.transactions import Transactions
from newsletter.dispatchers import build_dispatcher
from newsletter.settings import Uncertain, load

ANNA = "anna@lakes.example"
TAKEN = classify(Phase.CONTENT, reply(250, "2.0.0 Ok"))
FIRST = dt.date(2026, 1, 1)


@pytest.fixture
def sessions(postgres_engine):
    return session_factory(postgres_engine)


@pytest.fixture
def worker(sessions):
    """Makes workers that live."""

    def make(name):
        with sessions() as session:
            own = workers.register(session, name, connections=2, now=dt.datetime.now(dt.UTC))
            session.commit()
        return own

    return make


@pytest.fixture
def quota(sessions):
    """Leases of a number for every day."""

    def make(worker, number=1, *, of=100, start=None):
        with sessions() as session:
            today = dt.datetime.now(dt.UTC).date()
            its = {"worker": worker, "number": number, "quotas": [of], "start": start or today}
            share = allowances.lease_quota(session, "north", **its)
            session.commit()
        return share

    return make


def tokens(sessions, number, *, rate):
    """Lease tokens once; returns the instants at which they may go, by the database's clock."""
    with Transactions(sessions).group(at_once=True) as connection:
        full_at, full_in = allowances.lease_tokens(connection, "north", number=number, rate=rate)
    now = full_at - dt.timedelta(seconds=full_in)
    return full_at, [now + dt.timedelta(seconds=wait) for wait in rate.waits(number, full_in=full_in)]


def give_back(sessions, number, *, rate, seen):
    with Transactions(sessions).group(at_once=True) as connection:
        allowances.return_tokens(connection, "north", number=number, rate=rate, seen=seen)


def used(sessions):
    with sessions() as session:
        return session.scalars(select(RelayPaceRow.used)).one()


def ended(sessions, name):
    with sessions() as session:
        assert workers.end(session, name, dt.datetime.now(dt.UTC))
        session.commit()


def test_tokens_that_many_take_at_once_have_each_a_time_of_its_own(sessions):
    rate = Rate(100)
    with ThreadPoolExecutor(6) as threads:
        leased = threads.map(lambda size: tokens(sessions, size, rate=rate)[1], [1, 7, 12, 25, 3, 2] * 6)
    times = sorted(itertools.chain.from_iterable(leased))

    assert len(times) == 300
    at_once = int(rate.tolerance / rate.interval) + 1
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(times[2 * at_once :])]
    assert max(gaps) - min(gaps) < 0.0001, "evenly, once what was saved up is gone"
    most = [(times[-1] - time).total_seconds() * 100 + rate.burst for time in times]
    assert all(300 - place <= most[place] + 0.001 for place in range(300))


def test_tokens_are_given_back_unless_somebody_came_after(sessions):
    rate = Rate(0.1)
    first, (at,) = tokens(sessions, 1, rate=rate)
    seen, (later,) = tokens(sessions, 1, rate=rate)
    assert (later - at).total_seconds() == pytest.approx(10, abs=0.001)

    give_back(sessions, 1, rate=rate, seen=seen)
    again, (same,) = tokens(sessions, 1, rate=rate)
    assert (again, same) == (seen, pytest.approx(later, abs=dt.timedelta(milliseconds=1)))
    give_back(sessions, 1, rate=rate, seen=first)
    _, (next_one,) = tokens(sessions, 1, rate=rate)
    assert (next_one - same).total_seconds() == pytest.approx(10, abs=0.001)


def test_a_number_for_a_day_is_shared_and_never_exceeded(sessions, worker, quota):
    names = [worker(f"w{number}") for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        shares = list(threads.map(lambda place: quota(names[place % 4], 40, of=100), range(60)))

    given = [share.number for share in shares]
    assert sum(given) == 100
    assert max(given) <= 25, "nobody takes what the others will want"
    assert given.count(0) > 0
    assert used(sessions) == 100


def test_the_last_of_a_number_is_handed_out_one_by_one(worker, quota):
    one = worker("one")
    parts = list(itertools.takewhile(bool, (quota(one, 40, of=30).number for _ in itertools.count())))
    assert sum(parts) == 30
    assert parts[0] == 7
    assert parts[-4:] == [1, 1, 1, 1]


def test_after_the_last_day_of_the_list_there_is_no_number(worker, quota):
    share = quota(worker("one"), start=FIRST)
    assert share.number is None


def test_what_is_given_back_others_may_have(sessions, worker, quota):
    one, other = worker("one"), worker("other")
    while quota(one, 5, of=10).number:
        pass
    assert quota(other, of=10) == (0, pytest.approx(43_200, abs=43_200), False), "one holds it"

    with sessions() as session:
        allowances.return_quota(session, "north", worker=one, number=4)
        allowances.return_quota(session, "north", worker=other, number=4)
        session.commit()
    assert sum(quota(other, of=10).number for _ in range(9)) == 4


@pytest.fixture
def sent(postgres_rows):
    """A worker of the ledger that has leases of 3 and has sent 2 of them, one of which is in doubt when it dies."""
    now = dt.datetime.now(dt.UTC)
    postgres_rows.run(4)
    ledger = Ledger(postgres_rows.sessions, worker="dies", uncertain=Uncertain.SKIP, hold=dt.timedelta(0))
    ledger.take_over(now)
    first, second, *_ = ledger.claim(2, now)
    ledger.commit([Mark(claim=first), Mark(claim=second)], now)
    ledger.commit([Result(claim=first, outcome=TAKEN, marked=True, relay="north")], now)
    ledger.claimed = second
    return ledger


def test_what_a_dead_worker_held_is_there_again_but_not_what_may_have_gone_out(sessions, worker, quota, sent):
    other = worker("other")
    for _ in range(3):
        assert quota(sent.worker, of=5).number == 1
    assert quota(other, of=5).number == 1
    assert quota(other, of=5).number == 0

    with sessions() as session:
        session.execute(text("UPDATE worker SET heartbeat = now() - interval '1 hour' WHERE name = 'dies'"))
        session.commit()
    Ledger(sessions, worker="reaper", uncertain=Uncertain.SKIP, hold=dt.timedelta(0)).reap(dt.datetime.now(dt.UTC))

    assert [quota(other, of=5).number for _ in range(3)] == [1, 1, 0], "two went out or may have, one is held"


def test_a_worker_that_begins_counts_anew_what_went_out(sessions, worker, quota, sent):
    quota(sent.worker)
    assert used(sessions) == 2, "one that was taken before there was a lease, and one that is held"
    with sessions() as session:
        session.execute(update(RelayPaceRow).values(used=0))
        session.commit()

    quota(worker("new"))
    assert used(sessions) == 3


def test_a_new_day_begins_with_what_went_out_on_it(sessions, worker, quota, sent):
    quota(worker("one"), 9)
    with sessions() as session:
        yesterday = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
        session.execute(update(RelayPaceRow).values(day=yesterday, used=100))
        session.execute(update(RelayLeaseRow).values(day=yesterday))
        session.commit()

    assert quota(worker("two"), 1).number == 1
    assert used(sessions) == 2
    with sessions() as session:
        assert session.scalars(select(col(RelayLeaseRow.worker))).all() == ["two"]
        allowances.return_quota(session, "north", worker="one", number=1)
        session.commit()
    assert used(sessions) == 2, "yesterday's are not given back to today"


def test_when_all_has_gone_out_the_number_is_spent(worker, quota, sent):
    assert quota(sent.worker, of=2).number == 1
    held = quota(worker("other"), of=2)
    assert (held.number, held.is_spent) == (0, False)

    sent.commit([Result(claim=sent.claimed, outcome=TAKEN, marked=True, relay="north")], dt.datetime.now(dt.UTC))
    spent = quota(worker("third"), of=2)
    assert (spent.number, spent.is_spent) == (0, True)


def holding(pace, seconds=5.0):
    """Wait in the loop until a pace lets something go, or for so long at most."""
    loop = asyncio.get_running_loop()

    async def wait():
        while rest := pace.rests(now=loop.time()):  # noqa: ASYNC110  as a line does
            await asyncio.sleep(min(rest, 0.05))

    return asyncio.wait_for(wait(), seconds)


def test_a_pace_leases_in_a_thread_and_gives_back_what_nobody_wants(sessions, worker, monkeypatch):
    monkeypatch.setattr(leases, "IDLE_SECONDS", 0.02)
    own, wanted = worker("one"), True
    made = Leases(sessions)
    paces = made.bucket("north", 0.5), made.warm_up("north", [50], start=dt.datetime.now(dt.UTC).date())
    made.serve(lambda: own, lambda: wanted)

    def rows():
        with sessions() as session:
            pace = session.scalars(select(RelayPaceRow)).one()
            return pace.full_at, pace.used

    async def scene():
        nonlocal wanted
        for pace in paces:
            await holding(pace)
            pace.take(ANNA, now=asyncio.get_running_loop().time())
            pace.rests(now=asyncio.get_running_loop().time())
        await asyncio.sleep(0)
        await asyncio.to_thread(until, lambda: rows()[1] >= 2)
        before = rows()
        wanted = False
        await asyncio.to_thread(until, lambda: rows()[1] == 1, patience=5)
        return before, rows()

    (full_before, _), (full_after, _) = asyncio.run(scene())
    assert full_before - full_after == dt.timedelta(seconds=2), "a token that nobody came after"


def test_while_the_database_is_away_nothing_goes_and_nobody_waits_for_it(monkeypatch):
    engine = open_engine("postgresql://tests@127.0.0.1:1/nowhere")
    made = Leases(session_factory(engine))
    made.serve(lambda: "one", lambda: True)
    pace = Together([made.bucket("north", 5), made.warm_up("north", [50], start=FIRST.replace(year=2030))])

    async def scene():
        with pytest.raises(TimeoutError):
            await holding(pace, 0.3)
        began = time.monotonic()
        assert pace.rests(now=asyncio.get_running_loop().time()) > 0
        return time.monotonic() - began

    assert asyncio.run(scene()) < 0.05


def test_a_database_without_the_tables_ends_whoever_wants_to_send(bare_postgres_engine):
    made = Leases(session_factory(bare_postgres_engine))
    made.serve(lambda: "one", lambda: True)

    async def scene():
        with pytest.raises(Exception, match="relay_pace"):
            await holding(made.bucket("north", 5))

    asyncio.run(scene())


def test_on_a_server_the_limits_of_the_settings_are_shared(postgres_engine):
    url = postgres_engine.url.render_as_string(hide_password=False)
    relays = [
        {"name": "north", "rate": 5, "warm_up": [3], "warm_up_start": FIRST, "groups": True},
        {"name": "south"},
        {"name": "rescue", "role": "spare", "rate": 7},
    ]
    pipeline = build(load(database={"url": url}, relays=relays), migrated=False)

    north, south, rescue = build_dispatcher(pipeline, wakes=False).routes

    kinds = [type(pace).__name__ for pace in north.pace._paces]
    assert kinds == [LeasedBucket.__name__, LeasedWarmUp.__name__, "Groups"]
    assert south.is_free
    assert [type(pace) for pace in rescue.pace._paces] == [LeasedBucket]
    pipeline.parts.engine.dispose()


@pytest.mark.parametrize("rate", [15, 40, 120])
def test_two_dispatchers_keep_to_one_rate_and_one_number(postgres_rows, rate):
    count, went = rate + rate // 2, []
    postgres_rows.run(count)

    def dispatched(name):
        made = Leases(postgres_rows.sessions)
        today = dt.datetime.now(dt.UTC).date()
        pace = Together([made.bucket("north", rate), made.warm_up("north", [count - 5], start=today)])
        relay = FakeRelay()

        async def note(_envelope):
            went.append(time.monotonic())

        relay.before, relay.name = note, "north"
        dispatcher = Dispatcher(
            ledger=Ledger(postgres_rows.sessions, worker=name, uncertain=Uncertain.SKIP, hold=dt.timedelta(0)),
            routes=[Route(relay=relay, connections=3, pace=pace)],
            composer=FakeComposer(),
            backoff=Backoff(first=300, expiry=3600),
            now=lambda: dt.datetime.now(dt.UTC),
            threaded=True,
        )
        made.serve(lambda: dispatcher.ledger.worker, lambda: dispatcher.has_messages)
        return run(dispatcher, patience=20)

    with ThreadPoolExecutor(2) as threads:
        endings = list(threads.map(dispatched, ["one", "other"]))

    assert Ending.WAITING in endings, "five wait for tomorrow"
    assert len(went) == count - 5
    went.sort()
    for first, last in itertools.combinations(range(len(went)), 2):
        assert last - first + 1 <= rate * (went[last] - went[first] + 0.1) + rate
    assert went[rate] - went[0] <= 1 + 2, "a second's worth, with time to spare on a busy machine"
