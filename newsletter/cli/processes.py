"""Processes: the dispatcher, the scheduler, and the supervisor that keeps them and the web alive."""

import asyncio
import gc
import os
import signal
import sys
import threading
import time
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

import typer

from newsletter.cli.report import counted
from newsletter.cli.state import STATE
from newsletter.cli.supervisor import Supervisor, on_orphaned
from newsletter.errors import DispatcherRunning
from newsletter.logs import logger

if TYPE_CHECKING:
    from newsletter.bootstrap import Pipeline
    from newsletter.dispatch.dispatcher import Dispatcher, Ending

FENCED = 75
"""The exit code of a process that others have taken over: EX_TEMPFAIL of sysexits.h, start it again."""

RETENTION_SECONDS = 5
"""How soon terms are looked at when their hour has come, and how often for a moment until all of them have been."""

REFUSALS_SECONDS = 5
"""How soon the scheduler draws the consequences of what relays refuse."""

CADENCE_SECONDS = 20
"""How soon after its time a newsletter's draft is made."""

ALERTS_SECONDS = 10
"""How soon operators are told what they chose to be told."""

WEBHOOKS_SECONDS = 5
"""How soon programs are told what happened, once it has settled."""

REPORTS_SECONDS = 20
"""How soon after a run has ended its report is counted, so that nobody waits for it."""

IMPORTS_SECONDS = 30
"""How often is looked for imports that were broken off."""

TOTALS_SECONDS = 20
"""How soon settled attempts join the totals that /metrics tells, so that it has few of them to count."""

PATIENCE = typer.Option(60.0, help="Seconds to wait for what is due later, or for a relay that is away.")
HOST = typer.Option("127.0.0.1", help="The address of this machine at which the pages are served.")
PORT = typer.Option(8000, min=0, max=65535, help="The port at which the pages are served; 0: any that is free.")


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(dispatch)
    app.command()(scheduler)
    app.command()(run)


def dispatch(
    until_done: bool = typer.Option(False, "--until-done", help="End when every due delivery has ended."),
    patience: float = PATIENCE,
) -> None:
    """
    Run the dispatcher in the foreground; it starts due runs too.

    With --until-done: exit code 0 when all ended, 5 when some ended uncertain, 4 when something is due later than the
    patience allows or the relay stays away. 75 when another dispatcher has taken over: the database had not heard of
    this one for too long. Asked to stop (SIGTERM, Ctrl-C) it ends what is on the wire; asked twice it does not wait.
    """
    from newsletter.cli.progress import dispatching
    from newsletter.dispatch.dispatcher import Ending
    from newsletter.dispatch.lock import dispatcher_lock
    from newsletter.dispatchers import build_dispatcher

    if not until_done:
        STATE.log()
    pipeline = STATE.pipeline()
    with dispatcher_lock(pipeline.parts.engine):
        dispatcher = build_dispatcher(pipeline)
        with dispatching(pipeline, dispatcher.progress):
            ending = asyncio.run(until_stopped(dispatcher, until_done=until_done, patience=patience))
    if until_done:
        done = dispatcher.progress
        typer.echo(
            f"{done.accepted} accepted, {done.deferred} deferred, {done.refused} refused, {done.uncertain} uncertain",
            err=True,
        )
    if ending is Ending.WAITING:
        typer.echo("something is due later, or the relay is away: run it again, or use `newsletter run`", err=True)
    if ending is Ending.FENCED:
        typer.echo("the database took this dispatcher for dead, others go on: start it again", err=True)
    raise typer.Exit(max(ending.value, 0))


async def until_stopped(dispatcher: "Dispatcher", *, until_done: bool = False, patience: float = 60.0) -> "Ending":
    """Dispatch until a signal asks to stop; a second one does not wait for what is on the wire."""
    loop, signals = asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)

    def cut() -> None:
        dispatcher.cut()
        for number in signals:  # a third signal finds what Python does by itself
            loop.remove_signal_handler(number)

    def stop() -> None:
        dispatcher.stop()
        for number in signals:
            loop.add_signal_handler(number, cut)

    for number in signals:
        loop.add_signal_handler(number, stop)
    on_orphaned(lambda: loop.call_soon_threadsafe(dispatcher.stop))
    dispatcher.perish = perish
    gc.freeze()  # what stands by now stays: to look through it again takes as long as hundreds of messages
    return await dispatcher.run(until_done=until_done, patience=patience)


