"""
Dispatches what is planned and prints what each step took: `measured.py DATABASE PORT CONNECTIONS`.

As `ours.py`, with a watch on the ledger: of each commit and each claim it notes how many entries or messages it was
about, how long it took and how much of that was processor time of its thread.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.ours import timed

import newsletter.__main__  # noqa: F401  sets what the program sets when it starts
from newsletter.bootstrap import build
from newsletter.dispatch.lock import dispatcher_lock
from newsletter.dispatchers import build_dispatcher
from newsletter.logs import configure
from newsletter.settings import load

Note = tuple[int, float, float]
"""How many it was about, seconds, seconds of processor time."""


def main(database: str, port: int, connections: int) -> None:
    """Dispatch until done, over so many connections."""
    configure()
    smtp = {"host": "127.0.0.1", "port": port, "tls": "none", "connections": connections}
    pipeline = build(load(database={"url": database}, smtp=smtp, public_url="https://news.example"), operator="bench")
    pipeline.wake()  # what it imports late is no part of a run
    commits: list[Note] = []
    claims: list[Note] = []
    with dispatcher_lock(pipeline.parts.engine):
        dispatcher = build_dispatcher(pipeline)
        ledger: Any = dispatcher.ledger
        ledger.commit = watched(ledger.commit, commits, count=len)
        ledger.claim_within = watched(ledger.claim_within, claims, count=lambda found: len(found[0]))
        wall, cpu = timed(dispatcher)
    told = {"messages": dispatcher.progress.accepted, "seconds": wall, "cpu": cpu}
    print(json.dumps({**told, "commits": commits, "claims": claims}))


def watched(work: Callable[..., Any], notes: list[Note], *, count: Callable[[Any], int]) -> Callable[..., Any]:
    """Return what does the same and notes how much it was about, how long it took and its thread's processor time."""

    def wrapped(*arguments: Any, **named: Any) -> Any:
        wall, cpu = time.perf_counter(), time.thread_time()
        found = work(*arguments, **named)
        notes.append((count(found), time.perf_counter() - wall, time.thread_time() - cpu))
        return found

    return wrapped


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
