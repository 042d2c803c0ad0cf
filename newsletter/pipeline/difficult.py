"""
Difficult content: issues that a theme has to bear before anybody's real issue meets it.

Takes the name of a theme, yields one issue for each `Case`, as it would be assembled from the bundled pack
`difficult.yaml`: in every language the program has words for, with nothing in it that preflight would hold against its
author. Promises the same issues every time; touches no database, clock or network.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import cycle, islice
from typing import Final

from newsletter.assembly.facts import IssueFacts, IssueState
from newsletter.assembly.selection import select
from newsletter.content.entry import Entry, StoredEntry
from newsletter.content.intake import ContentPack, read_pack
from newsletter.content.issue import IssuePlan, IssueText, PlannedItem
from newsletter.content.localised import EVERY
from newsletter.content.newsletter import Footer, Newsletter, Theme
from newsletter.paths import sample

PACK: Final = "difficult.yaml"

_FORTY: Final = 40
"""Items of the longest issue: more than any newsletter should have, and still to be below what Gmail cuts."""

_SIZES: Final = {"banner.png": (2400, 300), "tower.png": (300, 2400), "stamp.png": (24, 24)}
"""Width and height in pixels of pictures that do not fit a column."""


class Case(StrEnum):
    """What is difficult about an issue; named as in the pack."""

    #: Every kind of entry, every status of a sitting, two columns, everything a footer holds.
    EVERYTHING = "everything"
    #: Words, labels and addresses wider than the column.
    LONG_WORDS = "long-words"
    #: Pictures that are missing, very wide, very tall and very small.
    LOST_PICTURES = "lost-pictures"
    #: No introduction, number, logo, website or footer, and of all sections only the agenda.
    BARE = "bare"
    #: A single entry that has only a title.
    ONE_ITEM = "one-item"
    #: Forty entries.
    FORTY_ITEMS = "forty-items"
    #: Entries in other languages than the edition's, some of them written in the other direction.
    OTHER_LANGUAGES = "other-languages"
    #: Text that looks like markup, template code and slots.
    HOSTILE_WORDS = "hostile-words"


def difficult_issues(theme: str, cases: Iterable[Case] = tuple(Case)) -> dict[Case, IssueFacts]:
    """One issue for each of the cases, dressed in the theme of that name."""
    pack = read_pack(sample() / PACK)
    assert isinstance(pack.newsletter, Newsletter)  # noqa: S101  the bundled pack brings its settings
    plans = {Case(plan.slug): plan for plan in pack.issues}
    words = plans[Case.EVERYTHING].texts
    return {case: _issue(case, plans[case], pack=pack, words=words, theme=theme) for case in cases}


def _issue(case: Case, plan: IssuePlan, *, pack: ContentPack, words: Mapping[str, IssueText], theme: str) -> IssueFacts:
    assert isinstance(pack.newsletter, Newsletter)  # noqa: S101  as above
    settings = _settings(case, pack.newsletter, theme)
    entries = {entry.key: entry for entry in _entries(case, plan, pack.entries)}
    plan = plan.model_copy(
        update={
            "texts": {} if case is Case.BARE else words,
            "items": tuple(PlannedItem(key=key) for key in entries),
        }
    )
    return IssueFacts(
        id=0,
        newsletter_id=0,
        state=IssueState.DRAFT,
        revision=0,
        plan=plan,
        settings=settings,
        topics=pack.topics,
        items=select(entries.values(), plan=plan, settings=settings, published={}).items,
        entries={key: _stored(entry) for key, entry in entries.items()},
        pictures=_SIZES,
    )


def _settings(case: Case, newsletter: Newsletter, theme: str) -> Newsletter:
    dress = newsletter.theme.model_copy(update={"name": theme})
    if case is Case.BARE:
        return newsletter.model_copy(update={"theme": Theme(name=theme), "footer": Footer(), "website": None})
    return newsletter.model_copy(update={"theme": dress})


def _entries(case: Case, plan: IssuePlan, entries: Iterable[Entry]) -> tuple[Entry, ...]:
    by_key = {entry.key: entry for entry in entries}
    named = [by_key[item.key] for item in plan.items if isinstance(item, PlannedItem)]
    if case is Case.FORTY_ITEMS:
        many = islice(cycle(named), _FORTY)
        return tuple(
            entry.model_copy(update={"key": f"{entry.key}.{number}"}) for number, entry in enumerate(many, start=1)
        )
    if case is Case.LOST_PICTURES:
        return (*named, *(_resized(named[-1], file) for file in _SIZES), *(_resized(named[1], file) for file in _SIZES))
    return tuple(named)


def _resized(entry: Entry, file: str) -> Entry:
    assert entry.image is not None  # noqa: S101  the entries of this case have pictures
    image = entry.image.model_copy(update={"url": {}, "file": {EVERY: file}})
    return entry.model_copy(update={"key": f"{entry.key}.{file.partition('.')[0]}", "image": image})


def _stored(entry: Entry) -> StoredEntry:
    published = dt.datetime.combine(entry.published, dt.time(), dt.UTC)
    return StoredEntry(id=0, entry=entry, stale=frozenset(), sequences={}, changed=published)
