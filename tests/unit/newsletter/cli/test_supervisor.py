"""The supervisor keeps processes alive, gives up on those that cannot live, and lets none outlive it."""

import os
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from newsletter.cli import supervisor
from newsletter.cli.supervisor import PIPE, Supervisor, on_orphaned


def until(condition):
    patience = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < patience
        time.sleep(0.01)


def program(text):
    return [sys.executable, "-S", "-c", text]


@pytest.fixture
def leaping(monkeypatch):
    """A clock that is forty seconds on whenever it is asked, so that no pause between two starts is waited for."""
    instants = iter(range(0, 1_000_000, 40))
    monkeypatch.setattr(
        supervisor,
        "time",
        SimpleNamespace(monotonic=lambda: float(next(instants)), sleep=lambda _seconds: time.sleep(0.01)),
    )


def test_it_gives_up_on_a_process_that_ends_again_and_again(leaping, monkeypatch, tmp_path):
    monkeypatch.setattr(supervisor, "STEADY_SECONDS", 1e9)
    line = f"open({str(tmp_path / 'starts')!r}, 'a').write('x')"
    assert Supervisor({"bad": program(line)}).run() == ["bad"]
    assert len((tmp_path / "starts").read_text()) == supervisor.MOST_FAILURES + 1


def test_it_starts_again_what_ended_after_a_good_while(leaping, monkeypatch, tmp_path):
    monkeypatch.setattr(supervisor, "STEADY_SECONDS", -1.0)
    starts = tmp_path / "starts"
    watched = Supervisor({"good": program(f"open({str(starts)!r}, 'a').write('x')")})
    failed = []
    thread = threading.Thread(target=lambda: failed.extend(watched.run()))
    thread.start()
    try:
        until(lambda: starts.exists() and len(starts.read_text()) > supervisor.MOST_FAILURES + 1)
    finally:
        watched.stop()
        thread.join(20)
    assert failed == []


def test_a_child_that_does_not_end_when_asked_is_killed(monkeypatch, tmp_path):
    monkeypatch.setattr(supervisor, "DRAIN_SECONDS", 0.2)
    ready = tmp_path / "pid"
    stubborn = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(ready)!r} + '.part', 'w').write(str(os.getpid()))\n"
        f"os.rename({str(ready)!r} + '.part', {str(ready)!r})\n"
        "while True: time.sleep(1)"
    )
    watched = Supervisor({"stubborn": program(stubborn)})
    thread = threading.Thread(target=watched.run)
    thread.start()
    until(ready.exists)
    watched.stop()
    thread.join(20)
    with pytest.raises(ProcessLookupError):
        os.kill(int(ready.read_text()), 0)


def test_a_child_stops_when_its_supervisor_is_gone(monkeypatch):
    reading, writing = os.pipe()
    monkeypatch.setenv(PIPE, str(reading))
    stopped = threading.Event()
    on_orphaned(stopped.set)
    assert not stopped.is_set()
    os.close(writing)
    assert stopped.wait(5)
    os.close(reading)


def test_a_process_without_supervisor_has_nothing_to_watch(monkeypatch):
    monkeypatch.delenv(PIPE, raising=False)
    before = threading.active_count()
    on_orphaned(lambda: None)
    assert threading.active_count() == before
