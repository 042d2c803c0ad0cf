import datetime as dt

import pytest
from pydantic import TypeAdapter, ValidationError

from newsletter.content.fields import Country, Day, Key, Url, WallClock, WebUrl, WebUrls, Zone


def refusal(kind, value):
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    return caught.value.errors()[0]["msg"]


def taken(kind, value):
    return TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize("key", ["a", "quay-lighting.v2_1", "2026-12", "x" * 80])
def test_a_key_fits_every_file_name(key):
    assert taken(Key, key) == key


def test_a_key_may_be_a_number_or_a_date_of_yaml():
    assert taken(Key, 2026) == "2026"
    assert taken(Key, dt.date(2026, 12, 1)) == "2026-12-01"


@pytest.mark.parametrize("key", ["", "A", "a b", "a--b", "-a", "a-", "é", "x" * 81, "a/b", "../a"])
def test_other_keys_are_refused(key):
    assert "a key is 1 to 80 small letters" in refusal(Key, key)


@pytest.mark.parametrize("url", ["https://a.example/x?y=1#z", "http://a.example", "mailto:me@a.example", "tel:+324"])
def test_an_address_has_a_safe_scheme(url):
    assert taken(Url, url) == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("javascript:alert(1)", "starts with https://"),
        ("www.a.example", "starts with https://"),
        ("https:///x", "names no host"),
        ("https://a.example/a b", "percent-encoded"),
        ("https://a.example/\u0007", "percent-encoded"),
        ("http://[x", "cannot be read"),
    ],
)
def test_other_addresses_are_refused(url, why):
    assert why in refusal(Url, url)


def test_a_web_address_is_not_a_mailbox():
    assert taken(WebUrl, "https://a.example/") == "https://a.example/"
    assert "this address starts with https://" in refusal(WebUrl, "mailto:me@a.example")
    assert taken(WebUrls, {"fr": "https://a.example/fr"}) == {"fr": "https://a.example/fr"}
    assert "this address starts" in refusal(WebUrls, {"fr": "tel:+32"})


def test_a_zone_is_one_of_iana():
    assert taken(Zone, "Europe/Brussels") == "Europe/Brussels"
    assert "'CEST+1' is no IANA time zone; write for example Europe/Brussels" in refusal(Zone, "CEST+1")


def test_a_country_is_a_code_in_capitals():
    assert taken(Country, "be") == "BE"
    assert "'ZZ' is no ISO 3166 country code" in refusal(Country, "ZZ")


def test_a_day_is_written_in_full():
    assert taken(Day, "2026-11-03") == taken(Day, dt.date(2026, 11, 3)) == dt.date(2026, 11, 3)


@pytest.mark.parametrize(
    "value",
    ["20261103", "2026-02-30", "2026-11-03T00:00", 20261103, None, dt.datetime(2026, 1, 1)],  # noqa: DTZ001
)
def test_other_days_are_refused(value):
    assert "is no day of the calendar; write for example 2026-11-03" in refusal(Day, value)


@pytest.mark.parametrize("year", ["0026", "2206", "1899"])
def test_a_year_far_away_is_a_slip_of_the_finger(year):
    assert f"the year {int(year)} is not between 1900 and 2199" in refusal(Day, f"{year}-11-03")
    assert "is not between" in refusal(WallClock, dt.datetime(int(year), 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("value", ["2026-12-01T14:00", "2026-12-01 14:00:00"])
def test_a_clock_shows_day_and_time(value):
    assert taken(WallClock, value) == dt.datetime(2026, 12, 1, 14)  # noqa: DTZ001
    assert taken(WallClock, dt.datetime(2026, 12, 1, 14)) == dt.datetime(2026, 12, 1, 14)  # noqa: DTZ001


@pytest.mark.parametrize("value", ["2026-12-01", "2026-12-01T25:00", "14:00", 1764597600, dt.date(2026, 12, 1)])
def test_other_times_are_refused(value):
    assert "is no day and time; write for example 2026-12-01T14:00" in refusal(WallClock, value)
