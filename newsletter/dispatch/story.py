"""
The story of one delivery, in words: did this person get it, in which language, and what did the relay say.

Takes a delivery with its run and attempts, yields lines for an administrator and the same as data: from the frozen
audience over every attempt to how it ended, or to what comes next and when. Where an issue went out in several runs the
story is told over all of them.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from newsletter.dispatch.entries import DIED
from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Phase, Verdict
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.planning.stage import HELD_BACK, Stage, hold_words
from newsletter.settings import Uncertain
from newsletter.times import rfc3339
from subscribers.models import SuppressionReason

ENDS: Final = {
    DeliveryState.PLANNED: "is planned: nothing has been sent yet",
    DeliveryState.CLAIMED: "is about to be sent",
    DeliveryState.SENDING: "is on the wire right now",
    DeliveryState.ACCEPTED: "was accepted by the relay (whether it reached the mailbox, only a bounce would tell)",
    DeliveryState.DEFERRED: "was deferred by the relay and will be tried again",
    DeliveryState.REFUSED: "was refused for good",
    DeliveryState.UNCERTAIN: "is uncertain: the relay never said whether it took the message",
    DeliveryState.SUPPRESSED: "was not sent: the person left or is suppressed",
    DeliveryState.CANCELLED: "was not sent: the run was cancelled first",
    DeliveryState.EXPIRED: "expired: the relay deferred it for too long",
}
"""How a delivery in each state is told."""

SPOKEN: Final = {
    Verdict.ACCEPTED: "accepted",
    Verdict.DEFERRED: "deferred",
    Verdict.REFUSED: "refused",
    Verdict.NOT_SENT: "not sent",
    Verdict.UNCERTAIN: "uncertain",
}

_AGAIN: Final = {
    DeliveryState.PLANNED: "is planned again",
    DeliveryState.SUPPRESSED: "was not sent again: the person left or is suppressed",
    DeliveryState.CANCELLED: "was not sent again: the run was cancelled first",
}
"""How a state is told where something had been sent, or tried, before."""

_FIRST: Final = {DeliveryState.DEFERRED: "was put off and will be sent later: nothing has been sent yet"}
"""How a state is told where nothing had been tried."""

_WAITING: Final = (DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.DEFERRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What follows an unknown outcome: the policy, and how long it waits."""

    policy: Uncertain
    hold: dt.timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The story as lines; `state` is None where there is no delivery."""

    address: str
    issue: str
    state: DeliveryState | None
    language: str | None
    lines: tuple[str, ...]
    attempts: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """The story as plain data."""
        return {
            "address": self.address,
            "issue": self.issue,
            "state": self.state.value if self.state else None,
            "language": self.language,
            "attempts": list(self.attempts),
            "story": list(self.lines),
        }


def tell(
    address: str,
    slug: str,
    *,
    delivery: DeliveryRow | None,
    attempts: Sequence[AttemptRow],
    suppressed: SuppressionReason | None,
    run: RunRow | None = None,
    others: Sequence[RunRow] = (),
    doubt: Doubt | None = None,
    forgotten: dt.datetime | None = None,
) -> Story:
    """
    Tell what became of an issue's message to an address.

    With `run` the story begins at the frozen audience and knows of pauses; `others` are further runs of the issue,
    before or after it. With `doubt` it says what follows an unknown outcome. `forgotten` is when the issue's deliveries
    lost their ties to people, if they have.
    """
    note = (f"The address is suppressed now: {suppressed.value}.",) if suppressed else ()
    if delivery is None and forgotten is not None:
        words = (
            f"whether issue {slug} went to {address} is not known any more: its deliveries lost their ties to people"
        )
        words = f"{words[0].upper()}{words[1:]} {rfc3339(forgotten)}, when their term was over."
        return Story(address=address, issue=slug, state=None, language=None, lines=(words, *note), attempts=())
    if delivery is None:
        words = f"{address} is not in the audience of issue {slug}: nothing was planned for this address."
        return Story(address=address, issue=slug, state=None, language=None, lines=(words, *note), attempts=())
    end = (_AGAIN if attempts else _FIRST).get(delivery.state, ENDS[delivery.state])
    return Story(
        address=address,
        issue=slug,
        state=delivery.state,
        language=delivery.language,
        lines=(
            f"{address}, issue {slug}, edition {delivery.language}: {end}.",
            *_events(delivery, attempts, run=run, others=others),
            *_ending(delivery, bool(attempts)),
            *_next(delivery, run, doubt),
            *_passed_over(run, others),
            *note,
        ),
        attempts=tuple(_plain(attempt) for attempt in attempts),
    )


def _events(
    delivery: DeliveryRow, attempts: Sequence[AttemptRow], *, run: RunRow | None, others: Sequence[RunRow]
) -> Iterator[str]:
    """Earlier runs, the delivery's own and all attempts, as they came."""
    left = list(attempts)
    for earlier in others:
        if run is not None and earlier.started and (earlier.id or 0) < (run.id or 0):
            while left and left[0].at < earlier.started:
                yield _line(left.pop(0))
            yield _went_out(earlier)
    while left and run is not None and run.started and left[0].at < run.started:
        yield _line(left.pop(0))
    yield from _beginning(delivery, run)
    yield from map(_line, left)


def _went_out(run: RunRow) -> str:
    ended = f" {rfc3339(run.ended)}" if run.ended else ""
    began = rfc3339(run.started) if run.started else ""
    return (
        f"The issue went out before: {began} to segment {run.segment!r}, {run.total} people; {run.state.value}{ended}."
    )


