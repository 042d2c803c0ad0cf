"""The bundled sample: a pack and forty subscribers, and the pictures that are drawn for it."""

import csv
import re
import shutil
from collections import Counter
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from ruamel.yaml import YAML

from newsletter import paths
from newsletter.cli.pictures import draw_pictures
from newsletter.cli.scenes import SCENES
from newsletter.cli.shapes import HEIGHT, WIDTH
from newsletter.content.entry import Entry, Kind, SittingStatus
from newsletter.content.intake import read_pack
from newsletter.content.issue import IssuePlan
from newsletter.content.newsletter import Newsletter, Show, Topic
from subscribers.address import parse_address
from subscribers.language import lookup, normalise_tag

LANGUAGES = ("en", "fr", "es", "de", "ar")


@cache
def pack() -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(paths.sample() / "pack.yaml")


@cache
def newsletter() -> Newsletter:
    return Newsletter.model_validate(pack()["newsletter"])


@cache
def entries() -> dict[str, Entry]:
    read = [Entry.model_validate(entry) for entry in pack()["entries"]]
    assert len({entry.key for entry in read}) == len(read)
    return {entry.key: entry for entry in read}


@cache
def plan() -> IssuePlan:
    (only,) = pack()["issues"]
    return IssuePlan.model_validate(only)


