"""
The dispatcher: folds ledger, composer, relay and writer together until nothing is left to do.

One task claims, each connection has a task of its own, one task writes. What a connection does with a message is
always mark, content, result; only the writer touches the database meanwhile.
"""

import asyncio
import contextlib
import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Protocol

from newsletter.dispatch.ledger import Claim, Ledger, Mark, Result, Standing
from newsletter.dispatch.outcome import Fault, Outcome, Phase, Verdict
from newsletter.dispatch.relay import Connection, Envelope, Relay, RelayDown
from newsletter.dispatch.retry import Backoff, next_attempt
from newsletter.dispatch.writer import Writer
from newsletter.logs import logger
from subscribers.address import masked

POLL_SECONDS: Final = 0.5
"""How soon a new run, a resumed one or a retry that is due is noticed."""

FIRST_PAUSE: Final = 1.0
"""Seconds before the second attempt at a relay that is down; each further wait is twice as long."""

LONGEST_PAUSE: Final = 60.0
"""The longest such wait, in seconds."""

IDLE_SECONDS: Final = 20.0
"""An idle connection is closed before the relay does it (Postfix: 300 s, many others 30 s)."""

SENDER_FAULTS: Final = 3
"""Refusals of the sender without an acceptance between them, after which the run is paused."""


class Ending(Enum):
    """Why the dispatcher came back, and the exit code that says so."""

    #: Everything due has ended.
    DONE = 0
    #: Something is due later than the patience allows, the relay stays away, or a run was paused on the way.
    WAITING = 4
    #: Everything has ended, some deliveries uncertain.
    UNCERTAIN = 5
    #: Asked to stop.
    STOPPED = -1


class Composer(Protocol):
    """Makes messages of claims; those whose person has gone are left out."""

    def __call__(self, claims: Sequence[Claim]) -> list[tuple[Claim, Envelope]]:
        """Return each claim with its message, in order."""
        ...


@dataclass(kw_only=True)
class Progress:
    """What has happened so far, for progress bars."""

    accepted: int = 0
    deferred: int = 0
    refused: int = 0
    uncertain: int = 0

    def count(self, verdict: Verdict) -> None:
        """Add one outcome."""
        if verdict is not Verdict.NOT_SENT:
            setattr(self, verdict.value, getattr(self, verdict.value) + 1)


