"""
Procrastinate's workers, kept at work for as long as this process lasts.

Takes an app with its tasks, yields jobs that are done. Procrastinate ends a worker, as if all were well, when the
database is started again, and when others have taken it for dead; here it is begun again. Jobs of workers that have
died are handed out again: each worker looks for them, for one that only a job would look for could wait behind those
that it is to free. Finished jobs are deleted after a day.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from procrastinate import App
from procrastinate.exceptions import ProcrastinateException

from newsletter.dispatch.granted import Granted
from newsletter.dispatch.workers import BEAT, SILENCE
from newsletter.logs import logger
from newsletter.pipeline.chores import Chores
from newsletter.settings import Settings
from newsletter.tasks.app import CHORES, SHARDS, make_app
from newsletter.tasks.chores import NAMESPACE as CHORES_NAMESPACE
from newsletter.tasks.chores import chore_tasks
from newsletter.tasks.shards import NAMESPACE, shard_tasks

BEAT_SECONDS: Final = BEAT.total_seconds()
"""How often a worker of Procrastinate says that it lives: as often as a dispatcher."""

SILENCE_SECONDS: Final = SILENCE.total_seconds()
"""After how long it is taken for dead, as a dispatcher is."""

SWEEP_SECONDS: Final = 3.0
"""How often jobs of the dead are looked for."""

TIDY_SECONDS: Final = 3600.0
"""How often finished jobs are deleted."""

KEPT_HOURS: Final = 24
"""How long they are kept: long enough to look at them the next day."""

FIRST: Final = 100
"""The priority of what a dead worker has left: it has waited already."""

AGAIN_SECONDS: Final = 1.0
"""How soon Procrastinate's workers are begun again."""

LET_GO_SECONDS: Final = 1.0
"""How long jobs of shards may take to end: they only wait."""

CHORE_SECONDS: Final = 20.0
"""How long others may take: a supervisor kills after 30 seconds."""

ENOUGH_SECONDS: Final = 27.0
"""After how long workers that do not end are left behind: a job's time, a statement's, and some to spare."""

POLL_SECONDS: Final = 0.5
"""
How soon a worker with nothing to do notices a job; a run does not wait for that. Listening for notifications instead
would take a connection a queue, and the listener does not always end when the database cuts it off.
"""


def make_working(settings: Settings, *, granted: Granted, chores: Chores) -> "Working":
    """The workers of one process, which grants its shards to a dispatcher; each file of tasks is added here."""
    app = make_app(settings.database.url)
    app.add_tasks_from(shard_tasks(granted), namespace=NAMESPACE)
    app.add_tasks_from(chore_tasks(chores), namespace=CHORES_NAMESPACE)
    return Working(app, {SHARDS: settings.worker.shards, CHORES: settings.worker.chores})


class Working:
    """Keeps Procrastinate's workers at work: `slots` says how many jobs of a queue at once."""

    def __init__(self, app: App, slots: Mapping[str, int]) -> None:
        self._app = app
        self._slots = slots
        self._stopping = asyncio.Event()
        self._log = logger("tasks").bind()
        self._is_away = False

    def stop(self) -> None:
        """Begin no more jobs, let those that run come to their end, and come back."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until stopped. Raises what is a fault of ours; what may pass is waited out, and logged once."""
        for library in ("psycopg.pool", "procrastinate.utils"):  # they say the same of every try
            logging.getLogger(library).setLevel(logging.CRITICAL)
        while not self._stopping.is_set():
            try:
                async with self._app.open_async():
                    self._back()
                    await self._work()
            except (ProcrastinateException, OSError) as error:
                self._away(error)
            if not self._stopping.is_set():
                self._away(None)
                await self._rest(AGAIN_SECONDS)

    async def _work(self) -> None:
        """Work until stopped, or until one of the workers ends, which the others then do as well."""
        working = [asyncio.ensure_future(self._worker(queue, slots)) for queue, slots in self._slots.items()]
        upkeep = [
            asyncio.ensure_future(self._every(SWEEP_SECONDS, self._sweep)),
            asyncio.ensure_future(self._every(TIDY_SECONDS, self._tidy)),
        ]
        stopped = asyncio.ensure_future(self._stopping.wait())
        tasks = [*working, *upkeep, stopped]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            _, hanging = await asyncio.wait(tasks, timeout=ENOUGH_SECONDS)
            for task in hanging:
                task.cancel()
        for task in tasks:
            if task.done() and not task.cancelled():
                task.result()

    async def _worker(self, queue: str, slots: int) -> None:
        await self._app.run_worker_async(
            queues=[queue],
            name=queue,
            concurrency=slots,
            install_signal_handlers=False,
            listen_notify=False,
            fetch_job_polling_interval=POLL_SECONDS,
            update_heartbeat_interval=BEAT_SECONDS,
            stalled_worker_timeout=SILENCE_SECONDS,
            shutdown_graceful_timeout=LET_GO_SECONDS if queue == SHARDS else CHORE_SECONDS,
            delete_jobs="never" if queue == SHARDS else "successful",  # rounds leave one every few seconds
        )

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await work()
            await asyncio.sleep(seconds)

    async def _sweep(self) -> None:
        """Hand out again what workers had that are dead."""
        jobs = self._app.job_manager
        for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=SILENCE_SECONDS):
            with contextlib.suppress(ProcrastinateException):  # another worker was faster
                await jobs.retry_job(job, priority=FIRST)
                self._log.warning("job of a dead worker handed out again", job=job.id, task=job.task_name)
        await jobs.prune_stalled_workers(SILENCE_SECONDS)

    async def _tidy(self) -> None:
        await self._app.job_manager.delete_old_jobs(
            nb_hours=KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
        )

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    def _away(self, error: Exception | None) -> None:
        """Say once that no jobs are handed out here."""
        if not self._is_away:
            self._is_away = True
            words = " ".join(str(error.__cause__ or error).split())[:300] if error else "its worker ended by itself"
            self._log.error("jobs away: runs go on without them", words=words)

    def _back(self) -> None:
        if self._is_away:
            self._is_away = False
            self._log.warning("jobs back")
