"""
The running process: what it is called among all that work on one database, and a clock that nothing stops.

Takes nothing, yields names and seconds. Promises that two processes that live at the same time have two names, on
machines whose names differ within `LONGEST` characters.
"""

import os
import socket
import time
from typing import Final

LONGEST: Final = 40
"""Characters of a machine's name: room is left for the process in the columns that hold both."""

_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def machine_name() -> str:
    """What this machine calls itself, with which the names of its processes begin."""
    return socket.gethostname()[:LONGEST]


def process_name() -> str:
    """The machine's name and the number of this process; a later process may have the same."""
    return f"{machine_name()}:{os.getpid()}"


def boot_seconds() -> float:
    """Monotonic seconds that go on while the machine sleeps, where the system has such a clock (Linux)."""
    return time.clock_gettime(_CLOCK)
