"""
What is told about a person: plain values that outlive the session they were read in.

Takes a session and a stored subscriber, yields who it is and how they stand to lists, newsletters and suppression.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from subscribers import store
from subscribers.models import Attribute, ConsentAction, MembershipState, Subscriber, Suppression, SuppressionReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """
    Somebody as they stand in a list of people.

    `key` says where the next page begins; `uid` is the public id, for addresses of pages; `fields` are those of
    `store.FIELDS`, empty where nothing is known; `lists` are those the person is a confirmed member of.
    """

    key: int
    uid: str
    address: str
    fields: Mapping[str, str]
    attributes: Mapping[str, Attribute]
    tags: tuple[str, ...]
    lists: tuple[str, ...]
    created: dt.datetime
    updated: dt.datetime

    @property
    def name(self) -> str:
        """First and last name, as far as they are known."""
        return " ".join(filter(None, (self.fields["first_name"], self.fields["last_name"])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Barred:
    """Why an address must not be written to, and since when."""

    reason: SuppressionReason
    note: str
    since: dt.datetime

    @property
    def words(self) -> str:
        """As one phrase, such as "complaint since 2026-12-01: by telephone"."""
        note = f": {self.note}" if self.note else ""
        return f"{self.reason.replace('_', ' ')} since {self.since:%Y-%m-%d}{note}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentLine:
    """
    One line of the consent log; `list_name` or `newsletter` says what it is about, `operator` who acted.

    `proof` is what an administrator gave as such, or what an imported file says about it.
    """

    at: dt.datetime
    action: ConsentAction
    list_name: str
    newsletter: str
    source: str
    operator: str
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Everything that is stored about a person; memberships by list and departures by newsletter, since when."""

    person: Person
    memberships: Mapping[str, tuple[MembershipState, dt.datetime]]
    departures: Mapping[str, dt.datetime]
    barred: Barred | None
    consent: tuple[ConsentLine, ...]


def people_of(session: Session, subscribers: Sequence[Subscriber]) -> list[Person]:
    """Return what is told about each, with two queries for all of them."""
    ids = [store.id_of(subscriber) for subscriber in subscribers]
    tags, lists = store.tags_of(session, ids), store.lists_of(session, ids)
    return [
        Person(
            key=key,
            uid=subscriber.uid,
            address=subscriber.address,
            fields={name: getattr(subscriber, name) or "" for name in store.FIELDS},
            attributes=dict(subscriber.attributes),
            tags=tuple(tags.get(key, ())),
            lists=tuple(lists.get(key, ())),
            created=subscriber.created,
            updated=subscriber.updated,
        )
        for key, subscriber in zip(ids, subscribers, strict=True)
    ]


def standing_of(session: Session, subscriber: Subscriber) -> Standing:
    """Return everything about one person."""
    key = store.id_of(subscriber)
    memberships = store.memberships_of(session, key)
    return Standing(
        person=people_of(session, [subscriber])[0],
        memberships={name: (each.state, each.changed) for name, each in memberships.items()},
        departures=store.departures_of(session, key),
        barred=barred(store.find_suppression(session, subscriber.digest)),
        consent=tuple(
            ConsentLine(
                at=line.at,
                action=line.action,
                list_name=line.list_name,
                newsletter=line.newsletter,
                source=line.source,
                operator=line.operator,
                proof=line.proof,
            )
            for line in store.consent_of(session, subscriber.digest)
        ),
    )


def barred(stored: Suppression | None) -> Barred | None:
    """Return a suppression as a value."""
    return Barred(reason=stored.reason, note=stored.note, since=stored.since) if stored else None
