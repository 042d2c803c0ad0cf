"""The supervisor with real processes: it restarts them, ends them, and none outlives it."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from newsletter.cli import supervisor as module
from newsletter.cli.supervisor import PIPE, Supervisor, on_orphaned

DEADLINE = 30.0

CHILD = """
import os, signal, sys, threading
from newsletter.cli.supervisor import on_orphaned
stopped = threading.Event()
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    on_orphaned(stopped.set)
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()}\\n")
if "away" in sys.argv:
    sys.exit(75)
if "short" not in sys.argv:
    stopped.wait()
"""

PARENT = """
import sys
from newsletter.cli.supervisor import Supervisor
Supervisor({"child": [sys.executable, "-c", sys.argv[1], sys.argv[2]]}).run()
"""


@pytest.fixture(autouse=True)
def watchful(monkeypatch):
    """The supervisor looks often and gives up waiting soon."""
    monkeypatch.setattr(module, "WATCH_SECONDS", 0.02)
    monkeypatch.setattr(module, "DRAIN_SECONDS", 2.0)


@pytest.fixture
def born(tmp_path):
    """Where each child writes the number of its process."""
    return tmp_path / "born"


def child(born, *manners):
    return [sys.executable, "-c", CHILD, str(born), *manners]


def processes(born):
    return [int(line) for line in born.read_text().split()] if born.exists() else []


def wait_for(condition):
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.01)


def lives(process):
    """Whether a process that may not be ours runs; one that has ended and was not asked after does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def supervising():
    """Runs a supervisor beside the test; what it returns is in the list that comes with it."""
    running = []

    def begin(commands):
        supervisor, ended = Supervisor(commands), []
        thread = threading.Thread(target=lambda: ended.append(supervisor.run()))
        thread.start()
        running.append((supervisor, thread))
        return supervisor, thread, ended

    yield begin
    for supervisor, thread in running:
        supervisor.stop()
        thread.join(DEADLINE)


def test_every_process_runs_until_the_supervisor_is_asked_to_stop(supervising, tmp_path):
    places = {name: tmp_path / name for name in ("scheduler", "dispatch")}
    supervisor, thread, ended = supervising({name: child(place) for name, place in places.items()})
    wait_for(lambda: all(processes(place) for place in places.values()))

    supervisor.stop()
    thread.join(DEADLINE)

    assert ended == [[]]
    assert not any(lives(process) for place in places.values() for process in processes(place))


def test_a_process_that_dies_is_started_again(supervising, born):
    supervising({"dispatch": child(born)})
    wait_for(lambda: processes(born))

    os.kill(processes(born)[0], signal.SIGKILL)

    wait_for(lambda: len(processes(born)) == 2)
    assert lives(processes(born)[1])


def test_a_process_that_cannot_be_kept_alive_is_named_and_the_others_end(supervising, born, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_FAILURES", 1)
    _, thread, ended = supervising({"dispatch": child(born, "short"), "scheduler": child(tmp_path / "other")})

    thread.join(DEADLINE)

    assert ended == [["dispatch"]]
    assert len(processes(born)) == 2
    assert not any(lives(process) for process in processes(tmp_path / "other"))


def test_a_process_that_had_started_well_is_not_given_up(supervising, born, monkeypatch):
    monkeypatch.setattr(module, "MOST_FAILURES", 1)
    monkeypatch.setattr(module, "STEADY_SECONDS", 0.0)
    supervising({"dispatch": child(born, "short")})

    wait_for(lambda: len(processes(born)) == 3)


def test_a_process_whose_database_is_away_is_started_again_for_as_long_as_that_lasts(supervising, born, monkeypatch):
    monkeypatch.setattr(module, "MOST_FAILURES", 1)
    _, thread, _ = supervising({"worker": child(born, "away")})

    wait_for(lambda: len(processes(born)) == 3)
    assert thread.is_alive()


def test_a_process_that_does_not_end_is_killed(supervising, born, monkeypatch):
    monkeypatch.setattr(module, "DRAIN_SECONDS", 0.1)
    supervisor, thread, ended = supervising({"dispatch": child(born, "stubborn")})
    wait_for(lambda: processes(born))

    supervisor.stop()
    thread.join(DEADLINE)

    assert ended == [[]]
    assert not lives(processes(born)[0])


def test_a_program_that_cannot_be_started_ends_the_others(born):
    with pytest.raises(FileNotFoundError):
        Supervisor({"dispatch": child(born), "scheduler": ["/no/such/program"]}).run()

    assert not any(lives(process) for process in processes(born))


def test_no_process_outlives_a_supervisor_that_was_killed(born):
    parent = subprocess.Popen([sys.executable, "-c", PARENT, CHILD, str(born)])
    wait_for(lambda: processes(born))

    parent.kill()
    parent.wait()

    wait_for(lambda: not lives(processes(born)[0]))


def test_a_process_without_a_supervisor_is_nobodys_orphan(monkeypatch):
    monkeypatch.delenv(PIPE, raising=False)
    before = threading.active_count()

    on_orphaned(lambda: pytest.fail("nobody has gone"))

    assert threading.active_count() == before
