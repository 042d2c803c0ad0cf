"""A newsletter with a few entries, and operators who write in them; its clock is moved by hand."""

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

from databases import url_of
from integration.signing import Clock
from sqlalchemy import Engine

from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState
from newsletter.bootstrap import Pipeline, build
from newsletter.content import store as content
from newsletter.content.entry import Entry
from newsletter.content.newsletter import Newsletter, Topic
from newsletter.database import session_factory
from newsletter.settings import load
from subscribers.columns import Base

START = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)

RIVERS = {
    "slug": "rivers",
    "name": {"en": "Rivers", "fr": "Fleuves"},
    "languages": ["en", "fr", "es"],
    "timezone": "Europe/Brussels",
    "sender": {"name": "Rivers", "address": "news@rivers.example"},
    "list_id": "news.rivers.example",
    "sections": [{"key": "lead", "title": {"en": "Lead"}}, {"key": "agenda", "show": "lines"}],
}


def an_entry(key: str = "quay", **changes: Any) -> Entry:
    return Entry.model_validate(
        {
            "key": key,
            "kind": "news",
            "section": "lead",
            "published": "2026-11-03",
            "source": "en",
            "texts": {
                "en": {"title": "The quay", "body": "It is old.\n\nIt leaks."},
                "fr": {"title": "Le quai", "body": "Il est vieux.\n\nIl fuit."},
            },
        }
        | changes
    )


def settled(engine: Engine, folder: Path, *, clock: Clock | None = None) -> Pipeline:
    """A pipeline over a database with nothing in it yet."""
    made = build(load(database={"url": url_of(folder / "other.sqlite")}), operator="system", migrated=False)
    sessions = session_factory(engine, operator="system")
    return Pipeline(parts=dataclasses.replace(made.parts, engine=engine, sessions=sessions, now=clock or Clock(START)))


def fill(pipeline: Pipeline, *entries: Entry) -> Pipeline:
    """Store the newsletter `rivers` with entries in it."""
    with pipeline.parts.sessions() as session:
        newsletter_id, _ = content.save_newsletter(session, Newsletter.model_validate(RIVERS), now=START)
        topic = Topic.model_validate({"key": "silt", "name": {"en": "SiltWatch"}})
        content.save_topics(session, newsletter_id, topics=[topic])
        content.save_entries(session, newsletter_id, entries=entries or [an_entry()], now=START)
        session.commit()
    return pipeline


def rivers(engine: Engine, folder: Path, *entries: Entry, clock: Clock | None = None) -> Pipeline:
    """A pipeline over a database with the newsletter `rivers` and entries in it."""
    return fill(settled(engine, folder, clock=clock), *entries)


def emptied(pipeline: Pipeline) -> Pipeline:
    """The same pipeline without a row in its database."""
    with pipeline.parts.sessions() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(table.delete())
        session.commit()
    return pipeline


def put_in_issue(pipeline: Pipeline, slug: str = "2026-12", *, state: IssueState = IssueState.DRAFT) -> None:
    """Assemble an issue of everything that is published, and bring it to a state."""
    pipeline.editorial.assemble(slug, newsletter="rivers", first=dt.date(2026, 11, 1), last=dt.date(2026, 11, 30))
    with pipeline.parts.sessions() as session:
        row = issues.get_issue(session, slug)
        issues.set_state(session, row.id or 0, expected=[IssueState.DRAFT], state=state, now=START)
        session.commit()


def state_of(pipeline: Pipeline, slug: str = "2026-12") -> IssueState:
    with pipeline.parts.sessions() as session:
        return issues.get_issue(session, slug).state
