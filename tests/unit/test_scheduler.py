"""The scheduler wakes, and knows nothing else."""

import ast
import datetime as dt
import threading
from pathlib import Path

from scheduler import Round, make_scheduler

SOURCE = Path(__file__).parents[2] / "scheduler.py"


def test_it_calls_at_once_with_the_present_instant_in_utc():
    called = threading.Event()
    instants: list[dt.datetime] = []

    def tick(now: dt.datetime) -> None:
        instants.append(now)
        called.set()

    clock = make_scheduler(tick)
    clock.start()
    assert called.wait(5)
    clock.shutdown()
    assert instants[0].utcoffset() == dt.timedelta(0)
    assert dt.datetime.now(dt.UTC) - instants[0] < dt.timedelta(seconds=10)


def test_it_goes_on_after_a_tick_that_failed():
    calls = threading.Semaphore(0)

    def tick(_now: dt.datetime) -> None:
        calls.release()
        raise RuntimeError("the database was away")

    clock = make_scheduler(tick)
    clock.start()
    assert calls.acquire(timeout=30)
    assert calls.acquire(timeout=30)
    clock.shutdown()


def test_a_missed_tick_is_made_up_and_never_doubled():
    (job,) = make_scheduler(lambda _now: None).get_jobs()
    assert (job.misfire_grace_time, job.coalesce, job.max_instances) == (None, True, 1)


def test_it_imports_no_rules():
    tree = ast.parse(SOURCE.read_text())
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    assert imported <= {"apscheduler", "collections", "datetime", "typing"}


def test_rounds_are_made_by_themselves_and_hold_up_no_tick():
    held, ticks, rounds = threading.Event(), threading.Semaphore(0), threading.Semaphore(0)

    def slow() -> None:
        rounds.release()
        assert held.wait(10)

    clock = make_scheduler(lambda _now: ticks.release(), (Round("slow", 1, slow),))
    clock.start()
    assert rounds.acquire(timeout=30)
    assert ticks.acquire(timeout=30)
    assert ticks.acquire(timeout=30)
    held.set()
    assert rounds.acquire(timeout=30)
    clock.shutdown()
