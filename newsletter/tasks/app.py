"""
Procrastinate's app: the connection to its tables, and which queues there are.

Takes the address of a database, yields an app without tasks. Nothing is opened here: whoever defers a job brings the
connection of their own transaction, and `worker` opens the app while it runs.
"""

from functools import cache
from typing import Any, Final

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.types import JSONDict
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import make_url
from sqlmodel import Session

from newsletter.planning.shards import QUEUE

SHARDS: Final = QUEUE
"""The queue of shards of runs."""

CHORES: Final = "chores"
"""The queue of everything else: files to import, editions to compile, programs to call, letters to write."""

CONNECTIONS: Final = 4
"""Of a worker to the tables of jobs at most: each statement takes a millisecond."""

CONNECT_SECONDS: Final = 5.0
"""How long a worker waits for a connection before it takes the database for away."""


def make_app(url: str) -> App:
    """An app over the database at an address as `NEWSLETTER_DATABASE__URL` has it; opens nothing."""
    return App(
        connector=PsycopgConnector(
            conninfo=conninfo_of(url), min_size=1, max_size=CONNECTIONS, timeout=CONNECT_SECONDS, name="jobs"
        )
    )


def conninfo_of(url: str) -> str:
    """The same address in libpq's words (PostgreSQL's manual, 34.1.1), sockets and passwords included."""
    address = make_url(url).set(drivername="postgresql+psycopg")
    _, keywords = address.get_dialect()().create_connect_args(address)
    return make_conninfo(**keywords)


def defer(session: Session, task: str, *jobs: JSONDict, queue: str, lock: str | None = None) -> int:
    """
    Hand out jobs in the session's own transaction: none was handed out where that is rolled back. Returns how many.

    `task` is the task's whole name, `jobs` are its arguments. Of jobs with a `lock` one waits at a time and one runs:
    where one waits already, this one is not needed and 0 comes back.
    """
    if not jobs:
        return 0
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    deferrer = _unopened().configure_task(task, queue=queue, lock=lock, queueing_lock=lock, connection=driver)
    try:
        with connection.begin_nested():  # the session's own would begin with its next statement, which is none
            return len(deferrer.batch_defer(*jobs))
    except AlreadyEnqueued:
        return 0


@cache
def _unopened() -> App:
    """An app that hands out jobs on connections of others."""
    return App(connector=PsycopgConnector())
