"""Outlines of entries: an issue chooses from them as it chooses from whole entries."""

import datetime as dt

import pytest

from newsletter.assembly.selection import Verdict, select
from newsletter.content.entry import Entry
from newsletter.content.issue import IssuePlan
from newsletter.content.newsletter import Newsletter
from newsletter.content.outlines import outlines
from newsletter.content.store import entries, save_entries, save_newsletter
from newsletter.database import session_factory

NOW = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
NEWSLETTER = Newsletter.model_validate(
    {
        "slug": "rivers",
        "name": "River News",
        "languages": ["en", "fr"],
        "timezone": "Pacific/Kiritimati",
        "sender": {"name": "River network", "address": "news@rivers.example"},
        "list_id": "rivers.rivers.example",
        "sections": [{"key": "news"}, {"key": "agenda", "show": "lines"}],
    }
)
SITTINGS = (
    {"date": "2026-11-01"},
    {"date": "2026-11-29"},
    {"date": "2026-11-30"},
    {"date": "2026-12-01"},
    {"date": "2026-11-20", "until": "2026-12-03"},
    {"date": "2027-11-01"},
    # By the newsletter's own clock this one is over on another day than where it takes place.
    {"start": "2026-11-30 09:00", "timezone": "Pacific/Pago_Pago"},
    {"start": "2026-12-01 23:00", "timezone": "Pacific/Pago_Pago"},
)


def an_entry(key, **changes):
    plain = {"key": key, "kind": "news", "section": "news", "published": "2026-11-10", "texts": {"en": {"title": key}}}
    return Entry.model_validate({**plain, **changes})


ENTRIES = (
    an_entry(
        "new", topic="silt", priority=4, texts={"fr": {"title": "Nouveau", "body": "Mots"}, "en": {"title": "New"}}
    ),
    an_entry("old", published="2026-08-01"),
    an_entry("later", published="2026-12-05"),
    an_entry("draft", status="draft"),
    an_entry("gone", status="withdrawn"),
    an_entry("always", published="2026-01-01", repeat=True),
    an_entry("greek", languages=["el"]),
    an_entry("french", languages=["fr"]),
    an_entry("homeless", section="lead"),
    an_entry("dateless", section="agenda"),
    *(
        an_entry(f"{section}-{place}", kind="agenda", section=section, sittings=[{"key": "main", **sitting}])
        for place, sitting in enumerate(SITTINGS)
        for section in ("agenda", "news")
    ),
)


@pytest.mark.parametrize("items", ["auto", ["old", {"key": "agenda-0", "section": "news"}]])
def test_an_issue_chooses_from_outlines_as_from_entries(engine, items):
    with session_factory(engine)() as session:
        newsletter_id, _ = save_newsletter(session, NEWSLETTER, now=NOW)
        save_entries(session, newsletter_id, entries=ENTRIES, now=NOW)
        session.commit()
        whole = [stored.entry for stored in entries(session, newsletter_id)]
        drawn = outlines(session, newsletter_id, date=dt.date(2026, 12, 1), language="en")
    plain = {"slug": "2026-12", "date": "2026-12-01", "period": {"from": "2026-11-01", "to": "2026-11-30"}}
    plan = IssuePlan.model_validate({**plain, "items": items})
    chosen = [select(found, plan=plan, settings=NEWSLETTER, published={}) for found in (whole, drawn)]
    assert chosen[0] == chosen[1]
    codes = {verdict.code for verdict in chosen[0].verdicts}
    assert codes >= {Verdict.OVER, Verdict.LATER, Verdict.DRAFT, Verdict.NO_SECTION, Verdict.OTHER_LANGUAGES}
