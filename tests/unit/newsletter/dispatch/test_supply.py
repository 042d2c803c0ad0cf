"""The supply over a ledger that is a row of numbers."""

import asyncio
import contextlib
from types import SimpleNamespace

import pytest

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


async def here(function, *arguments):
    return function(*arguments)


@contextlib.asynccontextmanager
async def supplying(ledger, *, composer=None, connections=2):
    """A supply that fills itself, for as long as the context lasts."""
    stopping = Stopping()
    parts = {"now": lambda: None, "stopping": stopping, "outage": Outage(None), "call": here}
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
