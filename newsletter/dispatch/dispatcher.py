"""
The dispatcher: folds supply, lines and writer together until nothing is left to do.

Takes what the ledger says is due, yields outcomes in the ledger, promises that nobody is lost and that at most one
message a connection is ever in doubt. One task claims ahead (`supply`), each connection has a task of its own (`line`),
the writer commits for all of them, and one task here looks after the runs: starts what is due, plans again what was
uncertain, takes over from dispatchers that have died, and decides when everything has ended.
"""

import asyncio
import contextlib
import datetime as dt
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeVar

from newsletter.dispatch import outage, supply
from newsletter.dispatch.clock import clock
from newsletter.dispatch.granted import Granted
from newsletter.dispatch.judge import Judge
from newsletter.dispatch.ledger import Claim, Ledger, Standing
from newsletter.dispatch.line import Line, Shared
from newsletter.dispatch.outage import Outage
from newsletter.dispatch.progress import Progress
from newsletter.dispatch.pulse import Pulse
from newsletter.dispatch.retry import Backoff
from newsletter.dispatch.route import Route
from newsletter.dispatch.stopping import Stopping
from newsletter.dispatch.supply import Composer, Supply
from newsletter.dispatch.writer import Writer
from newsletter.logs import logger

DRAIN_SECONDS: Final = 22.0
"""
How long a relay may take to reply once there is the wish to stop; then it is cut off.

A supervisor kills after 30 seconds, and the last commit and a QUIT (5 s) come after this.
"""

CUT_SECONDS: Final = 2.0
"""For what was cut off to be recorded; who has not come back by then is given up, and named by the next dispatcher."""

FENCED_SECONDS: Final = 3.0
"""How long a relay may take to reply to a dispatcher that others have taken over: what it says cannot be recorded."""

LAST_SECONDS: Final = 9.0
"""
After how long one that cannot reach the database has ended, whatever hangs: 30 seconds after it was cut off.

3 seconds for the relay, 2 for what was cut off, 2 for it to be recorded where the database is back, and some to spare.
"""

REAP_SECONDS: Final = 0.5
"""How often dispatchers that have died are looked for: an update that finds nothing, in a table of a few rows."""

Returned = TypeVar("Returned")


class Ending(Enum):
    """Why the dispatcher came back, and the exit code that says so."""

    #: Everything due has ended.
    DONE = 0
    #: Something is due later than the patience allows, no relay takes anything for longer, or a run was paused.
    WAITING = 4
    #: Everything has ended, some deliveries uncertain.
    UNCERTAIN = 5
    #: Declared dead by the database, or without a word from it: others take over (EX_TEMPFAIL, sysexits.h: try again).
    FENCED = 75
    #: Asked to stop.
    STOPPED = -1


