"""The simulation is held against real runs on this machine, and says what would become of larger ones elsewhere."""

import dataclasses

import pytest
from benchmarks.calibration import costs_of
from benchmarks.fleet import Fleet
from benchmarks.simulation import Costs, Limit, Setting, simulate

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

ROUND_TRIP = 0.020
CORES = 2
"""What the workers, PostgreSQL, the sink and the lines share in the runs that are measured."""

MOST = 0.15
"""How far the simulation may be from what was measured."""

PEOPLE = {2: 2_400, 5: 4_000}
"""By connections a worker: with two the way is the bound, with five the cores are nearly full with four workers."""

CONNECTIONS = 20
"""Of each worker where it has a core of its own."""

LIMITS = (Limit(share=0.45, rate=40.0), Limit(share=0.25, rate=40.0), Limit(share=0.3))
"""Two large providers that take 40 a second each, and all the others, who take what comes."""


@pytest.fixture(scope="module", params=PEOPLE)
def fleet(tmp_path_factory, request):
    fleet = Fleet(tmp_path_factory.mktemp("fleet"), people=PEOPLE[request.param], connections=request.param)
    yield fleet
    fleet.close()


def test_real_runs_of_one_two_and_four_workers_take_as_long_as_simulated_ones(fleet):
    costs = costs_of(fleet, round_trip=ROUND_TRIP)
    tell(costs)
    apart = {}
    for workers in (1, 2, 4):
        found = fleet.run(workers, round_trip=ROUND_TRIP)
        setting = Setting(
            messages=fleet.people,
            workers=workers,
            connections=fleet.connections,
            round_trip=ROUND_TRIP,
            cores=CORES,
        )
        told = simulate(setting, costs)
        apart[workers] = told.seconds / found.seconds - 1
        print(
            f"{workers} × {fleet.connections} connections, {ROUND_TRIP * 1000:.0f} ms: {found.rate:.0f} a second,"
            f" {told.rate:.0f} simulated, which takes {apart[workers]:+.1%} as long"
        )
    assert {workers: off for workers, off in apart.items() if abs(off) > MOST} == {}


def test_what_larger_installations_can_do_is_told(tmp_path):
    fleet = Fleet(tmp_path, people=6_000, connections=CONNECTIONS)
    try:
        # A busy worker does more at once, so that a message costs it less than one that waits for its relay.
        near, far = (_elsewhere(costs_of(fleet, round_trip=seconds)) for seconds in (0.001, ROUND_TRIP))
    finally:
        fleet.close()
    tell(near)
    tell(far)
    print(f"messages a second, each worker on a core of its own, {CONNECTIONS} connections, PostgreSQL on 4 cores")
    print("workers " + "".join(f"{label:>14}" for label in ("1 ms", "20 ms", "80 ms", "200 ms", "2 × 40/s")))
    for workers in (1, 2, 4, 8, 16, 32, 64):
        row = [_rate(near, workers, round_trip=0.001)]
        row += [_rate(far, workers, round_trip=seconds) for seconds in (ROUND_TRIP, 0.08, 0.2)]
        limited = _rate(far, workers, round_trip=ROUND_TRIP, limits=LIMITS)
        print(f"{workers:7} " + "".join(f"{rate:14,.0f}" for rate in (*row, limited)))
        assert row == sorted(row, reverse=True), "farther is slower"
        assert limited <= 40 / 0.45 * 1.1, "the larger provider is the bound, whatever the number of workers"


def _elsewhere(costs: Costs) -> Costs:
    """The same where the relay and the way to it take nothing of our cores."""
    return dataclasses.replace(costs, relay=0.0, way=0.0)


def tell(costs: Costs) -> None:
    """Print what the steps take."""
    print("\nµs:", {name: round(seconds * 1e6) for name, seconds in dataclasses.asdict(costs).items()})


def _rate(costs: Costs, workers: int, *, round_trip: float, limits: tuple[Limit, ...] = (Limit(share=1.0),)) -> float:
    """Messages a second of a run that is long enough for its beginning and end not to matter."""
    messages = max(10_000, 1_500 * workers)
    setting = Setting(messages=messages, workers=workers, connections=CONNECTIONS, round_trip=round_trip, limits=limits)
    return simulate(setting, costs).rate
