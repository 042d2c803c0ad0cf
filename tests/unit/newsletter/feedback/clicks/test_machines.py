"""People and programs are told apart by how, when and how fast they ask."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.feedback.clicks.machines import AT_ONCE, WATCHED, Asked, Bursts, Caught, is_program

NOW = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
PHONE = "Mozilla/5.0 (Linux; Android 13; CUBOT X70) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari"
PERSON = Caught(is_program=False)


def asked(agent=BROWSER, **values):
    return Asked(at=NOW, agent=agent, **values)


@pytest.mark.parametrize(
    "agent",
    [
        BROWSER,
        PHONE,
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0",
    ],
)
def test_a_person_reads_with_a_browser_or_a_mail_program(agent):
    assert not is_program(asked(agent), sent=None)


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "  ",
        "Mozilla/5.0",
        "curl/8.5.0",
        "python-requests/2.32",
        "Go-http-client/1.1",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 (compatible; SomeBot)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/140.0 Safari/537.36",
        "BarracudaCentral/1.0",
        "Mozilla/5.0 (Proofpoint URL Defense)",
        "WhatsApp/2.23.20.0",
    ],
)
def test_a_program_says_so_or_says_nothing(agent):
    assert is_program(asked(agent), sent=None)


def test_who_asks_for_the_headers_alone_or_ahead_of_its_reader_is_a_program():
    assert is_program(asked(for_head=True), sent=None)
    assert is_program(asked(ahead=True), sent=None)


@pytest.mark.parametrize(("seconds", "expected"), [(-1, True), (0, True), (1.9, True), (2, False), (3600, False)])
def test_nobody_reads_within_two_seconds_of_the_sending(seconds, expected):
    assert is_program(asked(), sent=NOW - dt.timedelta(seconds=seconds)) is expected


@given(st.text(max_size=2000))
def test_any_name_is_judged(agent):
    assert is_program(asked(agent), sent=None) in {True, False}


def follow(bursts, link, *, after=0.0, links=10, who="anna", is_program=False):
    at = NOW + dt.timedelta(seconds=after)
    return bursts.follow(who, link, at=at, links=links, is_program=is_program)


def test_a_person_may_follow_three_links_at_once_and_any_number_slowly():
    bursts = Bursts()

    assert [follow(bursts, link, after=link) for link in (1, 2, 3, 3, 3)] == [PERSON] * 5
    assert [follow(bursts, link, after=10 + 3 * link) for link in range(10)] == [PERSON] * 10


def test_the_fourth_link_at_once_gives_a_program_away_with_all_that_it_was_mistaken_for():
    bursts = Bursts()
    for link in (1, 1, 2, 3):
        assert follow(bursts, link, after=link) == PERSON

    assert follow(bursts, 4, after=4) == Caught(is_program=True, mistaken=(1, 1, 2, 3))
    assert follow(bursts, 5, after=5) == Caught(is_program=True)


def test_what_was_known_for_a_programs_is_no_mistake():
    bursts = Bursts()
    follow(bursts, 1, is_program=True)
    follow(bursts, 2)
    follow(bursts, 3, is_program=True)

    assert follow(bursts, 4) == Caught(is_program=True, mistaken=(2,))


@pytest.mark.parametrize(("links", "most"), [(1, 1), (2, 1), (3, 2), (4, 3), (40, 3)])
def test_who_follows_all_links_of_a_short_message_at_once_is_a_program(links, most):
    bursts = Bursts()
    caught = [follow(bursts, link, links=links).is_program for link in range(links)]

    assert any(caught) is (links > 1)
    assert not any(caught[:most])


def test_a_message_with_one_link_has_no_burst():
    bursts = Bursts()

    assert [follow(bursts, 1, links=1) for _ in range(20)] == [PERSON] * 20


def test_readers_are_watched_apart():
    bursts = Bursts()

    assert [follow(bursts, 1, who=f"reader {number}") for number in range(10)] == [PERSON] * 10


def test_a_program_stays_one_for_a_minute_after_its_last_request():
    bursts = Bursts()
    for link in range(4):
        follow(bursts, link)
    minute = WATCHED.total_seconds()

    assert follow(bursts, 9, after=minute - 1).is_program
    assert follow(bursts, 9, after=2 * minute - 2).is_program
    assert follow(bursts, 9, after=3 * minute) == PERSON


def test_what_is_over_is_forgotten_and_memory_is_bounded():
    bursts = Bursts(most=50)
    for number in range(200):
        follow(bursts, 1, who=f"reader {number}")
    assert len(bursts) <= 50

    follow(bursts, 1, who="late", after=AT_ONCE.total_seconds() + 1)
    assert len(bursts) == 1


def test_one_link_again_and_again_fills_no_memory():
    bursts = Bursts()
    for _ in range(1000):
        follow(bursts, 1)
    follow(bursts, 2)
    follow(bursts, 3)

    assert len(follow(bursts, 4).mistaken) <= 100
