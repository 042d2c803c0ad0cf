"""
The register of people as an officer looks through it.

Takes what somebody is sought by, or a public id; yields plain values, page by page. Promises that every question ends
within a bounded time (`TooSlow`), whatever the number of people, that the audit log says who wrote whom into a file,
and that another address holds only once it has been confirmed by mail.
"""

import csv
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TextIO

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.database import reading, reading_within
from newsletter.pipeline.limits import VALID
from newsletter.pipeline.mailings import mailing_named
from newsletter.pipeline.own import newsletter_for
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.person import Person, Standing, people_of, standing_of
from newsletter.pipeline.segments import condition_of
from newsletter.pipeline.signup import writable
from newsletter.planning.models import DeliveryRow, DeliveryState
from newsletter.planning.store import deliveries_to
from subscribers import privacy, store
from subscribers.errors import SubscriberExists, UnknownSubscriber
from subscribers.models import Asking, RequestKind, Subscriber
from subscribers.segments import Condition
from subscribers.store import Sought
from subscribers.tokens import address_digest

PATIENCE: Final = 1.0
"""Seconds that a question about all people may take; whoever asks for more is told so."""

COUNTED: Final = 10_000
"""Where the count of what is sought ends: nobody pages through more."""

PAGE: Final = 1000
"""People read at a time for a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of people; `more` says that there is a next one, which begins before the key of the last."""

    people: Sequence[Person]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """A count; where it was bounded, that many or `more`."""

    count: int
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One message to a person; `newsletter` and `issue` are empty where it belongs to no issue."""

    key: int
    mailing: str
    newsletter: str
    issue: str
    language: str
    state: DeliveryState
    reason: str
    changed: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What people can be sought by: names of lists, segments, languages and tags, each in order."""

    lists: Sequence[str]
    segments: Sequence[str]
    languages: Sequence[str]
    tags: Sequence[str]


