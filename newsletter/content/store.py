"""
Every query of content. Takes a session, never commits.

Entries are read whole, in three queries for all of them (for each thousand where keys are given). A save writes only
what is different, so that storing the same thing twice touches no row.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlmodel import Session, col

from newsletter.content.difference import Difference, Effect, compare
from newsletter.content.entry import Entry, Kind, Status, StoredEntry
from newsletter.content.images import StoredPicture
from newsletter.content.models import (
    EntryRow,
    EntryText,
    EntryWords,
    NewsletterRow,
    PictureRow,
    SittingRow,
    TopicRow,
)
from newsletter.content.newsletter import Newsletter, Topic
from newsletter.content.register import words_of
from newsletter.content.revisions import Former, note_revisions
from newsletter.content.rows import EntryRows, row_id
from newsletter.content.sheet import Act
from newsletter.content.versions import text_digest
from newsletter.database import changed_rows
from newsletter.errors import Ambiguous, InvalidInput, NotFound, WrongState

_KEYS_AT_ONCE: Final = 1000
"""Values in one IN list: drivers and databases limit the parameters of a statement."""


def list_newsletters(session: Session) -> list[tuple[int, Newsletter]]:
    """All newsletters with their ids, by slug."""
    rows = session.scalars(select(NewsletterRow).order_by(col(NewsletterRow.slug)))
    return [(row_id(row), Newsletter.model_validate(row.settings)) for row in rows]


def get_newsletter(session: Session, slug: str) -> tuple[int, Newsletter]:
    """A newsletter with its id. Raises NotFound with the nearest slugs."""
    row = _known_newsletter(session, slug)
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


def stored_newsletter(session: Session, slug: str) -> tuple[Newsletter, dt.datetime]:
    """A newsletter's settings, and when they were last changed. Raises NotFound."""
    row = _known_newsletter(session, slug)
    return Newsletter.model_validate(row.settings), row.changed


def hold_newsletter(session: Session, slug: str, *, seen: dt.datetime) -> bool:
    """Keep a newsletter's settings for this transaction; False where they were changed since `seen`."""
    this = (col(NewsletterRow.slug) == slug, col(NewsletterRow.changed) == seen)
    return changed_rows(session, update(NewsletterRow).where(*this).values(changed=seen)) == 1


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
    conditions = _conditions(kind, status, language)
    found = [rows.stored() for rows in _load(session, newsletter_id, conditions=conditions, keys=keys)]
    return sorted(found, key=lambda stored: (-stored.entry.published.toordinal(), stored.entry.key))


def entries_after(
    session: Session,
    newsletter_id: int,
    after: str,
    *,
    limit: int,
    kind: Kind | None = None,
    status: Status | None = None,
    language: str | None = None,
) -> list[StoredEntry]:
    """The next entries by key that meet every given condition; a page costs the same at any place."""
    own = (col(EntryRow.newsletter_id) == newsletter_id, col(EntryRow.key) > after)
    query = select(col(EntryRow.key)).where(*own, *_conditions(kind, status, language))
    keys = session.scalars(query.order_by(col(EntryRow.key)).limit(limit)).all()
    found = [rows.stored() for rows in _load(session, newsletter_id, keys=keys)] if keys else []
    return sorted(found, key=lambda stored: stored.entry.key)


def _conditions(kind: Kind | None, status: Status | None, language: str | None) -> list[ColumnElement[bool]]:
    conditions = [
        *([col(EntryRow.kind) == kind] if kind is not None else []),
        *([col(EntryRow.status) == status] if status is not None else []),
    ]
    if language is not None:
        speaks = (col(EntryText.entry_id) == col(EntryRow.id)) & (col(EntryText.language) == language)
        conditions.append(exists().where(speaks))
    return conditions


def get_entry(session: Session, newsletter_id: int, *, key: str) -> StoredEntry:
    """One entry. Raises NotFound with the nearest keys."""
    for rows in _load(session, newsletter_id, keys=[key]):
        return rows.stored()
    raise NotFound("entry", key, near=get_close_matches(key, entry_keys(session, newsletter_id)))


def hold_entry(session: Session, newsletter_id: int, *, key: str) -> None:
    """Have others who want to write an entry wait for this transaction; on SQLite they wait for any writer anyway."""
    own = (col(EntryRow.newsletter_id) == newsletter_id, col(EntryRow.key) == key)
    session.execute(select(col(EntryRow.id)).where(*own).with_for_update())


def author_of(session: Session, entry_id: int) -> str:
    """Who changed an entry last, or "" where nobody knows."""
    return session.scalar(select(col(EntryRow.author)).where(col(EntryRow.id) == entry_id)) or ""


