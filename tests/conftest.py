"""What every test has at hand: surroundings of its own, a clock that stands still, and a quick way to processes."""

import contextlib
import datetime as dt
import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import watching
from databases import CHOSEN, SERVED
from faults.zygote import Zygote
from hypothesis import settings
from pages import every_page_once
from programs import need as need  # noqa: PLC0414  tests take it from here
from statements import share_compiled


def pytest_configure(config: pytest.Config) -> None:
    """
    Draw the same examples in every ordinary run, so that it fails for a change alone; `make long` draws others.

    How long one example takes says nothing on a busy machine: pytest-timeout watches over whole tests. As in the
    program itself, garbage is looked for now and then only: among all that tests keep it takes a sixth of their time.
    """
    gc.set_threshold(200_000, 10, 10)
    # A command ends with its process, which closes its connections; run within this one, it leaves them to the pool.
    config.addinivalue_line("filterwarnings", "ignore:.* was deleted while still open:ResourceWarning")
    is_ordinary = "not long" in str(config.getoption("markexpr"))
    settings.register_profile("newsletter", deadline=None, derandomize=is_ordinary)
    settings.load_profile("newsletter")


def pytest_sessionstart() -> None:
    """Make once what is the same in all tests of this process."""
    share_compiled()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Watch what the program's modules do when they are imported, and not how tests are found."""
    with watching.collected_unwatched():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Leave out of coverage what only takes twice as long by it."""
    with watching.watched_as_marked(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """Watch the first examples of a property, and none after them."""
    with watching.first_examples_watched(pyfuncitem):
        return (yield)


@pytest.fixture
def now() -> dt.datetime:
    """The instant at which tests live."""
    return dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def own_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the settings of the machine it runs on."""
    for name in [name for name in os.environ if name.startswith("NEWSLETTER_") and "TESTS" not in name]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def a_folder_to_be_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """On PostgreSQL keys and pictures lie below the folder that the program is in: not in that of the code."""
    if SERVED.name != CHOSEN:
        yield
        return
    with contextlib.chdir(tmp_path_factory.mktemp("in")):
        Path("var").mkdir()
        yield


@pytest.fixture(scope="session", autouse=True)
def served_for_as_long_as_needed() -> Iterator[None]:
    """The PostgreSQL server of the tests, if there has to be one, ends with them."""
    yield
    SERVED.close()


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database of a test: the one that is chosen, and of a test that is marked `databases.BOTH` either."""
    return str(getattr(request, "param", CHOSEN))


@pytest.fixture(autouse=True)
def databases_of_one_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test has had on that server for itself is given up after it."""
    yield
    if folder := request.node.funcargs.get("tmp_path"):
        SERVED.drop_below(folder)


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """What starts the command line in processes of their own, without the time that the imports take."""
    with watching.no_process_watched():  # its processes end too suddenly to tell what they went through
        forking = Zygote(tmp_path_factory.mktemp("zygote"))
    yield forking
    forking.close()


@pytest.fixture
def no_page_twice() -> Iterator[None]:
    """For tests of what becomes of compiled editions: hundreds of times the same few."""
    with every_page_once():
        yield