class Register:
    """The verbs about looking for people."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def search(self, sought: Sought, *, segment: str = "", limit: int = 50, before: int | None = None) -> Found:
        """The next people that are sought, the newest first; raises TooSlow, UnknownList, UnknownSegment."""
        with reading_within(self._parts.engine, PATIENCE) as session:
            condition = self._condition(session, sought, segment)
            found = store.search(session, sought, limit=limit + 1, before=before, condition=condition)
            return Found(people=people_of(session, found[:limit]), more=len(found) > limit)

    def count(self, sought: Sought, *, segment: str = "") -> Many:
        """How many are sought, up to `COUNTED`; raises TooSlow, UnknownList, UnknownSegment."""
        with reading_within(self._parts.engine, PATIENCE) as session:
            condition = self._condition(session, sought, segment)
            counted = store.count_sought(session, sought, at_most=COUNTED + 1, condition=condition)
        return Many(count=min(counted, COUNTED), more=counted > COUNTED)

    def choices(self) -> Choices:
        """What people can be sought by."""
        with reading(self._parts.engine) as session:
            return Choices(
                lists=[each.name for each in store.all_lists(session)],
                segments=[each.name for each in store.all_segments(session)],
                languages=store.languages_known(session),
                tags=store.known_tags(session),
            )

    def person(self, uid: str) -> Standing:
        """Everything that is stored about the person of a public id; raises UnknownSubscriber."""
        with reading(self._parts.engine) as session:
            return standing_of(session, _known(session, uid))

    def address_of(self, uid: str) -> str:
        """The address of the person of a public id, for the verbs that take one; raises UnknownSubscriber."""
        with reading(self._parts.engine) as session:
            return _known(session, uid).address

    def deliveries(self, uid: str, *, limit: int, before: int | None = None) -> list[Sent]:
        """The next messages to a person, the newest first; raises UnknownSubscriber."""
        with reading(self._parts.engine) as session:
            key = store.id_of(_known(session, uid))
            return [_sent(row) for row in deliveries_to(session, key, limit=limit, before=before)]

    def address_asked_for(self, uid: str) -> bool:
        """Whether a change of address waits for the person's confirmation."""
        with reading(self._parts.engine) as session:
            key, since = store.id_of(_known(session, uid)), self._parts.now() - VALID
            return store.open_address_request(session, key, since=since) is not None

    def ask_for_address(self, uid: str, new: str) -> None:
        """
        Ask for another address in a person's name: a confirmation mail goes there, a notice to the present one.

        Raises InvalidAddress, SubscriberExists, UnknownSubscriber, WrongState where there is no newsletter.
        """
        address, now = writable(new), self._parts.now()
        with self._parts.sessions() as session:
            person = _known(session, uid)
            holder = store.find_subscriber(session, address)
            if holder is not None:
                raise SubscriberExists
            asking = Asking(
                kind=RequestKind.ADDRESS,
                subscriber_id=store.id_of(person),
                newsletter=newsletter_for(session, person).slug,
                address=address.text,
                digest=address_digest(self._parts.keys, address.key),
                at=now,
            )
            store.add_asking(session, asking)
            self._note(session, Deed.ADDRESS_ASKED, person=person)
            session.commit()

    def export(self, sought: Sought, out: TextIO, *, segment: str = "") -> int:
        """
        Write everybody who is sought as CSV, in flat memory, as an import reads it back; returns how many.

        No text is a formula to a spreadsheet. The audit log says who wrote whom.
        """
        with self._parts.sessions() as session:
            self._note(session, Deed.EXPORTED, about=told(sought, segment))
            session.commit()
        written = 0
        with reading(self._parts.engine) as session:
            columns = privacy.export_columns(session)
            writer = csv.DictWriter(out, columns, restval="", extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            for row in self._rows(session, sought, segment):
                writer.writerow({name: privacy.cell(value) for name, value in row.items()})
                written += 1
        return written

    def _rows(self, session: Session, sought: Sought, segment: str) -> Iterator[privacy.ExportRow]:
        condition, before = self._condition(session, sought, segment), None
        while people := store.search(session, sought, limit=PAGE, before=before, condition=condition):
            yield from privacy.export_rows(session, people)
            before = people[-1].id

    def _condition(self, session: Session, sought: Sought, segment: str) -> Condition | None:
        if sought.list_name:
            store.get_list(session, sought.list_name)
        return condition_of(session, segment, now=self._parts.now()) if segment else None

    def _note(self, session: Session, deed: Deed, *, person: Subscriber | None = None, about: str = "") -> None:
        note_deed(
            session,
            deed,
            operator=self._parts.operator,
            at=self._parts.now(),
            subscriber_id=person.id if person else None,
            digest=person.digest if person else None,
            about=about,
        )


def told(sought: Sought, segment: str) -> str:
    """Who is sought, in words for the audit log; what was searched for may be an address, and is masked there."""
    state = "" if sought.state is None or not sought.list_name else f" ({sought.state})"
    said: Mapping[str, str] = {
        "list": f"{sought.list_name}{state}" if sought.list_name else "",
        "segment": segment,
        "language": sought.language,
        "tag": sought.tag,
        "search": sought.text,
        "only": "suppressed" if sought.suppressed else "",
    }
    return "; ".join(f"{name} {value}" for name, value in said.items() if value) or "everybody"


def _known(session: Session, uid: str) -> Subscriber:
    found = store.find_by_uid(session, uid)
    if found is None:
        raise UnknownSubscriber("There is no such person any more.")
    return found


def _sent(row: DeliveryRow) -> Sent:
    newsletter, issue = mailing_named(row.mailing) if row.mailing.startswith("issue:") else ("", "")
    return Sent(
        key=row.id or 0,
        mailing=row.mailing,
        newsletter=newsletter,
        issue=issue,
        language=row.language,
        state=row.state,
        reason=row.reason or "",
        changed=row.changed,
    )
