"""Small builders for the tests of assembly: a newsletter, an issue's plan, entries and what a store would give."""

import datetime as dt
from typing import Any

from newsletter.assembly.facts import IssueFacts, IssueState
from newsletter.assembly.selection import select
from newsletter.content.entry import Entry, Sitting, StoredEntry
from newsletter.content.issue import IssuePlan
from newsletter.content.newsletter import Newsletter, Topic
from newsletter.links import Links
from newsletter.words import Catalogue

LINKS = Links("https://news.example")
SECTIONS = [
    {"key": "lead"},
    {"key": "projects", "title": {"en": "Our projects", "fr": "Nos projets"}, "columns": 2},
    {"key": "agenda", "title": {"en": "Agenda", "fr": "Agenda"}, "show": "lines"},
]


def a_newsletter(**changes: Any) -> Newsletter:
    plain: dict[str, Any] = {
        "slug": "rivers",
        "name": {"en": "River News", "fr": "Lettre des fleuves"},
        "languages": ["en", "fr", "es"],
        "locales": {"en": "en-GB", "fr": "fr-FR", "es": "es-ES"},
        "timezone": "Europe/Brussels",
        "sender": {"name": {"en": "River network", "fr": "Réseau des fleuves"}, "address": "news@rivers.example"},
        "list_id": "news.rivers.example",
        "sections": SECTIONS,
    }
    return Newsletter.model_validate({**plain, **changes})


def a_plan(**changes: Any) -> IssuePlan:
    plain: dict[str, Any] = {
        "slug": "2026-12",
        "number": 42,
        "date": "2026-12-01",
        "period": {"from": "2026-11-01", "to": "2026-11-30"},
    }
    return IssuePlan.model_validate({**plain, **changes})


def an_entry(key: str = "silt", **changes: Any) -> Entry:
    plain: dict[str, Any] = {
        "key": key,
        "kind": "news",
        "section": "projects",
        "published": "2026-11-10",
        "texts": {"en": {"title": f"Title of {key}", "body": f"Body of {key}."}},
    }
    return Entry.model_validate({**plain, **changes})


def an_agenda_entry(key: str = "assembly", **changes: Any) -> Entry:
    plain = {"kind": "agenda", "section": "agenda", "sittings": [{"key": "main", "date": "2026-12-10"}]}
    return an_entry(key, **{**plain, **changes})


def a_sitting(**changes: Any) -> Sitting:
    return Sitting.model_validate({"key": "main", **changes})


def stored(entry: Entry, **sequences: int) -> StoredEntry:
    changed = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    return StoredEntry(id=1, entry=entry, stale=frozenset(), sequences=sequences, changed=changed)


def the_facts(
    *entries: Entry,
    plan: IssuePlan | None = None,
    newsletter: Newsletter | None = None,
    topics: tuple[dict[str, Any], ...] = (),
    pictures: dict[str, tuple[int, int]] | None = None,
) -> IssueFacts:
    """An issue assembled of `entries`, none of which was published before."""
    plan, newsletter = plan or a_plan(), newsletter or a_newsletter()
    return IssueFacts(
        id=1,
        newsletter_id=1,
        state=IssueState.DRAFT,
        revision=1,
        plan=plan,
        settings=plan.settings(newsletter),
        topics=tuple(Topic.model_validate(topic) for topic in topics),
        items=select(entries, plan=plan, settings=newsletter, published={}).items,
        entries={entry.key: stored(entry) for entry in entries},
        pictures=pictures or {},
    )


def a_catalogue(language: str = "en", **messages: str) -> Catalogue:
    known = {("", english): (words,) for english, words in messages.items()}
    return Catalogue(language=language, messages=known, plural=lambda n: int(n != 1))