@cache
def people() -> list[dict[str, str]]:
    with (paths.sample() / "subscribers.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return draw_pictures(tmp_path_factory.mktemp("sample") / "images")


def test_the_pack_holds_nothing_but_a_newsletter_its_topics_its_entries_and_one_issue():
    assert set(pack()) == {"newsletter", "topics", "entries", "issues"}
    assert newsletter().languages == LANGUAGES
    assert newsletter().locales == {"en": "en-GB", "fr": "fr-FR", "es": "es-ES", "de": "de-DE", "ar": "ar"}


def test_the_program_takes_the_pack_beside_its_pictures(drawn: list[Path]):
    beside = drawn[0].parent.parent
    taken = read_pack(Path(shutil.copy(paths.sample() / "pack.yaml", beside)))
    assert (len(taken.entries), len(taken.pictures), len(taken.issues)) == (26, 5, 1)


def test_the_entries_are_as_many_as_promised():
    kinds = Counter(entry.kind for entry in entries().values())
    assert kinds == {Kind.NEWS: 12, Kind.AGENDA: 8, Kind.PUBLICATION: 3, Kind.NOTE: 3}


def test_every_entry_stands_in_a_section_of_the_newsletter_and_every_section_has_entries():
    assert {entry.section for entry in entries().values()} == {section.key for section in newsletter().sections}


def test_sections_show_all_that_a_section_can():
    sections = newsletter().sections
    assert any(section.columns == 2 for section in sections)
    assert any(section.marker == "arrow" for section in sections)
    assert any(section.show is Show.LINES for section in sections)
    assert all(set(section.title) == set(LANGUAGES) for section in sections if section.title)


def test_every_topic_is_used_and_some_have_a_credit():
    topics = [Topic.model_validate(topic) for topic in pack()["topics"]]
    assert {topic.key for topic in topics} <= {entry.topic for entry in entries().values()}
    assert sum(bool(topic.credit) for topic in topics) == 2


def test_most_texts_exist_in_english_french_spanish_and_german():
    complete = [entry for entry in entries().values() if set(LANGUAGES[:4]) <= set(entry.texts)]
    assert len(complete) >= 20
    assert all(set(entry.texts) <= set(LANGUAGES) for entry in entries().values())


def test_arabic_stands_in_the_lead_two_news_one_agenda_entry_and_the_issue():
    arabic = Counter(entry.kind for entry in entries().values() if "ar" in entry.texts)
    assert arabic == {Kind.AGENDA: 2, Kind.NEWS: 2}
    assert "ar" in entries()["conference-trieste-2027"].texts
    assert plan().texts["ar"].intro


def test_the_gaps_are_those_that_are_meant():
    assert entries()["aide-gares-de-nuit"].languages == ("fr",)
    assert entries()["sete-salle-d-attente"].source == "fr"
    assert "en" not in entries()["sete-salle-d-attente"].texts
    assert set(entries()["announcements-for-those-who-get-off"].texts) == {"en", "fr", "es"}


def test_the_arabic_edition_is_a_short_selection_with_three_entries_that_fall_back():
    shown = {key for key, entry in entries().items() if not entry.languages or "ar" in entry.languages}
    written = {key for key in shown if "ar" in entries()[key].texts}
    assert written == {key for key, entry in entries().items() if "ar" in entry.texts}
    assert shown - written == {"buffet-before-the-first-train", "general-assembly-2027", "catalogue"}


def test_sittings_are_of_every_kind_and_in_several_zones_and_countries():
    agenda = [entry for entry in entries().values() if entry.sittings]
    sittings = [sitting for entry in agenda for sitting in entry.sittings]
    states = Counter(sitting.status for sitting in sittings)
    assert states[SittingStatus.MOVED] == states[SittingStatus.CANCELLED] == 1
    assert len({sitting.timezone or newsletter().timezone for sitting in sittings if sitting.start}) == 6
    assert len({entry.place.country for entry in agenda if entry.place and entry.place.country}) == 7
    assert any(sitting.start and not sitting.end for sitting in sittings)
    assert any(entry.place.online and entry.place.city for entry in agenda if entry.place)
    assert any(entry.place.online and not entry.place.city for entry in agenda if entry.place)


def test_several_sittings_fall_on_one_day_in_several_languages():
    days = Counter(sitting.start.date() for sitting in entries()["night-school-winter"].sittings if sitting.start)
    assert max(days.values()) == 3
    assert {tag for sitting in entries()["night-school-winter"].sittings for tag in sitting.languages} == {
        *LANGUAGES[:4]
    }


def test_separate_ranges_of_whole_days_stand_in_one_entry():
    assembly, visits = entries()["general-assembly-2027"].sittings
    assert assembly.until
    assert assembly.date
    assert visits.date
    assert (visits.date - assembly.until).days == 2


def test_the_issue_greets_in_every_language_and_falls_in_its_own_period():
    assert tuple(plan().texts) == LANGUAGES
    for text in plan().texts.values():
        assert re.match(r"\[\[first_name\|[^\]|]+\]\]", text.subject)
        assert all((text.title, text.preheader, text.intro))
    inside = [entry for entry in entries().values() if plan().period.first <= entry.published <= plan().period.last]
    assert {entry.key for entry in entries().values() if entry.repeat} == {"catalogue"}
    assert len(inside) == len(entries()) - 1


def test_every_sitting_lies_in_the_agenda_window():
    days = [sitting.date or sitting.start.date() for entry in entries().values() for sitting in entry.sittings]
    assert plan().agenda_days
    assert all(0 <= (day - plan().date).days <= plan().agenda_days for day in days)


def test_every_address_leads_to_an_example():
    source = (paths.sample() / "pack.yaml").read_text(encoding="utf-8")
    hosts = re.findall(r"https?://([^/\s\"]+)", source)
    assert len(hosts) > 50
    assert all(host.endswith(".example") for host in hosts)


def test_every_picture_of_the_pack_is_drawn_and_no_other(drawn: list[Path]):
    named = {file for entry in entries().values() if entry.image for file in entry.image.file.values()}
    assert {f"images/{path.name}" for path in drawn} == named
    assert len(named) == 5


def test_every_picture_has_words_for_those_who_cannot_see_it():
    for entry in entries().values():
        assert not entry.image or set(entry.texts) <= set(entry.image.alt), entry.key


def test_pictures_are_of_one_size_and_small_enough_for_a_mail(drawn: list[Path]):
    for path in drawn:
        with Image.open(path) as picture:
            assert (picture.format, picture.size) == ("PNG", (WIDTH, HEIGHT))
        assert path.stat().st_size <= 150_000


def test_pictures_are_drawn_identically_twice(drawn: list[Path]):
    before = [path.read_bytes() for path in drawn]
    assert [path.read_bytes() for path in draw_pictures(drawn[0].parent)] == before


def test_a_scene_depends_on_its_chance_alone():
    class Recorder:
        def __init__(self) -> None:
            self.strokes: list[str] = []

        def __getattr__(self, name: str) -> Any:
            return lambda *values, **options: self.strokes.append(f"{name} {values} {options}")

    for scene in SCENES.values():
        first, second, other = Recorder(), Recorder(), Recorder()
        scene(first, Random(1))
        scene(second, Random(1))
        scene(other, Random(2))
        assert first.strokes == second.strokes != other.strokes


def test_forty_people_can_be_written_to():
    assert len({parse_address(row["email"]).key for row in people()}) == 40
    assert all(row["email"].endswith(".example") for row in people())
    for row in people():
        assert ZoneInfo(row["timezone"])
        assert not row["language"] or normalise_tag(row["language"]) == row["language"]


def test_one_person_has_no_name_and_one_no_language():
    assert sum(not row["first_name"] and not row["last_name"] for row in people()) == 1
    assert sum(not row["language"] for row in people()) == 1


def test_every_edition_has_readers():
    readers = Counter(lookup(row["language"] or None, LANGUAGES, LANGUAGES[0]) for row in people())
    assert set(readers) == set(LANGUAGES)
    assert min(readers.values()) >= 4, readers
