"""Founding newsletters, changing them, trying themes on: the verbs, on both databases where the SQL is new."""

import datetime as dt

import pytest
from integration.samples import SMALL_NEWSLETTER
from integration.signing import BOTH, a_newsletter, bare_pipeline
from sqlmodel import col, select

from newsletter.accounts.models import AuditRow, Deed
from newsletter.content.newsletter import Show
from newsletter.errors import NotFound
from newsletter.pipeline.founding import slug_of, usual_sections


@pytest.fixture
def pipeline(chosen_engine, clock):
    return bare_pipeline(chosen_engine, clock)


GIVEN = {
    "name": "Lettre des fleuves",
    "languages": ["fr", "en"],
    "timezone": "Europe/Brussels",
    "sender_name": "Villes de fleuve",
    "sender_address": "lettre@fleuves.example",
}


@BOTH
def test_five_answers_make_a_newsletter_that_can_send(pipeline):
    settings = pipeline.founding.found(**GIVEN).settings
    assert settings == pipeline.entries.newsletter("lettre-des-fleuves")
    assert settings.default_language == "fr"
    assert settings.locales == {"en": "en-GB"}
    assert settings.list_id == "lettre-des-fleuves.fleuves.example"
    assert [section.key for section in settings.sections] == ["lead", "news", "publications", "did-you-know", "agenda"]
    assert settings.sections[-1].show is Show.LINES
    with pipeline.parts.sessions() as session:
        (line,) = session.scalars(select(AuditRow))
        assert (line.action, line.operator, line.about) == (Deed.NEWSLETTER_MADE, "grace", "lettre-des-fleuves")


def test_a_second_one_of_the_same_name_has_an_address_of_its_own(pipeline):
    slugs = [pipeline.founding.found(**GIVEN).settings.slug for _ in range(3)]
    assert slugs == ["lettre-des-fleuves", "lettre-des-fleuves-2", "lettre-des-fleuves-3"]


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Été à l’eau!", "ete-a-l-eau"), ("رصيف الليل", "newsletter"), ("  A  B ", "a-b"), ("x" * 90, "x" * 40)],
)
def test_a_slug_is_made_of_any_name(name, slug):
    assert slug_of(name) == slug


def test_sections_are_titled_in_the_languages_that_the_program_speaks():
    titles = {section["key"]: section["title"] for section in usual_sections(["en", "fr", "de", "hu", "fr-BE"])}
    assert titles["lead"] == {}
    assert titles["news"] == {"en": "News", "fr": "Actualités", "de": "Nachrichten", "fr-BE": "Actualités"}
    assert titles["did-you-know"]["fr"] == "Le saviez-vous\u202f?"


def test_what_cannot_be_taken_is_said_with_its_place_and_nothing_is_made(pipeline):
    bad = {
        "name": " ",
        "languages": ["fr", "francais"],
        "sender_name": "",
        "sender_address": "nobody",
        "timezone": "Mars",
    }
    founded = pipeline.founding.found(**bad)
    places = {".".join(refusal.place) for refusal in founded.refusals}
    assert places == {"name", "sender.name", "languages.1", "timezone", "sender.address"}
    assert founded.settings is None
    assert pipeline.entries.newsletters() == []


@BOTH
def test_a_change_is_stored_and_stands_in_the_audit_log(pipeline, clock):
    a_newsletter(pipeline)
    clock.forward(hours=1)
    stored = pipeline.founding.show("rivers")
    settled = pipeline.founding.change("rivers", {"theme.accent": "#7a2f5d", "four_eyes": True}, seen=stored.seen)
    assert settled.is_done
    assert pipeline.entries.newsletter("rivers").theme.accent == "#7a2f5d"
    with pipeline.parts.sessions() as session:
        (line,) = session.scalars(select(AuditRow).where(col(AuditRow.action) == Deed.NEWSLETTER_CHANGED.value))
        assert line.reason == "; ".join(settled.lines)
        assert "theme.accent: + #7a2f5d" in settled.lines


