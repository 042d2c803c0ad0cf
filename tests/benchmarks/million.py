"""
Dispatches what is planned in a database to a relay that takes everything at once: `million.py DATABASE TOTAL`.

Prints how much memory the process had when a tenth was sent, at the end, and at most; and how long it took.
"""

import asyncio
import json
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

from newsletter.bootstrap import build
from newsletter.dispatch.lock import dispatcher_lock
from newsletter.dispatch.outcome import Outcome, Phase, Verdict, reply
from newsletter.dispatch.relay import Connection, Envelope, Turn
from newsletter.dispatchers import build_dispatcher
from newsletter.logs import configure
from newsletter.settings import load

ACCEPTED = Outcome(verdict=Verdict.ACCEPTED, phase=Phase.CONTENT, reply=reply(250, "2.0.0 taken"))


class Null:
    """A relay that takes everything, and notes how much memory we had when a tenth of it had come."""

    name = "null"

    def __init__(self, total: int) -> None:
        self._tenth = total // 10
        self.taken = 0
        self.early_kib = 0

    async def open(self) -> Connection:
        """It is its own connection."""
        return self

    async def turn(self, content: Envelope | None, following: Envelope | None) -> Turn:
        """Take what comes, after the loop has had a chance to do something else."""
        await asyncio.sleep(0)
        if content is not None:
            self.taken += 1
            if self.taken == self._tenth:
                self.early_kib = memory_kib("VmRSS")
        return Turn(content=ACCEPTED if content else None, is_open=following is not None)

    async def close(self, *, at_once: bool = False) -> None:
        """Nothing is open."""


def memory_kib(what: str) -> int:
    """The memory of this process, in KiB."""
    return int(re.search(rf"{what}:\s+(\d+)", Path("/proc/self/status").read_text("ascii"))[1])


def main(database: str, total: int) -> None:
    """Dispatch until done, over twenty connections."""
    configure()
    settings = load(database={"url": database}, smtp={"connections": 20}, public_url="https://news.example")
    pipeline = build(settings, operator="bench")
    relay = Null(total)
    with dispatcher_lock(pipeline.parts.engine):
        dispatcher = build_dispatcher(pipeline)
        dispatcher = replace(dispatcher, routes=[replace(route, relay=relay) for route in dispatcher.routes])
        began = time.perf_counter()
        asyncio.run(dispatcher.run(until_done=True))
        seconds = time.perf_counter() - began
    late, peak = memory_kib("VmRSS"), memory_kib("VmHWM")
    print(json.dumps({"taken": relay.taken, "seconds": seconds, "early": relay.early_kib, "late": late, "peak": peak}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