@dataclass(kw_only=True)
class Dispatcher:
    """
    Sends what is due over one relay.

    `wake` is called every half second and starts due runs (it is the pipeline's); `finished` is told the issues of
    which the last delivery has ended.
    """

    ledger: Ledger
    relay: Relay
    compose: Composer
    connections: int
    backoff: Backoff
    now: Callable[[], dt.datetime]
    wake: Callable[[], object] = lambda: None
    finished: Callable[[list[int]], object] = lambda _: None
    progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        self._log = logger("dispatch")
        self._stopping = asyncio.Event()
        self._stirred = asyncio.Event()
        self._ready: asyncio.Queue[_Item | None] = asyncio.Queue()
        self._busy = 0
        self._open = 0
        self._on_the_wire = 0
        self._runs: set[int] = set()
        self._sender_faults: Counter[int | None] = Counter()
        self._looked: float | None = None
        self._unheard_since: float | None = None
        self._writer = Writer(self.ledger, now=self.now)

    def stop(self) -> None:
        """Begin nothing new, end what is under way, come back. Safe to call twice, from a signal handler too."""
        self._stopping.set()
        self._stirred.set()

    async def run(self, *, until_done: bool = False, patience: float = 60.0) -> Ending:
        """
        Dispatch until stopped, or with `until_done` until everything due has ended.

        `patience` (seconds) is how long to wait for what is due later, and for a relay that is down.
        """
        released, uncertain = self.ledger.take_over(self.now())
        if released or uncertain:
            self._log.warning("taken over", planned_again=released, uncertain=uncertain)
        writer = asyncio.create_task(self._writer.run())
        feeder = asyncio.create_task(self._feed(until_done=until_done, patience=patience))
        senders = [asyncio.create_task(self._send_all()) for _ in range(self.connections)]
        tasks: list[asyncio.Task[Any]] = [feeder, writer, *senders]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            self.stop()
            await asyncio.wait([feeder])
            recalled = self._recalled()
            drained = asyncio.gather(*senders, return_exceptions=True)
            either: list[asyncio.Future[Any]] = [writer, drained]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            self.ledger.release(recalled, self.now())
            for task in tasks:
                if task.done():
                    task.result()
            return feeder.result()
        finally:
            for task in tasks:
                task.cancel()

    async def _feed(self, *, until_done: bool, patience: float) -> Ending:
        """Keep the connections supplied; decide when everything has ended."""
        while not self._stopping.is_set():
            self._look()
            came = self._fill()
            if not (came or self._busy or self._ready.qsize()):
                self.finished(self.ledger.finished_runs(self.now()))
                if until_done and (ending := self._ending(patience)):
                    return ending
            if until_done and self._unheard_for(patience):
                return Ending.WAITING
            await self._rest()
        return Ending.STOPPED

    def _look(self) -> None:
        """Start due runs and plan again what was uncertain; not after every message, since both read the database."""
        if self._looked is None or _clock() - self._looked >= POLL_SECONDS:
            self.wake()
            self.ledger.sweep(self.now())
            self._looked = _clock()

    def _fill(self) -> int:
        """Claim and compose as much as keeps every connection busy; returns how many came."""
        wanted = 2 * self.connections - self._ready.qsize()
        if wanted < self.connections:
            return 0
        claims = self.ledger.claim(wanted, self.now())
        composed = self.compose(claims) if claims else []
        kept = {claim.delivery_id for claim, _ in composed}
        self.ledger.drop([claim for claim in claims if claim.delivery_id not in kept], self.now())
        for claim, envelope in composed:
            if claim.run_id is not None:
                self._runs.add(claim.run_id)
            self._ready.put_nowait((claim, envelope))
        return len(claims)

    async def _rest(self) -> None:
        """Wait until a connection has become free, or until it is time to look again."""
        self._stirred.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stirred.wait(), POLL_SECONDS)

    def _recalled(self) -> list[Claim]:
        """Take back what no connection has begun, and let the connections end."""
        items = [self._ready.get_nowait() for _ in range(self._ready.qsize())]
        for _ in range(self.connections):
            self._ready.put_nowait(None)
        return [item[0] for item in items if item]

    def _ending(self, patience: float) -> Ending | None:
        standing, soonest = self.ledger.standing(self.now())
        if standing is Standing.DONE:
            if self.ledger.paused_among(self._runs):
                return Ending.WAITING
            return Ending.UNCERTAIN if self.ledger.uncertain_among(self._runs) else Ending.DONE
        if standing is Standing.WAITING and soonest and (soonest - self.now()).total_seconds() > patience:
            return Ending.WAITING
        return None

    def _unheard_for(self, patience: float) -> bool:
        """Whether the relay has had nothing to say about any message for so long."""
        since = self._unheard_since
        return since is not None and not self._on_the_wire and _clock() - since > patience

    async def _send_all(self) -> None:
        """Send messages one after another until there are no more to come."""
        line = _Line()
        try:
            while (item := await self._next(line)) is not None:
                self._busy += 1
                wait = await self._carry(line, item)
                self._busy -= 1
                self._stirred.set()
                await self._pause(wait)
        finally:
            await self._part(line)

    async def _next(self, line: "_Line") -> "_Item | None":
        """The next message, None where there are no more; a connection that stays idle is closed meanwhile."""
        while not self._stopping.is_set():
            try:
                return await asyncio.wait_for(self._ready.get(), IDLE_SECONDS if line.connection else None)
            except TimeoutError:
                await self._part(line)
        return None

    async def _carry(self, line: "_Line", item: "_Item") -> float:
        """Try one message over a line, which is opened first if need be; returns how long to wait, in seconds."""
        connection = line.connection or await self._connect(line)
        if connection is None:
            self._put_back(item)
            return next(line.pauses)
        outcome = await self._deliver(connection, *item)
        served = line.served
        if outcome is None or outcome.closes:
            await self._part(line)
        if outcome is None:
            return 0
        if outcome.verdict is not Verdict.NOT_SENT:
            line.served, line.pauses, self._unheard_since = True, _pauses(), None
            return 0
        self._unheard()
        return 0 if served else next(line.pauses)  # a relay that parts after so many messages is greeted again at once

    async def _connect(self, line: "_Line") -> Connection | None:
        try:
            line.connection = await self.relay.open()
        except RelayDown as down:
            if not self._open and self._unheard():  # a relay that takes no more connections than it has is not away
                self._log.error("relay away", relay=self.relay.name, phase=down.outcome.phase.name, words=str(down))
            return None
        line.served = False
        self._open += 1
        return line.connection

    async def _part(self, line: "_Line") -> None:
        connection, line.connection = line.connection, None
        if connection is not None:
            self._open -= 1
            await connection.close()

    def _put_back(self, item: "_Item") -> None:
        """Leave a message to the connections that stand, or give it back where nothing new is begun."""
        if self._stopping.is_set():
            self.ledger.release([item[0]], self.now())
        else:
            self._ready.put_nowait(item)

    async def _pause(self, seconds: float) -> None:
        if not seconds:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _unheard(self) -> bool:
        """Note that the relay has said nothing about a message; returns whether that is new."""
        if self._unheard_since is not None:
            return False
        self._unheard_since = _clock()
        return True

    async def _deliver(self, connection: Connection, claim: Claim, envelope: Envelope) -> Outcome | None:
        """Send one message and commit its outcome; None where the delivery was no longer ours."""
        marked = False

        async def mark() -> bool:
            nonlocal marked
            marked = await self._writer.write(Mark(claim=claim))
            return marked

        self._on_the_wire += 1
        outcome = await connection.send(envelope, mark)
        self._on_the_wire -= 1
        if outcome is None:
            self._log.info("fenced", delivery=claim.delivery_id, mailing=claim.mailing)
            return None
        now = self.now()
        retry = next_attempt(self.backoff, since=claim.since, now=now, jitter=_jitter(claim))
        result = Result(
            claim=claim,
            outcome=outcome,
            marked=marked,
            relay=self.relay.name,
            next_at=retry.at if retry else None,
        )
        held = await self._writer.write(result)
        self._tell(claim, outcome, held=held)
        return outcome

    def _tell(self, claim: Claim, outcome: Outcome, *, held: bool) -> None:
        self.progress.count(outcome.verdict)
        self._log.info(
            "attempt",
            delivery=claim.delivery_id,
            mailing=claim.mailing,
            number=claim.number,
            verdict=outcome.verdict.value,
            fault=outcome.fault.value if outcome.fault else None,
            phase=outcome.phase.name,
            code=outcome.reply.code if outcome.reply else None,
            held=held,
        )
        if outcome.verdict is Verdict.ACCEPTED:
            self._sender_faults.pop(claim.run_id, None)
        elif _speaks_of_us(outcome):
            self._sender_faults[claim.run_id] += 1
            self._pause_run(claim.run_id, outcome)

    def _pause_run(self, run_id: int | None, outcome: Outcome) -> None:
        """Stop a run that the relay goes on refusing for what we are or say, before its recipients pay for it."""
        if run_id is None or self._sender_faults[run_id] < SENDER_FAULTS:
            return
        reason = f"the relay refuses this mailing: {masked(outcome.words)}"
        if self.ledger.pause(run_id, reason, self.now()):
            self._log.error("run paused", run=run_id, words=reason)
        self._sender_faults.pop(run_id)  # whoever resumes the run gives it a fresh chance


