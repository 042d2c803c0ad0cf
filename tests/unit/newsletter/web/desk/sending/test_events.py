"""A run is looked at once for everybody, and not at all when nobody watches."""

import asyncio
from dataclasses import dataclass

import pytest
from sqlalchemy.exc import OperationalError

from newsletter.errors import NotFound
from newsletter.web.desk.sending.events import Feeds, event


@dataclass
class Seen:
    """A run as far as its feed asks."""

    number: int
    is_over: bool = False


class Looks:
    """Counts how often somebody looks; over at the last of so many."""

    def __init__(self, last):
        self.number, self.last = 0, last

    def __call__(self):
        self.number += 1
        return Seen(self.number, self.number >= self.last)


async def followed(feeds, look, most=10**6):
    found = []
    async for each in feeds.follow("run", look):
        found.append(each.sight.number)
        if len(found) >= most:
            break
    return found


def test_three_watchers_cost_one_look_and_end_with_the_run():
    async def watch():
        feeds, look = Feeds(every=0.01), Looks(5)
        found = await asyncio.gather(*(followed(feeds, look) for _ in range(3)))
        return found, look.number, feeds.watched

    found, looks, watched = asyncio.run(watch())
    assert [seen[-1] for seen in found] == [5, 5, 5]
    assert (looks, watched) == (5, 0)


def test_nobody_looks_once_the_last_watcher_has_gone():
    async def watch():
        feeds, look = Feeds(every=0), Looks(10**6)
        stream = feeds.follow("run", look)
        await anext(stream)
        await stream.aclose()
        await asyncio.sleep(0)
        before = look.number
        for _ in range(20):
            await asyncio.sleep(0)
        return before, look.number, feeds.watched

    before, after, watched = asyncio.run(watch())
    assert (after, watched) == (before, 0)


def test_a_run_that_was_never_queued_has_no_events():
    assert asyncio.run(followed(Feeds(every=0), lambda: None)) == []


def test_a_database_that_does_not_answer_is_asked_again():
    answers = iter([OperationalError("select", {}, Exception()), Seen(1), Seen(2, is_over=True)])

    def look():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert asyncio.run(followed(Feeds(every=0), look))[-1] == 2


def test_an_issue_that_is_gone_ends_its_events():
    answers = iter([Seen(1)])

    def look():
        for answer in answers:
            return answer
        raise NotFound("issue", "2026-12")

    assert asyncio.run(followed(Feeds(every=0), look)) == [1]


@pytest.mark.parametrize(("data", "text"), [("a\nb", b"event: x\ndata: a\ndata: b\n\n"), ("", b"event: x\ndata: \n\n")])
def test_each_line_of_an_event_is_a_field(data, text):
    assert event("x", data) == text
