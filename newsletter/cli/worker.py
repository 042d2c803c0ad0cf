"""
The worker: a dispatcher that shares runs with others over PostgreSQL, and does the jobs that Procrastinate hands out.

One process, one event loop. Asked to stop it gives back the shards that it has not spent, ends what is on the wire, and
comes back within 30 seconds; asked twice it does not wait. When its supervisor is gone, it stops too.
"""

import asyncio
from typing import TYPE_CHECKING

import typer

from newsletter.cli.groups import group
from newsletter.cli.processes import FENCED, until_stopped
from newsletter.cli.state import STATE
from newsletter.errors import ConfigurationFault

if TYPE_CHECKING:
    from newsletter.dispatch.dispatcher import Dispatcher, Ending
    from newsletter.dispatch.granted import Granted
    from newsletter.tasks.worker import Working

app = group()


@app.command()
def worker() -> None:
    """
    Run a worker in the foreground: it sends runs together with other workers, and does what else is to be done.

    Start as many as you like, on any machine that reaches the database and the relays; PostgreSQL only. Exit code 75
    when others have taken over, because the database had not heard of this one, or it not of the database, for too
    long: start it again, as `newsletter run` and a systemd unit do. Asked to stop (SIGTERM, Ctrl-C) it gives back what
    it has not begun and ends what is on the wire; asked twice it does not wait. `newsletter workers` shows them all.
    """
    from newsletter.dispatch.granted import Granted
    from newsletter.dispatch.lock import dispatcher_lock
    from newsletter.dispatchers import build_dispatcher
    from newsletter.tasks.worker import make_working

    STATE.log()
    pipeline = STATE.pipeline()
    if pipeline.parts.engine.dialect.name == "sqlite":
        raise ConfigurationFault(
            "workers need PostgreSQL, see NEWSLETTER_DATABASE__URL; with SQLite `newsletter run` does it all"
        )
    granted = Granted()
    with dispatcher_lock(pipeline.parts.engine):
        dispatcher = build_dispatcher(pipeline, granted=granted)
        # Chores have connections of their own: a transaction of theirs may sleep for longer than a dispatcher's.
        working = make_working(pipeline.parts.settings, granted=granted, chores=STATE.pipeline().chores)
        ending = asyncio.run(_work(dispatcher, working, granted))
    if ending.value == FENCED:
        typer.echo("the database took this worker for dead, others go on: start it again", err=True)
    raise typer.Exit(max(ending.value, 0))


async def _work(dispatcher: "Dispatcher", working: "Working", granted: "Granted") -> "Ending":
    """Dispatch and do jobs until the dispatcher ends; a fault of either ends both."""
    granted.on_close = working.stop
    jobs = asyncio.ensure_future(working.run())
    jobs.add_done_callback(lambda _: dispatcher.stop())
    try:
        return await until_stopped(dispatcher)
    finally:
        working.stop()
        await jobs
