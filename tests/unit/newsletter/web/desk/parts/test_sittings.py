import datetime as dt

import pytest

from newsletter.content.entry import Entry, Sitting
from newsletter.content.newsletter import Newsletter
from newsletter.web.desk.parts.places import zone_named
from newsletter.web.desk.parts.routes import arranged
from newsletter.web.desk.parts.said import Oddity, odd_hours, said_of
from newsletter.web.desk.parts.sittings import MOST_SITTINGS, SittingRow, row_of, rows_in, sitting_of, sittings_in
from newsletter.web.desk.parts.view import entry_parts
from newsletter.web.form import Form

RIVERS = Newsletter.model_validate(
    {
        "slug": "rivers",
        "name": "Rivers",
        "languages": ["en", "fr"],
        "timezone": "Europe/Brussels",
        "sender": {"name": "Rivers", "address": "news@rivers.example"},
        "list_id": "news.rivers.example",
        "locales": {"en": "en-GB"},
        "sections": [{"key": "agenda"}],
    }
)
WALK = Sitting.model_validate({"key": "walk", "start": "2026-12-01T14:00", "end": "2026-12-01T15:30"})
FAIR = Sitting.model_validate(
    {
        "key": "fair",
        "date": "2027-02-01",
        "until": "2027-02-03",
        "languages": ["fr", "nl"],
        "title": {"*": "Fair"},
        "body": {"fr": "Au port"},
        "links": [
            {"action": "register", "url": "https://a.example"},
            {"label": {"fr": "Plan"}, "url": "https://b.example"},
        ],
        "place": {"name": "Hall", "city": {"fr": "Gand"}, "country": "BE", "online": "https://meet.example"},
        "status": "moved",
    }
)


def form(*rows, languages="* en fr", **more):
    """What a browser would send of rows."""
    fields = {"sitting-count": str(len(rows)), "sitting-languages": languages, **more}
    for n, row in enumerate(rows):
        fields |= {f"sitting-{n}-{name}": value for name, value in row.items()}
    return Form({name: (value,) if isinstance(value, str) else tuple(value) for name, value in fields.items()})


def an_entry(*sittings):
    return Entry.model_validate(
        {
            "key": "walks",
            "kind": "agenda",
            "section": "agenda",
            "published": "2026-11-01",
            "sittings": [each.model_dump() for each in sittings],
            "texts": {"en": {"title": "Walks"}},
        }
    )


FIELDS_OF_FAIR = {
    "key": "fair",
    "all_day": "1",
    "first": "2027-02-01",
    "last": "2027-02-03",
    "start": "2020-01-01T10:00",
    "zone": "nowhere",
    "status": "moved",
    "language": ["fr"],
    "other_languages": "nl",
    "title-*": "Fair",
    "body-fr": "Au port",
    "links": "3",
    "link-0-url": "https://a.example",
    "link-0-action": "register",
    "link-1-url": "https://b.example",
    "link-1-action": "",
    "link-1-label-fr": "Plan",
    "link-2-action": "register",
    "place": "1",
    "place-name-*": "Hall",
    "place-city-fr": "Gand",
    "country": "be",
    "online": "https://meet.example",
}


def test_a_form_says_everything_that_a_sitting_may_have():
    assert sittings_in(form(FIELDS_OF_FAIR), None) == ((FAIR,), {})


@pytest.mark.parametrize("sitting", [WALK, FAIR])
def test_what_is_shown_is_what_is_stored(sitting):
    assert sitting_of(row_of(sitting)) == (sitting, {})


def test_sittings_come_in_order_of_time_and_keep_their_keys():
    rows = [
        {"all_day": "1", "first": "2026-12-02"},
        {"key": "walk", "start": "2026-12-01T14:00", "end": "2026-12-01T15:30"},
        {"start": "2026-12-01T09:00"},
        {"all_day": "1", "first": "2026-12-01"},
        {},
    ]
    found, problems = sittings_in(form(*rows), an_entry(WALK))
    assert [each.key for each in found] == ["2026-12-01-2", "2026-12-01", "walk", "2026-12-02"]
    assert found[2] == WALK
    assert not problems


def test_a_form_without_sittings_leaves_them_and_one_of_another_kind_has_none():
    assert sittings_in(Form({}), an_entry(WALK)) == ((WALK,), {})
    assert sittings_in(Form({}), None) == ((), {})
    assert sittings_in(form({"start": "2026-12-01T14:00"}, kind="news"), an_entry(WALK)) == ((), {})


def test_an_agenda_entry_without_any_sitting_is_told():
    assert sittings_in(form({}), None)[1] == {"sitting-0-start": "An agenda entry needs at least one sitting."}


def test_a_row_can_be_removed_where_no_script_runs():
    rows = [{"start": "2026-12-01T14:00", "remove": "1"}, {"start": "2026-12-02T14:00"}]
    assert [row.start for row in rows_in(form(*rows))] == ["2026-12-02T14:00"]