_Item = tuple[Claim, Envelope]


def _clock() -> float:
    return asyncio.get_running_loop().time()


def _pauses() -> Iterator[float]:
    """Seconds between attempts at a relay that is away: doubling, then steady."""
    seconds = FIRST_PAUSE
    while True:
        yield seconds
        seconds = min(2 * seconds, LONGEST_PAUSE)


@dataclass(slots=True)
class _Line:
    """What a connection's task remembers: the open connection, whether it has carried anything, how long to wait."""

    connection: Connection | None = None
    served: bool = False
    pauses: Iterator[float] = field(default_factory=_pauses)


def _jitter(claim: Claim) -> float:
    """A number from 0 to 1 that belongs to the attempt: retries spread, and a test can foretell them."""
    digest = hashlib.blake2b(f"{claim.mailing}/{claim.digest}/{claim.number}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 0xFFFF_FFFF


def _speaks_of_us(outcome: Outcome) -> bool:
    """Whether a refusal is about sender, content or envelope sender, and so would meet every recipient alike."""
    permanent = outcome.reply is not None and outcome.reply.code // 100 == 5  # noqa: PLR2004  RFC 5321 §4.2.1
    return permanent and (outcome.fault in {Fault.SENDER, Fault.CONTENT} or outcome.phase is Phase.MAIL)
