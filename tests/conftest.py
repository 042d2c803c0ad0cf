"""What every test has at hand: surroundings of its own, a clock that stands still, and a quick way to processes."""

import contextlib
import datetime as dt
import functools
import gc
import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from databases import CHOSEN, SERVED
from faults.zygote import Zygote
from hypothesis import settings
from programs import need as need  # noqa: PLC0414  tests take it from here

if TYPE_CHECKING:
    from newsletter.assembly.edition import Edition
    from newsletter.compilation.slots import Slots


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


UNWATCHED = frozenset({"benchmarks", "browser", "faults", "fuzz"})
"""Folders of tests that ask how the whole behaves: what they run, others have gone through for coverage already."""

SUBPROCESSES = "COVERAGE_PROCESS_CONFIG"
"""By this variable coverage watches the processes that tests start."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out of coverage what only takes twice as long by it; pytest-cov cannot where it is not measured at all."""
    for item in items if not config.getoption("no_cov") else ():
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if folder in UNWATCHED or item.get_closest_marker("unwatched"):
            item.add_marker("no_cover")


WATCHED_EXAMPLES = 20
"""Examples of a property that coverage watches: the others go the same ways, and watched take up to five times as long."""


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """Watch the first examples of a property, and none after them, where coverage is measured."""
    handle = getattr(pyfuncitem.obj, "hypothesis", None)
    tracer = sys.gettrace()
    if handle is None or tracer is None:
        return (yield)
    example = handle.inner_test
    number = itertools.count()

    @functools.wraps(example)
    def watched(*arguments: Any, **named: Any) -> None:
        if next(number) == WATCHED_EXAMPLES:
            sys.settrace(None)
        example(*arguments, **named)

    handle.inner_test = watched
    try:
        return (yield)
    finally:
        handle.inner_test = example
        sys.settrace(tracer)


@pytest.fixture
def now() -> dt.datetime:
    """The instant at which tests live."""
    return dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def own_surroundings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the settings of the machine it runs on."""
    for name in [name for name in os.environ if name.startswith("NEWSLETTER_") and "TESTS" not in name]:
        monkeypatch.delenv(name)
    if request.node.get_closest_marker("no_cover"):
        monkeypatch.delenv(SUBPROCESSES, raising=False)


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
    watching = os.environ.pop(SUBPROCESSES, None)  # its processes end too suddenly to tell what they went through
    forking = Zygote(tmp_path_factory.mktemp("zygote"))
    if watching:
        os.environ[SUBPROCESSES] = watching
    yield forking
    forking.close()


_PAGES: dict[tuple[str, str, str], str] = {}


@pytest.fixture
def no_page_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Have the compiler take the page that a test of this process has made of the same MJML before.

    For tests of what becomes of compiled editions: hundreds of times the same few.
    """
    from newsletter.compilation import compiler

    make = compiler.page_from

    def made(mjml: str, edition: "Edition", *, slots: "Slots") -> str:
        key = mjml, edition.language, edition.dir
        if key not in _PAGES:
            _PAGES[key] = make(mjml, edition, slots=slots)
        return _PAGES[key]

    monkeypatch.setattr(compiler, "page_from", made)
