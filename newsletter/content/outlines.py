"""
Outlines of entries: everything by which an issue chooses, nothing of what readers see but the titles.

Takes a session and a newsletter's id; yields entries without bodies, links and pictures, in three queries however many
there are. Promises that `assembly.selection` judges an outline as it judges the whole entry; two thousand take a sixth
of the time. Never commits.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlmodel import Session, col

from newsletter.content.entry import Entry, Sitting, Text
from newsletter.content.models import EntryRow, EntryText, SittingRow
from newsletter.content.rows import COLUMNS
from subscribers.language import parents

_FIELDS = ("id", "key", *COLUMNS, "document", "last_day")


def outlines(session: Session, newsletter_id: int, *, date: dt.date, language: str) -> list[Entry]:
    """
    The outlines of all entries of a newsletter, for an issue of `date` and words in `language`.

    An outline has the titles that may be shown for that language: its own, its parents' and that of the entry's source.

    The sittings of an entry whose last day lies more than two days before that are one day in its place: no zone on
    earth is further behind another, so that it is over all the same.
    """
    own = col(EntryRow.newsletter_id) == newsletter_id
    rows = session.execute(select(*(getattr(EntryRow, name) for name in _FIELDS)).where(own)).all()
    titles = _titles(session, newsletter_id, (language, *parents(language)))
    open_from = date - dt.timedelta(days=2)
    sittings = _sittings(session, newsletter_id, open_from)
    return [_outline(row, titles[row.id], sittings.get(row.id, ())) for row in rows]


def _titles(session: Session, newsletter_id: int, languages: Collection[str]) -> Mapping[int, dict[str, Text]]:
    texts = select(col(EntryText.entry_id), col(EntryText.language), col(EntryText.title))
    own = texts.join(EntryRow, col(EntryRow.id) == col(EntryText.entry_id)).where(
        col(EntryRow.newsletter_id) == newsletter_id,
        col(EntryText.language).in_(languages) | (col(EntryText.language) == col(EntryRow.source)),
    )
    found: dict[int, dict[str, Text]] = defaultdict(dict)
    for entry_id, language, title in session.execute(own):
        found[entry_id][language] = Text.model_construct(title=title)
    return found


def _sittings(session: Session, newsletter_id: int, first: dt.date) -> Mapping[int, Sequence[Sitting]]:
    documents = select(col(SittingRow.entry_id), col(SittingRow.document))
    own = documents.join(EntryRow, col(EntryRow.id) == col(SittingRow.entry_id)).order_by(col(SittingRow.position))
    found: dict[int, list[Sitting]] = defaultdict(list)
    for entry_id, document in session.execute(
        own.where(col(EntryRow.newsletter_id) == newsletter_id, col(EntryRow.last_day) >= first)
    ):
        found[entry_id].append(Sitting.model_validate(document))
    return found


def _outline(row: Row[Any], titles: dict[str, Text], sittings: Sequence[Sitting]) -> Entry:
    if not sittings and row.last_day is not None:
        sittings = (Sitting.model_construct(key="over", date=row.last_day),)
    document: Mapping[str, Any] = row.document
    # The words of a document are those that `Entry` wrote: they are not checked once more.
    return Entry.model_construct(
        **{name: getattr(row, name) for name in ("key", *COLUMNS)},
        topic=document.get("topic"),
        languages=tuple(document.get("languages", ())),
        repeat=bool(document.get("repeat", False)),
        sittings=tuple(sittings),
        texts=titles,
    )
