"""
Every query of content. Takes a session, never commits.

Entries are read whole, in three queries for all of them (for each thousand where keys are given). A save writes only
what is different, so that storing the same thing twice touches no row.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from sqlalchemy import ColumnElement, exists, func, select
from sqlmodel import Session, col

from newsletter.content.difference import Difference, Effect, compare
from newsletter.content.entry import Entry, Kind, Status, StoredEntry
from newsletter.content.images import StoredPicture
from newsletter.content.models import EntryRow, EntryText, NewsletterRow, PictureRow, SittingRow, TopicRow
from newsletter.content.newsletter import Newsletter, Topic
from newsletter.content.rows import EntryRows, row_id
from newsletter.content.versions import text_digest
from newsletter.errors import Ambiguous, InvalidInput, NotFound, WrongState

_KEYS_AT_ONCE: Final = 1000
"""Values in one IN list: drivers and databases limit the parameters of a statement."""


def list_newsletters(session: Session) -> list[tuple[int, Newsletter]]:
    """All newsletters with their ids, by slug."""
    rows = session.scalars(select(NewsletterRow).order_by(col(NewsletterRow.slug)))
    return [(row_id(row), Newsletter.model_validate(row.settings)) for row in rows]


def get_newsletter(session: Session, slug: str) -> tuple[int, Newsletter]:
    """A newsletter with its id. Raises NotFound with the nearest slugs."""
    row = _newsletter_row(session, slug)
    if row is None:
        known = session.scalars(select(col(NewsletterRow.slug))).all()
        raise NotFound("newsletter", slug, near=get_close_matches(slug, known))
    return row_id(row), Newsletter.model_validate(row.settings)


def only_newsletter(session: Session, slug: str | None) -> tuple[int, Newsletter]:
    """
    The newsletter that is meant: `slug`, or without one the only newsletter there is.

    Raises NotFound for an unknown slug, WrongState where there is no newsletter yet, InvalidInput where there are
    several to choose from.
    """
    if slug is not None:
        return get_newsletter(session, slug)
    found = list_newsletters(session)
    if not found:
        raise WrongState("there is no newsletter yet: import a content pack with `newsletter content import FILE`")
    if len(found) > 1:
        slugs = ", ".join(newsletter.slug for _, newsletter in found)
        raise InvalidInput(f"there are several newsletters ({slugs}): say which with --newsletter")
    return found[0]


def newsletter_of_entry(session: Session, key: str, *, slug: str | None = None) -> tuple[int, Newsletter]:
    """
    The newsletter that has the entry `key`; `slug` says which where several have one.

    Raises NotFound with the nearest keys, or Ambiguous.
    """
    if slug is not None:
        return get_newsletter(session, slug)
    owners = session.scalars(
        select(col(NewsletterRow.slug))
        .join(EntryRow, col(EntryRow.newsletter_id) == col(NewsletterRow.id))
        .where(col(EntryRow.key) == key)
        .order_by(col(NewsletterRow.slug))
    ).all()
    if not owners:
        known = session.scalars(select(col(EntryRow.key)).distinct()).all()
        raise NotFound("entry", key, near=get_close_matches(key, known))
    if len(owners) > 1:
        raise Ambiguous("entry", key, newsletters=owners)
    return get_newsletter(session, owners[0])


def save_newsletter(session: Session, newsletter: Newsletter, *, now: dt.datetime) -> tuple[int, Difference]:
    """Store a newsletter's settings under its slug; returns its id and what is different."""
    row = _newsletter_row(session, newsletter.slug)
    settings = newsletter.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if row is None:
        row = NewsletterRow(slug=newsletter.slug, settings=settings, created=now, changed=now)
        session.add(row)
        session.flush()
        return row_id(row), Difference(effect=Effect.NEW)
    difference = compare(Newsletter.model_validate(row.settings), newsletter)
    if difference.effect is Effect.CHANGED:
        row.settings, row.changed = settings, now
        session.flush()
    return row_id(row), difference


