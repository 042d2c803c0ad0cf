"""Several workers at one run, 20 ms from the relay: two take half the time of one, four a quarter, or nearly so."""

import pytest
from benchmarks.fleet import CONNECTIONS, Fleet

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

ROUND_TRIP = 0.020
PEOPLE = 2_000
MOST = {2: 0.55, 4: 0.3}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    fleet = Fleet(tmp_path_factory.mktemp("fleet"), people=PEOPLE)
    yield fleet
    fleet.close()


@pytest.mark.parametrize("command", ["dispatch", "worker"])
def test_two_workers_take_half_the_time_of_one_and_four_a_quarter(fleet, command):
    found = {count: fleet.run(count, round_trip=ROUND_TRIP, command=command) for count in (1, 2, 4)}
    for count, each in found.items():
        print(
            f"\n{count} × newsletter {command}, {CONNECTIONS} connections, {ROUND_TRIP * 1000:.0f} ms:"
            f" {each.messages} in {each.seconds:.2f} s, {each.rate:.0f} a second,"
            f" {each.seconds / found[1].seconds:.3f} of the time of one;"
            f" CPU a message {each.worker_cpu * 1e6:.0f} µs in the workers, {each.server_cpu * 1e6:.0f} µs in PostgreSQL"
        )
    assert [each.epochs for each in found.values()] == [1, 1, 1], "each is claimed once"
    assert [each.workers for each in found.values()] == [1, 2, 4], "all have a part in it"
    for count, most in MOST.items():
        assert found[count].seconds <= most * found[1].seconds
