"""Commands of the doctor: what is configured, what is wrong, and keys to sign with."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Final

import typer

from newsletter.cli.groups import group
from newsletter.cli.output import JsonOption, note, print_json, progress, say
from newsletter.cli.report import counted
from newsletter.cli.state import STATE
from newsletter.errors import InvalidInput

if TYPE_CHECKING:
    from newsletter.doctor.check import Check, Diagnosis

app = group("What is configured, and what is wrong.", invoke_without_command=True)

WIDTH: Final = 80
"""Columns: what every terminal has. Records are longer, and are not broken: they are for copying."""


@app.callback()
def doctor(
    context: typer.Context,
    outside: bool = typer.Option(False, "--outside", help="Ask the DNS about the senders' domains, too."),
    json: bool = JsonOption,
) -> None:
    """
    Look at the installation and say what is wrong and what to do. Changes nothing, sends nothing.

    Exit code 0: nothing is wrong; 1: errors; 4: warnings only.
    """
    if context.invoked_subcommand is not None:
        return
    from newsletter.doctor.examination import Surroundings, examine, mounts_of_this_machine
    from newsletter.keyring import key_file
    from newsletter.preflight.resolver import Dns

    settings = STATE.settings()
    around = Surroundings(key_file=key_file(settings), names=Dns if outside else None, mounts=mounts_of_this_machine())
    with progress("looking"):
        diagnosis = examine(settings, around)
    if json:
        print_json(diagnosis.to_json())
    else:
        for line in _lines(diagnosis):
            say(line)
    raise typer.Exit(int(diagnosis.exit_code))


@app.command("dkim-key")
def dkim_key(
    folder: Path = typer.Argument(..., metavar="FOLDER", help="Where to put the file with the keys."),
    selector: str = typer.Option(None, help="The name under which receivers find the keys; default: the year."),
    domain: str = typer.Option(None, help="The domain that signs; default: the newsletters' sender's."),
    json: bool = JsonOption,
) -> None:
    """Make an RSA and an Ed25519 key to sign with, and print what to set and what to publish in the DNS."""
    from newsletter.dispatch.dkim import generate, read_signers, records
    from newsletter.settings import DkimSettings
    from subscribers.address import domain_key

    signing = domain or _only_sender()
    domain_key(signing)  # refused before there is a file
    named = selector or str(dt.datetime.now(dt.UTC).year)
    path = generate(folder, named).resolve()
    made = DkimSettings(domain=signing, selector=named, key_file=path, domains=None)
    lines = [record.zone_line for signer in read_signers(made) for record in records(signer)]
    if json:
        print_json({"domain": signing, "selector": named, "key_file": str(path), "records": lines})
        return
    note(f"keys written to {path}; whoever can read that file can write in the name of {signing}")
    say("Publish these records in the DNS, and wait until they can be seen:\n")
    say("\n".join(lines))
    say("\nThen set this in newsletter.toml, restart, and run `newsletter doctor --outside`:\n")
    say(f'[dkim]\ndomain = "{signing}"\nselector = "{named}"\nkey_file = "{path}"')


def _only_sender() -> str:
    """The domain of the only sender there is."""
    from newsletter.content.store import list_newsletters
    from subscribers.address import parse_address

    with STATE.pipeline().parts.sessions() as session:
        found = {parse_address(newsletter.sender.address).domain for _, newsletter in list_newsletters(session)}
    if len(found) == 1:
        return found.pop()
    raise InvalidInput(
        f"say with --domain whose mail the keys sign: {', '.join(sorted(found)) or 'there is no newsletter yet'}"
    )


def _lines(diagnosis: "Diagnosis") -> Iterator[str]:
    from newsletter.doctor.check import Status

    for check in diagnosis.checks:
        yield from _told(check)
    errors, warnings = diagnosis.count(Status.ERROR), diagnosis.count(Status.WARNING)
    if errors or warnings:
        yield f"\n{counted(errors, 'error', 'errors')}, {counted(warnings, 'warning', 'warnings')}"
    else:
        yield "\nnothing is wrong"


def _told(check: "Check") -> Iterator[str]:
    yield from _wrapped(f"{check.status:<8} {check.code}: {check.words}", first="", rest=9)
    if check.advice:
        yield from _wrapped(check.advice, first=" " * 9 + "> ", rest=11)
    yield from check.records


def _wrapped(text: str, *, first: str, rest: int) -> list[str]:
    return wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
