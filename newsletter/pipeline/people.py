"""
The verbs about people: who they are, what they agreed to, and that they are left in peace.

Each is one transaction, committed whole or not at all; only an import commits in chunks. Whoever leaves, is suppressed
or is erased has what was planned for them stopped in the same transaction.
"""

import csv
import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, TextIO

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.content.store import get_newsletter
from newsletter.database import reading
from newsletter.errors import InvalidInput
from newsletter.logs import logger
from newsletter.pipeline.barring import Barring
from newsletter.pipeline.changes import Changes
from newsletter.pipeline.dossier import Data, Dossier, data_at
from newsletter.pipeline.enrolment import Enrolment, described
from newsletter.pipeline.erasure import Erasure
from newsletter.pipeline.glances import Glances
from newsletter.pipeline.imports import Imports, list_for
from newsletter.pipeline.lists import Lists
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.person import Person, Standing, barred, people_of, standing_of
from newsletter.pipeline.segments import Segments, condition_of
from newsletter.pipeline.stopping import Stopped, stop_all, stop_unmeant
from newsletter.pipeline.tags import Tags
from subscribers import consent, privacy, store, suppression
from subscribers.address import parse_address
from subscribers.errors import UnknownSubscriber
from subscribers.importing import ImportReport, Listeners, Manner
from subscribers.importing.chunk import Verdict
from subscribers.models import MembershipState, Subscriber, SuppressionReason
from subscribers.privacy import ExportRow
from subscribers.segments import Condition

REPORTED: Final = 1000
"""Rows of an export between two reports of progress."""

Progress = Callable[[int, int], None]
"""Told how much is done and how much there is; 0 where that is not known."""


class ExportFormat(StrEnum):
    """How people are written into a file."""

    #: For spreadsheets, and for importing again.
    CSV = "csv"
    #: One JSON object a line, for programs.
    JSONL = "jsonl"


