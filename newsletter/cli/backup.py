"""The command that makes a backup: one file, or a stream for another program; and that looks whether one is whole."""

import datetime as dt
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import typer

from newsletter.cli.groups import group
from newsletter.cli.output import JsonOption, note, print_json, progress, say
from newsletter.cli.state import STATE, interruptible
from newsletter.errors import InvalidInput
from newsletter.files import safe, sync

STREAM: Final = "-"
"""What stands for standard output, and for standard input where a backup is read."""

FileArgument = typer.Argument(..., metavar="FILE", help="Such as 2026-12-01.backup; - is the standard stream.")
"""The argument of both commands."""

app = group()


@app.command()
def backup(
    file: str = FileArgument,
    check: bool = typer.Option(False, "--check", help="Make none: read FILE to its end and say whether it is whole."),
    json: bool = JsonOption,
) -> None:
    """
    Make a backup of the database and its keys, in one file, while everything goes on working.

    It has everything that this installation knows: people, issues, pictures, deliveries, the audit log, the keys with
    which links and digests are made. newsletter.toml and keys for DKIM are not in it: keep those as you keep passwords.
    Either kind of database takes it back: `newsletter restore FILE`.

    The file is for your eyes only, and is written under another name first: what bears its name is whole. To encrypt
    it, write it into a program that does: newsletter backup - | age -r KEY > FILE
    """
    if check:
        _check(file, json=json)
        return
    from newsletter.pipeline.keeping import back_up, note_backup

    if file == STREAM and (json or sys.stdout.isatty()):
        raise InvalidInput("with - the backup itself goes to standard output: pipe it into a program, without --json")
    settings, now = STATE.settings(), dt.datetime.now(dt.UTC)
    with interruptible("there is no backup; run it again"), _written(file) as stream:
        with progress("backing up", "rows") as bar:
            head = back_up(settings, stream, now=now, progress=bar)
        octets = stream.octets
    note_backup(settings, head, octets=octets, operator=STATE.operator or settings.operator)
    if json:
        print_json({"file": file, "at": head.at, "revision": head.shape.revision, "rows": head.rows, "octets": octets})
        return
    words = f"{head.rows:,} rows and the keys in {octets / 1e6:,.1f} MB, as they stood at {head.at}"
    note(words) if file == STREAM else say(f"{file}: {words}")


class _Measured:
    """A stream that is written, and how much went into it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.octets = 0

    def write(self, content: bytes) -> int:
        self.octets += len(content)
        return self._stream.write(content)

    def flush(self) -> None:
        self._stream.flush()


@contextmanager
def _written(file: str) -> Iterator[_Measured]:
    """A stream that is FILE in the end, or nothing."""
    if file == STREAM:
        yield _Measured(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    path = Path(file)
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder: give the backup a name, such as {path / '2026-12-01.backup'}")
    if path.exists():
        raise InvalidInput(f"{path} is there already: give the backup another name")
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with safe(draft) as opened:
            yield _Measured(opened)
        os.link(draft, path)  # which overwrites nothing
    finally:
        draft.unlink(missing_ok=True)
    sync(path.parent)


@contextmanager
def opened(file: str) -> Iterator[IO[bytes]]:
    """FILE, or standard input, to be read. Raises InvalidInput where there is none."""
    if file == STREAM:
        yield sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as stream:
            yield stream
    except (FileNotFoundError, IsADirectoryError) as error:
        raise InvalidInput(f"there is no backup at {file}") from error


def _check(file: str, *, json: bool) -> None:
    from newsletter.pipeline.keeping import look_at

    with interruptible("nothing was changed"), opened(file) as stream, progress("reading", "rows") as bar:
        head = look_at(stream, name=file, progress=bar)
    if json:
        at, revision = head.at, head.shape.revision
        print_json({"file": file, "whole": True, "at": at, "revision": revision, "rows": head.rows})
        return
    say(f"{file} is whole: {head.rows:,} rows and the keys, as they stood at {head.at} (version {head.program})")
