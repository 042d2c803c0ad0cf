"""
The supply: claims deliveries in batches and hands out their messages one by one.

Takes nothing but what the ledger has to give, yields claims with their messages, promises that a message is composed
right before it is needed (signed ones: a bounded number ahead), so that memory does not grow with the run, and that a
claim which it has taken is either handed out or given back. Claiming costs a message next to nothing: a batch is
claimed and its people are read in a few statements, and the next one when half of it has gone.
"""

import asyncio
import contextlib
import datetime as dt
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol

from newsletter.dispatch import outage
from newsletter.dispatch.clock import clock
from newsletter.dispatch.composer import Draft
from newsletter.dispatch.granted import Granted
from newsletter.dispatch.ledger import Claim, Ledger, Result
from newsletter.dispatch.outage import Outage
from newsletter.dispatch.outcome import Outcome
from newsletter.dispatch.relay import Envelope
from newsletter.dispatch.signing import Signing
from newsletter.dispatch.stopping import Stopping

POLL_SECONDS: Final = 0.5
"""How soon a new run, a resumed one or a retry that is due is noticed."""

MOST: Final = 512
"""Claims in a batch: a transaction of a few milliseconds."""

PER_CONNECTION: Final = 4
"""The smallest batch, times the connections: none of them waits for the next claim."""

BRISK_SECONDS: Final = 1.0
"""A batch that is used up sooner is followed by one twice as large."""

SLOW_SECONDS: Final = 10.0
"""One that lasts longer is followed by one half as large: what is claimed and not sent is out of others' reach."""

ASIDE_PART: Final = 5
"""At most a fifth of a batch is set aside: the rest has to be there for those who can send it."""

Item = tuple[Claim, Envelope]
"""A claim and its message."""


class Composer(Protocol):
    """Makes messages of claims."""

    @property
    def signs(self) -> bool:
        """Whether messages are signed, and so better composed in threads."""
        ...

    def look_up(self, claims: Sequence[Claim]) -> list[Draft]:
        """Read what the messages need, in order; those whose person has gone are left out."""
        ...

    def objection(self, draft: Draft) -> Outcome | None:
        """Say why no message can be written to this person; None where one can."""
        ...

    def compose(self, draft: Draft) -> Envelope:
        """Make one message; touches no database and may run in any thread."""
        ...


