import datetime as dt

from unit.newsletter.assembly.builders import a_catalogue, a_newsletter, an_agenda_entry, stored

from newsletter.assembly.agenda import agenda_lines, in_order
from newsletter.assembly.wording import Wording
from newsletter.content.entry import SittingStatus

NBSP = "\u00a0"
URL = "https://x.example/"


def lines(*sittings, language="en", **changes):
    keyed = [{"key": f"s{index}", **sitting} for index, sitting in enumerate(sittings)]
    entry = an_agenda_entry(sittings=keyed, **changes)
    wording = Wording(language=language, settings=a_newsletter(), catalogue=a_catalogue())
    return agenda_lines(wording.rendition(stored(entry), {}), entry.sittings, wording=wording, segment=None)


def said(found):
    """What each line says, with ordinary spaces."""
    return [
        (line.when.replace(NBSP, " "), [(part.title.text, part.languages) for part in line.parts]) for line in found
    ]


ENTRY = ("Title of assembly", None)


def test_whole_days_without_words_of_their_own_make_one_line():
    found = lines(
        {"date": "2027-01-28"},
        {"date": "2027-01-25", "until": "2027-01-26"},
        place={"name": "City Hall", "city": "Szeged", "country": "HU"},
    )
    assert said(found) == [("25–26 and 28 January 2027", [ENTRY])]
    assert found[0].first_day == dt.date(2027, 1, 25)
    assert found[0].place.words.text == "City Hall, Szeged (HU)"


def test_whole_days_with_words_of_their_own_have_their_own_line():
    found = lines({"date": "2027-01-25"}, {"date": "2027-01-26", "title": "Visits"})
    assert said(found) == [("25 January 2027", [ENTRY]), ("26 January 2027", [("Visits", None)])]


def test_a_cancelled_day_does_not_hide_among_the_others():
    found = lines({"date": "2027-01-25"}, {"date": "2027-01-26", "status": "cancelled"}, {"date": "2027-01-27"})
    assert said(found) == [("25 and 27 January 2027", [ENTRY]), ("26 January 2027", [ENTRY])]
    assert [line.parts[0].status for line in found] == [SittingStatus.CONFIRMED, SittingStatus.CANCELLED]


def test_a_single_sitting_is_written_without_its_hour():
    assert said(lines({"start": "2026-12-01T14:00"})) == [("1 December 2026", [ENTRY])]


def test_sittings_of_one_title_and_day_make_one_part_with_all_hours():
    found = lines({"start": "2026-12-01T14:00"}, {"start": "2026-12-01T10:00"})
    assert said(found) == [("1 December 2026, 10:00 and 14:00 CET", [ENTRY])]


def test_sittings_of_one_day_with_titles_of_their_own_make_parts_of_one_line():
    found = lines({"start": "2026-12-01T10:00", "title": "Toolbox 3"}, {"start": "2026-12-01T14:00", "title": "Tool 4"})
    assert said(found) == [("1 December 2026, 10:00 and 14:00 CET", [("Toolbox 3", None), ("Tool 4", None)])]


def test_parallel_sittings_make_parts_of_one_line():
    found = lines(
        {"start": "2026-12-01T10:00", "languages": ["fr"]}, {"start": "2026-12-01T10:00", "languages": ["en"]}
    )
    assert said(found) == [("1 December 2026", [("Title of assembly", "French"), ("Title of assembly", "English")])]


def test_a_cancelled_sitting_of_a_day_is_a_part_of_its_own():
    found = lines({"start": "2026-12-01T10:00"}, {"start": "2026-12-01T14:00", "status": "cancelled"})
    assert [part.status for part in found[0].parts] == [SittingStatus.CONFIRMED, SittingStatus.CANCELLED]


def test_sittings_of_one_day_at_two_places_make_two_lines():
    found = lines({"start": "2026-12-01T10:00"}, {"start": "2026-12-01T11:00", "place": {"city": "Liège"}})
    assert said(found) == [("1 December 2026", [ENTRY])] * 2
    assert [line.place and line.place.words.text for line in found] == [None, "Liège"]


def test_days_of_one_entry_make_a_line_each():
    found = lines({"start": "2026-12-03T10:00"}, {"start": "2026-12-01T10:00"})
    assert said(found) == [("1 December 2026", [ENTRY]), ("3 December 2026", [ENTRY])]


def test_a_line_links_to_the_first_link_of_its_sitting_or_else_of_its_entry():
    texts = {"en": {"title": "T", "links": [{"action": "watch", "url": URL}, {"action": "register", "url": f"{URL}2"}]}}
    own = [{"action": "register", "url": f"{URL}own"}, {"action": "programme", "url": f"{URL}more"}]
    found = lines({"start": "2026-12-01T10:00", "links": own}, {"start": "2026-12-03T10:00"}, texts=texts)
    assert [[link.url for link in line.parts[0].links] for line in found] == [[f"{URL}own"], [URL]]


def test_a_line_without_links_has_none():
    assert lines({"date": "2026-12-01"})[0].parts[0].links == ()


def test_sittings_that_become_one_part_keep_each_link_once():
    def at(hour, name):
        return {"start": f"2026-12-01T{hour}:00", "links": [{"action": "register", "url": f"{URL}{name}"}]}

    found = lines(at(10, "a"), at(12, "b"), at(14, "a"))
    assert [link.url for link in found[0].parts[0].links] == [f"{URL}a", f"{URL}b"]


def test_links_of_several_sittings_say_which_one_they_are_for():
    def at(hour, language=None):
        own = {"languages": [language]} if language else {}
        return {"start": f"2026-12-01T{hour}:00", "links": [{"action": "register", "url": f"{URL}{hour}"}], **own}

    def when(*sittings):
        return [link.when for part in lines(*sittings)[0].parts for link in part.links]

    day = "Tuesday 1 December 2026"
    assert when(at(10), at(14)) == [f"{day}, 10:00 CET", f"{day}, 14:00 CET"]
    assert when(at(10, "fr"), at("10", "en") | {"links": [{"action": "register", "url": f"{URL}en"}]}) == [
        f"{day}, 10:00 CET, in French",
        f"{day}, 10:00 CET, in English",
    ]
    assert when(at(10)) == [None]


def test_a_link_that_several_sittings_share_is_not_that_of_one_hour():
    link = {"links": [{"action": "register", "url": URL}]}
    [part] = lines({"start": "2026-12-01T10:00", **link}, {"start": "2026-12-01T14:00", **link})[0].parts
    assert [(each.url, each.when) for each in part.links] == [(URL, None)]


def test_a_line_in_french():
    found = lines(
        {"start": "2026-12-01T14:00", "languages": ["fr"], "title": {"en": "Squares", "fr": "Places : combien ?"}},
        language="fr",
    )
    assert said(found) == [("1er décembre 2026", [(f"Places{NBSP}: combien\u202f?", "français")])]


def test_lines_are_ordered_by_day_priority_and_key():
    def line(key, day, priority=0):
        return priority, lines({"date": day}, key=key)[0]

    mixed = [line("b", "2026-12-05"), line("a", "2026-12-05"), line("z", "2026-12-05", 1), line("c", "2026-12-02")]
    assert [line.key for line in in_order(mixed)] == ["c", "z", "a", "b"]
