"""
Imports a file into the list `all` of a database, as often as it is told: `importing.py DATABASE FILE TIMES [ROWS]`.

Prints what became of the rows each time, how long it took, and how much memory the process had at most. With ROWS it
kills itself, as `kill -9` would, when so many are done.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

from newsletter.bootstrap import build
from newsletter.logs import configure
from newsletter.settings import load
from subscribers.importing import Listeners


def main(database: str, file: str, *, times: int, dead_after: int) -> None:
    """Import, and print a line of JSON each time."""
    os.environ["NEWSLETTER_DATABASE__URL"] = database
    configure()
    pipeline = build(load())

    def progress(done: int, _total: int) -> None:
        if 0 < dead_after <= done:
            os.kill(os.getpid(), signal.SIGKILL)

    for _ in range(times):
        began = time.perf_counter()
        report = pipeline.people.imports.take(Path(file), list_name="all", listeners=Listeners(progress=progress))
        seconds = time.perf_counter() - began
        # What getrusage says would include the process that has started this one.
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        peak = int(status["VmHWM"].split()[0]) // 1024
        print(json.dumps(report.counts() | {"seconds": seconds, "peak": peak}))


main(sys.argv[1], sys.argv[2], times=int(sys.argv[3]), dead_after=int(sys.argv[4]) if len(sys.argv) > 4 else 0)
