"""
Amazon SES through Amazon SNS: a signed envelope, and in it a JSON object a happening.

Words from Amazon's developer guides: "Verifying the signatures of Amazon SNS messages", "Amazon SNS notification
contents for Amazon SES" and "Contents of event data that Amazon SES publishes to Amazon SNS". SES writes a Message-ID
of its own into what it sends, and tells ours among the headers where that is turned on; the return path it always
tells.
"""

import datetime as dt
import re
from collections.abc import Callable, Collection
from typing import Any, Final
from urllib.parse import parse_qs

from newsletter.feedback.event import Cause, Kind, id_of
from newsletter.feedback.providers.bounce import came_back
from newsletter.feedback.providers.reading import enhanced, inside, instant, items, parsed, text
from newsletter.feedback.providers.report import Heard, Meaning, Post, Refusal, Report, is_fresh, names_in
from newsletter.feedback.signatures import rsa_holds

NAME: Final = "ses"

RETRIES: Final = dt.timedelta(hours=1, minutes=5)
"""A message keeps the time of its first try while SNS tries again, by its own rules for an hour at most."""

_HOST: Final = r"https://sns\.[a-z]{2}(?:-[a-z]{1,10}){1,3}-\d\.amazonaws\.com"
_CERTIFICATE: Final = re.compile(rf"{_HOST}/SimpleNotificationService-[0-9a-zA-Z]{{1,64}}\.pem")
_CONFIRMATION: Final = re.compile(rf"{_HOST}/\?([!-~]{{1,2000}})")
"""The addresses that are called: of Amazon SNS itself, with nothing hidden in them."""

_SIGNED: Final = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
"""What the signature of each type covers, in order."""

BOUNCES: Final = {
    ("Permanent", "General"): Meaning(kind=Kind.HARD, cause=Cause.UNKNOWN),
    ("Permanent", "NoEmail"): Meaning(kind=Kind.HARD, cause=Cause.UNKNOWN),
    ("Permanent", "Suppressed"): Meaning(kind=Kind.HARD, cause=Cause.UNKNOWN),
    # It may stand on the account's list for a complaint, or because somebody put it there.
    ("Permanent", "OnAccountSuppressionList"): Meaning(kind=Kind.SOFT, cause=Cause.OTHER),
    ("Permanent", "UnsubscribedRecipient"): Meaning(kind=Kind.UNSUBSCRIBE),
    ("Transient", "General"): Meaning(kind=Kind.SOFT, cause=Cause.OTHER),
    ("Transient", "MailboxFull"): Meaning(kind=Kind.SOFT, cause=Cause.FULL),
    ("Transient", "CustomTimeoutExceeded"): Meaning(kind=Kind.SOFT, cause=Cause.OTHER),
    ("Transient", "MessageTooLarge"): Meaning(kind=Kind.BLOCKED, cause=Cause.CONTENT),
    ("Transient", "ContentRejected"): Meaning(kind=Kind.BLOCKED, cause=Cause.CONTENT),
    ("Transient", "AttachmentRejected"): Meaning(kind=Kind.BLOCKED, cause=Cause.CONTENT),
}
"""By bounceType and bounceSubType."""

UNEXPLAINED: Final = Meaning(kind=Kind.SOFT, cause=Cause.OTHER)
"""Of a bounce that Amazon has no other word for: Undetermined, or one that came later than this table."""

WORDS: Final = {
    "DeliveryDelay": Meaning(kind=Kind.DELAYED),
    "Reject": Meaning(kind=Kind.BLOCKED, cause=Cause.CONTENT),
    "Rendering Failure": Meaning(kind=Kind.BLOCKED, cause=Cause.CONTENT),
}
"""By type, where that says it all; Send, Delivery, Open and Click say nothing that we count."""

COMPLAINTS: Final = {
    "not-spam": Meaning(kind=Kind.NOT_SPAM),
    "auth-failure": Meaning(kind=Kind.BLOCKED, cause=Cause.SENDER),
}
"""By complaintFeedbackType (RFC 5965 §7.3); whatever is not here is a complaint."""


