"""Processes: the dispatcher, the scheduler, and the supervisor that keeps them and the web alive."""

import asyncio
import logging
import signal
import sys
import threading
import time
from types import FrameType
from typing import TYPE_CHECKING

import typer

from newsletter.cli.report import counted
from newsletter.cli.state import STATE
from newsletter.cli.supervisor import Supervisor, on_orphaned
from newsletter.errors import DispatcherRunning
from newsletter.logs import configure

if TYPE_CHECKING:
    from newsletter.bootstrap import Pipeline
    from newsletter.dispatch.dispatcher import Dispatcher, Ending

RETENTION_SECONDS = 60
"""How soon the scheduler notices that the hour has come at which terms are looked at."""

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
        configure(logging.INFO)
    pipeline = STATE.pipeline()
    with dispatcher_lock(pipeline.parts.engine):
        dispatcher = build_dispatcher(pipeline)
        with dispatching(pipeline, dispatcher.progress):
            ending = asyncio.run(_dispatch(dispatcher, until_done=until_done, patience=patience))
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


async def _dispatch(dispatcher: "Dispatcher", *, until_done: bool, patience: float) -> "Ending":
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
    return await dispatcher.run(until_done=until_done, patience=patience)


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
    """Run the scheduler in the foreground: it starts due runs, also those missed while it was away."""
    from scheduler import Round, make_scheduler

    configure(logging.INFO)
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
        Round("cadence", CADENCE_SECONDS, pipeline.cadence.tick),
        Round("alerts", ALERTS_SECONDS, pipeline.alerting.watch),
        Round("webhooks", WEBHOOKS_SECONDS, pipeline.webhooks.tick),
        Round("reports", REPORTS_SECONDS, pipeline.reporting.keep_up),
        Round("mailbox", pipeline.parts.settings.bounce.imap.interval, pipeline.feedback.look),
    )
    clock = make_scheduler(pipeline.wake, rounds)
    clock.start()
    stopped.wait()
    clock.shutdown()


def run(host: str = HOST, port: int = PORT) -> None:
    """Run scheduler, dispatcher and web together, and start again whichever ends."""
    STATE.pipeline()
    typer.echo("scheduler, dispatcher and web are running; stop them with Ctrl-C", err=True)
    arguments = {"scheduler": (), "dispatch": (), "web": ("--host", host, "--port", str(port))}
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
