"""
A line: what one connection does, from the first message to the last.

It works in turns (see `relay`): the content of the message that it holds and the envelope of the next one, then one
commit of the result of the former and the mark of the latter, shared with every other line. Promises that no content is
written before its own mark and the result of the message before it are committed, so that at most one message a line is
ever in doubt; that a 354 does not stay open, neither for want of a message nor for its pace nor where somebody has
decided against the message; and that everything it has taken is sent, recorded or given back.
"""

import asyncio
import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from newsletter.dispatch.clock import clock
from newsletter.dispatch.judge import Judge
from newsletter.dispatch.ledger import Claim, Mark, Result
from newsletter.dispatch.outcome import Fault, Outcome, Phase, Verdict
from newsletter.dispatch.relay import Connection, RelayDown, Turn
from newsletter.dispatch.retry import Backoff, next_attempt
from newsletter.dispatch.route import Route
from newsletter.dispatch.stopping import Stopping
from newsletter.dispatch.supply import Item, Supply
from newsletter.dispatch.writer import Writer

FIRST_PAUSE: Final = 1.0
"""Seconds before the second attempt at a relay that is down; each further wait is twice as long."""

LONGEST_PAUSE: Final = 30.0
"""The longest such wait, in seconds: a relay that is back is found within half a minute."""

LONGEST_REST: Final = 60.0
"""How long a line that has to wait for its route rests at most before it looks again, in seconds."""

LONGEST_ASIDE: Final = 2.0
"""Seconds for which a message is set aside here; one that has to wait for longer goes back to the ledger."""

CROWDED_SECONDS: Final = 0.25
"""How long a line takes nothing where too much is set aside already."""

SLOW_OPENING: Final = 1.0
"""Seconds after which a line whose connection is still being made leaves its message to the others."""

IDLE_SECONDS: Final = 20.0
"""An idle connection is closed before the relay does it (Postfix: 300 s, many others 30 s)."""

LAST_WRITE_SECONDS: Final = 2.0
"""For recording what was cut off; where the database is away the next dispatcher finds it as uncertain."""

CUT: Final = Outcome(
    verdict=Verdict.UNCERTAIN,
    phase=Phase.CONTENT,
    fault=Fault.RELAY,
    note="cut off: the relay had not replied when the dispatcher had to end",
    closes=True,
)

UNSPOKEN: Final = frozenset({Verdict.NOT_SENT, Verdict.UNCERTAIN})
"""What no relay has said: one that goes on so is left alone, before everything is in doubt."""

POSTPONABLE: Final = frozenset({Verdict.DEFERRED, Verdict.REFUSED})
"""What may be tried again later: also a refusal that is not the recipient's fault."""

