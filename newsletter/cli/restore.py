"""The command that puts a backup back, and says what has to be thought of before anything is sent again."""

import datetime as dt
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from newsletter.cli.backup import FileArgument, opened
from newsletter.cli.groups import group
from newsletter.cli.output import JsonOption, note, print_json, progress, say
from newsletter.cli.report import counted
from newsletter.cli.state import STATE, interruptible
from newsletter.errors import WrongState

if TYPE_CHECKING:
    from newsletter.pipeline.keeping import Restored

app = group()


@app.command()
def restore(
    file: str = FileArgument,
    replace: bool = typer.Option(False, "--replace", help="Give up what the database holds now."),
    yes: bool = typer.Option(False, "--yes", help="Do not ask for the database's name before that."),
    json: bool = JsonOption,
) -> None:
    """
    Put a backup into the database that is configured, and its keys into their place. Look at `backup --check` first.

    The database must be empty and nobody may work with it. With --replace it may hold something: you are asked to type
    its name. A SQLite file that is replaced stays beside the new one; of PostgreSQL make a backup first. An interrupted
    or failed restore changes nothing.

    Every run that was waiting or under way is paused afterwards: whoever got the issue since the backup was made is not
    known any more, and would get it twice. See docs/backup.md, and `newsletter issue status SLUG`.
    """
    from newsletter.keeping.file import BackupFile
    from newsletter.pipeline.keeping import Given, restore

    settings = STATE.settings()
    with interruptible("nothing was changed"), opened(file) as stream:
        backup = BackupFile(stream, name=file)
        name = _name_of(settings.database.url)
        with progress("restoring", "rows") as bar:
            given = Given(
                now=dt.datetime.now(dt.UTC),
                progress=bar,
                ask=(lambda: _ask(name, of=file, yes=yes)) if replace else None,
            )
            operator = STATE.operator or settings.operator
            restored = restore(settings, backup, name=file, operator=operator, given=given)
    if json:
        print_json(_plain(restored))
        return
    for line in _told(restored):
        say(line)
    for line in _advice(restored):
        note(line)


def _name_of(url: str) -> str:
    """What has to be typed: the name of the database, or of its file."""
    from sqlalchemy.engine import make_url

    return str(make_url(url).database).rpartition("/")[2]


def _ask(name: str, *, of: str, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty() or of == "-":
        raise WrongState(f"to give up what {name} holds without being asked, say --yes as well")
    if typer.prompt(f"What {name} holds now is given up. Type its name to go on", err=True) != name:
        raise WrongState("that is another name: nothing was changed")


def _told(restored: "Restored") -> Iterator[str]:
    head = restored.head
    yield f"restored {restored.poured.rows:,} rows as they stood at {head.at} (version {head.program})"
    yield f"keys: {restored.keys}"
    if restored.keys_aside is not None:
        yield f"  other keys lay there: they are {restored.keys_aside} now"
    if restored.file_aside is not None:
        yield f"the database of before is {restored.file_aside} now; remove it when you need it no more"
    for name, count in restored.poured.removed.items():
        yield f"{counted(count, 'character', 'characters')} of {name} left out that PostgreSQL cannot hold (NUL)"
    for run in restored.held:
        of = f": {run.accepted:,} of {run.total:,} had got it by then" if run.total else ""
        yield f"paused: {run.issue}, which was {run.state.value}{of}"


def _advice(restored: "Restored") -> Iterator[str]:
    at = restored.head.at
    yield f"\nNobody here knows what happened after {at}:"
    yield "- who left, complained, was suppressed or erased since then is written to again unless you do it once more"
    if restored.held:
        yield "- whoever got a paused issue since then gets it again if you resume; look at the relay's log first"
    yield "- an issue that was sent since then is not marked as sent: do not send it again"
    if restored.singles:
        one = counted(restored.singles, "single message (confirmation, notice)", "single messages (confirmations, …)")
        yield f"- {one} will go out, perhaps once more"
    yield "Go on with docs/backup.md, “After a restore”."


def _plain(restored: "Restored") -> dict[str, object]:
    return {
        "at": restored.head.at,
        "revision": restored.head.shape.revision,
        "rows": restored.poured.rows,
        "removed": dict(restored.poured.removed),
        "keys": str(restored.keys),
        "keys_aside": str(restored.keys_aside) if restored.keys_aside else None,
        "file_aside": str(restored.file_aside) if restored.file_aside else None,
        "singles": restored.singles,
        "paused": [
            {"issue": run.issue, "was": run.state.value, "accepted": run.accepted, "total": run.total}
            for run in restored.held
        ],
    }
