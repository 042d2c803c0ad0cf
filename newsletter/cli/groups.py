"""
Groups of commands that are imported when one of them is asked for, so that every command starts fast.

`newsletter dispatch` has no need of what reads packs or tables of readers.
"""

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

GROUPS: Final = {
    "newsletters": "newsletters",
    "content": "content",
    "issue": "issue",
    "subscribers": "subscribers",
    "lists": "lists",
    "segments": "segments",
    "tags": "tags",
    "operators": "operators",
    "retention": "retention",
    "feedback": "feedback",
    "theme": "themes",
    "backup": "backup",
    "restore": "restore",
    "database": "database",
    "keys": "keys",
    "doctor": "doctor",
    "demo": "demo",
    "web": "web",
    "ready": "ready",
    "worker": "worker",
    "workers": "workers",
}
"""The groups (and some commands), and the module of each beneath `newsletter.cli`, which has its commands as `app`."""


def group(words: str | None = None, **named: Any) -> typer.Typer:
    """Make a group as the root is: its help in plain text, and no options that are the shell's concern."""
    return typer.Typer(help=words, add_completion=False, rich_markup_mode=None, **named)


class Commands(TyperGroup):
    """The root of the command line."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self.commands = _Shelf({**GROUPS, **self.commands})


class _Shelf(MutableMapping[str, Any]):
    """Commands by name; a group stands there as the name of its module until it is taken."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content

    def __getitem__(self, name: str) -> Any:
        found = self._content[name]
        if isinstance(found, str):
            found = typer.main.get_command(import_module(f"newsletter.cli.{found}").app)
            found.name = name
            self._content[name] = found
        return found

    def __setitem__(self, name: str, command: Any) -> None:
        self._content[name] = command

    def __delitem__(self, name: str) -> None:
        del self._content[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)
