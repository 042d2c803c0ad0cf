"""
Every query for lists of issues and of what an issue left out, and the trace by which a change by hand is undone.

Takes a session, never commits. Lists are read in pages, by the key of their last row, never by a count of rows.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import delete, func, or_, select, tuple_, update
from sqlmodel import Session, col

from newsletter.assembly.facts import IssueState, PlacedItem, Placement
from newsletter.assembly.models import ArrangementRow, IssueRow, ItemRow, VerdictRow
from newsletter.assembly.selection import TAKEN, EntryVerdict
from newsletter.assembly.store import said_of, verdict_of
from newsletter.content.entry import Image, Kind
from newsletter.content.issue import IssuePlan
from newsletter.content.models import EntryRow, EntryText
from newsletter.content.newsletter import Newsletter
from newsletter.database import changed_rows

ENDED: Final = frozenset({IssueState.SENT, IssueState.CANCELLED})
"""The states of issues about which nothing is left to do."""


class LeftOut(NamedTuple):
    """An entry that stands not in an issue: `position` is its key in the list."""

    position: int
    verdict: EntryVerdict


class EntryDates(NamedTuple):
    """What the words of a verdict need to know of an entry."""

    kind: Kind
    section: str
    published: dt.date
    last_day: dt.date | None


class Before(NamedTuple):
    """An issue before a change of its items: its plan, the settings that held for it, and the items."""

    plan: IssuePlan
    settings: Newsletter
    items: tuple[PlacedItem, ...]


def lock(session: Session, row: IssueRow) -> None:
    """Read an issue's row once more and keep others from changing it until the transaction ends."""
    session.refresh(row, with_for_update=True)


def open_issues(session: Session, newsletter_id: int, *, limit: int) -> Sequence[IssueRow]:
    """The issues that are not ended, latest first."""
    own = (col(IssueRow.newsletter_id) == newsletter_id, col(IssueRow.state).not_in(ENDED))
    latest = (col(IssueRow.date).desc(), col(IssueRow.slug).desc())
    return session.scalars(select(IssueRow).where(*own).order_by(*latest).limit(limit)).all()


def ended_issues(
    session: Session, newsletter_id: int, *, after: tuple[dt.date, str] | None, limit: int
) -> Sequence[IssueRow]:
    """The issues that are ended, latest first, behind the one of that date and slug."""
    own = [col(IssueRow.newsletter_id) == newsletter_id, col(IssueRow.state).in_(ENDED)]
    if after is not None:
        own.append(tuple_(col(IssueRow.date), col(IssueRow.slug)) < after)
    latest = (col(IssueRow.date).desc(), col(IssueRow.slug).desc())
    return session.scalars(select(IssueRow).where(*own).order_by(*latest).limit(limit)).all()


def left_out(session: Session, issue_id: int, *, search: str = "", after: int = -1, limit: int) -> Sequence[LeftOut]:
    """Entries that the issue does not show, with a search in their titles and keys, behind a position."""
    own = [
        col(VerdictRow.issue_id) == issue_id,
        col(VerdictRow.position) > after,
        col(VerdictRow.code).not_in(TAKEN),
    ]
    if search:
        title = func.lower(col(VerdictRow.title)).contains(search.lower(), autoescape=True)
        own.append(title | col(VerdictRow.entry_key).contains(search.lower(), autoescape=True))
    rows = session.scalars(select(VerdictRow).where(*own).order_by(col(VerdictRow.position)).limit(limit))
    return [LeftOut(row.position, verdict_of(row)) for row in rows]


def verdicts_of(session: Session, issue_id: int, keys: Collection[str]) -> Mapping[str, EntryVerdict]:
    """What the last assembly said of some entries, by key."""
    own = (col(VerdictRow.issue_id) == issue_id, col(VerdictRow.entry_key).in_(keys))
    return {row.entry_key: verdict_of(row) for row in session.scalars(select(VerdictRow).where(*own))}


def judge_again(session: Session, issue_id: int, verdicts: Sequence[EntryVerdict]) -> None:
    """Put verdicts in the place of those that some entries had; an entry without one gets its own behind the others."""
    known = verdicts_of(session, issue_id, [verdict.key for verdict in verdicts])
    last = session.scalar(select(func.max(VerdictRow.position)).where(col(VerdictRow.issue_id) == issue_id))
    free = -1 if last is None else last
    for verdict in verdicts:
        if known.get(verdict.key) == verdict:
            continue
        said = said_of(verdict)
        mine = (col(VerdictRow.issue_id) == issue_id, col(VerdictRow.entry_key) == verdict.key)
        if not changed_rows(session, update(VerdictRow).where(*mine).values(**said)):
            free += 1
            session.add(VerdictRow(issue_id=issue_id, position=free, **said))
    session.flush()


class Spoken(NamedTuple):
    """An entry of an issue: the editions it is meant for (all where it names none), and the languages it has."""

    issue_id: int
    meant: tuple[str, ...]
    languages: frozenset[str]


