"""
Events out of what was said: by our own relay, and by mail.

Takes an attempt or a report, yields the event that it is. The same happening always gets the same id: of what comes by
mail there is one event a delivery, kind and cause, however many messages say so. Pure.
"""

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Phase, Reply
from newsletter.feedback.causes import judge
from newsletter.feedback.event import FROM_ATTEMPT, Event, Kind, Proof, id_of, said

if TYPE_CHECKING:
    from newsletter.feedback.reading import Report


def of_attempt(attempt: AttemptRow) -> Event:
    """Judge a refusal at SMTP time as a bounce is judged."""
    answer = Reply(code=attempt.code or 0, enhanced=attempt.enhanced, text=attempt.text)
    kind, cause = judge(answer, phase=Phase(attempt.phase))
    return Event(
        id=f"{FROM_ATTEMPT}{attempt.delivery_id}:{attempt.number}",
        kind=kind,
        at=attempt.at,
        source="smtp",
        proof=Proof.LEDGER,
        delivery=attempt.delivery_id,
        cause=cause,
        status=attempt.enhanced or "",
        text=said(attempt.text),
    )


def of_report(
    report: "Report", delivery: int, *, is_ours: Callable[[str], bool], at: dt.datetime, source: str
) -> Event | None:
    """
    Say what a report means for a delivery that it has proven to know; None where it was handed on.

    `is_ours` says of an address whether the delivery went there.
    """
    one = report.about(is_ours)
    kind = report.kind if one is None else one.kind
    if kind is None:
        return None
    cause = one.judgement.cause if one and one.judgement else None
    return Event(
        id=f"mail:{delivery}:{kind}:{cause or ''}".rstrip(":"),
        kind=kind,
        at=at,
        source=source,
        proof=Proof.MAC,
        delivery=delivery,
        cause=cause,
        status=one.status if one else "",
        text=said(one.text) if one else "",
    )


def unproven(report: "Report", message: bytes, *, at: dt.datetime, source: str) -> Event | None:
    """
    Keep what nothing proves: counted and shown it tells of forgery, or of a mailbox that got its mail mixed.

    None for what would be kept for nothing: answers of programs to whoever wrote in our name.
    """
    if report.kind is None or report.kind is Kind.AUTO_REPLY:
        return None
    text = said(" / ".join(one.text for one in report.returned))
    return Event.unproven(
        id_of("mail", hashlib.sha256(message).hexdigest()), report.kind, at=at, source=source, text=text
    )
