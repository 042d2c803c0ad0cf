"""
The story of one delivery, in words: did this person get it, in which language, and what did the relay say.

Takes a delivery with its attempts, yields lines for an administrator and the same as data.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Phase, Verdict
from newsletter.planning.models import DeliveryRow, DeliveryState
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
        }


def tell(
    address: str,
    slug: str,
    *,
    delivery: DeliveryRow | None,
    attempts: Sequence[AttemptRow],
    suppressed: SuppressionReason | None,
) -> Story:
    """Tell what became of an issue's message to an address."""
    note = (f"The address is suppressed now: {suppressed.value}.",) if suppressed else ()
    if delivery is None:
        words = f"{address} is not in the audience of issue {slug}: nothing was planned for this address."
        return Story(address=address, issue=slug, state=None, language=None, lines=(words, *note), attempts=())
    head = f"{address}, issue {slug}, edition {delivery.language}: {ENDS[delivery.state]}."
    due = (f"Next attempt {_instant(delivery.next_at)}.",) if delivery.next_at else ()
    return Story(
        address=address,
        issue=slug,
        state=delivery.state,
        language=delivery.language,
        lines=(head, *(_line(attempt) for attempt in attempts), *due, *note),
        attempts=tuple(_plain(attempt) for attempt in attempts),
    )


def _line(attempt: AttemptRow) -> str:
    reply = f"{attempt.code} {attempt.text}" if attempt.code else attempt.text
    fault = f", by fault of the {attempt.fault.value}" if attempt.fault else ""
    over = f" over {attempt.relay}" if attempt.relay else ""
    step = Phase(attempt.phase).name
    return f"  {attempt.number}. {_instant(attempt.at)}{over}: {SPOKEN[attempt.verdict]} at {step}{fault}: {reply}"


def _plain(attempt: AttemptRow) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "at": rfc3339(attempt.at),
        "relay": attempt.relay,
        "verdict": attempt.verdict.value,
        "fault": attempt.fault.value if attempt.fault else None,
        "phase": Phase(attempt.phase).name,
        "code": attempt.code,
        "enhanced": attempt.enhanced,
        "text": attempt.text,
    }


def _instant(when: dt.datetime) -> str:
    return rfc3339(when)
