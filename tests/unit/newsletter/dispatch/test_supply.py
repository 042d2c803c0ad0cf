"""The supply over a ledger that is a row of numbers."""

import asyncio
import contextlib
import datetime as dt
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from newsletter.dispatch import outage
from newsletter.dispatch import supply as module
from newsletter.dispatch.outage import Outage
from newsletter.dispatch.stopping import Stopping
from newsletter.dispatch.supply import MOST, PER_CONNECTION, Supply


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Nothing happens because time has passed, unless a test says so."""
    monkeypatch.setattr(module, "POLL_SECONDS", 1000)


class Numbers:
    """A ledger with so many deliveries of run 1, which are claimed in order."""

    def __init__(self, count):
        self.left = [SimpleNamespace(delivery_id=number, run_id=1 + number % 2) for number in range(count)]
        self.asked = []

    def claim(self, limit, _now):
        self.asked.append(limit)
        claimed, self.left = self.left[:limit], self.left[limit:]
        return claimed

    def drop(self, claims, _now):
        raise AssertionError("nobody is gone")


class Writing:
    """A composer that counts."""

    signs = False

    def __init__(self):
        self.written = []

    def look_up(self, claims):
        return [SimpleNamespace(claim=claim) for claim in claims]

    def objection(self, _draft):
        return None

    def compose(self, draft):
        self.written.append(draft.claim.delivery_id)
        return f"message {draft.claim.delivery_id}"


class SilentLog:
    """Nobody reads it."""

    def error(self, *_words, **_facts):
        pass

    warning = error


async def here(function, *arguments):
    return function(*arguments)


@contextlib.asynccontextmanager
async def supplying(ledger, *, composer=None, connections=2, now=lambda: None):
    """A supply that fills itself, for as long as the context lasts."""
    stopping = Stopping()
    parts = {"now": now, "stopping": stopping, "outage": Outage(SilentLog()), "call": here}
    supply = Supply(ledger, composer or Writing(), connections=connections, **parts)
    filling = asyncio.create_task(supply.run())
    async with asyncio.timeout(20):
        try:
            yield supply
        finally:
            stopping.set()
            supply.stir()
            await filling
            supply.close()


def numbers(items):
    return [claim.delivery_id for claim, _ in items]


def test_messages_are_composed_one_by_one_as_they_are_taken():
    async def take():
        composer = Writing()
        async with supplying(Numbers(100), composer=composer) as supply:
            first = await supply.next()
            assert composer.written == [0]
            second = supply.at_hand()
            return numbers([first, second]), composer.written

    assert asyncio.run(take()) == ([0, 1], [0, 1])


def test_a_batch_is_claimed_when_half_of_the_one_before_has_gone():
    async def take():
        ledger = Numbers(1000)
        async with supplying(ledger) as supply:
            await supply.next()
            begun = len(ledger.asked)
            for _ in range(PER_CONNECTION * 2 // 2 - 1):
                supply.at_hand()
            await asyncio.sleep(0)
            assert len(ledger.asked) == begun
            supply.at_hand()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return len(ledger.asked) - begun

    assert asyncio.run(take()) == 1


def test_batches_grow_with_the_pace_and_not_without_end():
    async def take():
        ledger = Numbers(5000)
        async with supplying(ledger) as supply:
            for _ in range(5000):
                await supply.next()
            return ledger.asked

    asked = asyncio.run(take())
    assert asked[:4] == [8, 16, 32, 64]
    assert max(asked) == MOST
    assert len(asked) < 20


def test_many_connections_have_a_batch_that_serves_them_all():
    async def take():
        ledger = Numbers(5000)
        async with supplying(ledger, connections=200) as supply:
            for _ in range(5000):
                await supply.next()
            return ledger.asked

    assert set(asyncio.run(take())) == {200 * PER_CONNECTION}


def test_slow_batches_shrink(monkeypatch):
    monkeypatch.setattr(module, "SLOW_SECONDS", -1.0)

    async def take():
        ledger = Numbers(100)
        async with supplying(ledger) as supply:
            for _ in range(100):
                await supply.next()
            return ledger.asked

    assert set(asyncio.run(take())) == {8}


def test_where_nothing_is_left_the_ledger_is_not_asked_for_every_message(monkeypatch):
    async def take():
        ledger = Numbers(9)
        async with supplying(ledger) as supply:
            for _ in range(9):
                await supply.next()
            for _ in range(100):
                assert supply.at_hand() is None
                await asyncio.sleep(0)
            assert supply.is_empty
            return len(ledger.asked)

    assert asyncio.run(take()) <= 4


def test_a_short_batch_is_no_reason_to_wait():
    """Those whom nobody may write to any more are left out of a claim, and more come after them."""

    async def take():
        ledger = Numbers(300)
        claim = ledger.claim
        ledger.claim = lambda limit, now: claim(limit - 1, now)
        async with supplying(ledger) as supply:
            return numbers([await supply.next() for _ in range(300)])

    assert asyncio.run(take()) == list(range(300))


def test_what_is_put_back_comes_first():
    async def take():
        async with supplying(Numbers(10)) as supply:
            first = await supply.next()
            supply.put_back(first)
            return numbers([await supply.next(), await supply.next()])

    assert asyncio.run(take()) == [0, 1]


def test_a_connection_that_waits_is_woken_by_what_another_puts_back():
    async def take():
        async with supplying(Numbers(1)) as supply:
            only = await supply.next()
            empty = asyncio.Event()
            supply.on_empty = empty.set
            waiting = asyncio.create_task(supply.next())
            await empty.wait()
            supply.put_back(only)
            return numbers([await waiting])

    assert asyncio.run(take()) == [0]


def test_a_run_is_recalled_without_the_others():
    async def take():
        async with supplying(Numbers(8)) as supply:
            supply.put_back(await supply.next())
            recalled = [claim.delivery_id for claim in supply.recall(1)]
            rest = [claim.delivery_id for claim in supply.recall_all()]
            return recalled, rest, supply.is_empty

    assert asyncio.run(take()) == ([0, 2, 4, 6], [1, 3, 5, 7], True)


def test_claims_that_could_not_be_given_back_are_taken_charge_of_again():
    async def take():
        async with supplying(Numbers(8)) as supply:
            await supply.next()
            supply.keep(supply.recall(2))
            assert not supply.is_empty
            supply.stir()
            taken = numbers([await supply.next() for _ in range(7)])
            return sorted(taken)

    assert asyncio.run(take()) == list(range(1, 8))


def test_whoever_waits_when_nothing_more_is_begun_gets_nothing():
    async def take():
        async with supplying(Numbers(0)) as supply:
            waiting = asyncio.create_task(supply.next())
            await asyncio.sleep(0)
        return await waiting

    assert asyncio.run(take()) is None


def test_it_knows_the_runs_that_it_has_served():
    async def take():
        ledger = Numbers(3)
        ledger.left[0].run_id = None
        async with supplying(ledger) as supply:
            await supply.next()
            return supply.runs

    assert asyncio.run(take()) == {1, 2}


class Postponing(Numbers):
    """The same, which remembers what is to be claimed again later, and when."""

    def __init__(self, count, *, fails=0):
        super().__init__(count)
        self.fails = fails
        self.postponed = []
        self.given = asyncio.Event()

    def postpone(self, claims, _now):
        if self.fails:
            self.fails -= 1
            raise OperationalError("UPDATE", {}, Exception("database is locked"))
        self.postponed += [(claim.delivery_id, until) for claim, until in claims]
        self.given.set()


async def turns(count=5):
    for _ in range(count):
        await asyncio.sleep(0)


def test_what_is_set_aside_is_not_handed_out_before_its_time():
    async def take():
        async with supplying(Numbers(3)) as supply:
            assert supply.set_aside(await supply.next(), 0.01) is False, "no more than a fifth of a batch of eight"
            before = numbers([await supply.next(), await supply.next()])
            assert supply.at_hand() is None
            assert supply.is_crowded
            assert not supply.is_empty
            return before, numbers([await supply.next()]), supply.is_crowded, supply.is_empty

    assert asyncio.run(take()) == ([1, 2], [0], False, True)


def test_there_is_room_to_set_aside_a_fifth_of_a_batch():
    async def take():
        async with supplying(Numbers(200), connections=25) as supply:
            room = 1
            while supply.set_aside(await supply.next(), 1000):
                room += 1
            return room

    assert asyncio.run(take()) == PER_CONNECTION * 25 // 5


def test_what_is_postponed_goes_back_to_the_ledger_with_its_time(now):
    async def take():
        ledger = Postponing(4)
        async with supplying(ledger, now=lambda: now) as supply:
            supply.postpone(await supply.next(), 300)
            supply.postpone(await supply.next(), 600)
            assert not supply.is_empty
            await turns()
            left = numbers([await supply.next(), await supply.next()])
            return ledger.postponed, left, supply.is_empty

    later = [(0, now + dt.timedelta(seconds=300)), (1, now + dt.timedelta(seconds=600))]
    assert asyncio.run(take()) == (later, [2, 3], True)


def test_what_the_ledger_cannot_take_back_now_is_offered_again(now, monkeypatch):
    monkeypatch.setattr(outage, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(module, "POLL_SECONDS", 0.001)

    async def take():
        ledger = Postponing(4, fails=2)
        async with supplying(ledger, now=lambda: now) as supply:
            supply.postpone(await supply.next(), 300)
            await ledger.given.wait()
            return [number for number, _ in ledger.postponed]

    assert asyncio.run(take()) == [0]


def test_what_is_set_aside_or_postponed_is_recalled_like_everything_else(now):
    async def take():
        async with supplying(Postponing(8), now=lambda: now) as supply:
            supply.set_aside(await supply.next(), 0.001)
            supply.set_aside(await supply.next(), 1000)
            supply.postpone(await supply.next(), 300)
            supply.postpone(await supply.next(), 300)
            first = sorted(claim.delivery_id for claim in supply.recall(1))
            rest = sorted(claim.delivery_id for claim in supply.recall_all())
            await asyncio.sleep(0.01)
            return first, rest, supply.is_empty

    assert asyncio.run(take()) == ([0, 2, 4, 6], [1, 3, 5, 7], True)


@given(st.lists(st.sampled_from(["take", "put back", "set aside", "postpone", "recall", "turn"]), max_size=60))
def test_nothing_is_lost_or_handed_out_twice_whatever_is_done_with_it(steps):
    async def take():
        ledger, held, sent, recalled = Postponing(40), [], [], []
        async with supplying(ledger, now=lambda: dt.datetime(2026, 12, 1, tzinfo=dt.UTC)) as supply:
            await turns()
            for step in steps:
                item = supply.at_hand()
                if step == "turn":
                    await turns()
                elif step == "recall":
                    recalled += [claim.delivery_id for claim in supply.recall(2)]
                if item is None:
                    continue
                if step == "take":
                    sent.append(item[0].delivery_id)
                elif step == "set aside":
                    supply.set_aside(item, 0)
                elif step == "postpone":
                    supply.postpone(item, 300)
                elif step == "put back":
                    supply.put_back(item)
                else:
                    held.append(item[0].delivery_id)
            await turns()
            recalled += [claim.delivery_id for claim in supply.recall_all()]
        later = [number for number, _ in ledger.postponed]
        return sorted([*sent, *held, *recalled, *later, *(claim.delivery_id for claim in ledger.left)])

    assert asyncio.run(take()) == list(range(40))
