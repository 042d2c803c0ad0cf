"""
Keeps a list as a membership system has it.

Takes a file with everybody who belongs to the list; yields what an import of it does, and ends the memberships of
those who are not in it; promises that nothing at all is written where more would go than the bound allows, that who
left stays away, that who was taken off comes back with the file, and that the same file again changes nothing.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from itertools import islice
from math import floor
from pathlib import Path

from sqlalchemy.orm import Session

from subscribers.errors import TooManyRemovals
from subscribers.importing.chunk import Target
from subscribers.importing.loading import CHUNK, File, Listeners, MakeSession, Manner, load, make_target, understood
from subscribers.importing.repeats import address_keys
from subscribers.importing.report import ImportReport
from subscribers.importing.source import opened
from subscribers.models import ConsentAction, ConsentEntry, MembershipState
from subscribers.store import bulk, in_batches
from subscribers.tokens import Keys

SHOWN = 100
"""Of those who would be taken off, how many a dry run names."""

SOURCE = "sync"
"""How the consent log calls the way these people came and went."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How many memberships a sync may end.

    Attributes:
        share: of the members there are before, from 0 to 1; None where a number is meant.
        number: of members.
    """

    share: Fraction | None = Fraction(5, 100)
    number: int = 0

    def of(self, members: int) -> int:
        """Return how many of so many members may go; a share is rounded down."""
        return self.number if self.share is None else floor(self.share * members)

    def __str__(self) -> str:
        return f"{self.number:,}" if self.share is None else f"{float(self.share * 100):g}%"


@dataclass(slots=True)
class SyncReport:
    """What a sync did.

    Attributes:
        imported: what became of the rows of the file.
        members: who were on the list before, or about to be.
        removed: whose memberships were ended, or would be.
        leaving: ids of the first of those who would be, of a dry run.
    """

    imported: ImportReport = field(default_factory=ImportReport)
    members: int = 0
    removed: int = 0
    leaving: tuple[int, ...] = ()


def sync_subscribers(
    make_session: MakeSession,
    path: Path,
    *,
    list_name: str,
    keys: Keys,
    operator: str,
    now: datetime,
    bound: Bound,
    manner: Manner | None = None,
    listeners: Listeners | None = None,
) -> SyncReport:
    """Import a file into a list, end the memberships of those who are not in it, and return what was done.

    Somebody whose address stands in the file is present, also where the rest of the row is wrong. Memberships that
    wait for a confirmation end too.

    Args:
        make_session: opens a session for each transaction.
        path: the file.
        list_name: the list.
        keys: for the digests of addresses.
        operator: who acts, for the consent log.
        now: aware.
        bound: how many memberships may end.
        manner: how the file is imported.
        listeners: who wants to know.

    Raises:
        TooManyRemovals: more would end than the bound allows; nothing was stored.
        ImportRefused, UnknownField, InvalidValue, UnknownList: nothing was stored.
    """
    manner, listeners = manner or Manner(), listeners or Listeners()
    with opened(path, name=manner.name, sheet=manner.sheet, largest=manner.largest) as table:
        file = understood(table, manner)
        target = make_target(
            make_session,
            file,
            list_name=list_name,
            keys=keys,
            operator=operator,
            now=now,
            manner=manner,
            source=SOURCE,
        )
        report = SyncReport()
        report.members, absent = _absent(make_session, file, target)
        if len(absent) > bound.of(report.members):
            raise TooManyRemovals(absent=len(absent), members=report.members, bound=str(bound))
        report.imported = load(make_session, file, target, dry_run=manner.dry_run, listeners=listeners)
    if manner.dry_run:
        report.removed, report.leaving = len(absent), tuple(absent[:SHOWN])
    elif not report.imported.stopped:
        report.removed = _remove(make_session, target, absent, listeners=listeners)
    return report


def _absent(make_session: MakeSession, file: File, target: Target) -> "tuple[int, array[int]]":
    """Return how many are on the list, and the ids of those whose address the file does not have."""
    with make_session() as session:
        present = _present(session, file)
        absent = array("q")
        members = 0
        for key in bulk.present_in(session, target.list_id):
            members += 1
            if not (key >> 3 < len(present) and present[key >> 3] & 1 << (key & 7)):
                absent.append(key)
    return members, absent


def _present(session: Session, file: File) -> bytearray:
    """Return a map with a bit for each subscriber whose address stands in the file: an eighth of an octet a person."""
    present = bytearray()
    addresses = (key for _, key in address_keys(file.table, file.address))
    while batch := list(islice(addresses, CHUNK)):
        for key in bulk.ids_of(session, batch):
            if key >> 3 >= len(present):
                present.extend(bytes((key >> 3) + 1 - len(present)))
            present[key >> 3] |= 1 << (key & 7)
    return present


def _remove(make_session: MakeSession, target: Target, absent: Sequence[int], *, listeners: Listeners) -> int:
    removed = 0
    for batch in in_batches(absent, CHUNK):
        with make_session() as session:
            ended = bulk.end_memberships(
                session, list_id=target.list_id, ids=batch, state=MembershipState.REMOVED, now=target.now
            )
            _log(session, target, ended)
            if ended:
                listeners.departures(session, [digest for _, digest in ended])
            session.commit()
        removed += len(ended)
    return removed


def _log(session: Session, target: Target, ended: Sequence[tuple[int, str]]) -> None:
    entry = ConsentEntry(
        digest="",
        action=ConsentAction.REMOVED,
        list_name=target.list_name,
        source=target.source,
        operator=target.operator,
        at=target.now,
    )
    bulk.insert_consent(session, [(key, digest, "") for key, digest in ended], entry=entry)
