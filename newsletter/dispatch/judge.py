"""
The judge: what outcomes say about a whole run, beyond their own delivery.

Takes outcomes as they are recorded, counts them, writes them into the log, and acts on two of their patterns. A relay
that goes on refusing us for what we are or say pauses the run, before its recipients pay for it. Marks of a run that do
not hold one after another mean that an officer has stopped it: what else of it is claimed is given back unsent. A
message that was accepted costs no line in the log unless somebody asked for everything.
"""

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from newsletter.dispatch import outage
from newsletter.dispatch.ledger import Claim, Ledger
from newsletter.dispatch.outcome import Fault, Outcome, Phase, Verdict
from newsletter.dispatch.progress import Progress
from newsletter.dispatch.supply import Supply
from subscribers.address import masked

SENDER_FAULTS: Final = 3
"""Refusals of the sender without an acceptance between them, after which the run is paused."""

FENCED_MARKS: Final = 2
"""Marks in a row that do not hold, after which a run is taken to be stopped: one may be a person who has left."""


class Judge:
    """Hears of every outcome of one dispatcher."""

    def __init__(
        self,
        ledger: Ledger,
        supply: Supply,
        *,
        now: Callable[[], dt.datetime],
        call: Callable[..., Any],
        progress: Progress,
        log: Any,
    ) -> None:
        self._ledger = ledger
        self._supply = supply
        self._now = now
        self._call = call
        self._progress = progress
        self._log = log
        self._tells_all = log.is_enabled_for(logging.DEBUG)
        self._sender_faults: Counter[int | None] = Counter()
        self._fenced: Counter[int | None] = Counter()

    def marked(self, claim: Claim) -> None:
        """A mark has held."""
        if self._fenced:
            self._fenced.pop(claim.run_id, None)

    async def fenced(self, claim: Claim) -> None:
        """A mark has not held: somebody else has decided about this delivery."""
        self._log.info("fenced", delivery=claim.delivery_id, mailing=claim.mailing)
        self._fenced[claim.run_id] += 1
        if self._fenced[claim.run_id] >= FENCED_MARKS:
            del self._fenced[claim.run_id]
            await self._recall(claim.run_id)

    async def ended(self, claim: Claim, outcome: Outcome, *, held: bool) -> None:
        """An attempt has ended and is recorded; `held` says whether the delivery was still ours."""
        self._progress.count(outcome.verdict)
        if outcome.verdict is Verdict.ACCEPTED:
            if self._sender_faults:
                self._sender_faults.pop(claim.run_id, None)
            if not self._tells_all:
                return
        self._tell(claim, outcome, held=held)
        if _speaks_of_us(outcome):
            self._sender_faults[claim.run_id] += 1
            await self._pause(claim.run_id, outcome)

    def _tell(self, claim: Claim, outcome: Outcome, *, held: bool) -> None:
        tell = self._log.debug if outcome.verdict is Verdict.ACCEPTED else self._log.info
        tell(
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

    async def _pause(self, run_id: int | None, outcome: Outcome) -> None:
        if run_id is None or self._sender_faults[run_id] < SENDER_FAULTS:
            return
        del self._sender_faults[run_id]  # whoever resumes the run gives it a fresh chance
        reason = f"the relay refuses this mailing: {masked(outcome.words)}"
        try:
            paused = await self._call(self._ledger.pause, run_id, reason, self._now())
        except Exception as error:
            if not outage.may_pass(error):
                raise
            self._sender_faults[run_id] = SENDER_FAULTS - 1  # the next refusal tries again
            return
        if paused:
            self._log.error("run paused", run=run_id, words=reason)
            await self._recall(run_id)

    async def _recall(self, run_id: int | None) -> None:
        """Give back what of a run is claimed and not begun: it is stopped, or it is claimed again at once."""
        claims = self._supply.recall(run_id)
        if not claims:
            return
        try:
            await self._call(self._ledger.release, claims, self._now())
        except Exception as error:
            if not outage.may_pass(error):
                raise
            self._supply.keep(claims)
        self._supply.stir()


def _speaks_of_us(outcome: Outcome) -> bool:
    """Whether a refusal is about sender, content or envelope sender, and so would meet every recipient alike."""
    permanent = outcome.reply is not None and outcome.reply.code // 100 == 5  # noqa: PLR2004  RFC 5321 §4.2.1
    return permanent and (outcome.fault in {Fault.SENDER, Fault.CONTENT} or outcome.phase is Phase.MAIL)