class Ses:
    """
    Listens to Amazon SNS.

    `topics` are the ARNs of the topics that may speak; `certificate` gives the PEM file at an address of Amazon's.
    """

    def __init__(self, *, topics: Collection[str], certificate: Callable[[str], bytes]) -> None:
        self._topics, self._certificate = frozenset(topics), certificate

    def hear(self, post: Post) -> Heard | Refusal:
        """Check and read a request; see `report.Provider`."""
        told = parsed(post.body)
        if not self._is_genuine(told, post.at):
            return Refusal.FORGED
        if not is_fresh(instant(told, "Timestamp"), post.at, past=RETRIES):
            return Refusal.STALE
        once, kind = text(told, "MessageId"), text(told, "Type")
        if kind == "SubscriptionConfirmation":
            url = text(told, "SubscribeURL")
            return Heard(once=once, confirm=url) if _confirms(url, text(told, "TopicArn")) else Refusal.FORGED
        return Heard(once=once, reports=_reports(parsed(text(told, "Message"))) if kind == "Notification" else ())

    def _is_genuine(self, told: Any, now: dt.datetime) -> bool:
        fields, url = _SIGNED.get(text(told, "Type")), text(told, "SigningCertURL")
        # Only then is anything fetched: whoever has no topic of ours cannot make us call anybody.
        known = text(told, "TopicArn") in self._topics
        if fields is None or not known or not _CERTIFICATE.fullmatch(url):
            return False
        content = "".join(f"{name}\n{text(told, name)}\n" for name in fields if inside(told, name) is not None)
        return rsa_holds(
            self._certificate(url),
            text(told, "Signature"),
            content.encode("utf-8", "surrogatepass"),
            version=text(told, "SignatureVersion"),
            now=now,
        )


def _confirms(url: str, topic: str) -> bool:
    """Whether calling an address confirms the subscription to the topic, and does nothing else."""
    found = _CONFIRMATION.fullmatch(url)
    asked = parse_qs(found[1].partition("#")[0]) if found else {}
    return asked.get("Action") == ["ConfirmSubscription"] and asked.get("TopicArn") == [topic]


def _reports(told: Any) -> tuple[Report, ...]:
    kind = text(told, "eventType") or text(told, "notificationType")
    if kind == "Bounce":
        return tuple(_bounced(told, each) for each in items(told, "bounce", "bouncedRecipients"))
    if kind == "Complaint":
        return tuple(_complained(told, each) for each in items(told, "complaint", "complainedRecipients"))
    if kind == "DeliveryDelay":
        return tuple(_delayed(told, each) for each in items(told, "deliveryDelay", "delayedRecipients"))
    if kind in WORDS:
        return tuple(_of_all(told, kind, str(each)) for each in items(told, "mail", "destination"))
    return ()


def _bounced(told: Any, person: Any) -> Report:
    words = (text(told, "bounce", "bounceType"), text(told, "bounce", "bounceSubType"))
    meaning, status, said = BOUNCES.get(words, UNEXPLAINED), enhanced(person, "status"), text(person, "diagnosticCode")
    if words == ("Transient", "General") and not status and not said:
        # That is how an answer "out of office" is told, too: nobody is counted out for a holiday.
        meaning = Meaning(kind=Kind.AUTO_REPLY)
    return _report(
        told,
        "bounce",
        address=text(person, "emailAddress"),
        meaning=came_back(meaning, status=status, words=said),
        status=status,
        said=said,
    )


def _complained(told: Any, person: Any) -> Report:
    meaning = COMPLAINTS.get(text(told, "complaint", "complaintFeedbackType"), Meaning(kind=Kind.COMPLAINT))
    return _report(told, "complaint", address=text(person, "emailAddress"), meaning=meaning)


def _delayed(told: Any, person: Any) -> Report:
    return _report(
        told,
        "deliveryDelay",
        address=text(person, "emailAddress"),
        meaning=WORDS["DeliveryDelay"],
        status=enhanced(person, "status"),
        said=text(person, "diagnosticCode"),
    )


def _of_all(told: Any, kind: str, address: str) -> Report:
    return _report(told, kind.partition(" ")[0].lower(), address=address, meaning=WORDS[kind])


def _report(told: Any, part: str, *, address: str, meaning: Meaning, status: str = "", said: str = "") -> Report:
    own = text(told, part, "feedbackId") or text(told, "mail", "messageId")
    when = text(told, part, "timestamp") or text(told, "mail", "timestamp")
    return Report(
        id=id_of(NAME, part, own, when, address),
        meaning=meaning,
        at=instant(told, part, "timestamp") or instant(told, "mail", "timestamp"),
        address=address,
        names=names_in((text(told, "mail", "source"), *_message_ids(inside(told, "mail")))),
        status=status,
        text=said,
    )


def _message_ids(mail: Any) -> tuple[str, ...]:
    named = [text(each, "value") for each in items(mail, "headers") if text(each, "name").lower() == "message-id"]
    return (*named, text(mail, "commonHeaders", "messageId"))
