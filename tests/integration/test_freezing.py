"""Who freezes a run: one process at a time, on either database."""

import subprocess
import sys

from newsletter.database import open_engine
from newsletter.pipeline.freezing import freezing

HOLDER = """
import sys
from newsletter.database import open_engine
from newsletter.pipeline.freezing import freezing

with freezing(open_engine(sys.argv[1]), 7) as mine:
    print(mine, flush=True)
    sys.stdin.read()
"""


def another(engine):
    """A process that freezes run 7 until it dies."""
    url = engine.url.render_as_string(hide_password=False)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", HOLDER, url], **pipes)


def is_free(engine):
    with freezing(engine, 7) as mine:
        return mine


def test_what_one_freezes_no_other_does_until_it_has_ended(engine):
    with freezing(engine, 7) as mine, freezing(engine, 7) as theirs:
        assert (mine, theirs) == (True, False)
    assert is_free(engine)


def test_a_freeze_is_free_as_soon_as_its_process_has_died(engine):
    holder = another(engine)
    assert holder.stdout.readline() == "True\n"
    assert not is_free(engine)

    holder.kill()
    holder.communicate()

    other = open_engine(engine.url.render_as_string(hide_password=False))
    while not is_free(other):  # the server notices a little later
        pass
    other.dispose()


def test_on_postgresql_another_run_is_frozen_meanwhile(postgres_engine):
    with freezing(postgres_engine, 7) as mine, freezing(postgres_engine, 8) as other:
        assert (mine, other) == (True, True)
