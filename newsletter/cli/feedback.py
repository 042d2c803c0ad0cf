"""Commands about what comes back: fetch it, read it from files, listen for it, look at it."""

import asyncio
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from newsletter.cli.groups import group
from newsletter.cli.lists import LimitOption
from newsletter.cli.output import JsonOption, note, print_json, print_table, progress, say
from newsletter.cli.report import counted
from newsletter.cli.state import STATE, NewsletterOption
from newsletter.errors import ConfigurationFault, InvalidInput
from newsletter.feedback.event import Kind, Proof
from newsletter.times import rfc3339

if TYPE_CHECKING:
    from newsletter.feedback.listener import Listener
    from newsletter.feedback.models import EventRow
    from newsletter.pipeline.feedback import Intake

app = group("What comes back: bounces, complaints, farewells by mail.", no_args_is_help=True)


@app.command()
def fetch(json: bool = JsonOption) -> None:
    """
    Read the bounce mailbox now, and what relays have refused; the scheduler does both by itself.

    What was understood moves to one folder of the mailbox, what was not to another.
    """
    feedback = STATE.pipeline().feedback
    refused = feedback.refusals()
    intake = feedback.fetch()
    _tell(intake, json=json)
    if refused.new and not json:
        note(f"{counted(refused.new, 'refusal', 'refusals')} of relays absorbed as well")


@app.command("read")
def read_files(
    files: list[Path] = typer.Argument(
        ..., metavar="FILE...", help="Messages, mboxes or Maildirs; - is standard input."
    ),
    json: bool = JsonOption,
) -> None:
    """Read messages that came back from files; reading them twice changes nothing."""
    feedback = STATE.pipeline().feedback
    with progress("messages") as report:
        intake = feedback.read(_messages(files), progress=report)
    _tell(intake, json=json)


@app.command("list")
def list_events(
    issue: str | None = typer.Option(None, "--issue", metavar="SLUG", help="Of this issue only."),
    newsletter: str = NewsletterOption,
    kind: Kind | None = typer.Option(None, help="Of this kind only."),
    unproven: bool = typer.Option(False, "--unproven", help="Only what nothing proves, and so changed nothing."),
    limit: int = LimitOption,
    before: int | None = typer.Option(None, metavar="NUMBER", help="Go on before this number: that of the last row."),
    json: bool = JsonOption,
) -> None:
    """List what came back, the newest first."""
    found = STATE.pipeline().feedback.page(
        limit=limit, before=before, kind=kind, slug=issue, newsletter=newsletter, proven=False if unproven else None
    )
    if json:
        print_json([_event_json(event) for event in found])
        return
    if not found:
        say("nothing has come back")
        return
    print_table(
        ("number", "received", "kind", "cause", "mailing", "did", "said"),
        [
            (
                event.id,
                rfc3339(event.received),
                event.kind.value if event.proof is not Proof.NONE else f"{event.kind.value}?",
                event.cause.value if event.cause else "",
                event.mailing,
                event.did,
                event.text,
            )
            for event in found
        ],
    )
    if len(found) == limit:
        note(f"there may be more: --before {found[-1].id}")


@app.command()
def show(number: str = typer.Argument(..., help="The event's number, or its id."), json: bool = JsonOption) -> None:
    """Show one event: what was said, what proves it, what it changed."""
    event = STATE.pipeline().feedback.show(number)
    told = _event_json(event)
    if json:
        print_json(told)
        return
    print_table(("what", "is"), [(name, value) for name, value in told.items() if value not in {None, ""}])


@app.command()
def listen(
    host: str = typer.Option("127.0.0.1", help="Address to listen on."),
    port: int = typer.Option(2525, min=0, max=65535, help="Port to listen on; 0: a free one, which is printed."),
    lmtp: bool = typer.Option(False, "--lmtp", help="Speak LMTP instead of SMTP."),
) -> None:
    """
    Take what comes back from the mail server in front, in the foreground; ends on SIGTERM or Ctrl-C.

    Takes mail for the bounce domain only and hands nothing on. A message is accepted when it is absorbed.
    """
    from newsletter.feedback.listener import Listener

    STATE.log()
    pipeline = STATE.pipeline()
    domain = pipeline.parts.settings.bounce.domain
    if domain is None:
        raise ConfigurationFault("NEWSLETTER_BOUNCE__DOMAIN: no domain is set that bounces come back to")

    def take(message: bytes, recipients: Sequence[str]) -> None:
        pipeline.feedback.receive(message, recipients=recipients, source="listener")

    asyncio.run(_listen(Listener(take, domain=domain, lmtp=lmtp), host, port))


async def _listen(listener: "Listener", host: str, port: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        taken = await listener.start(host, port)
    except OSError as error:
        raise InvalidInput(f"{host}:{port} cannot be listened on: {error.strerror or error}") from error
    note(f"listening on {host}:{taken}")
    try:
        await stopped.wait()
    finally:
        await listener.close()


def _messages(files: list[Path]) -> Iterator[bytes]:
    from newsletter.feedback.files import messages_in, messages_of

    for file in files:
        yield from messages_of(sys.stdin.buffer) if str(file) == "-" else messages_in(file)


def _tell(intake: "Intake", *, json: bool) -> None:
    done = intake.absorbed
    if json:
        counts = {name: getattr(done, name) for name in done.__dataclass_fields__}
        print_json({"messages": intake.messages, "not_understood": intake.failed, **counts})
        return
    say(
        f"{counted(intake.messages, 'message', 'messages')}: {done.new} new, {done.known} known,"
        f" {done.unproven} without proof, {intake.failed} not understood;"
        f" {done.suppressed} suppressed, {done.left} left, {counted(done.stopped, 'delivery', 'deliveries')} stopped"
    )


def _event_json(event: "EventRow") -> dict[str, object]:
    return {
        "number": event.id,
        "id": event.key,
        "kind": event.kind.value,
        "cause": event.cause.value if event.cause else None,
        "proof": event.proof.value,
        "source": event.source,
        "delivery": event.delivery_id,
        "mailing": event.mailing,
        "status": event.status,
        "said": event.text,
        "did": event.did,
        "at": event.at,
        "received": event.received,
    }
