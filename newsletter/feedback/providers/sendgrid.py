"""
SendGrid: a JSON list of happenings, signed by ECDSA (P-256, SHA-256) over a timestamp and the body.

Words from Twilio's documentation, "Event Webhook reference" and "Event Webhook security features". Messages that came
by SMTP keep our Message-ID, which is told as `smtp-id`.
"""

from typing import Any, Final

from newsletter.feedback.event import Cause, Kind, id_of
from newsletter.feedback.providers.bounce import came_back
from newsletter.feedback.providers.reading import enhanced, epoch, parsed, text
from newsletter.feedback.providers.report import Heard, Meaning, Post, Refusal, Report, is_fresh, names_in
from newsletter.feedback.signatures import ecdsa_holds

NAME: Final = "sendgrid"

SIGNATURE: Final = "x-twilio-email-event-webhook-signature"
TIMESTAMP: Final = "x-twilio-email-event-webhook-timestamp"

WORDS: Final = {
    "deferred": Meaning(kind=Kind.DELAYED),
    "spamreport": Meaning(kind=Kind.COMPLAINT),
    "unsubscribe": Meaning(kind=Kind.UNSUBSCRIBE),
    "group_unsubscribe": Meaning(kind=Kind.UNSUBSCRIBE),
}
"""By event; processed, delivered, open, click and group_resubscribe say nothing that we count."""

BOUNCES: Final = {
    "bounce": Meaning(kind=Kind.HARD, cause=Cause.UNKNOWN),
    "blocked": Meaning(kind=Kind.SOFT, cause=Cause.OTHER),
    "expired": Meaning(kind=Kind.SOFT, cause=Cause.OTHER),
}
"""By the `type` of the event `bounce`."""

CLASSES: Final = {
    "content": Meaning(kind=Kind.BLOCKED, cause=Cause.CONTENT),
    "reputation": Meaning(kind=Kind.BLOCKED, cause=Cause.SENDER),
    "frequency or volume too high": Meaning(kind=Kind.BLOCKED, cause=Cause.SENDER),
    "technical": Meaning(kind=Kind.SOFT, cause=Cause.OTHER),
    "technical failure": Meaning(kind=Kind.SOFT, cause=Cause.OTHER),
    "mailbox unavailable": Meaning(kind=Kind.SOFT, cause=Cause.DISABLED),
}
"""By `bounce_classification`, which says more than the type; Invalid Address and Unclassified leave it to that."""

DROPPED: Final = {
    "bounced address": Meaning(kind=Kind.HARD, cause=Cause.UNKNOWN),
    "invalid": Meaning(kind=Kind.HARD, cause=Cause.UNKNOWN),
    "spam reporting address": Meaning(kind=Kind.COMPLAINT),
    "unsubscribed address": Meaning(kind=Kind.UNSUBSCRIBE),
    "spam content": Meaning(kind=Kind.BLOCKED, cause=Cause.CONTENT),
}
"""By the reason of the event `dropped`: it was not tried, for this had happened before."""

NOT_SENT: Final = Meaning(kind=Kind.BLOCKED, cause=Cause.RELAY)
"""Dropped for any other reason: something about the account."""


class SendGrid:
    """Listens to SendGrid; `public_key` is its verification key, DER in base64 as its page shows it."""

    def __init__(self, public_key: str) -> None:
        self._key = public_key

    def hear(self, post: Post) -> Heard | Refusal:
        """Check and read a request; see `report.Provider`."""
        signature, signed = post.headers.get(SIGNATURE, ""), post.headers.get(TIMESTAMP, "")
        if not ecdsa_holds(self._key, signature, signed.encode("utf-8", "surrogatepass") + post.body):
            return Refusal.FORGED
        if not is_fresh(epoch(signed), post.at):
            return Refusal.STALE
        told = parsed(post.body)
        reports = (_report(each) for each in (told if isinstance(told, list) else [told]))
        # A signature proves one body at one time: the same one again is the same request again.
        return Heard(reports=tuple(report for report in reports if report), once=signature)


def _report(told: Any) -> Report | None:
    meaning = _meaning(told)
    if meaning is None:
        return None
    own = text(told, "sg_event_id") or text(told, "sg_message_id")
    return Report(
        id=id_of(NAME, own, text(told, "event"), text(told, "timestamp"), text(told, "email")),
        meaning=meaning,
        at=epoch(told, "timestamp"),
        address=text(told, "email"),
        names=names_in((text(told, "smtp-id"),)),
        status=enhanced(told, "status"),
        text=text(told, "reason") or text(told, "response"),
    )


def _meaning(told: Any) -> Meaning | None:
    event = text(told, "event")
    if event == "bounce":
        class_ = CLASSES.get(text(told, "bounce_classification").lower())
        meaning = class_ or BOUNCES.get(text(told, "type"), BOUNCES["bounce"])
        return came_back(meaning, status=enhanced(told, "status"), words=text(told, "reason"))
    if event == "dropped":
        reason = text(told, "reason").lower()
        return next((meaning for word, meaning in DROPPED.items() if reason.startswith(word)), NOT_SENT)
    return WORDS.get(event)
