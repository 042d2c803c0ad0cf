"""Commands about the database: the way from one kind to the other."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from newsletter.cli.groups import group
from newsletter.cli.output import JsonOption, note, print_json, progress, say
from newsletter.cli.report import counted
from newsletter.cli.state import STATE, interruptible
from newsletter.errors import InvalidInput

if TYPE_CHECKING:
    from newsletter.settings import Settings

app = group("The database: move it to another kind or place.", no_args_is_help=True)


@app.callback()
def database() -> None:
    """The database: move it to another kind or place."""


@app.command()
def move(
    source: str = typer.Argument(..., metavar="FROM", help="Such as sqlite:///var/newsletter.sqlite"),
    target: str = typer.Argument(..., metavar="TO", help="Such as postgresql://newsletter@db.example/newsletter"),
    json: bool = JsonOption,
) -> None:
    """
    Copy everything from one database into another, of either kind, and its keys to where the other looks for them.

    End every process first: nobody may work with either. TO is made, or is empty still; FROM is not changed. All rows
    are counted and compared on both sides. An interrupted move leaves TO as it was: run it again.

    Afterwards set NEWSLETTER_DATABASE__URL to TO everywhere, and put FROM away: whoever starts a process with it would
    send once more what the other sends.
    """
    from newsletter.pipeline.keeping import Given, move

    there, here = _with(target), _with(source)
    if there.database.url == here.database.url:
        raise InvalidInput("FROM and TO are the same database")
    with interruptible("TO is as it was; run it again"), progress("moving", "rows") as bar:
        given = Given(now=dt.datetime.now(dt.UTC), progress=bar)
        moved = move(here, there, operator=STATE.operator or here.operator, given=given)
    if json:
        aside = str(moved.keys_aside) if moved.keys_aside else None
        tallies = {name: tally.to_json() for name, tally in moved.poured.tallies.items()}
        print_json({"rows": moved.poured.rows, "tables": tallies, "keys": str(moved.keys), "keys_aside": aside})
        return
    say(f"{counted(moved.poured.rows, 'row', 'rows')} in {len(moved.poured.tallies)} tables: the same on both sides")
    for name, count in moved.poured.removed.items():
        say(f"{counted(count, 'character', 'characters')} of {name} left out that PostgreSQL cannot hold (NUL)")
    say(f"keys: {moved.keys}")
    if moved.keys_aside is not None:
        say(f"  other keys lay there: they are {moved.keys_aside} now")
    note(
        "\nSet NEWSLETTER_DATABASE__URL to the new address on every machine, copy the file of keys to each, start the\n"
        "processes, and put the old database away: nothing may be sent from it any more. See docs/backup.md."
    )


def _with(url: str) -> "Settings":
    """The settings over another database. Raises InvalidInput for what is no address of one."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        kind = make_url(url).get_backend_name()
    except ArgumentError:
        kind = ""
    if kind not in {"sqlite", "postgresql"}:
        hint = f"; did you mean sqlite:///{url}?" if Path(url).is_file() else ""
        raise InvalidInput(f"{url!r} is no address of a database: sqlite:///FILE or postgresql://USER@HOST/NAME{hint}")
    settings = STATE.settings()
    return settings.model_copy(update={"database": settings.database.model_copy(update={"url": url})})
