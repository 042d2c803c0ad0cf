"""The simulation is held against real runs on this machine, and says what would become of larger ones elsewhere."""

import dataclasses

import pytest
from benchmarks.calibration import costs_of
from benchmarks.fleet import CONNECTIONS, Fleet
from benchmarks.scene import smtp_sink
from benchmarks.simulation import Costs, Limit, Setting, simulate

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

ROUND_TRIP = 0.020
PEOPLE = 12_000
CORES = 2
MOST = 0.15
"""How far the simulation may be from what was measured."""

SHARES = (Limit(share=0.45, rate=40.0), Limit(share=0.25, rate=40.0), Limit(share=0.3))
"""Two large providers that take 40 a second each, as many do of a sender whom they know, and all the others."""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    fleet = Fleet(tmp_path_factory.mktemp("fleet"), people=PEOPLE)
    yield fleet
    fleet.close()


@pytest.fixture(scope="module")
def costs(fleet):
    found = costs_of(fleet, round_trip=ROUND_TRIP)
    print("\nµs:", {name: round(seconds * 1e6) for name, seconds in dataclasses.asdict(found).items()})
    return found


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_real_runs_take_as_long_as_simulated_ones(fleet, costs, workers):
    with smtp_sink() as sink:
        found = fleet.run(workers, sink=sink, round_trip=ROUND_TRIP)
    setting = Setting(messages=PEOPLE, workers=workers, connections=CONNECTIONS, round_trip=ROUND_TRIP, cores=CORES)
    told = simulate(setting, costs)
    print(f"\n{workers} workers: {found.rate:.0f} a second, {told.rate:.0f} simulated ({told.rate / found.rate:.2f})")
    assert abs(told.seconds / found.seconds - 1) <= MOST


def test_what_larger_installations_can_do_is_told(costs):
    there = dataclasses.replace(costs, relay=0.0)
    print("\nmessages a second, each worker on a core of its own, 20 connections, PostgreSQL on 4 cores")
    print("workers " + "".join(f"{label:>14}" for label in ("1 ms", "20 ms", "80 ms", "200 ms", "2 × 40/s")))
    for workers in (1, 2, 4, 8, 16, 32, 64):
        row = [_rate(there, workers, round_trip=seconds) for seconds in (0.001, 0.02, 0.08, 0.2)]
        row.append(_rate(there, workers, round_trip=0.02, limits=SHARES))
        print(f"{workers:7} " + "".join(f"{rate:14,.0f}" for rate in row))
        assert row[0] >= row[1] >= row[2] >= row[3]
        assert row[4] <= 40 / 0.45 * 1.1, "the larger provider is the bound, whatever the number of workers"


def _rate(costs: Costs, workers: int, *, round_trip: float, limits: tuple[Limit, ...] = (Limit(share=1.0),)) -> float:
    setting = Setting(messages=2_000 * workers, workers=workers, connections=20, round_trip=round_trip, limits=limits)
    return simulate(setting, costs).rate
