"""What every test has at hand: surroundings of its own, a clock that stands still, and a quick way to processes."""

import datetime as dt
import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from faults.zygote import Zygote
from hypothesis import settings

if TYPE_CHECKING:
    from newsletter.assembly.edition import Edition
    from newsletter.compilation.slots import Slots

REQUIRE_ALL = bool(os.environ.get("NEWSLETTER_TESTS_REQUIRE_ALL"))


def pytest_configure(config: pytest.Config) -> None:
    """
    Draw the same examples in every ordinary run, so that it fails for a change alone; `make long` draws others.

    How long one example takes says nothing on a busy machine: pytest-timeout watches over whole tests. As in the
    program itself, garbage is looked for now and then only: among all that tests keep it takes a sixth of their time.
    """
    gc.set_threshold(200_000, 10, 10)
    is_ordinary = "not long" in str(config.getoption("markexpr"))
    settings.register_profile("newsletter", deadline=None, derandomize=is_ordinary)
    settings.load_profile("newsletter")


def need(program: str, how: str) -> str:
    """The path of a program that a test uses for real; skips with one line that says how to get it."""
    found = shutil.which(program) or next(
        (str(path) for path in Path("/usr/lib").glob(f"postgresql/*/bin/{program}")), None
    )
    if found is None:
        message = f"{program} is missing: {how}"
        if REQUIRE_ALL:
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture
def now() -> dt.datetime:
    """The instant at which tests live."""
    return dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def own_surroundings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the settings of the machine it runs on."""
    for name in [name for name in os.environ if name.startswith("NEWSLETTER_") and "TESTS" not in name]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """What starts the command line in processes of their own, without the time that the imports take."""
    forking = Zygote(tmp_path_factory.mktemp("zygote"))
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
