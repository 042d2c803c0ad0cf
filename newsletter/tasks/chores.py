"""
The tasks of chores: what would take too long for the scheduler and the pages, done by a worker.

Takes the chores of a pipeline, yields a task for each; and leaves a chore to whichever worker comes first. One that
waits is not left twice, and one runs at a time. A job that is lost costs nothing: the scheduler asks again, and goes
itself where no worker lives, or none has come for half a minute.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from procrastinate import Blueprint
from sqlalchemy import text
from sqlmodel import Session

from newsletter.database import Sessions
from newsletter.dispatch.workers import SILENCE
from newsletter.pipeline.chores import Chore, Chores
from newsletter.queue_schema import EVENTS, JOBS, WORKERS
from newsletter.tasks.app import CHORES, defer
from newsletter.tasks.shards import AtOnce, GivenBack

NAMESPACE: Final = "chores"

ALIVE_SECONDS: Final = SILENCE.total_seconds()
"""A worker that was heard of within this time lives."""

WAITED_SECONDS: Final = 30.0
"""For how long a job may wait for a worker: they are all busy, or the one that was to come has died."""

LET_GO_SECONDS: Final = 5.0
"""How long a chore may take to notice that it has to stop: a chunk of an import takes a second."""

_ALIVE: Final = text(
    f"SELECT EXISTS (SELECT FROM {WORKERS} WHERE last_heartbeat > now() - :seconds * interval '1 second')"  # noqa: S608
)

_WAITS: Final = text(
    f"SELECT EXISTS (SELECT FROM {JOBS} AS job WHERE queueing_lock = :lock AND status = 'todo' AND"  # noqa: S608
    f" (SELECT max(at) FROM {EVENTS} WHERE job_id = job.id) < now() - :seconds * interval '1 second')"
)


def leave(sessions: Sessions, chore: Chore, words: Mapping[str, str]) -> bool:
    """Leave a chore to a worker; False where none lives, or none has come for this one for too long."""
    lock = ":".join((NAMESPACE, chore.value, *words.values()))
    with sessions() as session:
        if not session.scalar(_ALIVE, {"seconds": ALIVE_SECONDS}):
            return False
        left = defer(session, f"{NAMESPACE}:{chore.value}", dict(words), queue=CHORES, lock=lock)
        comes = bool(left) or not _has_waited(session, lock)
        session.commit()
    return comes


def chore_tasks(chores: Chores) -> Blueprint:
    """The tasks over the chores of a pipeline; to be added to an app under `NAMESPACE`."""
    tasks = Blueprint()
    threads = ThreadPoolExecutor(thread_name_prefix="chore")
    for chore in Chore:
        _add(tasks, chore, partial(chores.here, chore), threads)
    return tasks


def _add(tasks: Blueprint, chore: Chore, verb: Callable[..., bool], threads: ThreadPoolExecutor) -> None:
    """The task of one chore; its words are the job's arguments."""

    @tasks.task(name=chore.value, queue=CHORES, retry=AtOnce())
    async def do(**words: str) -> None:
        await _beside(partial(verb, words), threads)


async def _beside(verb: Callable[..., bool], threads: ThreadPoolExecutor) -> None:
    """Do a chore beside the event loop; raises GivenBack where another worker has to go on."""
    stopping = threading.Event()
    doing = asyncio.get_running_loop().run_in_executor(threads, partial(verb, stopping=stopping.is_set))
    try:
        finished = await asyncio.shield(doing)
    except asyncio.CancelledError:
        stopping.set()
        await asyncio.wait([doing], timeout=LET_GO_SECONDS)
        raise
    if not finished:
        raise GivenBack


def _has_waited(session: Session, lock: str) -> bool:
    return bool(session.scalar(_WAITS, {"lock": lock, "seconds": WAITED_SECONDS}))
