"""
What each step of a message costs on this machine, for the simulation: measured on one worker at work.

Takes a fleet (a PostgreSQL server with an installation), yields `Costs`. A commit's time is a line over the size of
its group, found by least squares; what of it was not processor time of the worker is the database's.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.fleet import CONNECTIONS, Fleet
from benchmarks.scene import slow_line, smtp_sink
from benchmarks.simulation import Costs

MEASURED = Path(__file__).with_name("measured.py")


def costs_of(fleet: Fleet, *, round_trip: float) -> Costs:
    """Send a whole run by one worker and return what its steps took; the way to the relay is `round_trip` seconds."""
    with fleet.started() as url:
        before = _children()
        with smtp_sink() as sink, slow_line(sink, round_trip=round_trip) as line:
            command = [sys.executable, str(MEASURED), url, str(line), str(CONNECTIONS)]
            paths = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            done = subprocess.run(command, env={**os.environ, **paths}, capture_output=True, text=True, check=True)
        told = json.loads(done.stdout)
        return _costs(told, relay=(_children() - before - told["whole"]) / told["messages"])


def _children() -> float:
    """The processor time of all our processes that have ended, in seconds."""
    used = os.times()
    return used.children_user + used.children_system


def _costs(told: dict[str, Any], *, relay: float) -> Costs:
    messages, commits = told["messages"], [tuple(each) for each in told["commits"]]
    claims = [tuple(each) for each in told["claims"] if each[0]]
    worker = line_through((entries, cpu) for entries, _, cpu in commits)
    database = line_through((entries, wall - cpu) for entries, wall, cpu in commits)
    # A turn has two entries, the result of one message and the mark of the next.
    recorded = sum(cpu for *_, cpu in commits) / messages
    claimed = sum(cpu for *_, cpu in claims) / messages
    return Costs(
        turn=told["cpu"] / messages - recorded - claimed,
        commit=worker[0],
        entry=2 * worker[1],
        database_commit=database[0],
        database_entry=2 * database[1],
        claim=claimed,
        database_claim=sum(wall - cpu for _, wall, cpu in claims) / messages,
        relay=relay,
    )


def line_through(points: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """Where the line of least squares begins and how steep it is, neither below 0."""
    known = list(points)
    middle_x, middle_y = fmean(x for x, _ in known), fmean(y for _, y in known)
    spread = sum((x - middle_x) ** 2 for x, _ in known)
    steep = sum((x - middle_x) * (y - middle_y) for x, y in known) / spread if spread else 0.0
    steep = min(max(0.0, steep), middle_y / middle_x)
    return middle_y - steep * middle_x, steep
