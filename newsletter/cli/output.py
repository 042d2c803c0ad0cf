"""
What the command line prints: tables for people, JSON for programs, progress bars on a terminal.

JSON has instants as RFC 3339 in UTC and goes to standard output alone, so that it can be piped; everything that is
only for the eye goes to standard error.
"""

import datetime as dt
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import typer

from newsletter.errors import InvalidInput
from newsletter.times import rfc3339

JsonOption = typer.Option(False, "--json", help="Print JSON instead of words.")
"""The option of every command that prints data."""


def say(text: str = "") -> None:
    """Print a line of words."""
    typer.echo(text)


def note(text: str) -> None:
    """Print a line for the eye only, on standard error."""
    typer.echo(text, err=True)


def print_json(data: Any) -> None:
    """Print data as JSON, instants as RFC 3339 in UTC."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return rfc3339(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, (set, frozenset, tuple)):
        return sorted(value) if isinstance(value, (set, frozenset)) else list(value)
    return str(value)


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, headed: bool = False) -> None:
    """
    Print rows under headings, as wide as the terminal; as tab-separated lines where there is none.

    Those have headings too only where the rows cannot be understood without (`headed`).
    """
    listed = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in (headings, *listed) if headed else listed:
            typer.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*headings, header_style="bold", box=None, pad_edge=False)
    for row in listed:
        table.add_row(*map(escape, row))
    Console().print(table)


def private(path: Path) -> TextIO:
    """Open a file of personal data for writing; a new one may be read by its owner only."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}") from error
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")


@contextmanager
def progress(words: str, unit: str = "") -> Iterator[Callable[[int, int], None]]:
    """A progress bar for anything that may take longer than two seconds; only on a terminal; `unit` tells the speed."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        """How many there are in a second."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f} {unit}/s" if unit and task.speed else "")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Speed(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