UNSENT: Final = Outcome(
    verdict=Verdict.NOT_SENT, phase=Phase.MAIL, fault=Fault.RELAY, note="cut off before the content", closes=True
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all lines of a dispatcher have in common."""

    supply: Supply
    writer: Writer
    judge: Judge
    stopping: Stopping
    backoff: Backoff
    now: Callable[[], dt.datetime]
    log: Any


class Line:
    """One connection of a route, opened when there is something to send and closed when there is not."""

    def __init__(self, route: Route, shared: Shared) -> None:
        self._route = route
        self._shared = shared
        self._connection: Connection | None = None
        self._held: Item | None = None
        self._following: Item | None = None
        self._later: tuple[Item, float] | None = None
        self._is_turning = False
        self._served = False
        self._pauses = _pauses()
        self.is_busy = False

    async def run(self) -> None:
        """Send one message after the other until nothing more is begun; cancelled, record what was cut off."""
        try:
            while await self._step():
                pass
        except asyncio.CancelledError:
            await self._cut_off()
        except BaseException:
            await self._part(at_once=True)
            raise
        else:
            await self._part()

    async def cut(self) -> None:
        """Cut a turn short, from another task: it tells then what is known of its messages."""
        if self._is_turning and self._connection is not None:
            await self._connection.close(at_once=True)

    def claims(self) -> list[Claim]:
        """What is in its hands without a mark, for whoever gives it back after the line has failed."""
        items = [self._following, self._later[0] if self._later else None]
        return [item[0] for item in items if item is not None]

    async def _step(self) -> bool:
        """One turn and its commit; returns whether there is more to come."""
        held = self._held
        following = self._following = self._offered() if held else await self._first()
        if self._connection is None or not (held or following):
            return False
        self._is_turning, route = True, self._route
        route.on_the_wire += 1
        try:
            turn = await self._connection.turn(held[1] if held else None, following[1] if following else None)
        finally:
            route.on_the_wire -= 1
        self._held, self._following, self._is_turning = None, None, False
        if turn.closed:
            await self._part(at_once=True)
        pause = self._hear(turn, held, following)
        await self._record(turn, held, following)
        if pause:
            self.is_busy = False
            await self._shared.stopping.rest(pause)
        return True

    def _offered(self) -> Item | None:
        """The message whose envelope can go out with the content of the one before: at hand, and without delay."""
        if self._shared.stopping:
            return None
        item = self._at_hand()
        if item is not None and (wait := self._wait_for(item)):
            self._later = item, clock() + wait
            return None
        return item

    async def _first(self) -> Item | None:
        """Wait for a message, until its time has come, and for a connection; None where nothing more is begun."""
        while (item := await self._due()) is not None:
            self._following = item
            may_try = self._connection is not None or self._route.breaker.admits(self, now=clock())
            is_open = may_try and (self._connection is not None or await self._open())
            if is_open and self._following is item:
                return item
            self._leave_to_others()
            if not is_open and not self._route.rests(self, now=clock()):
                await self._shared.stopping.rest(next(self._pauses))
        return None

    def _leave_to_others(self) -> None:
        """Put back the message that waits for a connection, if that was not done before."""
        item, self._following = self._following, None
        self.is_busy = False
        if item is not None:
            self._route.pace.forgo(item[1].recipient, now=clock())
            self._shared.supply.put_back(item)

    async def _due(self) -> Item | None:
        """The next message, once it may go; given back where there is the wish to stop."""
        if self._later is None:
            item = await self._awaited()
            if item is None:
                return None
            self._later = item, clock() + self._wait_for(item)
        item, due = self._later
        if (wait := due - clock()) > 0:
            if wait > IDLE_SECONDS:
                await self._part()
            await self._shared.stopping.rest(wait)
        self._later = None
        if self._shared.stopping:
            self._shared.supply.put_back(item)
            return None
        return item

    async def _awaited(self) -> Item | None:
        """The next message, None where there are no more; a connection that stays idle is closed meanwhile."""
        stopping = self._shared.stopping
        item = self._at_hand() if not stopping else None
        while item is None and not stopping:
            self.is_busy = False
            if self._connection is None:
                self._route.breaker.leave(self)
            if wait := self._rests():
                if wait > IDLE_SECONDS or not self._route.is_going:
                    await self._part()
                await stopping.rest(min(wait, LONGEST_REST))
                item = self._at_hand() if not stopping else None
            else:
                item = await self._next()
        self.is_busy = item is not None
        return item

    def _rests(self) -> float:
        """How long to take no message, in seconds: for the relay's sake, or since too many are set aside."""
        wait = self._route.rests(self, now=clock())
        is_crowded = not self._route.is_free and self._shared.supply.is_crowded
        return wait or (CROWDED_SECONDS if is_crowded else 0.0)

    async def _next(self) -> Item | None:
        """Wait for the supply; None where what came is not for us, or nothing did while the connection was idle."""
        supply, item = self._shared.supply, None
        try:
            async with asyncio.timeout(IDLE_SECONDS if self._connection else None):
                item = await supply.next()
        except TimeoutError:
            await self._part()
        if item is None or self._route.is_free:
            return item
        supply.put_back(item)
        return self._at_hand()

    def _at_hand(self) -> Item | None:
        """The next message that is ready and may go over this route now."""
        route, supply = self._route, self._shared.supply
        if route.is_free:
            return supply.at_hand()
        now = clock()
        if route.rests(self, now=now):
            return None
        while (item := supply.at_hand()) is not None:
            wait = route.pace.holds(item[1].recipient, now=now)
            if not wait and route.breaker.admits(self, now=now):
                return item
            if wait > LONGEST_ASIDE:
                supply.postpone(item, wait * (1 + _jitter(item[0])))  # spread: others come in between
            elif not supply.set_aside(item, wait):
                return None
        return None

    def _wait_for(self, item: Item) -> float:
        return self._route.pace.take(item[1].recipient, now=clock())

    async def _open(self) -> bool:
        """Open the connection; gives up at once where there is the wish to stop."""
        opening = asyncio.ensure_future(self._route.relay.open())
        wish = asyncio.ensure_future(self._shared.stopping.wait())
        try:
            await asyncio.wait([opening, wish], timeout=SLOW_OPENING, return_when=asyncio.FIRST_COMPLETED)
            if not opening.done() and not wish.done():
                self._leave_to_others()
                await asyncio.wait([opening, wish], return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                return False
            self._connection = opening.result()
        except RelayDown as down:
            self._missed(down)
            return False
        finally:
            await _given_up(wish)
            await _given_up(opening)
        self._served = False
        self._route.open_now += 1
        return True

    def _missed(self, down: RelayDown) -> None:
        """A relay that takes no more connections than it has is not away."""
        route = self._route
        route.pace.tell(down.outcome, recipient=None, now=clock())
        if route.open_now:
            route.breaker.leave(self)
            return
        if route.missed(clock()):
            phase = down.outcome.phase.name
            self._shared.log.error("relay away", relay=route.relay.name, phase=phase, words=str(down))
        self._faulted()

    def _faulted(self) -> None:
        """Count a fault of the relay; say so where it is left alone from now on."""
        breaker, was_closed = self._route.breaker, self._route.breaker.is_closed
        pause = breaker.fault(self, now=clock(), first=FIRST_PAUSE, longest=LONGEST_PAUSE)
        if pause:
            tell = self._shared.log.warning if was_closed else self._shared.log.info
            tell("relay left alone", relay=self._route.relay.name, seconds=pause)

    async def _part(self, *, at_once: bool = False) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._route.open_now -= 1
            await connection.close(at_once=at_once)

    def _hear(self, turn: Turn, held: Item | None, following: Item | None) -> float:
        """Learn from what the relay said; returns how long to leave it alone, in seconds."""
        route, is_told, has_spoken = self._route, False, False
        for item, outcome in ((held, turn.content), (following, turn.envelope)):
            if outcome is not None:
                route.pace.tell(outcome, recipient=item[1].recipient if item else None, now=clock())
                is_told, has_spoken = True, has_spoken or outcome.verdict not in UNSPOKEN
        if has_spoken:
            self._served, self._pauses = True, _pauses()
            if route.heard():
                self._shared.log.warning("relay back", relay=route.relay.name)
        elif is_told:
            route.unheard(clock())
            self._faulted()
            return 0 if self._served or route.rests(self, now=clock()) else next(self._pauses)
        return 0  # a relay that parts after so many messages is greeted again at once

    async def _record(self, turn: Turn, held: Item | None, following: Item | None) -> None:
        """Commit what has ended and what is to be written next, and go on only with what has held."""
        entries: list[Mark | Result] = []
        if held is not None:
            entries.append(self._result(held[0], turn.content or CUT, marked=True))
        goes_on = following is not None and turn.is_open and not self._shared.stopping
        if following is not None:
            unsent = turn.envelope or UNSENT
            entries.append(Mark(claim=following[0]) if goes_on else self._result(following[0], unsent, marked=False))
        kept = await self._shared.writer.write(entries)
        if goes_on and following is not None and kept[-1]:
            self._held = following
            self._shared.judge.marked(following[0])
        elif turn.is_open and following is not None:
            self._route.pace.forgo(following[1].recipient, now=clock())
            await self._part(at_once=True)  # nothing may follow this 354
        for entry, has_held in zip(entries, kept, strict=True):
            if isinstance(entry, Result):
                await self._shared.judge.ended(entry.claim, entry.outcome, held=has_held)
            elif not has_held:
                await self._shared.judge.fenced(entry.claim)

    def _result(self, claim: Claim, outcome: Outcome, *, marked: bool) -> Result:
        next_at = None
        if outcome.verdict in POSTPONABLE:
            now = self._shared.now()
            retry = next_attempt(self._shared.backoff, since=claim.since, now=now, jitter=_jitter(claim))
            next_at = retry.at if retry else None
        return Result(claim=claim, outcome=outcome, marked=marked, relay=self._route.relay.name, next_at=next_at)

    async def _cut_off(self) -> None:
        """Record a turn that was cut off: its content is uncertain, and an envelope is nothing yet."""
        entries = []
        if self._held is not None:
            outcome = CUT if self._is_turning else UNSENT
            entries.append(self._result(self._held[0], outcome, marked=True))
        entries += [self._result(claim, UNSENT, marked=False) for claim in self.claims()]
        self._held = self._following = self._later = None
        await self._part(at_once=True)
        if not entries:
            return
        writing = asyncio.ensure_future(self._shared.writer.write(entries))
        await asyncio.wait([writing], timeout=LAST_WRITE_SECONDS)
        if writing.done():
            for entry, has_held in zip(entries, writing.result(), strict=True):
                await self._shared.judge.ended(entry.claim, entry.outcome, held=has_held)
        else:
            writing.cancel()


async def _given_up(waiting: "asyncio.Future[Any]") -> None:
    """End a wait that is of no more use, whatever comes of it."""
    if not waiting.done():
        waiting.cancel()
        await asyncio.wait([waiting])
    if not waiting.cancelled():
        waiting.exception()  # looked at, or asyncio tells it as an accident


def _pauses() -> Iterator[float]:
    """Seconds between attempts at a relay that is away: doubling, then steady."""
    seconds = FIRST_PAUSE
    while True:
        yield seconds
        seconds = min(2 * seconds, LONGEST_PAUSE)


def _jitter(claim: Claim) -> float:
    """A number from 0 to 1 that belongs to the attempt: retries spread, and a test can foretell them."""
    digest = hashlib.blake2b(f"{claim.mailing}/{claim.digest}/{claim.number}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 0xFFFF_FFFF
