"""An installation per test, on SQLite or on a PostgreSQL server, and the relay it sends to."""

import itertools
import threading
import time
from pathlib import Path

import pytest
from faults.bench import Bench, copied, made
from faults.postgres import Postgres
from faults.relay import Relay, running

PACK = Path(__file__).parents[1] / "acceptance" / "packs" / "beacons.yaml"

_numbers = itertools.count()


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
def bench(request, kind, zygote, relay, tmp_path):
    """An installation with an approved issue, on the database that is chosen, which sends to the fault relay."""
    if kind == "postgresql":
        yield request.getfixturevalue("there")
        return
    approved = request.getfixturevalue("approved")
    bench = Bench(copied(approved, tmp_path / "installation"), zygote=zygote, relay=relay)
    yield bench
    bench.end()


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server for the fault tests."""
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def approved_there(postgres, zygote, tmp_path_factory):
    """The folder of an installation on PostgreSQL with an approved issue; its database is a template."""
    postgres.do("CREATE DATABASE approved")
    return made(tmp_path_factory.mktemp("there"), zygote=zygote, pack=PACK, url=postgres.url("approved"))


@pytest.fixture
def there(postgres, approved_there, zygote, relay, tmp_path):
    """An installation on PostgreSQL."""
    name = f"bench_{next(_numbers)}"
    postgres.do(f"CREATE DATABASE {name} TEMPLATE approved")
    bench = Bench(copied(approved_there, tmp_path / "there"), zygote=zygote, relay=relay, url=postgres.url(name))
    yield bench
    bench.end()
