"""
Mailgun: a JSON object a happening, signed within its body by HMAC-SHA256 over timestamp and token.

Words from Mailgun's manual, "Webhooks" and "Event structure". Messages keep our Message-ID. What Mailgun did not even
try to send, because the address is on its own list, is told by `reason`.
"""

import hmac
from typing import Any, Final

from newsletter.feedback.event import Cause, Kind, id_of
from newsletter.feedback.providers.bounce import came_back
from newsletter.feedback.providers.reading import enhanced, epoch, inside, parsed, text
from newsletter.feedback.providers.report import Heard, Meaning, Post, Refusal, Report, is_fresh, names_in
from newsletter.feedback.providers.secrets import agrees

NAME: Final = "mailgun"

WORDS: Final = {
    ("failed", "permanent"): Meaning(kind=Kind.HARD, cause=Cause.UNKNOWN),
    ("failed", "temporary"): Meaning(kind=Kind.DELAYED),
    ("rejected", ""): Meaning(kind=Kind.BLOCKED, cause=Cause.CONTENT),
    ("complained", ""): Meaning(kind=Kind.COMPLAINT),
    ("unsubscribed", ""): Meaning(kind=Kind.UNSUBSCRIBE),
}
"""By event and severity; accepted, delivered, opened, clicked and stored say nothing that we count."""

NOT_TRIED: Final = {
    "suppress-bounce": Meaning(kind=Kind.HARD, cause=Cause.UNKNOWN),
    "suppress-complaint": Meaning(kind=Kind.COMPLAINT),
    "suppress-unsubscribe": Meaning(kind=Kind.UNSUBSCRIBE),
}
"""By the reason of what was not tried: this had happened before."""


class Mailgun:
    """Listens to Mailgun; `signing_key` is its "HTTP webhook signing key"."""

    def __init__(self, signing_key: str) -> None:
        self._key = signing_key.encode()

    def hear(self, post: Post) -> Heard | Refusal:
        """Check and read a request; see `report.Provider`."""
        told = parsed(post.body)
        token, signed = text(told, "signature", "token"), text(told, "signature", "timestamp")
        code = hmac.digest(self._key, f"{signed}{token}".encode("utf-8", "surrogatepass"), "sha256").hex()
        if not token or not agrees(text(told, "signature", "signature"), code):
            return Refusal.FORGED
        if not is_fresh(epoch(told, "signature", "timestamp"), post.at):
            return Refusal.STALE
        report = _report(inside(told, "event-data"))
        return Heard(reports=(report,) if report else (), once=token)


def _report(told: Any) -> Report | None:
    event = text(told, "event")
    meaning = WORDS.get((event, text(told, "severity"))) or WORDS.get((event, ""))
    if meaning is None:
        return None
    status = enhanced(told, "delivery-status", "enhanced-code")
    said = text(told, "delivery-status", "message") or text(told, "delivery-status", "description")
    if event == "failed":
        before = NOT_TRIED.get(text(told, "reason"))
        meaning = before or came_back(meaning, code=text(told, "delivery-status", "code"), status=status, words=said)
    return Report(
        # Mailgun's ids are unique within a day only.
        id=id_of(NAME, text(told, "id"), text(told, "timestamp"), event, text(told, "recipient")),
        meaning=meaning,
        at=epoch(told, "timestamp"),
        address=text(told, "recipient"),
        names=names_in((text(told, "message", "headers", "message-id"), text(told, "envelope", "sender"))),
        status=status,
        text=said,
    )
