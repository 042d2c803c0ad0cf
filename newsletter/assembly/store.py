"""
Every query of assembly. Takes a session, never commits.

An issue changes only as a draft; what would change nothing is taken in any state, so that importing a pack twice is
harmless. The ledger of published entries is read up to an issue's own place in time: an earlier issue is one of an
earlier date, or of the same date and a slug that comes first.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, update
from sqlmodel import Session, col

from newsletter.assembly.days import following
from newsletter.assembly.facts import IssueFacts, IssueRef, IssueState, PlacedItem, Placement
from newsletter.assembly.models import IssueRow, ItemRow, PublishedRow, VerdictRow
from newsletter.assembly.selection import EntryVerdict, Selection
from newsletter.content.difference import Difference, Effect, compare
from newsletter.content.issue import IssuePlan
from newsletter.content.localised import Value
from newsletter.content.models import EntryRow, NewsletterRow
from newsletter.content.newsletter import Newsletter, Topic
from newsletter.content.rows import row_id
from newsletter.content.store import entries, get_newsletter, picture_sizes
from newsletter.database import changed_rows
from newsletter.errors import Ambiguous, NotFound, WrongState


class IssueMark(NamedTuple):
    """An issue without its documents: every change of its items, texts, settings or state shows in it."""

    id: int
    slug: str
    state: IssueState
    changed: dt.datetime
    revision: int


def save_plan(session: Session, newsletter_id: int, plan: IssuePlan, *, now: dt.datetime) -> Difference:
    """
    Store the plan of an issue, new or changed, and say what that changes.

    A changed plan keeps the items of the last assembly until the next one. Raises WrongState for a change to an issue
    that is no draft any more.
    """
    row = find_issue(session, newsletter_id, plan.slug)
    difference = compare(None if row is None else plan_of(row), plan)
    if difference.effect is Effect.UNCHANGED:
        return difference
    fresh = IssueRow(
        newsletter_id=newsletter_id,
        slug=plan.slug,
        number=plan.number,
        date=plan.date,
        period_from=plan.period.first,
        period_to=plan.period.last,
        plan=_document(plan),
        created=now,
        changed=now,
    )
    if row is None:
        session.add(fresh)
    else:
        _ensure_draft(row)
        planned = fresh.model_dump(include={"number", "date", "period_from", "period_to", "plan", "changed"})
        row.sqlmodel_update({**planned, "revision": row.revision + 1})
    session.flush()
    return difference


def copy_issue(session: Session, row: IssueRow, slug: str, *, now: dt.datetime) -> IssueRow:
    """
    Plan the next issue after `row` as a draft, with its texts and its list of items (see `days.following`).

    Raises WrongState where the slug is taken.
    """
    if find_issue(session, row.newsletter_id, slug) is not None:
        raise WrongState(f"there is an issue {slug!r} already: choose another name for the copy")
    save_plan(session, row.newsletter_id, following(plan_of(row), slug), now=now)
    return session.scalars(select(IssueRow).where(*_named(row.newsletter_id, slug))).one()


def get_issue(session: Session, slug: str, newsletter: str | None = None) -> IssueRow:
    """
    An issue by its slug, and by its newsletter's where several newsletters have one of that slug.

    Raises NotFound with the nearest slugs, or Ambiguous.
    """
    conditions = [col(IssueRow.slug) == slug]
    if newsletter is not None:
        conditions.append(col(IssueRow.newsletter_id) == get_newsletter(session, newsletter)[0])
    rows = session.scalars(select(IssueRow).where(*conditions)).all()
    if not rows:
        known = session.scalars(select(col(IssueRow.slug)).distinct().where(*conditions[1:])).all()
        raise NotFound("issue", slug, near=get_close_matches(slug, known))
    if len(rows) > 1:
        ids = [row.newsletter_id for row in rows]
        owners = select(col(NewsletterRow.slug)).where(col(NewsletterRow.id).in_(ids)).order_by(col(NewsletterRow.slug))
        raise Ambiguous("issue", slug, newsletters=session.scalars(owners).all())
    return rows[0]


def list_issues(session: Session, newsletter_id: int | None = None) -> Sequence[IssueRow]:
    """The issues of a newsletter, or of all, latest first."""
    own = [] if newsletter_id is None else [col(IssueRow.newsletter_id) == newsletter_id]
    latest = (col(IssueRow.date).desc(), col(IssueRow.slug).desc(), col(IssueRow.newsletter_id))
    return session.scalars(select(IssueRow).where(*own).order_by(*latest)).all()


def issue_marks(session: Session, newsletter_id: int, *, slug: str | None = None) -> Sequence[IssueMark]:
    """What tells of the issues of a newsletter, or of one, whether they have changed; latest first."""
    own = [col(IssueRow.newsletter_id) == newsletter_id, *([] if slug is None else [col(IssueRow.slug) == slug])]
    columns = (IssueRow.id, IssueRow.slug, IssueRow.state, IssueRow.changed, IssueRow.revision)
    latest = (col(IssueRow.date).desc(), col(IssueRow.slug).desc())
    return [IssueMark(*row) for row in session.execute(select(*map(col, columns)).where(*own).order_by(*latest))]


def previous_plan(session: Session, newsletter_id: int, date: dt.date) -> IssuePlan | None:
    """The plan of the last issue before `date`, for `days.default_period`."""
    earlier = (col(IssueRow.newsletter_id) == newsletter_id, col(IssueRow.date) < date)
    latest = (col(IssueRow.date).desc(), col(IssueRow.slug).desc())
    row = session.scalars(select(IssueRow).where(*earlier).order_by(*latest).limit(1)).first()
    return None if row is None else plan_of(row)


def find_issue(session: Session, newsletter_id: int, slug: str) -> IssueRow | None:
    """An issue of a newsletter, or None."""
    return session.scalars(select(IssueRow).where(*_named(newsletter_id, slug))).one_or_none()


def own_sections(session: Session) -> frozenset[str]:
    """The keys of the sections that issues have beside those of their newsletter."""
    plans = session.scalars(select(col(IssueRow.plan))).all()
    return frozenset(section["key"] for plan in plans for section in plan.get("sections") or ())


def issue_row(session: Session, issue_id: int) -> IssueRow:
    """An issue by its id. Raises NotFound."""
    row = session.get(IssueRow, issue_id)
    if row is None:
        raise NotFound("issue", str(issue_id))
    return row


def owner_of(session: Session, row: IssueRow) -> str:
    """The slug of an issue's newsletter."""
    return session.get_one(NewsletterRow, row.newsletter_id).slug


