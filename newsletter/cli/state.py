"""What the global options said, and the pipeline that commands call; made when the first command asks for it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from newsletter.logs import configure
from newsletter.process import process_name
from newsletter.settings import Settings, load

if TYPE_CHECKING:
    from newsletter.bootstrap import Pipeline

NewsletterOption = typer.Option(
    None, "--newsletter", help="Which newsletter; needed only where the name exists in more than one."
)
"""The option of every command that names an issue or an entry."""


class State:
    """One invocation of the command line."""

    def __init__(self) -> None:
        self.operator: str | None = None
        self.verbose = False

    def settings(self) -> Settings:
        """The settings, read now."""
        return load()

    def log(self) -> None:
        """Set up the log of a process that runs for long."""
        chosen = self.settings().log
        level = logging.getLevelNamesMapping()[chosen.level.upper()]
        configure(level, form=chosen.format, process=process_name())

    def pipeline(self, *, migrated: bool = True) -> "Pipeline":
        """The pipeline; raises DatabaseFault, saying what to do, unless the tables are migrated."""
        from newsletter.bootstrap import build

        return build(self.settings(), operator=self.operator, migrated=migrated)


STATE = State()
"""Filled by the root command before any other runs."""


@contextmanager
def interruptible(words: str) -> Iterator[None]:
    """Say what an interruption leaves behind, instead of a traceback."""
    try:
        yield
    except KeyboardInterrupt as error:
        typer.echo(f"interrupted: {words}", err=True)
        raise typer.Exit(130) from error
