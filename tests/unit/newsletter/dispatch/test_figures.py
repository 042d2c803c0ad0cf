"""Figures tell what became of an issue, and of nobody in particular."""

import datetime as dt

from newsletter.dispatch.figures import FEWEST, MOST_MOMENTS, MOST_PROVIDERS, Figures, thinned
from newsletter.planning.models import DeliveryState

NOON = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
ACCEPTED, REFUSED = DeliveryState.ACCEPTED, DeliveryState.REFUSED


def figures(**given):
    usual = {"languages": [], "domains": [], "relays": [], "causes": [], "taken": [], "step": 1}
    return Figures.of(**{**usual, **given})


def test_languages_add_up_to_the_whole():
    found = figures(languages=[("fr", ACCEPTED, 3), ("en", ACCEPTED, 5), ("fr", REFUSED, 4)])
    assert found.states == {ACCEPTED: 8, REFUSED: 4}
    assert [(part.name, part.total) for part in found.languages] == [("fr", 7), ("en", 5)]
    assert (found.total, found.count(REFUSED)) == (12, 4)


def test_a_provider_with_few_readers_is_not_named():
    domains = [
        ("lakes.example", ACCEPTED, FEWEST),
        ("office.example", ACCEPTED, FEWEST - 2),
        ("one.example", REFUSED, 1),
    ]
    found = figures(languages=[("en", ACCEPTED, 8), ("en", REFUSED, 2)], domains=domains)
    assert [part.name for part in found.providers] == ["lakes.example"]
    assert found.others.states == {ACCEPTED: FEWEST - 2, REFUSED: 1}
    assert found.unknown == 1


def test_the_domains_of_one_provider_are_counted_together():
    found = figures(domains=[("gmail.com", ACCEPTED, 3), ("googlemail.com", ACCEPTED, 2)])
    assert [(part.name, part.total) for part in found.providers] == [("google", 5)]


def test_no_more_providers_are_named_than_anybody_reads():
    domains = [(f"d{number}.example", ACCEPTED, 10) for number in range(MOST_PROVIDERS + 2)]
    found = figures(domains=domains)
    assert len(found.providers) == MOST_PROVIDERS
    assert found.others.total == 20


def test_a_curve_counts_the_gaps_and_keeps_the_sum():
    moments, step = thinned([(NOON, 4), (NOON + dt.timedelta(seconds=3), 2)], step=1)
    assert ([moment.number for moment in moments], step) == ([4, 0, 0, 2], 1)


def test_a_long_run_is_told_in_wider_steps():
    taken = [(NOON + dt.timedelta(minutes=minute), 1) for minute in range(1000)]
    moments, step = thinned(taken, step=60)
    assert len(moments) <= MOST_MOMENTS
    assert sum(moment.number for moment in moments) == 1000
    assert (moments[1].at - moments[0].at).total_seconds() == step


def test_nothing_taken_is_no_curve():
    assert thinned([], step=60) == ((), 60)


def test_figures_come_back_from_what_was_stored():
    found = figures(languages=[("en", ACCEPTED, 8)], taken=[(NOON, 8)], relays=[("a", ACCEPTED, 8)])
    assert Figures.model_validate(found.model_dump(mode="json")) == found