def plan_of(row: IssueRow) -> IssuePlan:
    """The plan of an issue."""
    return IssuePlan.model_validate(row.plan)


def replace_items(
    session: Session,
    row: IssueRow,
    *,
    selection: Selection,
    settings: Newsletter,
    topics: Collection[Topic],
    now: dt.datetime,
) -> bool:
    """
    Store what an assembly chose, with a snapshot of the settings and topics it was made with.

    `settings` are those that hold for the issue. Returns whether anything that an edition shows is different. Raises
    WrongState unless the issue is a draft.
    """
    _ensure_draft(row)
    issue_id = row_id(row)
    snapshot = {"settings": _document(settings), "topics": [_document(topic) for topic in topics]}
    changed = (row.settings, row.topics) != tuple(snapshot.values()) or items(session, issue_id) != selection.items
    if changed:
        row.sqlmodel_update({**snapshot, "changed": now, "revision": row.revision + 1})
        _replace(session, ItemRow, issue_id, _item_values(session, row, selection.items))
    row.assembled = now
    told = [{"position": place, **said_of(verdict)} for place, verdict in enumerate(selection.verdicts)]
    _replace(session, VerdictRow, issue_id, told)
    session.flush()
    return changed


def rearrange(
    session: Session,
    row: IssueRow,
    *,
    placed: Sequence[PlacedItem],
    settings: Newsletter,
    topics: Collection[Topic],
    now: dt.datetime,
) -> None:
    """
    Store items that were arranged by hand; the verdicts on entries stay as they are.

    Raises WrongState unless the issue is a draft.
    """
    _ensure_draft(row)
    snapshot = {"settings": _document(settings), "topics": [_document(topic) for topic in topics]}
    row.sqlmodel_update({**snapshot, "changed": now, "revision": row.revision + 1})
    _replace(session, ItemRow, row_id(row), _item_values(session, row, placed))
    session.flush()


