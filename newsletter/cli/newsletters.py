"""Commands about newsletters: the series and its settings."""

import json as json_module
from typing import Any

import typer

from newsletter.cli.groups import group
from newsletter.cli.output import JsonOption, print_json, print_table, say
from newsletter.cli.state import STATE
from newsletter.errors import InvalidInput

app = group("Newsletters: the series and its settings.", no_args_is_help=True)


@app.command("list")
def list_newsletters(json: bool = JsonOption) -> None:
    """List all newsletters."""
    found = STATE.pipeline().entries.newsletters()
    if json:
        print_json([settings.model_dump(mode="json", by_alias=True) for settings in found])
        return
    print_table(
        ("newsletter", "languages", "time zone", "sender"),
        [(each.slug, " ".join(each.languages), each.timezone, each.sender.address) for each in found],
    )


@app.command()
def show(slug: str, json: bool = JsonOption) -> None:
    """Show a newsletter's settings."""
    data = STATE.pipeline().entries.newsletter(slug).model_dump(mode="json", by_alias=True)
    if json:
        print_json(data)
        return
    for path, value in _flat(data):
        say(f"{path} = {value}")


@app.command("set")
def set_newsletter(
    slug: str,
    changes: list[str] = typer.Argument(
        ..., metavar="KEY=VALUE...", help="Like fallback=omit or theme.accent=#0b5c8a."
    ),
) -> None:
    """Change settings; issues that were assembled already keep theirs."""
    for change in STATE.pipeline().entries.change_newsletter(slug, dict(map(_change, changes))):
        say(change)


def _change(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise InvalidInput(f"{text!r} is no KEY=VALUE; write for example timezone=Europe/Brussels")
    try:
        return key.strip(), json_module.loads(value)
    except ValueError:
        return key.strip(), value


def _flat(data: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(data, dict):
        return [row for key, value in data.items() for row in _flat(value, f"{path}.{key}" if path else key)]
    if isinstance(data, list) and any(isinstance(value, (dict, list)) for value in data):
        return [row for index, value in enumerate(data) for row in _flat(value, f"{path}[{index}]")]
    return [] if data in (None, [], "") else [(path, ", ".join(map(str, data)) if isinstance(data, list) else data)]
