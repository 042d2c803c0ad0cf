"""What of an edition somebody can speak about."""

import pytest

from newsletter.preflight.passages import passage_at, passages


@pytest.fixture
def edition(given):
    return given.compiled(given.issue(given.news(title="Two [[city|old]] piers"), given.event())).edition


def test_passages_come_in_the_order_in_which_they_are_read_and_each_once(edition):
    assert [(each.place, each.words) for each in passages(edition)] == [
        ("subject", "Two piers"),
        ("preheader", "And a crane."),
        ("intro", "Good morning."),
        ("open-day", "Open day"),
        ("piers", "Two old piers"),
    ]


@pytest.mark.parametrize(("place", "words"), [("open-day: main", "Open day"), ("intro", "Good morning.")])
def test_a_place_inside_an_entry_is_the_entry(edition, place, words):
    assert passage_at(edition, place).words == words


def test_there_is_no_passage_where_the_edition_has_none(edition):
    assert passage_at(edition, "footer") is None
    assert passage_at(edition, "") is None
