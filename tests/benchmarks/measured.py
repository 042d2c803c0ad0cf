"""
Dispatches what is planned and prints what each step took: `measured.py DATABASE PORT CONNECTIONS`.

As `ours.py`, with a watch on the ledger: of each commit and each claim it notes how many messages it was about, how
long it took and how much of that was processor time of this process.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import newsletter.__main__  # noqa: F401  sets what the program sets when it starts
from newsletter.bootstrap import build
from newsletter.dispatch.lock import dispatcher_lock
from newsletter.dispatchers import build_dispatcher
from newsletter.logs import configure
from newsletter.settings import load


def main(database: str, port: int, connections: int) -> None:
    """Dispatch until done, over so many connections."""
    configure()
    smtp = {"port": port, "connections": connections}
    pipeline = build(load(database={"url": database}, smtp=smtp, public_url="https://news.example"), operator="bench")
    commits: list[tuple[int, float, float]] = []
    claims: list[tuple[int, float, float]] = []
    with dispatcher_lock(pipeline.parts.engine):
        dispatcher = build_dispatcher(pipeline)
        ledger: Any = dispatcher.ledger
        ledger.commit = watched(ledger.commit, commits)
        ledger.claim = watched(ledger.claim, claims)
        wall, cpu = time.perf_counter(), time.process_time()
        asyncio.run(dispatcher.run(until_done=True))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    told = {"messages": dispatcher.progress.accepted, "seconds": wall, "cpu": cpu, "whole": time.process_time()}
    print(json.dumps({**told, "commits": commits, "claims": claims}))


def watched(work: Callable[..., Any], notes: list[tuple[int, float, float]]) -> Callable[..., Any]:
    """Return what does the same and notes how much it returned, how long it took and its processor time, in seconds."""

    def wrapped(*arguments: Any, **named: Any) -> Any:
        wall, cpu = time.perf_counter(), time.thread_time()
        found = work(*arguments, **named)
        notes.append((len(found), time.perf_counter() - wall, time.thread_time() - cpu))
        return found

    return wrapped


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
