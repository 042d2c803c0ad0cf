"""The simulation of a run agrees with what can be reckoned without it."""

import math

import pytest
from benchmarks.simulation import Costs, Limit, Setting, simulate

from newsletter.dispatch.supply import MOST

COSTS = Costs(
    turn=250e-6,
    commit=150e-6,
    entry=60e-6,
    database_commit=200e-6,
    database_entry=80e-6,
    flush=100e-6,
    claim=20e-6,
    database_claim=15e-6,
)


def test_with_nothing_else_in_the_way_a_connection_sends_one_message_a_round_trip():
    found = simulate(Setting(messages=2_000, connections=10, round_trip=0.02), Costs(turn=0))
    assert math.isclose(found.seconds, 2_000 / 10 * 0.02, rel_tol=1e-9)


def test_at_the_end_a_worker_sends_what_it_has_claimed_while_others_have_nothing_left():
    found = simulate(Setting(messages=2_000, workers=2, connections=10, round_trip=0.02), Costs(turn=0))
    least = 2_000 / 20 * 0.02
    assert least < found.seconds <= least + MOST / 10 * 0.02


def test_what_is_done_without_any_message_takes_its_part_of_the_interpreter():
    at_rest, restless = Costs(turn=400e-6), Costs(turn=400e-6, idle=0.2)
    setting = Setting(messages=10_000, connections=20)
    assert math.isclose(simulate(setting, restless).rate, 0.8 * simulate(setting, at_rest).rate, rel_tol=0.03)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_far_from_the_relay_workers_add_up(workers):
    alone = simulate(Setting(messages=2_000, round_trip=0.1), COSTS)
    together = simulate(Setting(messages=2_000 * workers, workers=workers, round_trip=0.1), COSTS)
    assert math.isclose(together.rate, workers * alone.rate, rel_tol=0.02)
    assert 0.9 * 10 / 0.1 < alone.rate < 10 / 0.1


def test_a_busy_worker_sends_as_fast_as_its_interpreter_works():
    costs = Costs(turn=400e-6, entry=100e-6)
    found = simulate(Setting(messages=5_000, connections=50), costs)
    assert math.isclose(found.rate, 1 / 500e-6, rel_tol=0.01)
    assert found.worker_busy > 0.99


def test_a_busy_database_is_the_bound_of_all_workers_together():
    costs = Costs(turn=50e-6, database_entry=500e-6)
    found = simulate(Setting(messages=10_000, workers=16, connections=20, database_cores=2), costs)
    assert math.isclose(found.rate, 2 / 500e-6, rel_tol=0.02)
    assert found.database_busy > 0.97


def test_on_one_machine_everything_shares_its_cores():
    costs = Costs(turn=300e-6, database_entry=150e-6, relay=50e-6)
    found = simulate(Setting(messages=8_000, workers=8, connections=20, cores=2), costs)
    assert math.isclose(found.rate, 2 / 500e-6, rel_tol=0.02)


def test_while_half_of_the_connections_commit_the_other_half_comes_back():
    slow = Costs(turn=10e-6, flush=0.01)
    found = simulate(Setting(messages=2_000, connections=10, round_trip=0.001), slow)
    assert math.isclose(found.group, 5, rel_tol=0.01)
    assert math.isclose(found.rate, 5 / 0.01, rel_tol=0.01)


def test_a_rate_is_the_rate_whatever_the_number_of_workers():
    for workers in (1, 4, 16):
        found = simulate(Setting(messages=1_500, workers=workers, round_trip=0.02, rate=50), COSTS)
        assert math.isclose(found.seconds, (1_500 - 50) / 50, rel_tol=0.03)


def test_a_provider_that_takes_little_keeps_only_its_own_waiting():
    limits = (Limit(share=0.5, rate=20.0), Limit(share=0.5))
    found = simulate(Setting(messages=2_000, workers=4, round_trip=0.02, limits=limits), COSTS)
    assert math.isclose(found.seconds, (1_000 - 20) / 20, rel_tol=0.03)


def test_what_is_put_off_is_tried_again():
    found = simulate(Setting(messages=1_000, round_trip=0.02, deferred=0.2), Costs(turn=0))
    assert found.tries == pytest.approx(1_250, abs=2)
    assert found.seconds == pytest.approx(1_250 / 10 * 0.02, rel=0.02)


def test_the_same_run_goes_the_same_way():
    setting = Setting(messages=3_000, workers=3, round_trip=0.005, cores=2)
    assert simulate(setting, COSTS) == simulate(setting, COSTS)
