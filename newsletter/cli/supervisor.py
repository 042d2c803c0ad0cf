"""
The supervisor: keeps a few processes of ours alive, and lets none outlive it.

Each child inherits the reading end of a pipe that only the supervisor can write to. When the supervisor dies, whatever
the way, the pipe closes and the child stops by itself; so there is never a dispatcher without somebody who watches it.
"""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

PIPE: Final = "NEWSLETTER_SUPERVISOR_PIPE"
"""Names the inherited end of the pipe in a child's environment."""

STEADY_SECONDS: Final = 10.0
"""A process that lived as long has started well: its failures are counted anew."""

WATCH_SECONDS: Final = 0.2
"""How soon the end of a process, or the wish to stop, is noticed."""

MOST_FAILURES: Final = 5
"""Starts in a row that may fail before the supervisor gives up and says so."""

TRY_AGAIN: Final = 75
"""
The exit code of a process that others have taken over, or whose database is away (EX_TEMPFAIL of sysexits.h).

It is started again for as long as that lasts: a database may be away for an hour.
"""

DRAIN_SECONDS: Final = 30.0
"""How long a child may take to end what is on the wire (DESIGN §8: SIGTERM drains)."""


@dataclass(slots=True)
class _Child:
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    due: float = 0.0


class Supervisor:
    """Starts the `commands`, by name, and starts again whichever ends before `stop` is called."""

    def __init__(self, commands: Mapping[str, Sequence[str]]) -> None:
        self._children = {name: _Child(command) for name, command in commands.items()}
        self._stopping = False
        self._reading, self._writing = os.pipe()

    def stop(self) -> None:
        """Ask every process to end; `run` returns when they have. Safe in a signal handler: it takes no lock."""
        self._stopping = True

    def run(self) -> list[str]:
        """Watch until stopped; returns the names of those that could not be kept alive."""
        failed: list[str] = []
        try:
            while not self._stopping and not failed:
                for name, child in self._children.items():
                    self._tend(child)
                    if child.failures > MOST_FAILURES:
                        failed.append(name)
                time.sleep(WATCH_SECONDS)
        finally:
            self._end_all()
            os.close(self._writing)
            os.close(self._reading)
        return failed

    def _tend(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is not None and child.process.poll() is not None:
            child.failures = 1 if now - child.started > STEADY_SECONDS else child.failures + 1
            if child.process.returncode == TRY_AGAIN:
                child.failures = min(child.failures, MOST_FAILURES)
            child.due = now + min(2.0 ** (child.failures - 1), 30)
            child.process = None
        if child.process is None and now >= child.due and child.failures <= MOST_FAILURES:
            environment = {**os.environ, PIPE: str(self._reading)}
            child.process = subprocess.Popen(child.command, env=environment, pass_fds=(self._reading,))  # noqa: S603  our own program
            child.started = now

    def _end_all(self) -> None:
        alive = [child.process for child in self._children.values() if child.process is not None]
        for process in alive:
            process.terminate()
        patience = time.monotonic() + DRAIN_SECONDS
        for process in alive:
            try:
                process.wait(max(0.0, patience - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def on_orphaned(stop: Callable[[], object]) -> None:
    """In a child: call `stop` once when the supervisor is gone. Does nothing in a process that has none."""
    descriptor = os.environ.get(PIPE)
    if descriptor is None:
        return

    def watch() -> None:
        os.read(int(descriptor), 1)  # returns only when the last writer has closed
        stop()

    threading.Thread(target=watch, name="supervisor-watch", daemon=True).start()
