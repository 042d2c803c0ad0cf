"""Commands as pages and examples name them, and whether the program knows them with those options."""

import re
import shlex
from collections.abc import Iterator

import typer

from newsletter.cli.application import app

SPAN = re.compile(r"`(newsletter [^`]+)`")
BLOCK = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands_in(page: str) -> Iterator[list[str]]:
    """Every command of a page, in a sentence or in a block, in words."""
    for block in BLOCK.findall(page):
        for line in block.splitlines():
            if line.startswith("newsletter "):
                yield shlex.split(line)[1:]
    for span in SPAN.findall(BLOCK.sub("", page)):
        yield shlex.split(" ".join(span.split()))[1:]


def fault_of(words: list[str]) -> str:
    """What the program would not understand of a command, or ""."""
    command = typer.main.get_command(app)
    rest = list(words)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        if name not in command.commands:
            if getattr(command, "invoke_without_command", False):
                break
            return f"there is no command {name!r} in {' '.join(words)!r}"
        command = command.commands[name]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    wrong = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known]
    return f"{' '.join(words)!r} does not know {', '.join(wrong)}" if wrong else ""
