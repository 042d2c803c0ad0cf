"""
A dossier: everything that is stored about one person, in words that the person understands.

Takes an address, or somebody's id; yields a plain structure for JSON whose headings are words, with instants as RFC
3339 in UTC. Promises to leave nothing out that is stored under the person or their digest (GDPR, article 15), to say
what the keyed digest is, and to name nobody else. Of somebody who was erased it tells what was kept. Reads only.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlmodel import Session

from newsletter.accounts.store import deeds_about
from newsletter.dispatch.forgetting import attempts_of_many
from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Phase
from newsletter.dispatch.story import SPOKEN
from newsletter.pipeline.reactions import Reaction, reactions_of, words_agreed_to
from newsletter.planning.forgetting import deliveries, ids_of_person
from newsletter.planning.models import DeliveryRow, DeliveryState
from newsletter.times import rfc3339
from subscribers import store
from subscribers.address import Address
from subscribers.errors import UnknownSubscriber
from subscribers.models import (
    ConfirmationRequest,
    ConsentAction,
    ConsentEntry,
    FormerAddress,
    MembershipState,
    RequestKind,
    Subscriber,
    Suppression,
)
from subscribers.tokens import Keys, address_digest

Data = dict[str, Any]
"""Headings in words, and under each what is stored: texts, numbers, lists and further headings."""

CONSENT: Final = {
    ConsentAction.SUBSCRIBED: "asked to receive it",
    ConsentAction.CONFIRMED: "confirmed by the link in a mail",
    ConsentAction.IMPORTED: "was entered by an administrator",
    ConsentAction.LEFT: "left the list",
    ConsentAction.LEFT_NEWSLETTER: "left the newsletter",
    ConsentAction.RESUBSCRIBED: "asked to receive it again",
    ConsentAction.REMOVED: "was taken off the list by an administrator",
}

CONSENT_LINE: Final = {
    "in language": "wording_language",
    "list": "list_name",
    "newsletter": "newsletter",
    "asked": "asked",
    "by the link in": "mailing",
    "came by": "source",
    "done by": "operator",
    "on the ground of": "proof",
    "from network": "origin",
}
"""Headings of a line of the consent log, and the column of each; columns that a log does not have say nothing."""

MEMBERSHIP: Final = {
    MembershipState.PENDING: "asked for, not confirmed yet",
    MembershipState.CONFIRMED: "receives it",
    MembershipState.LEFT: "has left it",
    MembershipState.REMOVED: "was taken off by an administrator",
}

DELIVERY: Final = {
    DeliveryState.PLANNED: "planned",
    DeliveryState.CLAIMED: "about to be sent",
    DeliveryState.SENDING: "on its way at this moment",
    DeliveryState.ACCEPTED: "accepted by the mail server",
    DeliveryState.DEFERRED: "put off by the mail server, will be tried again",
    DeliveryState.REFUSED: "refused by the mail server",
    DeliveryState.UNCERTAIN: "sent, the mail server did not say whether it took it",
    DeliveryState.SUPPRESSED: "not sent: the person had left or the address is suppressed",
    DeliveryState.CANCELLED: "not sent: the issue was stopped first",
    DeliveryState.EXPIRED: "not sent: the mail server put it off for too long",
}

DIGEST: Final = "a keyed digest of the address: it can be compared, and not be turned back into the address"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """The data, and whose they are: `subscriber_id` is None of somebody who is no subscriber any more."""

    data: Data
    digest: str
    subscriber_id: int | None


def data_at(session: Session, keys: Keys, address: Address) -> Dossier:
    """
    Return everything that is stored about whoever has an address, or had it when they were erased.

    Raises UnknownSubscriber where nothing is stored.
    """
    digest = address_digest(keys, address.key)
    return _dossier(session, store.find_subscriber(session, address), digest)


def data_by_id(session: Session, subscriber_id: int) -> Dossier:
    """The same of a subscriber by id; raises UnknownSubscriber."""
    person = session.get(Subscriber, subscriber_id)
    if person is None:
        raise UnknownSubscriber
    return _dossier(session, person, person.digest)


def _dossier(session: Session, person: Subscriber | None, digest: str) -> Dossier:
    key = person.id if person else None
    former = store.former_addresses(session, key) if key is not None else ()
    digests = [digest, *(each.digest for each in former)]
    ids = ids_of_person(session, digest=digest, subscriber_id=key)
    barred, consent = store.find_suppression(session, digest), store.consent_of(session, digest)
    deeds, words = deeds_about(session, subscriber_id=key, digest=digest), words_agreed_to(session, consent)
    if person is None and not (barred or consent or ids or deeds):
        raise UnknownSubscriber("Nothing is stored about this address.")
    data = {
        **(_person(session, person) if person else {"Person": "not a subscriber: nothing but what follows is stored"}),
        "Addresses before": [_former(each) for each in former],
        "Asked to confirm": [_request(each) for each in store.requests_of(session, key)] if key is not None else [],
        "Consent log": [_consent(line, words) for line in consent],
        "Must not be written to": _barred(barred),
        "Messages": _messages(session, ids),
        "What came back": [
            _reaction(each) for each in reactions_of(session, digests=digests, delivery_ids=ids, subscriber_id=key)
        ],
        "What operators did": [
            _without_empty({"when": rfc3339(deed.at), "what": deed.action, "which": deed.about, "why": deed.reason})
            for deed in deeds
        ],
        "Stands for the address": {"digest": digest, "is": DIGEST},
    }
    return Dossier(data=data, digest=digest, subscriber_id=key)


def _person(session: Session, person: Subscriber) -> Data:
    key = store.id_of(person)
    fields = {name.replace("_", " "): getattr(person, name) for name in store.FIELDS}
    memberships = store.memberships_of(session, key)
    return {
        "Person": _without_empty(
            {
                "address": person.address,
                **fields,
                "added": rfc3339(person.created),
                "changed": rfc3339(person.updated),
                "name in links": person.uid,
            }
        ),
        "Further facts": dict(person.attributes),
        "Tags": store.tags_of(session, [key]).get(key, []),
        "Lists": [
            {"list": name, "stands": MEMBERSHIP[each.state], "since": rfc3339(each.changed)}
            for name, each in memberships.items()
        ],
        "Newsletters left": [
            {"newsletter": name, "when": rfc3339(at)} for name, at in store.departures_of(session, key).items()
        ],
    }


def _former(each: FormerAddress) -> Data:
    return {"digest": each.digest, "until": rfc3339(each.until)}


def _request(each: ConfirmationRequest) -> Data:
    return _without_empty(
        {
            "when": rfc3339(each.asked),
            "what": "to receive lists" if each.kind is RequestKind.LISTS else "to get the mail at another address",
            "lists": list(each.lists),
            "other address": each.address,
            "newsletter": each.newsletter,
            "confirmed": rfc3339(each.confirmed) if each.confirmed else None,
        }
    )


def _consent(line: ConsentEntry, words: Mapping[str, str]) -> Data:
    told = {heading: getattr(line, name, None) for heading, name in CONSENT_LINE.items()}
    agreed = words.get(line.wording_version, line.wording_version)
    data = {"when": line.at, "what": CONSENT[line.action], "words agreed to": agreed, **told}
    return _without_empty(
        {heading: rfc3339(value) if isinstance(value, dt.datetime) else value for heading, value in data.items()}
    )


def _barred(found: Suppression | None) -> Data | None:
    if found is None:
        return None
    words = {"why": found.reason.replace("_", " "), "since": rfc3339(found.since), "note": found.note}
    return _without_empty(words)


def _messages(session: Session, ids: Sequence[int]) -> list[Data]:
    tries: dict[int, list[AttemptRow]] = {}
    for attempt in attempts_of_many(session, ids):
        tries.setdefault(attempt.delivery_id, []).append(attempt)
    return [_message(row, tries.get(row.id or 0, ())) for row in deliveries(session, ids)]


def _message(row: DeliveryRow, tries: Iterable[AttemptRow]) -> Data:
    return _without_empty(
        {
            "message": row.mailing,
            "language": row.language,
            "content by SHA-256": row.artifact,
            "stands": DELIVERY[row.state],
            "since": rfc3339(row.changed),
            "reason": row.reason,
            "to": row.address,
            "tries": [_try(attempt) for attempt in tries],
        }
    )


def _try(attempt: AttemptRow) -> Data:
    said = f"{attempt.code} {attempt.text}" if attempt.code else attempt.text
    return _without_empty(
        {
            "when": rfc3339(attempt.at),
            "over": attempt.relay,
            "came to": SPOKEN[attempt.verdict],
            "at step": Phase(attempt.phase).name,
            "mail server said": said,
        }
    )


def _reaction(event: Reaction) -> Data:
    return _without_empty(
        {
            "when": rfc3339(event["at"]),
            "what": str(event["kind"]),
            "message": event["mailing"],
            "came by": event.get("source"),
            "code": event.get("status"),
            "words": event.get("text"),
        }
    )


def _without_empty(data: Data) -> Data:
    return {heading: value for heading, value in data.items() if value not in (None, "", [])}