@BOTH
def test_two_people_do_not_undo_each_others_work_unseen(pipeline, clock):
    a_newsletter(pipeline)
    clock.forward(hours=1)
    both_saw = pipeline.founding.show("rivers").seen
    change = pipeline.founding.change
    assert change("rivers", {"theme.accent": "#111111"}, seen=both_saw).is_done
    clock.forward(minutes=1)
    late = change("rivers", {"theme.accent": "#222222"}, seen=both_saw)
    assert (late.is_late, late.lines) == (True, ("theme.accent: #111111 → #222222",))
    assert pipeline.entries.newsletter("rivers").theme.accent == "#111111"
    assert change("rivers", {"theme.accent": "#222222"}, seen=pipeline.founding.show("rivers").seen).is_done
    assert change("rivers", {"theme.accent": "#333333"}, seen="no instant").is_late


def test_a_change_that_cannot_be_taken_changes_nothing(pipeline):
    a_newsletter(pipeline)
    stored = pipeline.founding.show("rivers")
    changes = {"cadence.cron": "0 9 31 2 *", "sections": [], "sender.name": "", "theme.fonts": {"body": "comic"}}
    settled = pipeline.founding.change("rivers", changes, seen=stored.seen)
    places = {".".join(refusal.place) for refusal in settled.refusals}
    assert places == {"cadence.cron", "sections", "sender.name", "theme.fonts.body"}
    assert pipeline.founding.show("rivers") == stored


def test_a_newsletter_that_is_not_there_cannot_be_changed(pipeline):
    with pytest.raises(NotFound):
        pipeline.founding.change("rivers", {}, seen="")


def test_a_theme_is_tried_on_without_being_stored(pipeline):
    a_newsletter(pipeline)
    plain = pipeline.dressing.sample("rivers", {}, language="fr")
    tried = {"accent": "#7a2f5d", "fonts": {"body": "verdana"}, "options": {"print": False}}
    dressed = pipeline.dressing.sample("rivers", tried, language="fr")
    assert "Nouvelles des rivières" in plain
    assert "#7a2f5d" in dressed
    assert "#7a2f5d" not in plain
    assert "Verdana" in dressed
    assert "Imprimer" in plain
    assert "Imprimer" not in dressed
    assert pipeline.entries.newsletter("rivers").theme.accent is None


def test_what_of_a_theme_cannot_be_read_is_passed_over_in_the_sample(pipeline):
    a_newsletter(pipeline)
    tried = {"name": "unheard-of", "accent": "red", "logo": {"url": "ftp://x"}, "fonts": {"body": "verdana"}}
    dressed = pipeline.dressing.sample("rivers", tried, language="de")
    assert "Verdana" in dressed
    assert 'lang="en"' in dressed


def test_the_sample_is_the_latest_issue_where_there_is_one(pipeline, tmp_path):
    pack = tmp_path / "pack.yaml"
    entry = {"key": "one", "kind": "news", "section": "news", "published": "2026-11-20", "source": "en"}
    pack.write_text(
        repr(
            {
                "newsletter": SMALL_NEWSLETTER,
                "entries": [{**entry, "texts": {"en": {"title": "The lock is open again"}}}],
                "issues": [{"slug": "one", "date": "2026-12-01", "period": {"from": "2026-11-01", "to": "2026-11-30"}}],
            }
        )
    )
    pipeline.entries.import_pack(pack)
    assert "The lock is open again" not in pipeline.dressing.sample("small", {}, language="en")
    pipeline.editorial.assemble("one", newsletter="small", first=dt.date(2026, 11, 1), last=dt.date(2026, 11, 30))
    assert "The lock is open again" in pipeline.dressing.sample("small", {}, language="en")


def test_a_colour_that_cannot_be_read_is_named_with_the_shade_that_stands_in(pipeline):
    pale = pipeline.dressing.pale("network", "#ffcc00")
    assert pale.ratio < 4.5
    assert pale.shade != "#ffcc00"
    assert pipeline.dressing.pale("network", "#0b5c8a") is None
    assert pipeline.dressing.pale("network", "yellow") is None
    assert pipeline.dressing.pale("unheard-of", "#ffcc00") is None