@dataclass(kw_only=True)
class Dispatcher:
    """
    Sends what is due over its routes.

    `wake` is called every half second, in a thread, and starts due runs (it is the pipeline's); `finished` is told the
    issues of which the last delivery has ended. With `threaded` the database is a server that others work with too. It
    is asked in threads: one that hangs or is started again must not keep connections from reading. And who cannot reach
    it for `pulse.SILENT_SECONDS` ends; `perish` is called, in a thread, `LAST_SECONDS` later: calls that hang keep a
    process from ending by itself. What is `granted` is claimed before what is anybody's.
    """

    ledger: Ledger
    routes: Sequence[Route]
    composer: Composer
    backoff: Backoff
    now: Callable[[], dt.datetime]
    wake: Callable[[], object] = lambda: None
    finished: Callable[[list[int]], object] = lambda _: None
    progress: Progress = field(default_factory=Progress)
    threaded: bool = False
    perish: Callable[[], object] = lambda: None
    granted: Granted | None = None

    def __post_init__(self) -> None:
        self._log = logger("dispatch").bind()
        self._stopping = Stopping()
        self._cut = asyncio.Event()
        self._stirred = asyncio.Event()
        self._looked: float | None = None
        self._reaped: float | None = None
        self._is_fenced = self._is_silent = self._has_signed_off = False
        self._chores: list[asyncio.Task[Any]] = []
        self._outage = Outage(self._log)
        self._supply = Supply(
            self.ledger,
            self.composer,
            connections=sum(route.connections for route in self.routes),
            now=self.now,
            stopping=self._stopping,
            outage=self._outage,
            call=self._call,
            granted=self.granted,
        )
        self._supply.on_empty = self._stirred.set
        self._writer = Writer(self.ledger, now=self.now, outage=self._outage, log=self._log, threaded=self.threaded)
        judge = Judge(self.ledger, self._supply, now=self.now, call=self._call, progress=self.progress, log=self._log)
        shared = Shared(
            supply=self._supply,
            writer=self._writer,
            judge=judge,
            stopping=self._stopping,
            backoff=self.backoff,
            now=self.now,
            log=self._log,
        )
        self._lines = [Line(route, shared) for route in self.routes for _ in range(route.connections)]

    @property
    def has_messages(self) -> bool:
        """Whether there is something to send as far as it has looked."""
        return not self._supply.is_empty

    def stop(self) -> None:
        """Begin nothing new, end what is under way, come back. Safe to call twice, from a signal handler too."""
        self._stopping.set()
        if self.granted is not None:
            self.granted.close()
        self._stirred.set()
        self._supply.stir()

    def cut(self) -> None:
        """Come back at once: what the relay has not replied to is recorded as uncertain."""
        self.stop()
        self._cut.set()

    async def run(self, *, until_done: bool = False, patience: float = 60.0) -> Ending:
        """
        Dispatch until stopped, or with `until_done` until everything due has ended.

        `patience` (seconds) is how long to wait for what is due later, and for relays that are all down.
        """
        self._tell_taken(*self.ledger.take_over(self.now()))
        loop = asyncio.get_running_loop()
        failed: asyncio.Future[None] = loop.create_future()
        with Pulse(
            lambda: self.ledger.heartbeat(self.now()),
            fenced=lambda: loop.call_soon_threadsafe(self._fence),
            failed=lambda error: loop.call_soon_threadsafe(_fail, failed, error),
            silent=(lambda: self._fall_silent(loop)) if self.threaded else None,
        ):
            watching = asyncio.create_task(self._watch(until_done=until_done, patience=patience))
            feeding = asyncio.create_task(self._supply.run())
            self._chores = [watching, feeding]
            sending = [asyncio.create_task(line.run()) for line in self._lines]
            tasks: list[asyncio.Future[Any]] = [watching, feeding, *sending, failed]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                self.stop()
                await self._drain(sending)
                await asyncio.wait([watching, feeding])
                if not self._is_silent:
                    await self._give_back()
                for task in tasks:
                    if task.done() and not task.cancelled():
                        task.result()
                lived = not self._is_silent and await self._sign_off()
                return watching.result() if lived and not self._is_fenced else Ending.FENCED
            finally:
                for task in tasks:
                    task.cancel()
                self._writer.close(wait=not self._is_silent)
                self._supply.close()

    def _fence(self) -> None:
        if self._has_signed_off:
            return  # the pulse has found our own end
        self._log.error("declared dead: the database has not heard of this dispatcher for too long")
        self._is_fenced = True
        self.stop()
        asyncio.get_running_loop().call_later(FENCED_SECONDS, self._cut.set)

    def _fall_silent(self, loop: asyncio.AbstractEventLoop) -> None:
        """Of the pulse's thread: whatever happens to the loop from now on, the process ends."""
        ending = threading.Timer(LAST_SECONDS, self.perish)
        ending.daemon = True
        ending.start()
        loop.call_soon_threadsafe(self._unheard)

    def _unheard(self) -> None:
        self._log.error("no word from the database for too long: nothing new is begun, others take over")
        self._is_fenced = self._is_silent = True
        self.stop()
        for chore in self._chores:
            chore.cancel()  # what they ask hangs
        asyncio.get_running_loop().call_later(FENCED_SECONDS, self._cut.set)

    async def _drain(self, sending: Sequence["asyncio.Task[None]"]) -> None:
        """Let the lines end what is on the wire; cut off those whose relay stays silent."""
        cut = asyncio.ensure_future(self._cut.wait())
        drained = asyncio.ensure_future(asyncio.wait(sending))
        await asyncio.wait([cut, drained], timeout=DRAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not drained.done():
            self._log.warning("relay silent: cut off", connections=sum(not task.done() for task in sending))
            for line in self._lines:
                await line.cut()
            await asyncio.wait([drained], timeout=CUT_SECONDS)
        for task in sending:
            task.cancel()
        await drained
        cut.cancel()

    async def _give_back(self) -> None:
        """Release what no line has begun, and what a line that failed has not sent."""
        claims: list[Claim] = [*self._supply.recall_all(), *(claim for line in self._lines for claim in line.claims())]
        if not claims:
            return
        try:
            await self._call(self.ledger.release, claims, self.now())
        except Exception as error:
            if not outage.may_pass(error):
                raise
            self._log.error("database away: what is claimed is left to the next dispatcher", claims=len(claims))

    async def _sign_off(self) -> bool:
        """Say that all has ended; where the database is away our silence says it as well. False: others took over."""
        self._has_signed_off = True
        try:
            return await self._call(self.ledger.sign_off, self.now())
        except Exception as error:
            if not outage.may_pass(error):
                raise
            return True

    async def _watch(self, *, until_done: bool, patience: float) -> Ending:
        """Look after the runs; decide when everything has ended."""
        while not self._stopping:
            pause = supply.POLL_SECONDS
            try:
                await self._look()
                ending = await self._ended(until_done=until_done, patience=patience)
            except Exception as error:
                if not outage.may_pass(error):
                    raise
                self._outage.began(error, now=clock())
                ending, pause = None, outage.RETRY_SECONDS
            if ending:
                return ending
            self._stirred.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stirred.wait()
        return Ending.STOPPED

    async def _look(self) -> None:
        """Start due runs, plan again what was uncertain, take over; not after every message: all of it is queries."""
        if self._looked is not None and clock() - self._looked < supply.POLL_SECONDS:
            return
        await asyncio.to_thread(self.wake)
        swept = await self._call(self.ledger.sweep, self.now())
        if self._reaped is None or clock() - self._reaped >= REAP_SECONDS:
            self._tell_taken(*await self._call(self.ledger.reap, self.now()))
            self._reaped = clock()
        first, self._looked = self._looked is None, clock()
        if swept or first:
            self._supply.stir()

    def _tell_taken(self, released: int, uncertain: int) -> None:
        """Say what was taken from dispatchers that have died, and have it claimed at once."""
        if released or uncertain:
            self._log.warning("taken over", planned_again=released, uncertain=uncertain)
            if self.granted is not None:
                self.granted.take(self.ledger.freed)

    async def _ended(self, *, until_done: bool, patience: float) -> Ending | None:
        """Close what has ended; with `until_done`, say whether that is all."""
        is_idle = not any(line.is_busy for line in self._lines)
        if self._supply.is_empty and is_idle:
            ending = await self._call(self._ending, patience) if until_done else None
            # Asked afterwards: what somebody else, dead perhaps, has ended between the two questions is closed as well.
            issues = await self._call(self.ledger.finished_runs, self.now())
            if issues:
                await self._call(self.finished, issues)
            if ending:
                return ending
        if until_done and self._is_in_vain(patience, is_idle=is_idle):
            return Ending.WAITING
        return None

    def _is_in_vain(self, patience: float, *, is_idle: bool) -> bool:
        """Whether no relay takes anything for longer than the patience; one without quota only if messages are left."""
        now = clock()
        if all(route.is_silent(patience, now=now) for route in self.routes):
            return True
        is_left = is_idle and not self._supply.is_empty
        return is_left and all(route.is_out(patience, now=now) for route in self.routes)

    def _ending(self, patience: float) -> Ending | None:
        standing, soonest = self.ledger.standing(self.now())
        if standing is Standing.DONE:
            if self.ledger.paused_among(self._supply.runs):
                return Ending.WAITING
            return Ending.UNCERTAIN if self.ledger.uncertain_among(self._supply.runs) else Ending.DONE
        if standing is Standing.WAITING and soonest and (soonest - self.now()).total_seconds() > patience:
            return Ending.WAITING
        return None

    async def _call(self, function: Callable[..., Returned], *arguments: Any) -> Returned:
        if self.threaded:
            return await asyncio.to_thread(function, *arguments)
        return function(*arguments)


def _fail(future: "asyncio.Future[None]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
