"""
Dispatches what is planned in a database and prints how long that took, start-up left off: `ours.py DATABASE PORT N`.

Keys for DKIM and what the relay wants beside its port come from the environment. A process of its own, so that its
memory and its time are nobody else's.
"""

import asyncio
import gc
import json
import re
import sys
import time
from pathlib import Path

import newsletter.__main__  # noqa: F401  sets what the program sets when it starts
from newsletter.bootstrap import build
from newsletter.dispatch.dispatcher import Dispatcher
from newsletter.dispatch.lock import dispatcher_lock
from newsletter.dispatchers import build_dispatcher
from newsletter.logs import configure
from newsletter.settings import load


def main(database: str, port: int, connections: int) -> None:
    """Dispatch until done, over so many connections."""
    configure()
    smtp = {"port": port, "connections": connections}
    settings = load(database={"url": database}, smtp=smtp, public_url="https://news.example")
    pipeline = build(settings, operator="bench")
    with dispatcher_lock(pipeline.parts.engine):
        dispatcher = build_dispatcher(pipeline)
        wall, cpu = timed(dispatcher)
    print(json.dumps({"messages": dispatcher.progress.accepted, "seconds": wall, "cpu": cpu, "peak_kib": peak_kib()}))


def timed(dispatcher: Dispatcher) -> tuple[float, float]:
    """Dispatch until done; returns the seconds that it took, and those of computing."""
    gc.freeze()  # as `newsletter dispatch`
    wall, cpu = time.perf_counter(), time.process_time()
    asyncio.run(dispatcher.run(until_done=True))
    return time.perf_counter() - wall, time.process_time() - cpu


def peak_kib() -> int:
    """The most memory this process has had, in KiB; `ru_maxrss` would count what the parent had when it forked."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
