"""
What each step of a message costs on this machine, for the simulation: measured on one worker at work, and at rest.

Takes a fleet (a PostgreSQL server with an installation), yields `Costs`. Processor time comes from the worker's own
clocks and from the kernel's account of everything else. A commit is a line over the size of its group, found by least
squares; what of its time was nobody's processor time is its wait. Nothing is taken from runs of several workers.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from benchmarks.fleet import Fleet, used, way
from benchmarks.simulation import Costs

MEASURED = Path(__file__).with_name("measured.py")


class Line(NamedTuple):
    """What a group takes, and what each of its entries takes on top, in seconds."""

    group: float
    entry: float

    def times(self, factor: float) -> "Line":
        """The same, dearer by a factor."""
        return Line(self.group * factor, self.entry * factor)


class Beside(NamedTuple):
    """What a message took of others' processors, in seconds."""

    server: float
    sink: float
    line: float


def costs_of(fleet: Fleet, *, round_trip: float) -> Costs:
    """Send a whole run by one worker and return what its steps took; the way to the relay is `round_trip` seconds."""
    idle, server_idle = fleet.at_rest()
    url = fleet.started()
    with way(round_trip, lines=1) as (ports, sink, lines):
        before = fleet.server_used(), used(*sink), used(*lines)
        command = [sys.executable, str(MEASURED), url, str(ports[0]), str(fleet.connections)]
        paths = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            command, env={**os.environ, **paths}, cwd=fleet.folder, stdout=subprocess.PIPE, text=True, check=True
        )
        after = fleet.server_used(), used(*sink), used(*lines)
    told = json.loads(done.stdout.splitlines()[-1])
    told["cpu"] -= idle * told["seconds"]
    server, sink_cpu, line = (late - early for early, late in zip(before, after, strict=True))
    each = (seconds / told["messages"] for seconds in (server - server_idle * told["seconds"], sink_cpu, line))
    return _costs(told, Beside(*each), idle=idle, server_idle=server_idle)


def _costs(told: dict[str, Any], beside: Beside, *, idle: float, server_idle: float) -> Costs:
    messages, commits, claims = told["messages"], told["commits"], told["claims"]
    worker = line_through((entries, cpu) for entries, _, cpu in commits)
    elsewhere = line_through((entries, wall - cpu) for entries, wall, cpu in commits)
    recorded, waited = sum(cpu for *_, cpu in commits), sum(wall - cpu for _, wall, cpu in commits)
    claimed, claim_waited = sum(cpu for *_, cpu in claims), sum(wall - cpu for _, wall, cpu in claims)
    # While a claim or a commit waits the server is at work, or nobody is: they share what the kernel says of it.
    at_work = min(1.0, beside.server * messages / (waited + claim_waited))
    server = elsewhere.times(at_work)
    return Costs(
        turn=(told["cpu"] - recorded - claimed) / messages,
        commit=worker.group,
        entry=2 * worker.entry,  # a turn has two entries, the result of one message and the mark of the next
        database_commit=server.group,
        database_entry=2 * server.entry,
        flush=waited * (1 - at_work) / len(commits),
        claim=claimed / messages,
        database_claim=claim_waited * at_work / messages,
        relay=beside.sink,
        way=beside.line,
        idle=idle,
        database_idle=server_idle,
    )


def line_through(points: Iterable[tuple[float, float]]) -> Line:
    """The line of least squares; neither its beginning nor its slope is below 0."""
    known = list(points)
    middle_x, middle_y = fmean(x for x, _ in known), fmean(y for _, y in known)
    spread = sum((x - middle_x) ** 2 for x, _ in known)
    steep = sum((x - middle_x) * (y - middle_y) for x, y in known) / spread if spread else 0.0
    steep = min(max(0.0, steep), middle_y / middle_x)
    return Line(middle_y - steep * middle_x, steep)
