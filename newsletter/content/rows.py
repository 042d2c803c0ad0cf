"""
Between entries and their rows.

Takes the rows of one entry and yields the `Entry` they hold, or takes an entry and brings its rows up to date: only
what is different is written, and what the value itself does not know is kept, namely which source text a translation
was made from and the SEQUENCE of each sitting. Asks the database nothing; that is the store's.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Final, Self

from newsletter.content.entry import Entry, StoredEntry
from newsletter.content.models import EntryRow, EntryText, SittingRow
from newsletter.content.versions import fingerprint, origins, stale, text_digest

SHARED: Final = frozenset({"tags", "topic", "languages", "repeat", "image", "place"})
"""The fields of an entry that its row keeps in the document."""

COLUMNS: Final = ("kind", "section", "status", "published", "priority", "source")
"""The fields of an entry that have a column of their own."""

Row = EntryText | SittingRow
"""What hangs on the row of an entry."""


@dataclass(slots=True)
class EntryRows:
    """All rows of one entry: its own, its texts by language, its sittings by key."""

    row: EntryRow
    texts: dict[str, EntryText] = field(default_factory=dict)
    sittings: dict[str, SittingRow] = field(default_factory=dict)

    @classmethod
    def of(cls, entry: Entry, *, newsletter_id: int, now: dt.datetime) -> Self:
        """Make the row of an entry that is not stored yet."""
        own: dict[str, Any] = {name: getattr(entry, name) for name in ("key", *COLUMNS)}
        return cls(EntryRow(newsletter_id=newsletter_id, **own, document={}, created=now, changed=now))

    def entry(self) -> Entry:
        """The entry they hold; its source text comes first."""
        source = self.row.source
        texts = sorted(self.texts.values(), key=lambda text: (text.language != source, text.language))
        sittings = sorted(self.sittings.values(), key=lambda sitting: sitting.position)
        return Entry.model_validate(
            {
                **self.row.document,
                **{name: getattr(self.row, name) for name in ("key", *COLUMNS)},
                "texts": {text.language: text.model_dump(include={"title", "body", "links"}) for text in texts},
                "sittings": [sitting.document for sitting in sittings],
            }
        )

    def stored(self) -> StoredEntry:
        """The entry with what only its rows know."""
        entry = self.entry()
        return StoredEntry(
            id=row_id(self.row),
            entry=entry,
            stale=stale(entry, self.origins()),
            sequences={key: sitting.sequence for key, sitting in self.sittings.items()},
            changed=self.row.changed,
            revision=self.row.revision,
        )

    def origins(self) -> dict[str, str | None]:
        """For each language the digest of the source text that its text was made from."""
        return {language: text.source_digest for language, text in self.texts.items()}

    def fill(self, entry: Entry, *, now: dt.datetime) -> None:
        """Bring the entry's own row up to date."""
        for name in COLUMNS:
            setattr(self.row, name, getattr(entry, name))
        self.row.document = entry.model_dump(mode="json", by_alias=True, exclude_defaults=True, include=set(SHARED))
        self.row.last_day = entry.last_day
        self.row.source_digest = text_digest(entry.texts[entry.source])
        self.row.meant = f" {' '.join(entry.languages)} " if entry.languages else ""
        self.row.changed = now
        self.row.revision += 1

    def follow(self, entry: Entry, *, before: Entry | None, now: dt.datetime) -> tuple[list[Row], list[Row]]:
        """Bring texts and sittings up to date; returns the rows to add and those to delete."""
        made_from = origins(entry, before=before, known=self.origins())
        added: list[Row] = [*self._texts(entry, made_from, now=now), *self._sittings(entry)]
        kept = {sitting.key for sitting in entry.sittings}
        gone: list[Row] = [
            *(text for language, text in self.texts.items() if language not in entry.texts),
            *(sitting for key, sitting in self.sittings.items() if key not in kept),
        ]
        return added, gone

    def _texts(self, entry: Entry, made_from: dict[str, str | None], *, now: dt.datetime) -> list[Row]:
        added: list[Row] = []
        for language, text in entry.texts.items():
            links = [link.model_dump(mode="json", exclude_defaults=True) for link in text.links]
            words: dict[str, Any] = {"title": text.title, "body": text.body, "links": links}
            row = self.texts.get(language)
            if row is None:
                identity: dict[str, Any] = {"entry_id": row_id(self.row), "language": language}
                added.append(EntryText(**identity, **words, source_digest=made_from[language], changed=now))
                continue
            if any(getattr(row, name) != value for name, value in words.items()):
                row.sqlmodel_update(words | {"changed": now})
            row.source_digest = made_from[language]
        return added

    def _sittings(self, entry: Entry) -> list[Row]:
        added: list[Row] = []
        for position, sitting in enumerate(entry.sittings):
            document = sitting.model_dump(mode="json", by_alias=True, exclude_defaults=True)
            mark = fingerprint(entry, sitting)
            row = self.sittings.get(sitting.key)
            if row is None:
                identity: dict[str, Any] = {"entry_id": row_id(self.row), "key": sitting.key, "position": position}
                added.append(SittingRow(**identity, document=document, fingerprint=mark))
                continue
            if row.fingerprint != mark:
                row.sequence, row.fingerprint = row.sequence + 1, mark
            if row.document != document:
                row.document = document
            row.position = position
        return added


def row_id(row: Any) -> int:
    """The id of a row that has been flushed; anything else is a mistake in the program."""
    if row.id is None:
        raise RuntimeError(f"{type(row).__name__} has no id before it is flushed")
    return int(row.id)