class People:
    """
    The verbs about people.

    `lists`, `segments` and `tags` hold those about where people stand, `glances` those that show at once whom an
    expression means, `changes` those about several people at once,
    `barring` those about addresses that must not be written to, `erasure` those that forget, `imports` those that bring
    people in from files.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._log = logger("people")
        self.lists = Lists(parts)
        self.segments = Segments(parts)
        self.glances = Glances(parts)
        self.imports = Imports(parts)
        self.tags = Tags(parts)
        self.changes = Changes(parts, let_go=self._let_go)
        self.barring = Barring(parts)
        self.erasure = Erasure(parts)

    def import_file(
        self,
        path: Path,
        *,
        list_name: str,
        dry_run: bool = False,
        mapping: Mapping[str, str] | None = None,
        progress: Progress = lambda _done, _total: None,
    ) -> ImportReport:
        """Import a file into a list; for more than this see `imports`, which has what is promised too."""
        return self.imports.take(
            path,
            list_name=list_name,
            manner=Manner(dry_run=dry_run, mapping=mapping),
            listeners=Listeners(progress=progress),
        )

    def add(self, address: str, *, list_name: str, given: Mapping[str, str]) -> Verdict:
        """
        Put somebody on a list as a confirmed member, by an administrator's word; returns what that changed.

        Raises WrongState for somebody who left or must not be written to, InvalidInput for an unknown list.
        """
        parsed, description = parse_address(address), described(given)
        with self._parts.sessions() as session:
            place = Enrolment(
                session=session,
                mailing_list=list_for(session, list_name),
                keys=self._parts.keys,
                circumstances=self._circumstances(),
            )
            verdict = place.enrol(parsed, description)
            session.commit()
        return verdict

    def change(self, address: str, given: Mapping[str, str]) -> list[str]:
        """
        Change fields, attributes and tags of a person; returns the names of what is different now.

        An empty text clears a field and takes an attribute away; `tags` replaces all tags.
        """
        return self.changes.set_one(address, given)

    def show(self, address: str) -> Standing:
        """Everything that is stored about a person; raises UnknownSubscriber, which says if the address is barred."""
        parsed = parse_address(address)
        with reading(self._parts.engine) as session:
            subscriber = store.find_subscriber(session, parsed)
            if subscriber is not None:
                return standing_of(session, subscriber)
            digest = suppression.digest_of(self._parts.keys, parsed)
            found = barred(store.find_suppression(session, digest))
        known = f"; it must not be written to ({found.words})" if found else ""
        raise UnknownSubscriber(f"No subscriber has this address{known}.")

    def page(
        self,
        *,
        limit: int,
        after: str | None = None,
        list_name: str | None = None,
        state: MembershipState = MembershipState.CONFIRMED,
        segment: str | None = None,
    ) -> list[Person]:
        """
        The next people: all, or those of a list or a segment; every page costs the same.

        `after` is the key, or the address, of the last one of the page before; `state` is that of the membership.
        """
        with reading(self._parts.engine) as session:
            condition = self._condition(session, list_name=list_name, segment=segment)
            found = store.page(
                session,
                after=None if after is None else _place(session, after),
                limit=limit,
                list_name=list_name,
                state=state,
                condition=condition,
            )
            return people_of(session, found)

    def export(
        self,
        out: TextIO,
        *,
        form: ExportFormat,
        list_name: str | None = None,
        segment: str | None = None,
        progress: Progress = lambda _done, _total: None,
    ) -> int:
        """
        Write everybody, or the people of a list or a segment, in flat memory; returns how many.

        No text of a CSV file is a formula to a spreadsheet; numbers and truth values stay what they are.
        """
        written = 0
        with reading(self._parts.engine) as session:
            condition = self._condition(session, list_name=list_name, segment=segment)
            write = (
                _csv_writer(out, privacy.export_columns(session)) if form is ExportFormat.CSV else _jsonl_writer(out)
            )
            rows = privacy.export_subscribers(session, list_name=list_name, condition=condition)
            for written, row in enumerate(rows, 1):
                write(row)
                if written % REPORTED == 0:
                    progress(written, 0)
        return written

    def unsubscribe(self, address: str, *, newsletter: str | None = None, list_name: str | None = None) -> Stopped:
        """
        Let a person leave a newsletter, a list, or both; where neither is named, everything for good.

        What is planned for them in runs that they are not meant by any more is stopped. Leaving twice is harmless.
        Raises UnknownSubscriber, UnknownList, NotFound.
        """
        with self._parts.sessions() as session:
            stopped = self._let_go(session, _known(session, address), newsletter=newsletter, list_name=list_name)
            session.commit()
        return stopped

    def _let_go(
        self, session: Session, subscriber: Subscriber, *, newsletter: str | None, list_name: str | None
    ) -> Stopped:
        now = self._parts.now()
        if newsletter is None and list_name is None:
            left = self._leave_everything(session, subscriber)
            return Stopped(left, stop_all(session, subscriber.digest, reason="unsubscribed", now=now))
        left = self._leave(session, subscriber, newsletter=newsletter, list_name=list_name)
        return Stopped(left, stop_unmeant(session, subscriber, reason="unsubscribed", now=now))

    def _leave(
        self, session: Session, subscriber: Subscriber, *, newsletter: str | None, list_name: str | None
    ) -> bool:
        lists = [] if list_name is None else [store.get_list(session, list_name)]
        circumstances = self._circumstances()
        left = [
            consent.leave(session, subscriber=subscriber, mailing_list=each, circumstances=circumstances)
            for each in lists
        ]
        if newsletter is not None:
            _, settings = get_newsletter(session, newsletter)
            gone = consent.leave_newsletter(
                session, subscriber=subscriber, newsletter=settings.slug, lists=(), circumstances=circumstances
            )
            left.append(gone)
        return any(left)

    def _leave_everything(self, session: Session, subscriber: Subscriber) -> bool:
        names = store.memberships_of(session, store.id_of(subscriber))
        left = [self._leave(session, subscriber, newsletter=None, list_name=name) for name in names]
        barred_now = suppression.suppress_digest(
            session, digest=subscriber.digest, reason=SuppressionReason.UNSUBSCRIBED, now=self._parts.now()
        )
        return any(left) or barred_now

    def suppress(self, address: str, *, note: str = "") -> Stopped:
        """Never write to an address again, see `Barring.suppress`."""
        return self.barring.suppress(address, reason=note)

    def unsuppress(self, address: str, *, reason: str, even_complaints: bool = False) -> bool:
        """Lift the suppression of an address, see `Barring.unsuppress`."""
        return self.barring.unsuppress(address, reason=reason, even_complaints=even_complaints)

    def erase(self, address: str) -> Stopped:
        """Forget a person, see `Erasure.erase`."""
        return self.erasure.erase(address)

    def data(self, address: str) -> Data:
        """
        Everything that is stored about a person, with headings in words, fit for JSON; see `dossier`.

        Raises UnknownSubscriber where nothing is, InvalidAddress.
        """
        with self._parts.sessions() as session:
            told = data_at(session, self._parts.keys, parse_address(address))
            self._note_reading(session, told)
            session.commit()
        return told.data

    def _note_reading(self, session: Session, told: Dossier) -> None:
        note_deed(
            session,
            Deed.DATA_READ,
            operator=self._parts.operator,
            at=self._parts.now(),
            subscriber_id=told.subscriber_id,
            digest=told.digest,
        )

    def _circumstances(self) -> consent.Circumstances:
        return consent.Circumstances(at=self._parts.now(), source=self._parts.source, operator=self._parts.operator)

    def _condition(self, session: Session, *, list_name: str | None, segment: str | None) -> Condition | None:
        if list_name is not None:
            store.get_list(session, list_name)
        return None if segment is None else condition_of(session, segment, now=self._parts.now())


def _known(session: Session, address: str) -> Subscriber:
    """Return who is to be let go; raises UnknownSubscriber, since a slip of the pen must not look like a farewell."""
    subscriber = store.find_subscriber(session, address)
    if subscriber is None:
        raise UnknownSubscriber(
            "No subscriber has this address; `newsletter subscribers suppress` bars one that is not known."
        )
    return subscriber


def _place(session: Session, after: str) -> int:
    """Return the id after which a page begins."""
    if after.isascii() and after.isdecimal():
        return int(after)
    if "@" in after:
        return store.id_of(store.get_subscriber(session, after))
    raise InvalidInput(f"{after!r} is no key; give what the last row of the page before has in its first column")


def _csv_writer(out: TextIO, columns: list[str]) -> Callable[[ExportRow], None]:
    """Return what writes a row as CSV, after the headings: also an empty export says what its columns are."""
    writer = csv.DictWriter(out, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()

    def write(row: ExportRow) -> None:
        writer.writerow({name: privacy.cell(value) for name, value in row.items()})

    return write


def _jsonl_writer(out: TextIO) -> Callable[[ExportRow], None]:
    """Return what writes a row as a line of JSON, tags and lists as arrays."""

    def write(row: ExportRow) -> None:
        divided = {name: [part for part in str(row[name]).split(";") if part] for name in ("tags", "lists")}
        out.write(json.dumps(row | divided, ensure_ascii=False) + "\n")

    return write
