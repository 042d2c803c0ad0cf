"""
Postmark: a JSON object a happening, proven by the name and password that its address was given.

Words from Postmark's developer documentation, "Bounce webhook", "Spam complaint webhook", "Subscription change webhook"
and "Bounce types". Postmark gives messages a Message-ID of its own unless they say `X-PM-KeepID: true`, so that most
reports know their person by the address alone; the password proves who tells it.
"""

from typing import Any, Final

from newsletter.feedback.event import Cause, Kind, id_of
from newsletter.feedback.providers.bounce import came_back
from newsletter.feedback.providers.reading import inside, instant, items, parsed, text
from newsletter.feedback.providers.report import Heard, Meaning, Post, Refusal, Report, names_in
from newsletter.feedback.providers.secrets import is_basic

NAME: Final = "postmark"

BOUNCES: Final = {
    "HardBounce": Meaning(kind=Kind.HARD, cause=Cause.UNKNOWN),
    "BadEmailAddress": Meaning(kind=Kind.HARD, cause=Cause.UNKNOWN),
    "SoftBounce": Meaning(kind=Kind.SOFT, cause=Cause.OTHER),
    "Unknown": Meaning(kind=Kind.SOFT, cause=Cause.OTHER),
    "DnsError": Meaning(kind=Kind.DELAYED),
    "Transient": Meaning(kind=Kind.DELAYED),
    "SpamNotification": Meaning(kind=Kind.BLOCKED, cause=Cause.CONTENT),
    "VirusNotification": Meaning(kind=Kind.BLOCKED, cause=Cause.CONTENT),
    "TemplateRenderingFailed": Meaning(kind=Kind.BLOCKED, cause=Cause.CONTENT),
    "Blocked": Meaning(kind=Kind.BLOCKED, cause=Cause.SENDER),
    "DMARCPolicy": Meaning(kind=Kind.BLOCKED, cause=Cause.SENDER),
    "Unconfirmed": Meaning(kind=Kind.BLOCKED, cause=Cause.RELAY),
    "ManuallyDeactivated": Meaning(kind=Kind.BLOCKED, cause=Cause.RELAY),
    "SMTPApiError": Meaning(kind=Kind.BLOCKED, cause=Cause.RELAY),
    "SpamComplaint": Meaning(kind=Kind.COMPLAINT),
    "Unsubscribe": Meaning(kind=Kind.UNSUBSCRIBE),
    "AutoResponder": Meaning(kind=Kind.AUTO_REPLY),
    "AddressChange": Meaning(kind=Kind.AUTO_REPLY),
    "ChallengeVerification": Meaning(kind=Kind.AUTO_REPLY),
    "Subscribe": Meaning(kind=Kind.AUTO_REPLY),
}
"""By `Type`; OpenRelayTest and InboundError are about no message of ours."""

LEFT: Final = ("ManualSuppression", "Recipient")
"""Reason and origin of a subscription change by which a person leaves; of the others a bounce or complaint tells."""

_WHEN: Final = ("BouncedAt", "ChangedAt")


class Postmark:
    """Listens to Postmark, whose webhook was given a name and a password."""

    def __init__(self, *, username: str, password: str) -> None:
        self._username, self._password = username, password

    def hear(self, post: Post) -> Heard | Refusal:
        """Check and read a request; see `report.Provider`."""
        if not is_basic(post.headers.get("authorization", ""), username=self._username, password=self._password):
            return Refusal.FORGED
        report = _report(parsed(post.body))
        return Heard(reports=(report,) if report else ())


def _report(told: Any) -> Report | None:
    meaning = _meaning(told)
    if meaning is None:
        return None
    when = [text(told, name) for name in _WHEN]
    address = text(told, "Email") or text(told, "Recipient")
    number = text(told, "ID") or text(told, "MessageID")
    return Report(
        id=id_of(NAME, text(told, "RecordType"), number, *when, address),
        meaning=meaning,
        at=next(filter(None, (instant(told, name) for name in _WHEN)), None),
        address=address,
        names=names_in([text(told, "MessageID"), *_headers(told)]),
        text=text(told, "Details") or text(told, "Description"),
    )


def _meaning(told: Any) -> Meaning | None:
    kind = text(told, "RecordType")
    if kind == "SpamComplaint":
        return BOUNCES["SpamComplaint"]
    if kind == "SubscriptionChange":
        suppresses = inside(told, "SuppressSending") is True
        why = (text(told, "SuppressionReason"), text(told, "Origin"))
        return BOUNCES["Unsubscribe"] if suppresses and why == LEFT else None
    meaning = BOUNCES.get(text(told, "Type")) if kind == "Bounce" else None
    return came_back(meaning, words=text(told, "Details")) if meaning else None


def _headers(told: Any) -> list[str]:
    """Values of the Message-ID where the webhook includes the headers of the message."""
    return [text(each, "Value") for each in items(told, "Headers") if text(each, "Name").lower() == "message-id"]