def items(session: Session, issue_id: int) -> tuple[PlacedItem, ...]:
    """The items of an issue in order."""
    own = select(ItemRow).where(col(ItemRow.issue_id) == issue_id).order_by(col(ItemRow.position))
    return tuple(
        PlacedItem(
            key=row.entry_key,
            section=row.section,
            position=row.position,
            segment=row.segment,
            placement=row.placement,
        )
        for row in session.scalars(own)
    )


def verdicts(session: Session, issue_id: int) -> tuple[EntryVerdict, ...]:
    """What was said of every entry when the issue was assembled: those that stand in it first, in its order."""
    own = select(VerdictRow).where(col(VerdictRow.issue_id) == issue_id).order_by(col(VerdictRow.position))
    found = [verdict_of(row) for row in session.scalars(own)]
    # What was arranged by hand since has its place in the items alone.
    first = {item.key: item.position for item in reversed(items(session, issue_id))}
    return tuple(sorted(found, key=lambda verdict: first.get(verdict.key, len(first))))


def verdict_of(row: VerdictRow) -> EntryVerdict:
    """The verdict in a row."""
    return EntryVerdict(key=row.entry_key, title=row.title, code=row.code, words=row.words, section=row.section)


def said_of(verdict: EntryVerdict) -> dict[str, Any]:
    """What a row says of a verdict, in whichever issue and place: `verdict_of` the other way round."""
    return {
        "entry_key": verdict.key,
        "title": verdict.title,
        "code": verdict.code,
        "words": verdict.words,
        "section": verdict.section,
    }


def set_state(
    session: Session, issue_id: int, *, expected: Collection[IssueState], state: IssueState, now: dt.datetime
) -> bool:
    """Bring an issue from one of the expected states to another; returns whether it was in one of them."""
    guard = (col(IssueRow.id) == issue_id, col(IssueRow.state).in_(expected))
    done = changed_rows(session, update(IssueRow).where(*guard).values(state=state, changed=now)) == 1
    if done:
        session.refresh(session.get_one(IssueRow, issue_id))
    return done


def record_published(session: Session, issue_id: int, *, at: dt.datetime) -> int:
    """
    Record that the entries which stand in an issue as blocks have been published; returns how many are new.

    Lines are not recorded: that a date was listed does not mean that its text was ever shown.
    """
    known = select(col(PublishedRow.entry_id)).where(col(PublishedRow.issue_id) == issue_id)
    blocks = (col(ItemRow.issue_id) == issue_id, col(ItemRow.placement) == Placement.BLOCK)
    fresh = select(col(ItemRow.entry_id)).distinct().where(*blocks, col(ItemRow.entry_id).not_in(known))
    ids = session.scalars(fresh.order_by(col(ItemRow.entry_id))).all()
    owner = session.get_one(IssueRow, issue_id).newsletter_id
    session.add_all(PublishedRow(newsletter_id=owner, entry_id=entry, issue_id=issue_id, at=at) for entry in ids)
    session.flush()
    return len(ids)


