import asyncio
import threading
from collections import deque
from types import SimpleNamespace

import pytest

from newsletter.dispatch.signing import Signing


def drafts(count):
    return deque(SimpleNamespace(claim=number) for number in range(count))


class Pen:
    """Composes when it is told to."""

    def __init__(self):
        self.may = threading.Event()
        self.begun = []

    def __call__(self, draft):
        self.begun.append(draft.claim)
        assert self.may.wait(20)
        return f"message {draft.claim}"


@pytest.fixture
def pen():
    pen = Pen()
    yield pen
    pen.may.set()


@pytest.fixture
def signing(pen):
    """Three ahead of ten."""
    made = Signing(pen, drafts=drafts(10), ahead=3)
    made.top_up()
    yield made
    pen.may.set()
    made.close()


def limited(awaitable):
    async def within():
        async with asyncio.timeout(20):
            return await awaitable

    return asyncio.run(within())


def test_a_few_are_begun_ahead_and_no_more(signing):
    signing.top_up()

    assert len(signing) == 3
    assert len(signing._drafts) == 7


def test_nothing_is_at_hand_before_it_is_ready(signing, pen):
    assert signing.at_hand() is None
    pen.may.set()
    assert limited(signing.next()) == (0, "message 0")


def test_messages_come_in_the_order_of_their_drafts(signing, pen):
    pen.may.set()
    taken = []
    for _ in range(10):
        taken.append(limited(signing.next()))
        signing.top_up()

    assert taken == [(number, f"message {number}") for number in range(10)]
    assert limited(signing.next()) is None
    assert signing.at_hand() is None
    assert len(signing) == 0


def test_what_is_ready_is_at_hand(signing, pen):
    pen.may.set()
    signing._under_way[0][1].result(20)

    assert signing.at_hand() == (0, "message 0")


def test_whoever_gives_up_waiting_leaves_the_message_to_the_next(signing, pen):
    async def give_up():
        waiting = asyncio.ensure_future(signing.next())
        await asyncio.sleep(0)
        assert len(signing) == 3, "one of them is waited for"
        waiting.cancel()
        await asyncio.wait([waiting])
        pen.may.set()
        return await signing.next()

    assert limited(give_up()) == (0, "message 0")


def test_a_message_that_cannot_be_composed_keeps_its_claim():
    def broken(_draft):
        raise ValueError("no such header")

    signing = Signing(broken, drafts=drafts(1), ahead=1)
    signing.top_up()
    with pytest.raises(ValueError, match="no such header"):
        limited(signing.next())
    with pytest.raises(ValueError, match="no such header"):
        signing.at_hand()
    assert signing.recall(lambda _claim: True) == [0]
    signing.close()


def test_what_is_recalled_is_not_handed_out(signing, pen):
    assert signing.recall(lambda claim: claim == 1) == [1]
    pen.may.set()

    assert [limited(signing.next()) for _ in range(2)] == [(0, "message 0"), (2, "message 2")]