class Supply:
    """What is claimed and not yet taken by a connection; `run` keeps it filled."""

    def __init__(
        self,
        ledger: Ledger,
        composer: Composer,
        *,
        connections: int,
        now: Callable[[], dt.datetime],
        stopping: Stopping,
        outage: Outage,
        call: Callable[..., Any],
        granted: Granted | None = None,
    ) -> None:
        """
        Call blocking functions through `call`, in a thread or here; see `dispatcher`.

        With `granted` what lies in granted shards is claimed before what is anybody's.
        """
        self._ledger = ledger
        self._compose = composer.compose
        self._look_up = composer.look_up
        self._objection = composer.objection
        self._now = now
        self._stopping = stopping
        self._outage = outage
        self._call = call
        self._granted = granted
        if granted is not None:
            granted.on_grant = self.stir
        self._least = PER_CONNECTION * connections
        self._size = self._least
        self._filled_at = 0.0
        self._is_dry = False
        self._unread: list[Claim] = []
        self._drafts: deque[Draft] = deque()
        self._returned: deque[Item] = deque()
        self._aside: dict[int, tuple[Item, asyncio.TimerHandle]] = {}
        self._postponed: list[tuple[Claim, dt.datetime]] = []
        self._signing = (
            Signing(composer.compose, drafts=self._drafts, ahead=2 * connections) if composer.signs else None
        )
        self._needed = asyncio.Event()
        self._came = asyncio.Event()
        self.runs: set[int] = set()
        self.on_empty: Callable[[], object] = lambda: None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is at hand and nothing is being made ready."""
        waiting = self._aside or self._postponed
        return not (self._drafts or self._returned or self._signing or self._unread or waiting)

    def at_hand(self) -> Item | None:
        """The next message, None where none is ready. Raises what composing it raised."""
        if self._returned:
            return self._returned.popleft()
        if self._signing is not None:
            item = self._signing.at_hand()
            self._signing.top_up()
        elif self._drafts:
            draft = self._drafts[0]
            item = draft.claim, self._compose(draft)
            self._drafts.popleft()
        else:
            item = None
        if not self._is_dry and 2 * len(self._drafts) < self._size:
            self._needed.set()
        return item

    async def next(self) -> Item | None:
        """Wait for the next message; None once nothing more is begun."""
        while not self._stopping:
            if (item := self.at_hand()) is not None:
                return item
            if self._signing is not None and (item := await self._signing.next()) is not None:
                self._signing.top_up()
                return item
            self._came.clear()
            self.on_empty()
            await self._came.wait()
        return None

    def put_back(self, item: Item) -> None:
        """Leave a message to the other connections."""
        self._returned.append(item)
        self._came.set()

    def set_aside(self, item: Item, seconds: float) -> bool:
        """Put a message back after so many seconds; returns whether there is room for more of them."""
        delivery_id = item[0].delivery_id
        timer = asyncio.get_running_loop().call_later(seconds, self._back_from_aside, delivery_id)
        self._aside[delivery_id] = item, timer
        return not self.is_crowded

    @property
    def is_crowded(self) -> bool:
        """Whether as many messages are set aside as may be."""
        return len(self._aside) >= max(1, self._size // ASIDE_PART)

    def postpone(self, item: Item, seconds: float) -> None:
        """Leave a message to the ledger, to be claimed again after so many seconds; it is no attempt."""
        self._postponed.append((item[0], self._now() + dt.timedelta(seconds=seconds)))
        self._needed.set()

    def keep(self, claims: Sequence[Claim]) -> None:
        """Take charge of claims again that could not be given back."""
        self._unread = [*self._unread, *claims]

    def stir(self) -> None:
        """Look for more at once: something may have become ready, or there is the wish to stop."""
        self._needed.set()
        if self._stopping:
            self._came.set()

    def recall(self, run_id: int | None) -> list[Claim]:
        """Take back what of a run no connection has taken; it is for the caller to release."""
        return self._taken_back(lambda claim: claim.run_id == run_id)

    def recall_all(self) -> list[Claim]:
        """Take back everything that no connection has taken."""
        return self._taken_back(lambda _claim: True)

    def close(self) -> None:
        """Let go of the threads."""
        if self._signing is not None:
            self._signing.close()

    async def run(self) -> None:
        """Keep filled until there is the wish to stop."""
        while not self._stopping:
            pause = POLL_SECONDS
            self._needed.clear()
            try:
                await self._give_later()
                if 2 * len(self._drafts) < self._size:
                    await self._fill()
            except Exception as error:
                if not outage.may_pass(error):
                    raise
                self._outage.began(error, now=clock())
                pause = outage.RETRY_SECONDS
            await self._rest(pause)

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._needed.wait()

    def _back_from_aside(self, delivery_id: int) -> None:
        item, _ = self._aside.pop(delivery_id)
        self.put_back(item)

    async def _give_later(self) -> None:
        """Give what is postponed back to the ledger; what it did not take is still there for the next time."""
        if self._postponed:
            given = list(self._postponed)
            await self._call(self._ledger.postpone, given, self._now())
            gone = {claim.delivery_id for claim, _ in given}
            self._postponed = [later for later in self._postponed if later[0].delivery_id not in gone]

    async def _fill(self) -> None:
        """Claim a batch, unless one is still unread because the database went away, and read what it needs."""
        if not self._unread:
            self._size = self._next_size()
            self._unread = await self._claimed()
            self._is_dry = not self._unread  # then it is looked again after a while only, not for every message
            self._outage.ended(now=clock())
        if not self._unread:
            return
        await asyncio.sleep(0)  # connections come in between: each of the two takes as long as a dozen messages
        drafts: list[Draft] = await self._call(self._look_up, self._unread)
        found = {draft.claim.delivery_id for draft in drafts}
        if gone := [claim for claim in self._unread if claim.delivery_id not in found]:
            await self._call(self._ledger.drop, gone, self._now())
        drafts = await self._writable(drafts)
        still = {claim.delivery_id for claim in self._unread}  # less than was read, where a run was recalled meanwhile
        drafts = [draft for draft in drafts if draft.claim.delivery_id in still]
        self._unread = []
        self._drafts.extend(drafts)
        self.runs.update(draft.claim.run_id for draft in drafts if draft.claim.run_id is not None)
        if self._signing is not None:
            self._signing.top_up()
        self._came.set()

    async def _claimed(self) -> list[Claim]:
        if self._granted is None:
            claims: list[Claim] = await self._call(self._ledger.claim, self._size, self._now())
            return claims
        claim = partial(self._ledger.claim_within, self._granted.shards, limit=self._size, now=self._now())
        claims, spent = await self._call(claim)
        self._granted.spend(spent)
        return claims

    async def _writable(self, drafts: list[Draft]) -> list[Draft]:
        """Record whom no message can be written to; returns the others."""
        told = [(draft, self._objection(draft)) for draft in drafts]
        refused = [
            Result(claim=draft.claim, outcome=outcome, marked=False, relay="") for draft, outcome in told if outcome
        ]
        if refused:
            await self._call(self._ledger.commit, refused, self._now())
        return [draft for draft, outcome in told if outcome is None]

    def _next_size(self) -> int:
        """How many to claim, by how long the last batch has lasted."""
        now = clock()
        lasted, self._filled_at = now - self._filled_at, now
        if self._is_dry or lasted > SLOW_SECONDS:
            return max(self._least, self._size // 2)
        return min(2 * self._size, max(MOST, self._least)) if lasted < BRISK_SECONDS else self._size

    def _taken_back(self, unwanted: Callable[[Claim], bool]) -> list[Claim]:
        claims = [claim for claim in self._unread if unwanted(claim)]
        claims += [claim for claim, _ in self._returned if unwanted(claim)]
        claims += [claim for (claim, _), _ in self._aside.values() if unwanted(claim)]
        claims += [claim for claim, _ in self._postponed if unwanted(claim)]
        claims += [draft.claim for draft in self._drafts if unwanted(draft.claim)]
        if self._signing is not None:
            claims += self._signing.recall(unwanted)
        gone = {claim.delivery_id for claim in claims}
        self._unread = [claim for claim in self._unread if claim.delivery_id not in gone]
        for item in [item for item in self._returned if item[0].delivery_id in gone]:
            self._returned.remove(item)
        for delivery_id in gone & set(self._aside):
            self._aside.pop(delivery_id)[1].cancel()
        self._postponed = [later for later in self._postponed if later[0].delivery_id not in gone]
        kept = [draft for draft in self._drafts if draft.claim.delivery_id not in gone]
        self._drafts.clear()  # in place: it is shared with the signing
        self._drafts.extend(kept)
        return claims
