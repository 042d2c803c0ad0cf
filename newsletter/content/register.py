"""
The register of entries: a page of those that meet every condition, newest first, each with the state of its languages.

Takes a session and conditions, never commits. A page is asked for by the key of the last row shown, so that what is
added meanwhile shifts nothing; the count stops at `MOST_COUNTED`. Which texts are missing or older than their source is
decided by the database, from the digests that `store` keeps beside the texts.
"""

import datetime as dt
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select
from sqlmodel import Session, col

from newsletter.content.entry import Entry, Kind, Status
from newsletter.content.matrix import Completeness
from newsletter.content.models import EntryRow, EntryText, EntryWords
from newsletter.content.rows import row_id
from subscribers.language import parents

MOST_COUNTED: Final = 1000
"""Rows that are counted; more are "more than that many"."""

_LONGEST_SEARCH: Final = 200
"""Characters of a search that count."""


class Mark(NamedTuple):
    """Where a page ends: the day and the id of a row."""

    published: dt.date
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """
    The conditions; those that are None or empty ask for nothing.

    `state` is about the text in `language`, or about any of the newsletter's languages where that is empty.
    """

    kind: Kind | None = None
    status: Status | None = None
    section: str = ""
    words: str = ""
    language: str = ""
    state: Completeness | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    One entry in the register.

    `titles` are those it has, by language; `languages` gives the state of each of the newsletter's, in their order.
    """

    id: int
    key: str
    kind: Kind
    status: Status
    section: str
    titles: Mapping[str, str]
    source: str
    topic: str
    published: dt.date
    changed: dt.datetime
    author: str
    languages: Mapping[str, Completeness]

    @property
    def mark(self) -> Mark:
        """Where it stands in the order of the register."""
        return Mark(self.published, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPage:
    """Rows in order; `newer` and `older` say whether there are newer and older ones; `count` is at most the bound."""

    rows: tuple[Standing, ...]
    newer: bool
    older: bool
    count: int


def words_of(entry: Entry) -> str:
    """What an entry is found by."""
    texts = (part for text in entry.texts.values() for part in (text.title, text.body))
    return "\n".join(map(folded, (entry.key, entry.topic or "", *entry.tags, *texts)))


def folded(text: str) -> str:
    """A text in small letters and without accents, so that « Été » is found by "ete"."""
    spelled = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in spelled if not unicodedata.combining(sign)).casefold()


def page(
    session: Session,
    newsletter_id: int,
    wanted: Wanted,
    *,
    languages: Sequence[str],
    limit: int,
    after: Mark | None = None,
    before: Mark | None = None,
) -> RegisterPage:
    """The rows that follow `after`, or those that stand right before `before`, or the first ones."""
    conditions = [col(EntryRow.newsletter_id) == newsletter_id, *_conditions(wanted, languages)]
    up = before is not None
    place = [_beyond(before, up=True)] if before is not None else [_beyond(after, up=False)] if after else []
    order = (col(EntryRow.published), col(EntryRow.id))
    query = select(EntryRow).where(*conditions, *place)
    query = query.order_by(*(order if up else (column.desc() for column in order))).limit(limit + 1)
    found = list(session.scalars(query))
    more, rows = len(found) > limit, found[:limit]
    if up:
        rows.reverse()
    bounded = select(col(EntryRow.id)).where(*conditions).limit(MOST_COUNTED + 1).subquery()
    return RegisterPage(
        rows=tuple(_standings(session, rows, languages)),
        newer=more if up else after is not None,
        older=True if up else more,
        count=session.scalar(select(func.count()).select_from(bounded)) or 0,
    )


def _beyond(mark: Mark, *, up: bool) -> ColumnElement[bool]:
    day, number = col(EntryRow.published), col(EntryRow.id)
    if up:
        return or_(day > mark.published, and_(day == mark.published, number > mark.id))
    return or_(day < mark.published, and_(day == mark.published, number < mark.id))


def _conditions(wanted: Wanted, languages: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    if wanted.kind is not None:
        yield col(EntryRow.kind) == wanted.kind
    if wanted.status is not None:
        yield col(EntryRow.status) == wanted.status
    if wanted.section:
        yield col(EntryRow.section) == wanted.section
    for word in folded(wanted.words[:_LONGEST_SEARCH]).split():
        found = (col(EntryWords.entry_id) == col(EntryRow.id)) & col(EntryWords.words).contains(word, autoescape=True)
        yield exists().where(found)
    if wanted.state is not None:
        asked = [wanted.language] if wanted.language else languages
        states = [_is(wanted.state, language) for language in asked]
        # Complete is complete in all of them; missing and stale are already so in one.
        yield and_(*states) if wanted.state is Completeness.PRESENT else or_(*states)


def _is(state: Completeness, language: str) -> ColumnElement[bool]:
    own = and_(col(EntryText.entry_id) == col(EntryRow.id), col(EntryText.language) == language)
    old = and_(
        col(EntryRow.source) != language,
        or_(col(EntryText.source_digest).is_(None), col(EntryText.source_digest) != col(EntryRow.source_digest)),
    )
    if state is Completeness.STALE:
        return exists().where(own, old)
    meant = or_(
        col(EntryRow.meant) == "",
        *(col(EntryRow.meant).contains(f" {tag} ", autoescape=True) for tag in (language, *parents(language))),
    )
    if state is Completeness.MISSING:
        return and_(meant, ~exists().where(own))
    return or_(not_(meant), exists().where(own, not_(old)))


def _standings(session: Session, rows: Sequence[EntryRow], languages: Iterable[str]) -> Iterator[Standing]:
    ids = [row_id(row) for row in rows]
    columns = (EntryText.entry_id, EntryText.language, EntryText.title, EntryText.source_digest)
    texts: dict[int, dict[str, tuple[str, str | None]]] = defaultdict(dict)
    for entry_id, language, title, digest in session.execute(
        select(*map(col, columns)).where(col(EntryText.entry_id).in_(ids))
    ):
        texts[entry_id][language] = (title, digest)
    wanted = tuple(languages)
    for row in rows:
        own = texts[row_id(row)]
        yield Standing(
            id=row_id(row),
            key=row.key,
            kind=row.kind,
            status=row.status,
            section=row.section,
            titles={language: title for language, (title, _) in own.items()},
            source=row.source,
            topic=row.document.get("topic") or "",
            published=row.published,
            changed=row.changed,
            author=row.author,
            languages={language: _state(row, own, language) for language in wanted},
        )


def _state(row: EntryRow, texts: Mapping[str, tuple[str, str | None]], language: str) -> Completeness:
    if row.meant and not any(f" {tag} " in row.meant for tag in (language, *parents(language))):
        return Completeness.EXCLUDED
    if language not in texts:
        return Completeness.MISSING
    is_fresh = language == row.source or texts[language][1] == row.source_digest
    return Completeness.PRESENT if is_fresh else Completeness.STALE
