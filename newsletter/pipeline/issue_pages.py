"""
The issues of a newsletter in a list: those in the making first, then those that are ended, page by page.

Takes a session and a newsletter's slug, yields an `IssuesPage`; a handful of queries, however many issues there are.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from newsletter.assembly import overview
from newsletter.assembly.models import IssueRow
from newsletter.assembly.overview import Spoken
from newsletter.content import store as content
from newsletter.content.newsletter import Newsletter
from newsletter.content.rows import row_id
from newsletter.pipeline.heads import Head, head
from newsletter.planning.counts import audiences
from subscribers.language import parents

PAGE: Final = 24
"""Ended issues in one page: two years of a monthly newsletter."""

MOST_OPEN: Final = 50
"""Issues in the making that are shown: nobody works on more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedIssue:
    """
    An issue in the list.

    `size` counts its entries, `lacking` those that are meant for each of its languages, in order, and have no text in
    it; `audience` the people of its last run, None where none has started.
    """

    head: Head
    size: int
    lacking: Mapping[str, int]
    audience: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuesPage:
    """`making` is empty behind the first page; `after` is the key of the last one shown, None at the end."""

    making: tuple[ListedIssue, ...]
    ended: tuple[ListedIssue, ...]
    after: str | None


def issues_page(session: Session, newsletter: str, *, language: str | None, after: str) -> IssuesPage:
    """A page of the issues of a newsletter. Raises NotFound for an unknown newsletter; a wrong `after` is none."""
    newsletter_id, settings = content.get_newsletter(session, newsletter)
    place = _place(after)
    making = [] if place else overview.open_issues(session, newsletter_id, limit=MOST_OPEN)
    ended = overview.ended_issues(session, newsletter_id, after=place, limit=PAGE + 1)
    shown = ended[:PAGE]
    known = _known(session, [*making, *shown], settings, language)
    return IssuesPage(
        making=tuple(known[row_id(row)] for row in making),
        ended=tuple(known[row_id(row)] for row in shown),
        after=f"{shown[-1].date}.{shown[-1].slug}" if len(ended) > PAGE else None,
    )


def _known(
    session: Session, rows: Sequence[IssueRow], settings: Newsletter, language: str | None
) -> Mapping[int, ListedIssue]:
    ids = [row_id(row) for row in rows]
    people = audiences(session, ids)
    entries: dict[int, list[Spoken]] = defaultdict(list)
    for entry in overview.spoken(session, ids):
        entries[entry.issue_id].append(entry)
    return {
        row_id(row): ListedIssue(
            head=head(row, settings, language=language),
            size=len(entries[row_id(row)]),
            lacking={
                tag: sum(1 for entry in entries[row_id(row)] if _lacks(entry, tag))
                for tag in (row.settings or {}).get("languages", settings.languages)
            },
            audience=people.get(row_id(row)),
        )
        for row in rows
    }


def _lacks(entry: Spoken, language: str) -> bool:
    tags = {language, *parents(language)}
    return not tags & entry.languages and (not entry.meant or bool(tags & set(entry.meant)))


def _place(after: str) -> tuple[dt.date, str] | None:
    date, _, slug = after.partition(".")
    try:
        return (dt.date.fromisoformat(date), slug) if after else None
    except ValueError:
        return None
