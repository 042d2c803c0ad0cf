"""Three issues of one newsletter in a row, through a real database."""

import datetime as dt

import pytest
from databases import url_of
from sqlmodel import Session

from newsletter.assembly import store
from newsletter.assembly.composition import build_edition
from newsletter.assembly.days import default_period
from newsletter.assembly.facts import IssueState
from newsletter.assembly.selection import Verdict, select
from newsletter.content.entry import Entry
from newsletter.content.issue import IssuePlan
from newsletter.content.newsletter import Newsletter, Topic
from newsletter.content.store import entries, get_newsletter, save_entries, save_newsletter
from newsletter.database import open_engine
from newsletter.links import Links
from newsletter.words import Catalogue
from subscribers.columns import Base

NOW = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
LINKS = Links("https://news.example")
WORDS = Catalogue(language="en", messages={}, plural=lambda n: int(n != 1))
TOPICS = [Topic.model_validate({"key": "silt", "name": "SiltWatch", "credit": {"en": "Co-funded."}})]

NEWSLETTER = {
    "slug": "rivers",
    "name": {"en": "River News", "fr": "Lettre des fleuves"},
    "languages": ["en", "fr"],
    "locales": {"en": "en-GB", "fr": "fr-FR"},
    "timezone": "Europe/Brussels",
    "sender": {"name": "River network", "address": "news@rivers.example"},
    "list_id": "news.rivers.example",
    "cadence": {"agenda_days": 60},
    "sections": [
        {"key": "lead"},
        {"key": "projects", "title": {"en": "Our projects"}, "columns": 2},
        {"key": "resources"},
        {"key": "agenda", "title": {"en": "Agenda"}, "show": "lines"},
    ],
}


def an_entry(key, **changes):
    plain = {"key": key, "kind": "news", "section": "projects", "texts": {"en": {"title": key.title()}}}
    return Entry.model_validate({**plain, **changes})


ENTRIES = [
    an_entry("silt", published="2026-11-10", topic="silt"),
    an_entry("quay", published="2026-12-10"),
    an_entry("prime", published="2027-01-08", texts={"fr": {"title": "La prime"}}),
    an_entry("catalogue", kind="publication", section="resources", published="2026-11-01", repeat=True),
    an_entry(
        "conference",
        kind="agenda",
        section="lead",
        published="2026-11-03",
        sittings=[{"key": "main", "date": "2027-01-20", "until": "2027-01-22"}],
    ),
    an_entry(
        "workshop",
        kind="agenda",
        section="agenda",
        published="2026-11-03",
        sittings=[{"key": "one", "start": "2026-12-05T10:00"}, {"key": "two", "start": "2027-01-05T10:00"}],
    ),
]


@pytest.fixture
def session(tmp_path):
    engine = open_engine(url_of(tmp_path / "newsletter.db"))
    Base.metadata.create_all(engine)
    with Session(engine) as opened:
        newsletter_id, _ = save_newsletter(opened, Newsletter.model_validate(NEWSLETTER), now=NOW)
        save_entries(opened, newsletter_id, entries=ENTRIES, now=NOW)
        yield opened
    engine.dispose()


def send(session, slug, date, **plan):
    """Plan, assemble and publish an issue whose period follows that of the one before it; returns its editions."""
    newsletter_id, newsletter = get_newsletter(session, "rivers")
    day = dt.date.fromisoformat(date)
    period = default_period(store.previous_plan(session, newsletter_id, day), day)
    planned = IssuePlan.model_validate({"slug": slug, "date": day, "period": period, **plan})
    store.save_plan(session, newsletter_id, planned, now=NOW)
    row = store.get_issue(session, slug)
    chosen = select(
        [stored.entry for stored in entries(session, newsletter_id)],
        plan=planned,
        settings=newsletter,
        published=store.published_before(session, newsletter_id, date=day, slug=slug),
    )
    settings = planned.settings(newsletter)
    store.replace_items(session, row, selection=chosen, settings=settings, topics=TOPICS, now=NOW)
    store.set_state(session, row.id, expected={IssueState.DRAFT}, state=IssueState.SENT, now=NOW)
    store.record_published(session, row.id, at=NOW)
    session.commit()
    return {language: edition(session, slug, language) for language in newsletter.languages}


def edition(session, slug, language):
    return build_edition(store.load_issue(session, slug), language=language, links=LINKS, catalogue=WORDS)


def stands(found):
    """What stands in an edition, section by section."""
    return {section.key: [part.key for part in (*section.blocks, *section.lines)] for section in found.sections}


def codes(session, slug):
    found = store.verdicts(session, store.get_issue(session, slug).id)
    return {verdict.key: verdict.code for verdict in found}


def test_three_issues_in_a_row(session):
    december = send(session, "2026-12", "2026-12-01")
    assert stands(december["en"]) == {
        "lead": ["conference"],
        "projects": ["silt"],
        "resources": ["catalogue"],
        "agenda": ["workshop", "workshop", "conference"],
    }

    january_sections = [{"key": "projects"}, {"key": "resources"}, {"key": "dates", "show": "lines"}]
    january = send(session, "2027-01", "2027-01-01", sections=january_sections, agenda_days=10)
    assert stands(january["en"]) == {"projects": ["quay"], "resources": ["catalogue"], "dates": ["workshop"]}
    assert codes(session, "2027-01") == {
        "quay": Verdict.INCLUDED,
        "catalogue": Verdict.REPEAT,
        "workshop": Verdict.LINES,
        "conference": Verdict.NO_SECTION,
        "silt": Verdict.ALREADY,
        "prime": Verdict.NOT_YET,
    }

    spring = send(session, "2027-01-b", "2027-01-15")
    assert stands(spring["en"]) == {"projects": ["prime"], "resources": ["catalogue"], "agenda": ["conference"]}
    assert codes(session, "2027-01-b") == {
        "prime": Verdict.INCLUDED,
        "catalogue": Verdict.REPEAT,
        "conference": Verdict.LINES,
        "workshop": Verdict.OVER,
        "quay": Verdict.ALREADY,
        "silt": Verdict.ALREADY,
    }
    assert (spring["en"].fallbacks, spring["fr"].fallbacks) == (
        (("prime", "fr"),),
        (("catalogue", "en"), ("conference", "en")),
    )

    assert {language: edition(session, "2026-12", language) for language in december} == december
    assert {language: edition(session, "2027-01", language) for language in january} == january


def test_an_old_issue_assembled_again_takes_the_same(session):
    send(session, "2026-12", "2026-12-01")
    before = store.load_issue(session, "2026-12")
    told = codes(session, "2026-12")
    send(session, "2027-01", "2027-01-01", sections=[{"key": "projects"}], agenda_days=10)
    store.set_state(session, before.id, expected={IssueState.SENT}, state=IssueState.DRAFT, now=NOW)
    send(session, "2026-12", "2026-12-01", period={"from": "2026-11-01", "to": "2026-11-30"})
    assert store.load_issue(session, "2026-12").items == before.items
    assert codes(session, "2026-12") == told


def test_an_issue_keeps_the_settings_and_topics_it_was_made_with(session):
    december = send(session, "2026-12", "2026-12-01")
    renamed = {**NEWSLETTER, "name": "Other News", "sections": [{"key": "other"}], "languages": ["fr", "en"]}
    save_newsletter(session, Newsletter.model_validate(renamed), now=NOW)
    session.commit()
    assert edition(session, "2026-12", "en") == december["en"]
    assert [line.text for line in december["en"].footer.credits] == ["SiltWatch: Co-funded."]
