"""How many forms a network may send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.web import rates as module
from newsletter.web.rates import Rates, network_of


def test_a_burst_goes_through_and_then_one_each_interval():
    rates = Rates(burst=3, interval=10)
    assert [rates.take("a", now=100) for _ in range(4)] == [0, 0, 0, 10]
    assert rates.take("a", now=104) == 6
    assert rates.take("a", now=110) == 0
    assert rates.take("a", now=110) == 10


def test_networks_do_not_count_for_each_other():
    rates = Rates(burst=1, interval=10)
    assert rates.take("a", now=0) == 0
    assert rates.take("b", now=0) == 0
    assert rates.take("a", now=0) == 10


def test_a_network_that_was_quiet_has_its_burst_again_and_no_more():
    rates = Rates(burst=2, interval=10)
    assert [rates.take("a", now=now) for now in (0, 0, 0, 1000, 1000, 1000)] == [0, 0, 10, 0, 0, 10]


def test_the_network_that_was_quiet_for_longest_is_forgotten_first(monkeypatch):
    monkeypatch.setattr(module, "MOST_NETWORKS", 2)
    rates = Rates(burst=1, interval=10)
    for network in ("a", "b", "c"):
        assert rates.take(network, now=0) == 0
    assert rates.take("c", now=0) == 10
    assert rates.take("a", now=0) == 0


@given(st.lists(st.floats(0, 5), max_size=60))
def test_never_more_than_burst_and_rate_allow(steps):
    rates, now, through = Rates(burst=3, interval=2), 0.0, []
    for step in steps:
        now += step
        if rates.take("a", now=now) == 0:
            through.append(now)
    for first, at in enumerate(through):
        within = [other for other in through[first:] if other - at <= 10]
        assert len(within) <= 3 + 10 / 2 + 1


@pytest.mark.parametrize(
    ("client", "network"),
    [
        (("203.0.113.77", 5), "203.0.113.0/24"),
        (("2001:db8:1:2::3", 5), "2001:db8:1::/48"),
        (("a-socket", 0), ""),
        (None, ""),
    ],
)
def test_a_network_is_what_the_consent_log_keeps_of_an_address(client, network):
    assert network_of({"client": client}) == network


def test_forms_of_one_network_are_limited_and_those_who_leave_are_not(visit, routes):
    for path in ("/p/{token}", "/u/{token}", "/hooks/{provider}/{key}"):
        routes.add_api_route(path, lambda: "done", methods=["GET", "POST"])
    visitor = visit(rates=Rates(burst=2, interval=10), address="203.0.113.9")
    answers = [visitor.post("/p/abc") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 10
    assert "Too many attempts" in answers[2].text
    assert visitor.get("/p/abc").status_code == 200
    assert {visitor.post("/u/abc").status_code for _ in range(40)} == {200}
    assert {visitor.post("/hooks/a/b").status_code for _ in range(40)} == {200}
