"""What dispatches starts and ends within a second, because it imports only what it needs."""

import json
import os
import resource
import subprocess
import sys

HEAVY = {"alembic", "icalendar", "jinja2", "lark", "lxml", "markdown_it", "mjml", "PIL", "premailer", "ruamel"}
"""What compiles, migrates and reads texts: together they take as long to import as everything else."""

DISPATCH = """
import json, sys
from newsletter.cli.application import app
app(["dispatch", "--until-done"], standalone_mode=False)
print(json.dumps(sorted(sys.modules)))
"""


def _run(installation):
    """Output, and the seconds of computing it took."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", DISPATCH],
        cwd=installation.folder,
        env={**environment, **installation.settings},
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_a_dispatcher_with_nothing_to_do_is_back_at_once(installation):
    runs = [_run(installation) for _ in range(3)]
    loaded = set(json.loads(runs[0][0]))
    assert "sqlalchemy" in loaded
    assert not HEAVY & loaded
    assert min(seconds for _, seconds in runs) < 1
