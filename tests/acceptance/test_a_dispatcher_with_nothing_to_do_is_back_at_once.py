"""What dispatches starts and ends within a second, because it imports only what it needs."""

import json
import os
import resource
import subprocess
import sys

import pytest

HEAVY = {"alembic", "icalendar", "jinja2", "lark", "lxml", "markdown_it", "mjml", "PIL", "premailer", "ruamel"}
"""What compiles, migrates and reads texts: together they take as long to import as everything else."""

DISPATCH = """
import json, sys
from newsletter.__main__ import main
sys.argv = ["newsletter", "dispatch", "--until-done"]
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)))
"""

GIVEN = "import asyncio, sqlmodel, pydantic_settings, structlog, typer"
"""What nobody who uses these packages starts without; on a machine that is busy it takes half a second and more."""


def _run(installation, code):
    """Output, and the seconds of computing it took."""
    # A program that is installed has its bytecode, and nobody watches it.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTHON"))}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=installation.folder,
        env={**environment, **installation.settings},
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_a_dispatcher_with_nothing_to_do_is_back_at_once(installation):
    loaded = set(json.loads(_run(installation, DISPATCH)[0]))
    assert "sqlalchemy" in loaded
    assert not HEAVY & loaded

    for _ in range(5):
        whole, given = _run(installation, DISPATCH)[1], _run(installation, GIVEN)[1]
        if whole < max(1, 2 * given):
            break
    else:
        pytest.fail(f"{whole:.2f} s of computing, {given:.2f} s of them for what is given")
