"""
Brevo: a JSON object a happening, or a list of them, proven by the token that the webhook was given.

Words from Brevo's developer documentation, "Transactional webhooks", "Batched webhooks" and "Secure webhook calls".
Only `ts_epoch` is in UTC for certain. The Message-ID may be ours or Brevo's own; the address stands in where it is not
ours.
"""

from typing import Any, Final

from newsletter.feedback.event import Cause, Kind, id_of
from newsletter.feedback.providers.bounce import came_back
from newsletter.feedback.providers.reading import epoch, parsed, text
from newsletter.feedback.providers.report import Heard, Meaning, Post, Refusal, Report, names_in
from newsletter.feedback.providers.secrets import is_bearer

NAME: Final = "brevo"

WORDS: Final = {
    "hard_bounce": Meaning(kind=Kind.HARD, cause=Cause.UNKNOWN),
    "invalid_email": Meaning(kind=Kind.HARD, cause=Cause.UNKNOWN),
    "soft_bounce": Meaning(kind=Kind.SOFT, cause=Cause.OTHER),
    "deferred": Meaning(kind=Kind.DELAYED),
    "blocked": Meaning(kind=Kind.BLOCKED, cause=Cause.RELAY),
    "error": Meaning(kind=Kind.BLOCKED, cause=Cause.RELAY),
    "spam": Meaning(kind=Kind.COMPLAINT),
    "complaint": Meaning(kind=Kind.COMPLAINT),
    "unsubscribe": Meaning(kind=Kind.UNSUBSCRIBE),
    "unsubscribed": Meaning(kind=Kind.UNSUBSCRIBE),
}
"""By event; request, delivered, click, opened and their like say nothing that we count."""

_BOUNCES: Final = frozenset({"hard_bounce", "soft_bounce"})


class Brevo:
    """Listens to Brevo, whose webhook was given a token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def hear(self, post: Post) -> Heard | Refusal:
        """Check and read a request; see `report.Provider`."""
        if not is_bearer(post.headers.get("authorization", ""), self._token):
            return Refusal.FORGED
        told = parsed(post.body)
        reports = (_report(each) for each in (told if isinstance(told, list) else [told]))
        return Heard(reports=tuple(report for report in reports if report))


def _report(told: Any) -> Report | None:
    event = text(told, "event")
    meaning = WORDS.get(event)
    if meaning is None:
        return None
    message, at = text(told, "message-id"), text(told, "ts_epoch") or text(told, "ts_event")
    reason = text(told, "reason")
    return Report(
        id=id_of(NAME, event, message, at, text(told, "email")),
        meaning=came_back(meaning, words=reason) if event in _BOUNCES else meaning,
        at=epoch(told, "ts_epoch") or epoch(told, "ts_event"),
        address=text(told, "email"),
        names=names_in((message,)),
        text=reason,
    )