def _beginning(delivery: DeliveryRow, run: RunRow | None) -> Iterator[str]:
    if run is None:
        return
    if run.started:
        dated = "every message of the run has the same Date"
        if delivery.dated:
            dated = f"this message has a Date of its own, {rfc3339(delivery.dated)}"
        whom = f"segment {run.segment!r}" + (", those who had missed the issue" if run.missed else "")
        frozen = f"which was frozen then at {run.total}"
        yield f"Planned {rfc3339(run.started)} with the audience of {whom}, {frozen}; {dated}."
    yield f"The bytes are those that were approved: artifact {delivery.artifact[:12]}."


def _passed_over(run: RunRow | None, others: Sequence[RunRow]) -> Iterator[str]:
    """Later runs of the issue, which left this delivery as it was."""
    for later in others:
        if run is not None and later.started and (later.id or 0) > (run.id or 0):
            again = f"The issue went out again {rfc3339(later.started)} to segment {later.segment!r}"
            yield f"{again}; this delivery was left as it was."


def _line(attempt: AttemptRow) -> str:
    head = f"  {attempt.number}. {rfc3339(attempt.at)}"
    if attempt.text == DIED:
        began = f", whose content had begun to go out {rfc3339(attempt.began)}" if attempt.began else ""
        return (
            f"{head}: uncertain: dispatcher {attempt.worker} died with this message on the wire{began};"
            " nobody heard what the relay replied"
        )
    reply = f"{attempt.code} {attempt.text}" if attempt.code else attempt.text
    fault = f", by fault of the {attempt.fault.value}" if attempt.fault else ""
    over = f" over {attempt.relay}" if attempt.relay else ""
    step = Phase(attempt.phase).name
    return f"{head}{over}: {SPOKEN[attempt.verdict]} at {step}{fault}: {reply}"


def _ending(delivery: DeliveryRow, tried: bool) -> Iterator[str]:  # noqa: FBT001  a fact of the story, not a switch
    """What the attempts do not tell: who has it now, or when and why it was stopped."""
    changed = rfc3339(delivery.changed)
    if delivery.state in {DeliveryState.SUPPRESSED, DeliveryState.CANCELLED, DeliveryState.EXPIRED}:
        why = f" ({delivery.reason})" if delivery.reason else ""
        yield f"Stopped {changed}{why}; nothing more goes out."
    elif delivery.state in {DeliveryState.CLAIMED, DeliveryState.SENDING}:
        yield f"Dispatcher {delivery.worker} has it since {changed}."
    elif delivery.state is DeliveryState.PLANNED and tried:
        yield f"Planned again {changed}" + (f": {delivery.reason}." if delivery.reason else ".")
    elif delivery.state is DeliveryState.DEFERRED and not tried:
        yield f"Put off {changed}" + (f": {delivery.reason}." if delivery.reason else ".")


def _next(delivery: DeliveryRow, run: RunRow | None, doubt: Doubt | None) -> Iterator[str]:
    """What comes next, and when."""
    if delivery.state in _WAITING and run is not None and run.state is not RunState.RUNNING:
        held = f": {run.held}" if run.held else ""
        yield f"The run is {run.state.value}{held}."
        if run.state is RunState.PAUSED:
            yield f"Next: it goes out when the run is resumed{_not_before(delivery, run)}."
    elif delivery.state is DeliveryState.PLANNED:
        yield _planned(delivery, run)
    elif delivery.next_at:
        yield f"Next attempt {rfc3339(delivery.next_at)}."
    elif delivery.state is DeliveryState.UNCERTAIN and doubt is not None:
        yield _after_doubt(delivery, run, doubt)


def _planned(delivery: DeliveryRow, run: RunRow | None) -> str:
    if run is not None and delivery.next_at == HELD_BACK and run.stage is not Stage.PASSED:
        hold = dt.timedelta(seconds=run.hold or 0)
        when = f"{hold_words(hold)} after that"
        if run.stage is Stage.HOLDING and run.staged is not None:
            when = rfc3339(run.staged + hold)
        return f"Next: it waits for the first {run.first} of the run, and goes out {when} if nothing is amiss."
    if run is not None and run.local and delivery.next_at:
        return f"Next: it goes out {rfc3339(delivery.next_at)}, when it is {run.wall} where the reader is."
    return "Next: a dispatcher takes it as soon as one is free."


def _not_before(delivery: DeliveryRow, run: RunRow) -> str:
    if delivery.next_at == HELD_BACK:
        return "" if run.stage is Stage.STOPPED else f", after the first {run.first}"
    return f", not before {rfc3339(delivery.next_at)}" if delivery.next_at else ""


def _after_doubt(delivery: DeliveryRow, run: RunRow | None, doubt: Doubt) -> str:
    if run is not None and run.state in {RunState.FINISHED, RunState.CANCELLED}:
        return f"It stays uncertain: the run is {run.state.value}."
    if doubt.policy is Uncertain.SKIP:
        return "It stays uncertain: under the policy `skip` nothing is sent that may have arrived."
    if doubt.policy is Uncertain.ASK:
        return "It stays uncertain until somebody decides: that is the policy `ask`."
    if delivery.repeats:
        return "It stays uncertain: it has been repeated once, with the same Message-ID."
    due = rfc3339(delivery.changed + doubt.hold)
    return f"Next: held until {due} in case the relay had taken it, then repeated once with the same Message-ID."


def _plain(attempt: AttemptRow) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "began": rfc3339(attempt.began) if attempt.began else None,
        "at": rfc3339(attempt.at),
        "worker": attempt.worker,
        "relay": attempt.relay,
        "verdict": attempt.verdict.value,
        "fault": attempt.fault.value if attempt.fault else None,
        "phase": Phase(attempt.phase).name,
        "code": attempt.code,
        "enhanced": attempt.enhanced,
        "text": attempt.text,
    }
