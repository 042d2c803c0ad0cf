"""Instants and spans as officers read them."""

import datetime as dt

import pytest

from newsletter.web.desk.sending.spoken import city_of, instant_words, span_words

NINE = dt.datetime(2026, 12, 1, 8, tzinfo=dt.UTC)


def test_an_instant_has_its_weekday_and_the_place_whose_clock_it_is():
    words = instant_words(NINE, language="en", zone="Europe/Brussels")
    assert words == "Tuesday 1 December 2026, 09:00 Brussels time"


def test_the_same_in_french():
    words = instant_words(NINE, language="fr", zone="Europe/Brussels")
    assert words == "mardi 1er décembre 2026, 09:00 (heure locale\u00a0: Bruxelles)"


@pytest.mark.parametrize(
    ("zone", "city"), [("Europe/Brussels", "Bruxelles"), ("America/Port_of_Spain", "Port-d’Espagne"), ("UTC", "UTC")]
)
def test_a_zone_is_called_by_its_city(zone, city):
    assert city_of(zone, locale="fr") == city


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (90, "90 seconds"),
        (600, "10 minutes"),
        (7200, "2 hours"),
        (47 * 3600, "47 hours"),
        (259200, "3 days"),
    ],
)
def test_a_span_is_said_in_one_unit(seconds, words):
    assert span_words(dt.timedelta(seconds=seconds), language="en") == words
