"""The probe for containers and scripts: can this process, or the installation, work at this moment?"""

from enum import StrEnum
from typing import TYPE_CHECKING, Final

import typer

from newsletter.cli.groups import group
from newsletter.cli.output import say
from newsletter.cli.state import STATE
from newsletter.errors import NewsletterError

if TYPE_CHECKING:
    from newsletter.bootstrap import Pipeline

WEB_SECONDS: Final = 3.0
"""For which the web may be silent: it answers within two, whatever its database does."""

app = group()


class Process(StrEnum):
    """What is asked about."""

    #: The web on this machine, at its port.
    WEB = "web"
    #: A scheduler that acts, wherever it is: the others wait for their turn, which is all they have to do.
    SCHEDULER = "scheduler"
    #: A worker on this machine.
    WORKER = "worker"
    #: A dispatcher on this machine.
    DISPATCH = "dispatch"


PROCESS = typer.Option(None, "--process", help="Which process is meant; none: the database alone, and its disk.")
PORT = typer.Option(8000, min=1, max=65535, help="The port at which the web on this machine serves its pages.")


@app.command()
def ready(process: Process = PROCESS, port: int = PORT) -> None:
    """
    Say whether this installation, or one of its processes, can work now: exit code 0 if so, else 1.

    For the health checks of containers and for scripts. A worker and a dispatcher are ready when one on this machine
    has told the database in the last 8 seconds that it lives; a scheduler when one acts, wherever it is; the web when
    /ready at --port says so. Without --process: when the database answers, is of this version, and has room.
    """
    hindrance = _of_web(port) if process is Process.WEB else _of_database(process)
    if hindrance:
        raise NewsletterError(f"not ready: {hindrance}")
    say("ready")


def _of_database(process: Process | None) -> str:
    from newsletter.pipeline.readiness import found

    pipeline = STATE.pipeline()  # says more than /ready may where the database is away
    hindrance = found(pipeline.parts.engine)
    if hindrance or process is None:
        return hindrance
    if process is Process.SCHEDULER:
        from newsletter.pipeline.election import leader

        return "" if leader(pipeline.parts.engine) else "no scheduler acts: start `newsletter scheduler`"
    return _of_hands(pipeline, process)


def _of_hands(pipeline: "Pipeline", process: Process) -> str:
    from newsletter.database import reading
    from newsletter.dispatch.gauges import heartbeat_of
    from newsletter.dispatch.workers import SILENCE
    from newsletter.process import machine_name

    with reading(pipeline.parts.engine) as session:
        silent = heartbeat_of(session, f"{machine_name()}:", pipeline.parts.now())
    if silent is None:
        return f"none lives on this machine: start `newsletter {process.value}`"
    if silent > SILENCE.total_seconds():
        return f"the database has not heard for {silent:.0f} s of the one on this machine"
    return ""


def _of_web(port: int) -> str:
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection("127.0.0.1", port, timeout=WEB_SECONDS)
    try:
        connection.request("GET", "/ready")
        answer = connection.getresponse()
        return "" if answer.status == 200 else answer.read(200).decode("utf-8", "replace").strip()  # noqa: PLR2004  OK
    except (OSError, HTTPException) as error:
        return f"no web answers at port {port}: {getattr(error, 'strerror', None) or error}"
    finally:
        connection.close()
