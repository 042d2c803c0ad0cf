"""A grant ends when its shard is spent, or when the dispatcher stops, and then it is somebody else's."""

import asyncio

import pytest

from newsletter.dispatch.granted import Granted
from newsletter.planning.shards import Shard

ONE, OTHER = Shard(1, 1, 1000), Shard(1, 1001, 2000)


@pytest.fixture
def granted():
    return Granted()


async def asked(granted, *shards):
    """Ask for these, and let them be granted."""
    waiting = [asyncio.ensure_future(granted.grant(shard)) for shard in shards]
    await asyncio.sleep(0)
    return waiting


def test_a_grant_ends_when_nothing_of_its_shard_is_left(granted):
    async def scene():
        one, other = await asked(granted, ONE, OTHER)
        assert granted.shards == (ONE, OTHER)
        granted.spend([ONE])
        assert await one is True
        assert not other.done()
        assert granted.shards == (OTHER,)
        other.cancel()

    asyncio.run(scene())


def test_a_shard_that_is_granted_twice_is_worked_on_once_and_ends_for_both(granted):
    async def scene():
        first, second = await asked(granted, ONE, ONE)
        assert granted.shards == (ONE,)
        granted.spend([ONE])
        assert await asyncio.gather(first, second) == [True, True]

    asyncio.run(scene())


def test_whoever_gives_up_takes_the_grant_back_unless_another_wants_it_too(granted):
    async def scene():
        first, second = await asked(granted, ONE, ONE)
        for waiting, left in ((first, (ONE,)), (second, ())):
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert granted.shards == left

    asyncio.run(scene())


def test_a_dispatcher_that_stops_gives_every_shard_back_and_takes_no_more(granted):
    told = []
    granted.on_close = lambda: told.append(granted.shards)

    async def scene():
        (waiting,) = await asked(granted, ONE)
        granted.close()
        assert await waiting is False
        assert await granted.grant(OTHER) is False

    asyncio.run(scene())
    assert told == [(ONE,)], "who hands shards out hears of it before they come back"
    assert granted.shards == ()


def test_what_the_dead_have_left_comes_first(granted):
    told = []
    granted.on_grant = lambda: told.append(granted.shards)

    async def scene():
        (waiting,) = await asked(granted, ONE)
        granted.take([OTHER])
        granted.take([])
        granted.spend([OTHER, ONE])
        assert await waiting is True

    asyncio.run(scene())
    assert told == [(ONE,), (OTHER, ONE)]


def test_a_shard_of_the_dead_that_was_granted_already_still_ends_its_grant(granted):
    async def scene():
        (waiting,) = await asked(granted, ONE)
        granted.take([ONE])
        granted.spend([ONE])
        assert await waiting is True

    asyncio.run(scene())