def take_back_published(session: Session, issue_id: int) -> int:
    """Forget that an issue published anything, for its run ended before a message was accepted; returns how many."""
    return changed_rows(session, delete(PublishedRow).where(col(PublishedRow.issue_id) == issue_id))


def published_before(
    session: Session, newsletter_id: int, *, date: dt.date, slug: str, keys: Collection[str] | None = None
) -> Mapping[str, IssueRef]:
    """
    For every entry that stood as a block in an issue before that of `date` and `slug`: the last such issue.

    With `keys` only for entries of these.
    """
    own = [] if keys is None else [col(EntryRow.key).in_(keys)]
    same_day = and_(col(IssueRow.date) == date, col(IssueRow.slug) < slug)
    rows = session.execute(
        select(col(EntryRow.key), col(IssueRow.slug), col(IssueRow.number), col(IssueRow.date))
        .join(PublishedRow, col(PublishedRow.entry_id) == col(EntryRow.id))
        .join(IssueRow, col(IssueRow.id) == col(PublishedRow.issue_id))
        .where(col(PublishedRow.newsletter_id) == newsletter_id, or_(col(IssueRow.date) < date, same_day), *own)
        .order_by(col(IssueRow.date), col(IssueRow.slug))
    )
    return {key: IssueRef(slug=slug, number=number, date=date) for key, slug, number, date in rows}


def load_issue(session: Session, slug: str, newsletter: str | None = None) -> IssueFacts:
    """
    Everything that the editions of an issue are made of.

    Raises NotFound and Ambiguous as `get_issue`, WrongState for an issue that was never assembled.
    """
    row = get_issue(session, slug, newsletter)
    if row.settings is None or row.topics is None:
        raise WrongState(f"issue {slug!r} has no items yet: assemble it with `newsletter issue assemble {slug}`")
    placed = items(session, row_id(row))
    keys = {item.key for item in placed}
    found = {stored.entry.key: stored for stored in entries(session, row.newsletter_id, keys=keys)}
    images = [stored.entry.image for stored in found.values() if stored.entry.image]
    return IssueFacts(
        id=row_id(row),
        newsletter_id=row.newsletter_id,
        state=row.state,
        revision=row.revision,
        plan=plan_of(row),
        settings=Newsletter.model_validate(row.settings),
        topics=tuple(Topic.model_validate(topic) for topic in row.topics),
        items=placed,
        entries=found,
        pictures=picture_sizes(session, {name for image in images for name in image.file.values()}),
    )


def _named(newsletter_id: int, slug: str) -> tuple[ColumnElement[bool], ...]:
    return col(IssueRow.newsletter_id) == newsletter_id, col(IssueRow.slug) == slug


def _ensure_draft(row: IssueRow) -> None:
    if row.state is not IssueState.DRAFT:
        raise WrongState(f"issue {row.slug!r} is {row.state}: only a draft can be changed")


def _item_values(session: Session, row: IssueRow, placed: Sequence[PlacedItem]) -> list[dict[str, Any]]:
    own = (col(EntryRow.newsletter_id) == row.newsletter_id, col(EntryRow.key).in_({item.key for item in placed}))
    ids = dict(session.execute(select(col(EntryRow.key), col(EntryRow.id)).where(*own)).all())
    return [
        {
            "position": item.position,
            "entry_id": ids[item.key],
            "entry_key": item.key,
            "section": item.section,
            "segment": item.segment,
            "placement": item.placement,
        }
        for item in placed
    ]


def _replace(
    session: Session, table: type[ItemRow | VerdictRow], issue_id: int, rows: Sequence[dict[str, Any]]
) -> None:
    session.execute(delete(table).where(col(table.issue_id) == issue_id))
    if rows:
        session.execute(insert(table), [{"issue_id": issue_id, **row} for row in rows])


def _document(value: Value) -> dict[str, Any]:
    # With its defaults: what an issue was made with stays, even where a default changes.
    return value.model_dump(mode="json", by_alias=True)
