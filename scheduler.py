"""
The scheduler: APScheduler wakes what is due; there are no rules inside.

What is due stands in the database (DESIGN §9), so nothing is lost when this process is: a tick that was missed is made
up once at the start (`misfire_grace_time=None`, `coalesce=True`: APScheduler's defaults would drop it), and so is what
came due while it was paused. Two schedulers at work do no harm, because a run is started by a guarded update that holds
only once; which of them acts is said from outside, by `pause` and `resume`.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

TICK_SECONDS = 1
"""How soon after its time a run starts."""


class Round(NamedTuple):
    """Something that is done again and again, so many seconds apart."""

    name: str
    seconds: float
    work: Callable[[], Any]


def make_scheduler(tick: Callable[[dt.datetime], Any], rounds: Iterable[Round] = ()) -> BackgroundScheduler:
    """
    Return a scheduler, not yet started, that calls `tick` with the present instant (UTC) every second.

    A tick that takes longer than a second is not doubled; what `tick` raises is logged by APScheduler and the next
    one comes all the same. The `rounds` have threads of their own: a mailbox that is slow keeps no run waiting, nor the
    other rounds.
    """
    executors = {"default": ThreadPoolExecutor(1), "rounds": ThreadPoolExecutor(3)}
    scheduler = BackgroundScheduler(timezone=dt.UTC, executors=executors)
    scheduler.add_job(
        lambda: tick(dt.datetime.now(dt.UTC)),
        "interval",
        seconds=TICK_SECONDS,
        id="due",
        coalesce=True,
        misfire_grace_time=None,
        max_instances=1,
        next_run_time=dt.datetime.now(dt.UTC),
    )
    for each in rounds:
        scheduler.add_job(
            each.work,
            "interval",
            seconds=each.seconds,
            id=each.name,
            executor="rounds",
            coalesce=True,
            misfire_grace_time=None,
            max_instances=1,
            next_run_time=dt.datetime.now(dt.UTC),
        )
    return scheduler
