"""
Leases: the shared paces of one dispatcher, and the thread in which the database is asked for them.

Takes sessions, yields paces for relays, promises that the loop never waits for the database and that it is asked only
while there is something to send. Where it is away there are no leases, and so nothing is sent: nothing could be
recorded either. The thread comes with the first question and goes when the loop has gone; its connection goes, and what
is left of leases is given back, when nothing has been wanted for a moment.
"""

import asyncio
import contextlib
import datetime as dt
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from newsletter.database import Sessions
from newsletter.dispatch import allowances, outage
from newsletter.dispatch.leased_bucket import LeasedBucket, Rate
from newsletter.dispatch.leased_warm_up import LeasedWarmUp
from newsletter.dispatch.leasing import Leased
from newsletter.dispatch.transactions import Transactions

IDLE_SECONDS: Final = 1.0
"""How long nothing is asked before it is looked whether anything is wanted still."""

Answer = Callable[[float], None]
"""Tells a pace what was leased, given what time it is in the loop."""


class _Source(Protocol):
    """What a pace leases from; called in the thread."""

    def lease(self, number: int) -> Answer: ...

    def take_back(self, number: int) -> None: ...


class Leases:
    """The leases of one dispatcher, whose paces are made first; `serve` is called before it begins."""

    def __init__(self, sessions: Sessions) -> None:
        self._worker: Callable[[], str] = lambda: ""
        self._is_wanted: Callable[[], bool] = lambda: True
        self._sessions = sessions
        self._transactions = Transactions(sessions)
        self._paces: list[tuple[Leased, _Source]] = []
        self._asked: queue.SimpleQueue[Callable[[], Callable[[], object]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def bucket(self, relay: str, per_second: float) -> LeasedBucket:
        """The pace of a relay that takes so many messages a second from all workers."""
        rate = Rate(per_second)
        pace = LeasedBucket(rate)
        self._enlist(pace, _Tokens(self._transactions, relay, rate, pace))
        return pace

    def warm_up(self, relay: str, quotas: Sequence[int], *, start: dt.date) -> LeasedWarmUp:
        """The pace of one that takes so many on each day."""
        pace = LeasedWarmUp()
        self._enlist(pace, _Quota(self._sessions, relay, pace, quotas, start, worker=self._whose))
        return pace

    def serve(self, worker: Callable[[], str], is_wanted: Callable[[], bool]) -> None:
        """Lease in the name of a worker's life in the ledger, and only while there is something to send."""
        self._worker, self._is_wanted = worker, is_wanted

    def _whose(self) -> str:
        return self._worker()

    def _wants(self) -> bool:
        return self._is_wanted()

    def _enlist(self, pace: Leased, source: _Source) -> None:
        pace.is_wanted = self._wants
        pace.ask = lambda number: self._ask(pace, source, number)
        self._paces.append((pace, source))

    def _ask(self, pace: Leased, source: _Source, number: int) -> None:
        """Have the thread ask, and the pace hear in the loop what came of it."""
        loop = asyncio.get_running_loop()

        def work() -> Callable[[], object]:
            try:
                answer = source.lease(number)
            except Exception as error:  # noqa: BLE001  told to the pace, whose dispatcher ends for it
                lasting = None if outage.may_pass(error) else error
                return lambda: pace.failed(lasting, now=loop.time())
            return lambda: answer(loop.time())

        self._asked.put(work)
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, args=(loop,), name="leases", daemon=True)
            self._thread.start()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            while True:
                try:
                    then = self._asked.get(timeout=IDLE_SECONDS)()
                except queue.Empty:
                    then = self._settle
                loop.call_soon_threadsafe(then)
        self._transactions.part()

    def _settle(self) -> None:
        """Give back what nobody wants; in the loop, where the paces live."""
        if self._is_wanted():
            return
        for pace, source in self._paces:
            if number := pace.give_up():
                self._asked.put(partial(_returned, source, number))
        self._asked.put(self._part)

    def _part(self) -> Callable[[], object]:
        self._transactions.part()
        return lambda: None


def _returned(source: _Source, number: int) -> Callable[[], object]:
    with contextlib.suppress(Exception):  # it is lost then, which nobody waits for
        source.take_back(number)
    return lambda: None


@dataclass(slots=True)
class _Tokens:
    """The tokens of a relay's bucket."""

    transactions: Transactions
    relay: str
    rate: Rate
    pace: LeasedBucket
    _seen: dt.datetime | None = field(default=None, init=False)

    def lease(self, number: int) -> Answer:
        with self.transactions.group(at_once=True) as connection:
            self._seen, full_in = allowances.lease_tokens(connection, self.relay, number=number, rate=self.rate)
        waits = self.rate.waits(number, full_in=full_in)
        return lambda now: self.pace.answered([now + wait for wait in waits], now=now)

    def take_back(self, number: int) -> None:
        if self._seen is not None:
            with self.transactions.group(at_once=True) as connection:
                allowances.return_tokens(connection, self.relay, number=number, rate=self.rate, seen=self._seen)


@dataclass(slots=True)
class _Quota:
    """The number of a relay for a day."""

    sessions: Sessions
    relay: str
    pace: LeasedWarmUp
    quotas: Sequence[int]
    start: dt.date
    worker: Callable[[], str] = field(kw_only=True)

    def lease(self, number: int) -> Answer:
        with self.sessions() as session:
            share = allowances.lease_quota(
                session,
                self.relay,
                worker=self.worker(),
                number=number,
                quotas=self.quotas,
                start=self.start,
            )
            session.commit()
        return lambda now: self.pace.answered(share, now=now)

    def take_back(self, number: int) -> None:
        with self.sessions() as session:
            allowances.return_quota(session, self.relay, worker=self.worker(), number=number)
            session.commit()