def rename_entry(session: Session, entry_id: int, *, key: str, now: dt.datetime) -> None:
    """Give an entry another key, under which it is found from then on. Raises WrongState where the key is taken."""
    row = session.get_one(EntryRow, entry_id)
    if key in entry_keys(session, row.newsletter_id):
        raise WrongState(f"there is an entry {key!r} already")
    row.key, row.changed = key, now
    session.flush()


def delete_entry(session: Session, entry_id: int) -> None:
    """Delete an entry with its texts, sittings, history and drafts."""
    session.execute(delete(EntryRow).where(col(EntryRow.id) == entry_id))


def keep_stale(session: Session, entry_id: int, *, digests: Mapping[str, str | None]) -> None:
    """Say what source text the translations of a copy were made from, by language, where that is an older one."""
    for language, digest in digests.items():
        own = (col(EntryText.entry_id) == entry_id, col(EntryText.language) == language)
        changed_rows(session, update(EntryText).where(*own).values(source_digest=digest))


def source_digests(session: Session, entry_id: int) -> dict[str, str | None]:
    """For each language the digest of the source text that its text was made from; None for the source itself."""
    columns = select(col(EntryText.language), col(EntryText.source_digest)).where(col(EntryText.entry_id) == entry_id)
    return {language: digest for language, digest in session.execute(columns)}  # noqa: C416  a Row is no pair for dict()


def entry_keys(session: Session, newsletter_id: int) -> frozenset[str]:
    """The keys of all entries of a newsletter."""
    return frozenset(session.scalars(select(col(EntryRow.key)).where(col(EntryRow.newsletter_id) == newsletter_id)))


def save_entry(
    session: Session, newsletter_id: int, *, entry: Entry, now: dt.datetime, act: Act = Act.SAVED
) -> Difference:
    """Store an entry under its key, as `save_entries` does; returns what is different."""
    return save_entries(session, newsletter_id, entries=[entry], now=now, act=act)[entry.key]


def save_entries(
    session: Session, newsletter_id: int, *, entries: Sequence[Entry], now: dt.datetime, act: Act = Act.SAVED
) -> dict[str, Difference]:
    """
    Store entries under their keys; returns what is different, by key.

    A translation that stays as it is while its source changes becomes stale. The SEQUENCE of a sitting grows by one
    when its time, place, status or title changes; a sitting that is no longer there is deleted. Each change goes into
    the history of its entry, as an `act` of whoever acts in the session.
    """
    found = {rows.row.key: rows for rows in _load(session, newsletter_id, keys=[entry.key for entry in entries])}
    differences: dict[str, Difference] = {}
    changed: list[tuple[EntryRows, Entry, Former]] = []
    for entry in entries:
        rows = found.get(entry.key) or EntryRows.of(entry, newsletter_id=newsletter_id, now=now)
        before = rows.entry() if rows.texts else None
        differences[entry.key] = compare(before, entry)
        if differences[entry.key].effect is not Effect.UNCHANGED:
            former = Former(entry=before, author=rows.row.author, changed=rows.row.changed)
            rows.fill(entry, now=now)
            changed.append((rows, entry, former))
    session.add_all(rows.row for rows, _, _ in changed)
    session.flush()
    for rows, entry, former in changed:
        added, gone = rows.follow(entry, before=former.entry, now=now)
        session.add_all(added)
        for row in gone:
            session.delete(row)
    note_revisions(session, changed, act=act, now=now)
    _note_words(session, [(row_id(rows.row), entry) for rows, entry, _ in changed])
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


def _note_words(session: Session, saved: Sequence[tuple[int, Entry]]) -> None:
    for start in range(0, len(saved), _KEYS_AT_ONCE):
        chunk = saved[start : start + _KEYS_AT_ONCE]
        own = select(EntryWords).where(col(EntryWords.entry_id).in_([entry_id for entry_id, _ in chunk]))
        rows = {row.entry_id: row for row in session.scalars(own)}
        for entry_id, entry in chunk:
            if entry_id in rows:
                rows[entry_id].words = words_of(entry)
            else:
                session.add(EntryWords(entry_id=entry_id, words=words_of(entry)))


def _newsletter_row(session: Session, slug: str) -> NewsletterRow | None:
    return session.scalar(select(NewsletterRow).where(col(NewsletterRow.slug) == slug))


def _known_newsletter(session: Session, slug: str) -> NewsletterRow:
    row = _newsletter_row(session, slug)
    if row is None:
        known = session.scalars(select(col(NewsletterRow.slug))).all()
        raise NotFound("newsletter", slug, near=get_close_matches(slug, known))
    return row


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