def topics(session: Session, newsletter_id: int) -> dict[str, Topic]:
    """The topics of a newsletter by key, in their order."""
    return {row.key: Topic.model_validate(row.document) for row in _topic_rows(session, newsletter_id)}


def save_topics(session: Session, newsletter_id: int, *, topics: Sequence[Topic]) -> dict[str, Difference]:
    """Store topics, new ones behind those that are there; returns what is different, by key."""
    rows = {row.key: row for row in _topic_rows(session, newsletter_id)}
    differences = {}
    for topic in topics:
        row = rows.get(topic.key)
        difference = compare(Topic.model_validate(row.document) if row else None, topic)
        document = topic.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        if row is None:
            position = max((other.position for other in rows.values()), default=-1) + 1
            row = TopicRow(newsletter_id=newsletter_id, key=topic.key, position=position, document=document)
            session.add(row)
            rows[topic.key] = row
        elif difference.effect is Effect.CHANGED:
            row.document = document
        differences[topic.key] = difference
    session.flush()
    return differences


def entries(
    session: Session,
    newsletter_id: int,
    *,
    kind: Kind | None = None,
    language: str | None = None,
    status: Status | None = None,
    keys: Collection[str] | None = None,
) -> list[StoredEntry]:
    """The entries of a newsletter that meet every given condition, newest first; `language`: that have a text in it."""
    conditions = [
        *([col(EntryRow.kind) == kind] if kind is not None else []),
        *([col(EntryRow.status) == status] if status is not None else []),
    ]
    if language is not None:
        speaks = (col(EntryText.entry_id) == col(EntryRow.id)) & (col(EntryText.language) == language)
        conditions.append(exists().where(speaks))
    found = [rows.stored() for rows in _load(session, newsletter_id, conditions=conditions, keys=keys)]
    return sorted(found, key=lambda stored: (-stored.entry.published.toordinal(), stored.entry.key))


def get_entry(session: Session, newsletter_id: int, *, key: str) -> StoredEntry:
    """One entry. Raises NotFound with the nearest keys."""
    for rows in _load(session, newsletter_id, keys=[key]):
        return rows.stored()
    raise NotFound("entry", key, near=get_close_matches(key, entry_keys(session, newsletter_id)))


def entry_keys(session: Session, newsletter_id: int) -> frozenset[str]:
    """The keys of all entries of a newsletter."""
    return frozenset(session.scalars(select(col(EntryRow.key)).where(col(EntryRow.newsletter_id) == newsletter_id)))


def save_entry(session: Session, newsletter_id: int, *, entry: Entry, now: dt.datetime) -> Difference:
    """Store an entry under its key; returns what is different."""
    return save_entries(session, newsletter_id, entries=[entry], now=now)[entry.key]


def save_entries(
    session: Session, newsletter_id: int, *, entries: Sequence[Entry], now: dt.datetime
) -> dict[str, Difference]:
    """
    Store entries under their keys; returns what is different, by key.

    A translation that stays as it is while its source changes becomes stale. The SEQUENCE of a sitting grows by one
    when its time, place, status or title changes; a sitting that is no longer there is deleted.
    """
    found = {rows.row.key: rows for rows in _load(session, newsletter_id, keys=[entry.key for entry in entries])}
    differences: dict[str, Difference] = {}
    changed: list[tuple[EntryRows, Entry, Entry | None]] = []
    for entry in entries:
        rows = found.get(entry.key) or EntryRows.of(entry, newsletter_id=newsletter_id, now=now)
        before = rows.entry() if rows.texts else None
        differences[entry.key] = compare(before, entry)
        if differences[entry.key].effect is not Effect.UNCHANGED:
            rows.fill(entry, now=now)
            changed.append((rows, entry, before))
    session.add_all(rows.row for rows, _, _ in changed)
    session.flush()
    for rows, entry, before in changed:
        added, gone = rows.follow(entry, before=before, now=now)
        session.add_all(added)
        for row in gone:
            session.delete(row)
    session.flush()
    return differences


