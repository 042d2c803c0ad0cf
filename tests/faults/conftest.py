"""An installation per test, and the relay it sends to."""

import threading
import time
from pathlib import Path

import pytest
from faults.bench import Bench, copied, made
from faults.relay import Relay, running

PACK = Path(__file__).parents[1] / "acceptance" / "packs" / "beacons.yaml"


@pytest.fixture(scope="session")
def approved(zygote, tmp_path_factory):
    """The folder of an installation with an approved issue, made once."""
    return made(tmp_path_factory.mktemp("approved"), zygote=zygote, pack=PACK)


@pytest.fixture
def relay(tmp_path):
    """The fault relay, in a thread; a good one until a test says otherwise."""
    before = threading.active_count()
    with running(Relay(tmp_path / "relay")) as running_relay:
        yield running_relay
    patience = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < patience:
        time.sleep(0.01)


@pytest.fixture
def bench(zygote, approved, relay, tmp_path):
    """An installation with an approved issue, which sends to the fault relay."""
    bench = Bench(copied(approved, tmp_path / "installation"), zygote=zygote, relay=relay)
    yield bench
    bench.end()
