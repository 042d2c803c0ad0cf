"""The writer over a ledger that is a list."""

import asyncio
import threading

import pytest
from sqlalchemy.exc import OperationalError

from newsletter.dispatch import outage as module
from newsletter.dispatch.ledger import Mark, Result
from newsletter.dispatch.outage import Outage
from newsletter.dispatch.outcome import Verdict
from newsletter.dispatch.writer import UNTAKEN, Writer


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.001)


class Book:
    """Takes groups; `answers` says of a group what becomes of it: an error, or for each entry whether it holds."""

    fenced = False

    def __init__(self, *answers):
        self.groups = []
        self.answers = list(answers)
        self.threads = set()

    def commit(self, entries, _now):
        self.groups.append(list(entries))
        self.threads.add(threading.current_thread())
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer or [True] * len(entries)

    def is_fenced(self):
        if isinstance(self.fenced, Exception):
            raise self.fenced
        return self.fenced


class Silent:
    """A log that keeps what it hears."""

    def __init__(self):
        self.events = []
        self.facts = []

    def error(self, event, **facts):
        self.events.append(event)
        self.facts.append(facts)

    warning = error


def writing(book, *entries, threaded=False, log=None):
    """Have each connection write its entries at the same moment; returns what each was told."""

    async def write():
        writer = Writer(book, now=lambda: None, outage=Outage(log or Silent()), log=log or Silent(), threaded=threaded)
        try:
            async with asyncio.timeout(20):
                return await asyncio.gather(*(writer.write(each) for each in entries), return_exceptions=True)
        finally:
            writer.close()

    return asyncio.run(write())


def a_mark(number):
    return Mark(claim=number)


def a_result(number):
    return Result(claim=number, outcome=UNTAKEN, marked=True, relay="")


def away():
    return OperationalError("COMMIT", {}, Exception("disk full"))


@pytest.mark.parametrize("threaded", [False, True])
def test_connections_that_write_at_the_same_moment_share_a_transaction(threaded):
    book = Book([True, False, True, True])

    told = writing(book, [a_mark(1), a_mark(2)], [a_mark(3)], [a_mark(4)], threaded=threaded)

    assert told == [[True, False], [True], [True]]
    assert book.groups == [[a_mark(1), a_mark(2), a_mark(3), a_mark(4)]]


def test_a_thread_commits_only_where_it_was_asked_for():
    here, elsewhere = Book(), Book()
    writing(here, [a_mark(1)])
    writing(elsewhere, [a_mark(1)], threaded=True)

    assert here.threads == {threading.current_thread()}
    assert not here.threads & elsewhere.threads


@pytest.mark.parametrize("threaded", [False, True])
def test_what_comes_while_a_group_is_written_goes_with_the_next(threaded):
    book = Book()

    async def write():
        writer = Writer(book, now=lambda: None, outage=Outage(Silent()), log=Silent(), threaded=threaded)
        first = asyncio.ensure_future(writer.write([a_mark(1)]))
        first.add_done_callback(lambda _done: None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        others = [asyncio.ensure_future(writer.write([a_mark(number)])) for number in (2, 3)]
        told = await asyncio.gather(first, *others)
        writer.close()
        return told

    assert asyncio.run(write()) == [[True]] * 3
    assert [entry for group in book.groups for entry in group] == [a_mark(1), a_mark(2), a_mark(3)]


@pytest.mark.parametrize("threaded", [False, True])
def test_a_group_that_cannot_be_taken_now_is_kept_and_tried_again(threaded):
    book, log = Book(away(), away(), away()), Silent()

    assert writing(book, [a_mark(1)], [a_mark(2)], threaded=threaded, log=log) == [[True], [True]]

    assert book.groups == [[a_mark(1), a_mark(2)]] * 4
    assert log.events == ["database away: nothing is sent that cannot be recorded", "database back"]


def test_a_mark_that_may_have_been_committed_and_does_not_hold_now_is_taken_back():
    """The database did not say so, then; it is not sent, and must not stay as if it were."""
    book = Book(away(), [True, False])

    result = Result(claim=1, outcome=UNTAKEN, marked=True, relay="relay.example:25")
    assert writing(book, [result, a_mark(2)]) == [[True, False]]

    assert book.groups[2] == [Result(claim=2, outcome=UNTAKEN, marked=True, relay="")]
    assert UNTAKEN.verdict is Verdict.NOT_SENT


def test_a_mark_that_does_not_hold_in_ordinary_times_is_left_alone():
    book = Book([False])

    assert writing(book, [a_mark(1)]) == [[False]]
    assert len(book.groups) == 1


@pytest.mark.parametrize("threaded", [False, True])
def test_a_fault_of_ours_is_told_to_everybody_in_the_group(threaded):
    fault = KeyError("delivery")

    assert writing(Book(fault), [a_mark(1)], [a_mark(2)], threaded=threaded) == [fault, fault]


@pytest.mark.parametrize("error", [None, KeyError("delivery")])
def test_whoever_was_cut_off_is_not_told_but_its_entries_are_written(error):
    book = Book(*([error] if error else []))

    async def write():
        writer = Writer(book, now=lambda: None, outage=Outage(Silent()), log=Silent())
        cut, other = (asyncio.ensure_future(writer.write([a_mark(number)])) for number in (1, 2))
        await asyncio.sleep(0)
        cut.cancel()
        return await asyncio.gather(cut, other, return_exceptions=True)

    told = asyncio.run(write())
    assert isinstance(told[0], asyncio.CancelledError)
    assert told[1] == (error or [True])
    assert book.groups == [[a_mark(1), a_mark(2)]]


def test_what_is_written_too_late_is_told_once_a_group():
    book, log = Book([False, True, False]), Silent()
    book.fenced = True

    assert writing(book, [a_result(1), a_mark(2)], [a_mark(3)], log=log) == [[False, True], [False]]
    assert log.events == ["late write refused: declared dead"]
    assert log.facts == [{"marks": 1, "results": 1}]


def test_a_delivery_that_was_ended_by_somebody_is_not_told_as_a_late_write():
    book, log = Book([False]), Silent()

    assert writing(book, [a_mark(1)], log=log) == [[False]]
    assert log.events == []


def test_a_group_that_is_committed_stays_so_where_the_database_goes_away_behind_it():
    book, log = Book([False]), Silent()
    book.fenced = OperationalError("SELECT", {}, Exception("server closed the connection"))

    assert writing(book, [a_mark(1)], log=log) == [[False]]
    assert len(book.groups) == 1
    assert log.events == []