def spoken(session: Session, issue_ids: Collection[int]) -> Sequence[Spoken]:
    """The entries of some issues with their languages."""
    mine = select(col(ItemRow.entry_id)).where(col(ItemRow.issue_id).in_(issue_ids))
    texts: dict[int, set[str]] = {}
    pairs = select(col(EntryText.entry_id), col(EntryText.language)).where(col(EntryText.entry_id).in_(mine))
    for entry_id, language in session.execute(pairs):
        texts.setdefault(entry_id, set()).add(language)
    stand = (
        select(col(ItemRow.issue_id), col(ItemRow.entry_id), col(EntryRow.document))
        .join(EntryRow, col(EntryRow.id) == col(ItemRow.entry_id))
        .where(col(ItemRow.issue_id).in_(issue_ids))
    )
    found = {(issue_id, entry_id): document for issue_id, entry_id, document in session.execute(stand)}
    return [
        Spoken(issue_id, tuple(document.get("languages", ())), frozenset(texts.get(entry_id, ())))
        for (issue_id, entry_id), document in found.items()
    ]


class Pictured(NamedTuple):
    """A stored picture that an entry of an issue names."""

    picture: str
    issue: str
    state: IssueState


def pictured(session: Session, *, since: dt.date) -> Sequence[Pictured]:
    """What the entries of issues show that are open, or of that day or later and not cancelled; each once an issue."""
    looked_at = or_(col(IssueRow.state).not_in(ENDED), col(IssueRow.date) >= since)
    shown = (
        select(col(EntryRow.document), col(IssueRow.slug), col(IssueRow.state))
        .join(ItemRow, col(ItemRow.entry_id) == col(EntryRow.id))
        .join(IssueRow, col(IssueRow.id) == col(ItemRow.issue_id))
        .where(looked_at, col(IssueRow.state) != IssueState.CANCELLED)
        .order_by(col(IssueRow.date), col(ItemRow.position))
    )
    named = (
        Pictured(picture, issue, state)
        for document, issue, state in session.execute(shown)
        if "image" in document
        for picture in Image.model_validate(document["image"]).file.values()
    )
    return tuple(dict.fromkeys(named))


def newest(session: Session, newsletter_id: int) -> IssueRow | None:
    """The issue of the latest date."""
    latest = (col(IssueRow.date).desc(), col(IssueRow.slug).desc())
    own = select(IssueRow).where(col(IssueRow.newsletter_id) == newsletter_id)
    return session.scalars(own.order_by(*latest).limit(1)).first()


def entry_dates(session: Session, newsletter_id: int, keys: Collection[str]) -> Mapping[str, EntryDates]:
    """When some entries of a newsletter are published and over, by key."""
    columns = (EntryRow.key, EntryRow.kind, EntryRow.section, EntryRow.published, EntryRow.last_day)
    own = (col(EntryRow.newsletter_id) == newsletter_id, col(EntryRow.key).in_(keys))
    return {key: EntryDates(*rest) for key, *rest in session.execute(select(*map(col, columns)).where(*own))}


def changed_since(session: Session, row: IssueRow, instant: dt.datetime, *, at_most: int) -> int:
    """How many entries that do not stand in an issue were written or changed since an instant; no more than a bound."""
    standing = select(col(ItemRow.entry_id)).where(col(ItemRow.issue_id) == row.id)
    fresh = (
        col(EntryRow.newsletter_id) == row.newsletter_id,
        col(EntryRow.changed) > instant,
        col(EntryRow.id).not_in(standing),
    )
    some = select(col(EntryRow.id)).where(*fresh).limit(at_most).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def keep_before(
    session: Session, issue_id: int, before: Before, *, stamp: str, operator: str, now: dt.datetime
) -> None:
    """Remember how an issue stood before a change that led to `stamp`; only the last one can be undone."""
    forget_before(session, issue_id)
    document = {
        "plan": before.plan.model_dump(mode="json", by_alias=True),
        "settings": before.settings.model_dump(mode="json", by_alias=True),
        "items": [[item.key, item.section, item.segment, item.placement.value] for item in before.items],
    }
    session.add(ArrangementRow(issue_id=issue_id, stamp=stamp, document=document, operator=operator[:80], at=now))
    session.flush()


def find_before(session: Session, issue_id: int, *, stamp: str) -> Before | None:
    """How an issue stood before the change that led to `stamp`; None where another change came after."""
    own = (col(ArrangementRow.issue_id) == issue_id, col(ArrangementRow.stamp) == stamp)
    document = session.scalar(select(col(ArrangementRow.document)).where(*own))
    if document is None:
        return None
    return Before(
        plan=IssuePlan.model_validate(document["plan"]),
        settings=Newsletter.model_validate(document["settings"]),
        items=tuple(
            PlacedItem(key=key, section=section, position=place, segment=segment, placement=Placement(placement))
            for place, (key, section, segment, placement) in enumerate(document["items"])
        ),
    )


def forget_before(session: Session, issue_id: int) -> None:
    """What was done last cannot be undone any more."""
    session.execute(delete(ArrangementRow).where(col(ArrangementRow.issue_id) == issue_id))
