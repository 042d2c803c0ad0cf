"""
What goes through the ledger: a claim on a delivery, the mark that its content goes out, the result of an attempt.

Takes a result, yields what becomes of the delivery (`Ended`) and the attempt that is kept of it. Pure: who writes it is
`ledger`, how is `statements`.
"""

import datetime as dt
from typing import NamedTuple

from newsletter.dispatch.outcome import Fault, Outcome, Phase, Verdict
from newsletter.dispatch.seals import Tried, seal
from newsletter.planning.models import DeliveryRow, DeliveryState
from newsletter.planning.store import ENDED_STATES
from newsletter.settings import Uncertain
from subscribers.address import masked

DIED = "the dispatcher died before the relay replied"
"""What an attempt says that nobody lived to end."""

LONGEST_REASON = 80
"""Characters of a delivery's reason."""

LONGEST_TEXT = 500
"""Characters of an attempt's text."""


class Claim(NamedTuple):
    """
    A delivery that this dispatcher has taken.

    `number` is that of the attempt to come; `since` is when its run started, its own time came, or a single message was
    first tried; `dated` is the Date of the message, the same at every attempt; `seal` is that of the attempt before.
    """

    delivery_id: int
    epoch: int
    number: int
    mailing: str
    run_id: int | None
    subscriber_id: int | None
    address: str | None
    digest: str
    language: str
    artifact: str
    repeats: int
    since: dt.datetime
    dated: dt.datetime
    seal: bytes | None = None


class Mark(NamedTuple):
    """The content of this delivery is about to be written."""

    claim: Claim


class Result(NamedTuple):
    """An attempt has ended; `next_at` is when to try again, None with a deferral means that it has expired."""

    claim: Claim
    outcome: Outcome
    marked: bool
    relay: str
    next_at: dt.datetime | None = None


class Ended(NamedTuple):
    """
    What a result makes of its delivery.

    `attempts` and `seal` are as they are then; `forgets` says that the address is of no more use, `returns` that it
    comes back from the wire and may find its run cancelled. `tried` is None where nothing was said about the message.
    """

    delivery_id: int
    epoch: int
    state: str
    next_at: dt.datetime | None
    reason: str | None
    attempts: int
    seal: bytes | None
    forgets: bool
    returns: bool
    tried: Tried | None


class Moment(NamedTuple):
    """Who writes down an attempt, when it ended and when it began (None: nothing of its content went out)."""

    worker: str
    at: dt.datetime
    began: dt.datetime | None


def ended(result: Result, moment: Moment, *, policy: Uncertain) -> Ended:
    """Say what becomes of a delivery, and keep the attempt unless nothing was sent nor said."""
    claim = result.claim
    state, next_at = _after(result)
    spoken = result.marked or result.outcome.verdict is not Verdict.NOT_SENT
    tried = _tried(result, moment) if spoken else None
    return Ended(
        claim.delivery_id,
        claim.epoch,
        state.value,
        next_at,
        _reason(result.outcome),
        claim.number if spoken else claim.number - 1,
        seal(claim.seal, tried) if tried else claim.seal,
        _is_final(claim, state, policy),
        result.marked and state in _RETURNING,
        tried,
    )


def lost(row: DeliveryRow, *, at: dt.datetime) -> Tried:
    """The attempt of a dispatcher that died with this delivery on the wire: its row was last changed by the mark."""
    return Tried(
        delivery_id=row.id or 0,
        number=row.attempts,
        epoch=row.epoch,
        worker=row.worker or "",
        relay="",
        verdict=Verdict.UNCERTAIN.value,
        fault=Fault.RELAY.value,
        phase=int(Phase.CONTENT),
        code=None,
        enhanced=None,
        text=DIED,
        began=row.changed,
        at=at,
    )


_RETURNING = frozenset({DeliveryState.PLANNED, DeliveryState.DEFERRED})


def _after(result: Result) -> tuple[DeliveryState, dt.datetime | None]:
    verdict = result.outcome.verdict
    if verdict is Verdict.ACCEPTED:
        return DeliveryState.ACCEPTED, None
    if verdict is Verdict.NOT_SENT:
        return DeliveryState.PLANNED, None
    if verdict is Verdict.UNCERTAIN:
        return DeliveryState.UNCERTAIN, None
    if verdict is Verdict.REFUSED and result.outcome.fault is Fault.RECIPIENT:
        return DeliveryState.REFUSED, None
    return (DeliveryState.DEFERRED if result.next_at else DeliveryState.EXPIRED), result.next_at


def _reason(outcome: Outcome) -> str | None:
    if outcome.fault is None:
        return None
    return _masked(f"{outcome.fault.value}: {outcome.words}")[:LONGEST_REASON]


def _masked(words: str) -> str:
    # Looking for one character is a tenth of looking for addresses, and almost no reply has any.
    return masked(words) if "@" in words else words


def _is_final(claim: Claim, state: DeliveryState, policy: Uncertain) -> bool:
    """Whether nothing will be sent any more, so that nobody needs the address of somebody who is no subscriber."""
    if state is DeliveryState.UNCERTAIN:
        return policy is Uncertain.SKIP or (policy is Uncertain.REPEAT and claim.repeats > 0)
    return state in ENDED_STATES


def _tried(result: Result, moment: Moment) -> Tried:
    outcome, claim, reply = result.outcome, result.claim, result.outcome.reply
    return Tried(
        claim.delivery_id,
        claim.number,
        claim.epoch,
        moment.worker,
        result.relay,
        outcome.verdict.value,
        outcome.fault.value if outcome.fault else None,
        int(outcome.phase),
        reply.code if reply else None,
        reply.enhanced if reply else None,
        _masked(reply.text if reply else outcome.note)[:LONGEST_TEXT],
        moment.began,
        moment.at,
    )
