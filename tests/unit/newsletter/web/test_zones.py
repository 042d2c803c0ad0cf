"""The time zones that can be chosen: each once, known to the machine, in the words of the page."""

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from newsletter.web.page import WORDS
from newsletter.web.zones import _order, zone_groups, zone_names
from newsletter.words import languages


def words_of(language):
    return {zone.name: zone.words for group in zone_groups(language) for zone in group.zones}


@pytest.mark.parametrize("language", languages(WORDS))
def test_every_zone_stands_once_and_is_told_from_all_others(language):
    zones = [zone for group in zone_groups(language) for zone in group.zones]
    assert sorted(zone.name for zone in zones) == sorted(zone_names())
    for group in zone_groups(language):
        assert len({zone.words for zone in group.zones}) == len(group.zones), group.words


def test_every_zone_is_one_of_the_iana_database():
    assert [name for name in zone_names() if ZoneInfo(name).key != name] == []
    assert {"Europe/Brussels", "Asia/Kolkata", "America/New_York"} <= zone_names()


@pytest.mark.parametrize(
    ("language", "name", "words"),
    [
        ("en", "Europe/Brussels", "Brussels – Belgium"),
        ("fr", "Europe/Brussels", "Bruxelles – Belgique"),
        ("ar", "Europe/Brussels", "بروكسل – بلجيكا"),
        ("el", "Europe/Kyiv", "Κίεβο – Ουκρανία"),
        ("de", "Asia/Kolkata", "Kalkutta – Indien"),
        ("es", "America/Argentina/Buenos_Aires", "Buenos Aires – Argentina"),
        ("en", "Europe/Luxembourg", "Luxembourg"),
        ("el", "America/Coyhaique", "Coyhaique – Χιλή"),
    ],
)
def test_a_zone_is_called_by_its_city_and_country(language, name, words):
    assert words_of(language)[name] == words


def test_groups_and_zones_stand_in_the_order_of_their_words():
    for language in languages(WORDS):
        for words in ([group.words for group in zone_groups(language)], *map(_words, zone_groups(language))):
            assert all(_order(first) <= _order(second) for first, second in pairwise(words))


def test_a_group_is_a_part_of_the_world_in_the_language_of_the_page():
    assert [group.words for group in zone_groups("fr")] == [
        "Afrique",
        "Amériques",
        "Antarctique",
        "Asie",
        "Australie",
        "Europe",
        "Océan Atlantique",
        "Océan Indien",
        "Océan Pacifique",
    ]


def test_an_accent_does_not_put_a_word_last():
    assert _order("Écosse") < _order("France")


def _words(group):
    return [zone.words for zone in group.zones]