@pytest.mark.parametrize(
    ("row", "field", "said"),
    [
        ({"all_day": "1", "last": "2026-12-01"}, "first", "Say on which day it takes place."),
        ({"all_day": "1", "first": "2026-12-02", "last": "2026-12-01"}, "last", "The last day lies before the first."),
        ({"all_day": "1", "first": "1800-12-02"}, "first", "This is no day of the calendar between 1900 and 2199."),
        ({"end": "2026-12-01T15:00"}, "start", "Say when it starts."),
        ({"start": "2026-12-01T15:00", "end": "2026-12-01T15:00"}, "end", "It ends before it starts."),
        ({"start": "soon"}, "start", "This is no day of the calendar between 1900 and 2199."),
        (
            {"start": "2026-12-01T15:00", "zone": "Nowhere"},
            "zone",
            "Choose a time zone from the list, such as Europe/Brussels.",
        ),
        (
            {"start": "2026-12-01T15:00", "other_languages": "n, l!"},
            "other_languages",
            "Write languages as short codes, such as nl or pt-BR.",
        ),
        (
            {"start": "2026-12-01T15:00", "links": "1", "link-0-url": "javascript:x", "link-0-action": "register"},
            "link-0-url",
            "A link begins with https:// (or mailto:, tel:) and has no spaces.",
        ),
        (
            {"start": "2026-12-01T15:00", "links": "1", "link-0-url": "https://a.example"},
            "link-0-url",
            "Choose what the link says, or write it.",
        ),
        (
            {"start": "2026-12-01T15:00", "place": "1"},
            "online",
            "Say where: a name, a city, a country or an online address.",
        ),
        (
            {"start": "2026-12-01T15:00", "place": "1", "country": "Belgium"},
            "country",
            "Write the country as two letters, such as BE.",
        ),
        (
            {"start": "2026-12-01T15:00", "place": "1", "online": "meet.example"},
            "online",
            "The address begins with https://.",
        ),
        ({"start": "2026-12-01T15:00", "status": "lost"}, "status", "Choose whether it takes place as announced."),
        (
            {"start": "2026-12-01T15:00", "key": "No Key"},
            "key",
            "This sitting cannot be told from another one: remove it and add it again.",
        ),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(row, field, said):
    assert sittings_in(form(row), None)[1] == {f"sitting-0-{field}": said}


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("", ""),
        ("Europe/Paris", "Europe/Paris"),
        ("europe/paris", "Europe/Paris"),
        ("Bruxelles", "Europe/Brussels"),
        ("brussels – belgium", "Europe/Brussels"),
        ("utc", "UTC"),
        ("Utopia", "Utopia"),
    ],
)
def test_a_zone_may_be_named_by_its_city(written, zone):
    assert zone_named(written) == zone


def test_readers_are_told_in_every_language_by_the_words_of_the_mail():
    words = [(each.language, each.words) for each in said_of(FAIR, RIVERS)]
    assert words == [
        ("en", "1–3 February 2027 (in French and Dutch)"),
        ("fr", "du 1er au 3 février 2027 (en français et néerlandais)"),
    ]
    assert said_of(WALK, RIVERS)[1].words == "mardi 1er décembre 2026, 14:00–15:30 CET"


@pytest.mark.parametrize(
    ("start", "zone", "oddity", "meant"),
    [
        ("2027-03-28T02:30", None, Oddity.SKIPPED, "03:00 CEST"),
        ("2026-10-25T02:30", None, Oddity.TWICE, "02:30 CEST"),
        ("2026-11-01T01:30", "America/New_York", Oddity.TWICE, "01:30 EDT"),
        ("2026-10-04T02:15", "Australia/Lord_Howe", Oddity.SKIPPED, "02:30 +11"),
    ],
)
def test_an_hour_that_the_clocks_skip_or_strike_twice_is_told(start, zone, oddity, meant):
    sitting = Sitting.model_validate({"key": "a", "start": start, "timezone": zone})
    (odd,) = odd_hours(sitting, RIVERS)
    assert (odd.oddity, odd.written) == (oddity, dt.datetime.fromisoformat(start))
    assert odd.meant.strftime("%H:%M %Z") == meant


def test_an_ordinary_hour_is_not_odd():
    assert odd_hours(WALK, RIVERS) == odd_hours(FAIR, RIVERS) == ()


def test_cards_are_added_copied_and_removed():
    rows = (row_of(WALK), row_of(FAIR))
    added, focus = arranged(rows, "add")
    assert (added[:2], added[2], focus) == (rows, SittingRow(), 2)
    copied, focus = arranged(rows, "copy-0")
    assert (copied[1].start, copied[1].key, copied[2], focus) == (WALK.start.isoformat("T", "minutes"), "", rows[1], 1)
    assert arranged(rows, "remove-1") == ((rows[0],), -1)


@pytest.mark.parametrize("wish", ["", "copy-2", "remove-x", "remove-", "burn-0"])
def test_what_is_no_wish_changes_nothing(wish):
    rows = (row_of(WALK), row_of(FAIR))
    assert arranged(rows, wish) == (rows, None)


def test_there_is_an_end_to_adding():
    rows = (row_of(WALK),) * MOST_SITTINGS
    assert arranged(rows, "add") == (rows, None)
    assert len(rows_in(form(**{"sitting-count": "999999"}))) == MOST_SITTINGS


def test_a_form_shows_again_what_was_sent_with_its_problems():
    sent = form({"start": "2026-12-01T15:00", "links": "1", "link-0-url": "nowhere"})
    parts = entry_parts(RIVERS, an_entry(WALK), key="walks", language="en", form=sent)
    (card,) = parts.sittings
    assert card.row.start == "2026-12-01T15:00"
    assert card.is_wrong_inside
    assert set(parts.problems) == {"sitting-0-link-0-url"}
    assert card.said[0].words == "Tuesday 1 December 2026, 15:00 CET"


def test_fields_are_asked_for_in_every_language_that_has_words():
    parts = entry_parts(RIVERS, an_entry(FAIR), key="walks", language="fr")
    assert parts.sitting_languages == ("*", "en", "fr")
    assert parts.path == "/desk/n/rivers/entries/walks"
