"""
The single writer: commits the marks and results of all connections together.

Takes what connections have to record, yields for each entry whether it held, promises that nobody goes on before the
commit: that is what keeps the doubt at one message a connection. There is no timer. Connections whose replies came in
one iteration of the loop, or in the next, share a transaction: what a transaction takes by itself is more than a
message takes in it, and an iteration is short. Where the database is away the group is kept and tried again until it is
taken.
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Any, Final, NamedTuple

from newsletter.dispatch import outage
from newsletter.dispatch.clock import clock
from newsletter.dispatch.ledger import Ledger, Mark, Result
from newsletter.dispatch.outage import Outage
from newsletter.dispatch.outcome import Fault, Outcome, Phase, Verdict

Entry = Mark | Result

UNTAKEN: Final = Outcome(
    verdict=Verdict.NOT_SENT,
    phase=Phase.DATA,
    fault=Fault.RELAY,
    note="the database went away while this was recorded, so it was not sent",
)
"""Of a mark that may have been committed although the database could not say so."""


class _Wait(NamedTuple):
    entries: Sequence[Entry]
    done: "asyncio.Future[list[bool]]"


class Writer:
    """
    Takes entries from many tasks and hands them to the ledger in groups.

    With `threaded` the commit runs in a thread of its own, so that connections go on reading while a database server
    is at work; on SQLite the hop costs more than the commit.
    """

    def __init__(
        self, ledger: Ledger, *, now: Callable[[], dt.datetime], outage: Outage, log: Any, threaded: bool = False
    ) -> None:
        self._ledger = ledger
        self._now = now
        self._outage = outage
        self._log = log
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger") if threaded else None
        self._waiting: list[_Wait] = []
        self._is_due = False
        self._in_doubt = False

    async def write(self, entries: Sequence[Entry]) -> list[bool]:
        """
        Commit entries in one transaction, shared with whoever else waits; says of each whether it held.

        Waits as long as the database is away. Raises what else the database raised, for everybody in the group.
        """
        loop = self._loop
        done: asyncio.Future[list[bool]] = loop.create_future()
        self._waiting.append(_Wait(entries, done))
        if not self._is_due:
            self._is_due = True
            loop.call_soon(loop.call_soon, self._flush)  # not in the next iteration, but in the one after
        return await done

    def close(self, *, wait: bool = True) -> None:
        """Let go of the thread; with `wait` what it is committing is committed."""
        if self._thread is not None:
            self._thread.shutdown(wait=wait)

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        """The loop of those who write, asked for once: each time would cost a call of the kernel."""
        return asyncio.get_running_loop()

    def _flush(self) -> None:
        group, self._waiting = self._waiting, []
        entries = [entry for wait in group for entry in wait.entries]
        if self._thread is not None:
            self._thread.submit(self._commit_aside, group, entries)
            return
        try:
            held = self._commit(entries)
        except Exception as error:  # noqa: BLE001  each waiting connection must hear of it
            self._failed(group, error)
        else:
            self._answer(group, held)

    def _commit_aside(self, group: list[_Wait], entries: list[Entry]) -> None:
        """Of the thread: a future that loop and thread shared would cost as much again as to hand over the answer."""
        try:
            held = self._commit(entries)
        except BaseException as error:  # noqa: BLE001  each waiting connection must hear of it
            answer = partial(self._failed, group, error)
        else:
            answer = partial(self._answer, group, held)
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
            self._loop.call_soon_threadsafe(answer)

    def _commit(self, entries: Sequence[Entry]) -> list[bool]:
        held = self._ledger.commit(entries, self._now())
        if not all(held):
            self._tell_refused([entry for entry, kept in zip(entries, held, strict=True) if not kept])
        if self._in_doubt:
            self._take_back([entry for entry, kept in zip(entries, held, strict=True) if not kept])
        return held

    def _tell_refused(self, entries: Sequence[Entry]) -> None:
        """Say, once a group, what was written too late: others have taken over. A single delivery's end is no news."""
        try:
            is_fenced = self._ledger.is_fenced()
        except Exception as error:
            if not outage.may_pass(error):
                raise
            return  # the group itself is committed
        if is_fenced:
            marks = sum(isinstance(entry, Mark) for entry in entries)
            self._log.error("late write refused: declared dead", marks=marks, results=len(entries) - marks)

    def _take_back(self, entries: Sequence[Entry]) -> None:
        """
        Undo marks that do not hold because a first commit of them had reached the database after all.

        A mark that does not hold for any other reason is not ours any more, and the result of it hits no row.
        """
        lost = [
            Result(claim=entry.claim, outcome=UNTAKEN, marked=True, relay="")
            for entry in entries
            if isinstance(entry, Mark)
        ]
        if lost:
            self._ledger.commit(lost, self._now())

    def _answer(self, group: list[_Wait], held: list[bool]) -> None:
        self._in_doubt = False
        self._outage.ended(now=clock())
        at = 0
        for wait in group:
            until = at + len(wait.entries)
            if not wait.done.done():  # whoever was cut off does not wait any more
                wait.done.set_result(held[at:until])
            at = until
        self._is_due = bool(self._waiting)
        if self._is_due:
            self._loop.call_soon(self._flush)

    def _failed(self, group: list[_Wait], error: BaseException) -> None:
        if outage.may_pass(error):
            self._in_doubt = True
            self._waiting = [*group, *self._waiting]
            self._outage.began(error, now=clock())
            self._loop.call_later(outage.RETRY_SECONDS, self._flush)
            return
        group, self._waiting, self._is_due = [*group, *self._waiting], [], False
        for wait in group:
            if not wait.done.done():
                wait.done.set_exception(error)
