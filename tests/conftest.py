"""What every test has at hand: a database of its own, keys that are no secret, and a clock that stands still."""

import datetime as dt
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# How long one example takes says nothing on a busy machine; pytest-timeout watches over whole tests.
settings.register_profile("newsletter", deadline=None)
settings.load_profile("newsletter")

REQUIRE_ALL = bool(os.environ.get("NEWSLETTER_TESTS_REQUIRE_ALL"))


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
