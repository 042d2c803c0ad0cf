"""
The tests of the ledger notice when it is changed: of all small changes that could lose or repeat a message, at least
nine in ten fail a test.

A part of the mutants, chosen by chance with a seed that a failure tells, is put into a copy of the program one after another
and the tests are run on it.
"""

import os
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mutants import mutants

HOME = Path(__file__).parents[2]
DISPATCH = Path("newsletter/dispatch")
LEDGER_TESTS = tuple(f"tests/integration/test_{name}.py" for name in ("ledger", "workers", "shards"))
TESTS = {
    "retry.py": ("tests/unit/newsletter/dispatch/test_retry.py",),
    "entries.py": ("tests/integration/test_ledger.py",),
    "statements.py": LEDGER_TESTS,
    "on_sqlite.py": LEDGER_TESTS,
    "on_postgres.py": LEDGER_TESTS,
    "ledger.py": LEDGER_TESTS,
    "clearing.py": LEDGER_TESTS,
}
CHOSEN = {"sqlite": "not postgresql and not test_shards", "postgresql": "postgresql or workers or test_shards"}
"""Which of them concern a kind of database."""

PERCENT = int(os.environ.get("NEWSLETTER_TESTS_MUTANTS", "25"))
"""How many of the mutants are tried; all of them take the better part of an hour."""

PATIENCE = 300
"""Seconds after which a mutant that hangs counts as noticed; a busy machine takes a fifth of that for all tests."""


def copied(folder):
    """A copy of the program and its tests, whose modules may be changed."""
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", "*.png")
    for name in ("newsletter", "subscribers", "templates", "tests"):
        shutil.copytree(HOME / name, folder / name, ignore=ignored)
    for name in ("pyproject.toml", "scheduler.py"):
        shutil.copy(HOME / name, folder / name)
    return folder


def passes(folder, module, database):
    """Whether the tests of a module pass in a copy of the program, as far as they concern one kind of database."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-cov", "-n", "0", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ended = subprocess.run(
            [*command, "-m", "not long and not bench", "-k", CHOSEN[database], *TESTS[module]],
            cwd=folder,
            env=environment,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0


def databases(module):
    """What a module is tested on: both, where it speaks to them."""
    alone = {"on_sqlite.py": ("sqlite",), "on_postgres.py": ("postgresql",)}
    return alone.get(module) or (("sqlite", "postgresql") if TESTS[module] == LEDGER_TESTS else ("sqlite",))


def survives(folder, module, mutant):
    """Whether no test notices a mutant."""
    file = folder / DISPATCH / module
    sound = file.read_text()
    file.write_text(mutant.source)
    try:
        return all(passes(folder, module, database) for database in databases(module))
    finally:
        file.write_text(sound)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_nine_of_ten_mutants_of_the_ledger_fail_a_test(tmp_path):
    seed = random.randrange(1_000_000)
    found = [(module, mutant) for module in TESTS for mutant in mutants((HOME / DISPATCH / module).read_text())]
    tried = random.Random(seed).sample(found, len(found) * PERCENT // 100)
    folders = [copied(tmp_path / str(number)) for number in range(2)]
    assert all(passes(folders[0], module, database) for module in TESTS for database in databases(module))

    def one_share(number):
        return [pair for pair in tried[number::2] if survives(folders[number], *pair)]

    with ThreadPoolExecutor(2) as pool:
        alive = [f"{module} {mutant}" for share in pool.map(one_share, range(2)) for module, mutant in share]
    told = f"seed {seed}: {len(tried)} of {len(found)} mutants were tried, {len(alive)} not noticed"
    assert len(alive) <= len(tried) // 10, "\n".join([told, *alive])
