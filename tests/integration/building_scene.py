"""A newsletter with entries and a draft issue, for the tests of issues that are made by hand."""

import dataclasses
import datetime as dt
from typing import Any

from newsletter.assembly.store import save_plan
from newsletter.bootstrap import Pipeline
from newsletter.content.entry import Entry
from newsletter.content.issue import IssuePlan
from newsletter.content.newsletter import Newsletter
from newsletter.content.store import get_newsletter, save_entries, save_newsletter
from newsletter.database import session_factory
from newsletter.links import Links
from newsletter.pipeline.parts import Parts
from newsletter.settings import Settings
from subscribers.tokens import Keys

NOW = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
RIVERS = "rivers"
DECEMBER = "2026-12"

NEWSLETTER = Newsletter.model_validate(
    {
        "slug": RIVERS,
        "name": {"en": "River News", "fr": "Lettre des fleuves"},
        "languages": ["en", "fr", "es"],
        "locales": {"en": "en-GB"},
        "timezone": "Europe/Brussels",
        "sender": {"name": {"en": "River network"}, "address": "news@rivers.example"},
        "list_id": "news.rivers.example",
        "sections": [
            {"key": "lead"},
            {"key": "projects", "title": {"en": "Our projects", "fr": "Nos projets"}},
            {"key": "agenda", "title": {"en": "Agenda"}, "show": "lines"},
        ],
    }
)


def an_entry(key: str, **changes: Any) -> Entry:
    plain = {
        "key": key,
        "kind": "news",
        "section": "projects",
        "published": "2026-11-10",
        "texts": {"en": {"title": f"Title of {key}"}, "fr": {"title": f"Titre de {key}"}},
    }
    return Entry.model_validate({**plain, **changes})


def an_agenda_entry(key: str, day: str, **changes: Any) -> Entry:
    dated = {"kind": "agenda", "section": "agenda", "sittings": [{"key": "main", "date": day}]}
    return an_entry(key, **{**dated, **changes})


ENTRIES = (
    an_entry("bridge", section="lead"),
    an_entry("silt", priority=3),
    an_entry("lamps", priority=2, texts={"en": {"title": "Lamps <script>alert(1)</script>"}}),
    an_entry("bats", priority=1, languages=["fr"]),
    an_entry("old", published="2026-09-01"),
    an_entry("sketch", status="draft"),
    an_agenda_entry("fair", "2026-12-10"),
    an_agenda_entry("walk", "2026-12-12"),
    an_agenda_entry("past", "2026-11-12"),
)

DECEMBERS = IssuePlan.model_validate(
    {
        "slug": DECEMBER,
        "number": 42,
        "date": "2026-12-01",
        "period": {"from": "2026-11-01", "to": "2026-11-30"},
        "texts": {"en": {"title": "December 2026", "subject": "What the river took"}, "fr": {"title": "Décembre 2026"}},
    }
)


def settled(engine: Any) -> Pipeline:
    """The verbs over an engine with tables, on a day in November; `later` lets time pass."""
    keys = Keys(signing=(("a", b"1" * 32),), suppression=b"2" * 32)
    return Pipeline(
        parts=Parts(
            settings=Settings(),
            engine=engine,
            sessions=session_factory(engine, operator="anne"),
            keys=keys,
            links=Links("http://news.example"),
            operator="anne",
            now=lambda: NOW,
        )
    )


def later(pipeline: Pipeline, **passed: float) -> Pipeline:
    """The same verbs after a while."""
    instant = pipeline.parts.now() + dt.timedelta(**passed)
    return Pipeline(parts=dataclasses.replace(pipeline.parts, now=lambda: instant))


def filled(pipeline: Pipeline) -> Pipeline:
    """Store the newsletter, its entries and the December issue, assembled."""
    with pipeline.parts.sessions() as session:
        newsletter_id, _ = save_newsletter(session, NEWSLETTER, now=NOW)
        save_entries(session, newsletter_id, entries=ENTRIES, now=NOW)
        save_plan(session, newsletter_id, DECEMBERS, now=NOW)
        session.commit()
    pipeline.editorial.assemble(DECEMBER, newsletter=RIVERS)
    return pipeline


def store(pipeline: Pipeline, *entries: Entry) -> None:
    """Store entries at the pipeline's own time."""
    with pipeline.parts.sessions() as session:
        newsletter_id, _ = get_newsletter(session, RIVERS)
        save_entries(session, newsletter_id, entries=entries, now=pipeline.parts.now())
        session.commit()