def still_right(session: Session, newsletter_id: int, *, key: str, language: str, now: dt.datetime) -> bool:
    """
    Mark a translation as right for the present source text; returns whether it was stale.

    Raises NotFound where there is no such entry or no such text.
    """
    rows = next(iter(_load(session, newsletter_id, keys=[key])), None)
    if rows is None:
        raise NotFound("entry", key, near=get_close_matches(key, entry_keys(session, newsletter_id)))
    text = rows.texts.get(language)
    if text is None:
        raise NotFound(f"text of {key!r} in", language, near=get_close_matches(language, rows.texts))
    stored = rows.stored()
    if language not in stored.stale:
        return False
    text.source_digest, text.changed = text_digest(stored.entry.texts[stored.entry.source]), now
    session.flush()
    return True


def put_picture(session: Session, picture: StoredPicture) -> bool:
    """Store a picture unless it is there already; returns whether it is new."""
    if session.scalar(select(exists().where(col(PictureRow.name) == picture.name))):
        return False
    session.add(
        PictureRow(
            name=picture.name,
            media_type=picture.media_type,
            width=picture.width,
            height=picture.height,
            data=picture.data,
        )
    )
    session.flush()
    return True


def get_picture(session: Session, name: str) -> StoredPicture:
    """A stored picture. Raises NotFound."""
    row = session.get(PictureRow, name)
    if row is None:
        raise NotFound("picture", name)
    return StoredPicture(
        name=row.name, media_type=row.media_type, width=row.width, height=row.height, data=bytes(row.data)
    )


def picture_names(session: Session) -> Sequence[str]:
    """The names of all stored pictures."""
    return session.scalars(select(col(PictureRow.name)).order_by(col(PictureRow.name))).all()


def picture_octets(session: Session, names: Iterable[str]) -> dict[str, int]:
    """How many octets stored pictures have, by name."""
    wanted = select(col(PictureRow.name), func.length(col(PictureRow.data)))
    rows = session.execute(wanted.where(col(PictureRow.name).in_(list(names))))
    return {name: octets for name, octets in rows}  # noqa: C416  a Row is no pair for dict()


def picture_sizes(session: Session, names: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Width and height in pixels of those of the named pictures that are stored."""
    sizes = {}
    for chunk in _chunks(sorted(set(names))):
        columns = select(col(PictureRow.name), col(PictureRow.width), col(PictureRow.height))
        for name, width, height in session.execute(columns.where(col(PictureRow.name).in_(chunk))):
            sizes[name] = (width, height)
    return sizes


def _newsletter_row(session: Session, slug: str) -> NewsletterRow | None:
    return session.scalar(select(NewsletterRow).where(col(NewsletterRow.slug) == slug))


def _topic_rows(session: Session, newsletter_id: int) -> Sequence[TopicRow]:
    own = col(TopicRow.newsletter_id) == newsletter_id
    return session.scalars(select(TopicRow).where(own).order_by(col(TopicRow.position), col(TopicRow.id))).all()


def _load(
    session: Session,
    newsletter_id: int,
    *,
    conditions: Sequence[ColumnElement[bool]] = (),
    keys: Collection[str] | None = None,
) -> Iterator[EntryRows]:
    own = [col(EntryRow.newsletter_id) == newsletter_id, *conditions]
    for chunk in [None] if keys is None else _chunks(sorted(set(keys))):
        yield from _load_where(session, own if chunk is None else [*own, col(EntryRow.key).in_(chunk)])


def _load_where(session: Session, conditions: Sequence[ColumnElement[bool]]) -> Iterable[EntryRows]:
    rows = session.scalars(select(EntryRow).where(*conditions)).all()
    found = {row_id(row): EntryRows(row) for row in rows}
    wanted = select(col(EntryRow.id)).where(*conditions)
    for text in session.scalars(select(EntryText).where(col(EntryText.entry_id).in_(wanted))):
        found[text.entry_id].texts[text.language] = text
    for sitting in session.scalars(select(SittingRow).where(col(SittingRow.entry_id).in_(wanted))):
        found[sitting.entry_id].sittings[sitting.key] = sitting
    return found.values()


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _KEYS_AT_ONCE):
        yield values[start : start + _KEYS_AT_ONCE]