def perish() -> None:
    """End this process as one that others have taken over: what waits for its database may wait for ever."""
    logger("dispatch").error("ended: the database still does not answer")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(FENCED)


def dispatch_single(pipeline: "Pipeline", mailing: str) -> str:
    """
    Send the messages of one mailing now: by ourselves, or by the dispatcher that is running already.

    Returns how it ended, in words.
    """
    from newsletter.dispatch.lock import dispatcher_lock
    from newsletter.dispatchers import build_dispatcher

    try:
        with dispatcher_lock(pipeline.parts.engine):
            dispatcher = build_dispatcher(pipeline, wakes=False)
            asyncio.run(dispatcher.run(until_done=True, patience=5))
    except DispatcherRunning:
        patience = time.monotonic() + 30
        while pipeline.proof.is_open(mailing) and time.monotonic() < patience:
            time.sleep(0.1)
    return pipeline.proof.how_it_ended(mailing)


def scheduler() -> None:
    """
    Run the scheduler in the foreground: it starts due runs, also those missed while it was away.

    Of several schedulers on one database one leads and acts; the others wait, and one of them takes over within five
    seconds of its end. Which it is says the first line of the log.
    """
    from newsletter.pipeline.chores import Chore
    from newsletter.pipeline.election import Election, seat_of
    from scheduler import Round, make_scheduler

    STATE.log()
    pipeline = STATE.pipeline()
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    on_orphaned(stopped.set)
    rounds = (
        Round("retention", RETENTION_SECONDS, lambda: pipeline.retention.tick(pipeline.parts.now())),
        Round("refusals", REFUSALS_SECONDS, pipeline.feedback.refusals),
        Round("cadence", CADENCE_SECONDS, partial(pipeline.chores.do, Chore.DRAFTS)),
        Round("alerts", ALERTS_SECONDS, partial(pipeline.chores.do, Chore.NOTICES)),
        Round("webhooks", WEBHOOKS_SECONDS, partial(pipeline.chores.do, Chore.WEBHOOKS)),
        Round("reports", REPORTS_SECONDS, partial(pipeline.chores.do, Chore.REPORTS)),
        Round("imports", IMPORTS_SECONDS, pipeline.take_up),
        Round("totals", TOTALS_SECONDS, pipeline.watch.keep_totals),
        Round("mailbox", pipeline.parts.settings.bounce.imap.interval, pipeline.feedback.look),
    )
    election = Election(seat_of(pipeline.parts.engine))
    clock = make_scheduler(
        election.only(pipeline.wake), (each._replace(work=election.only(each.work)) for each in rounds)
    )
    clock.start(paused=True)
    election.run(stopped, gained=clock.resume, lost=clock.pause)
    clock.shutdown()
    election.leave()


def run(host: str = HOST, port: int = PORT) -> None:
    """
    Run scheduler, dispatcher and web together, and start again whichever ends.

    On PostgreSQL a worker takes the dispatcher's place; more of them join with `newsletter worker`.
    """
    is_shared = STATE.pipeline().parts.engine.dialect.name != "sqlite"
    sender, called = ("worker", "worker") if is_shared else ("dispatch", "dispatcher")
    typer.echo(f"scheduler, {called} and web are running; stop them with Ctrl-C", err=True)
    arguments = {"scheduler": (), sender: (), "web": ("--host", host, "--port", str(port))}
    supervisor = Supervisor(
        {name: [sys.executable, "-m", "newsletter", *_who(), name, *given] for name, given in arguments.items()}
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: supervisor.stop())
    failed = supervisor.run()
    if failed:
        typer.echo(
            f"{counted(len(failed), 'process', 'processes')} could not be kept alive: {', '.join(failed)}", err=True
        )
        raise typer.Exit(1)


def _who() -> list[str]:
    return ["--as", STATE.operator] if STATE.operator else []
