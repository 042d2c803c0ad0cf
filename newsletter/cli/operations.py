"""Commands for the administrator: create the database, see the settings, stop everything, explain one delivery."""

import datetime as dt

import typer

from newsletter.cli.output import JsonOption, note, print_json, print_table, say
from newsletter.cli.state import STATE, NewsletterOption


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(init)
    app.command()(settings)
    app.command()(halt)
    app.command()(explain)


def init() -> None:
    """Create the database, or migrate it to this version."""
    from newsletter.database import migrate, open_engine
    from newsletter.keeping.known_keys import ensured_keys

    settings = STATE.settings()
    engine = open_engine(settings.database.url)
    revision = migrate(engine)
    ensured_keys(engine, settings, now=dt.datetime.now(dt.UTC))
    say(f"database {engine.url.render_as_string()} is at revision {revision}")


def settings(json: bool = JsonOption) -> None:
    """Show what is configured, secrets hidden."""
    flat = dict(_flat(STATE.settings().model_dump(mode="json"), ""))
    if json:
        print_json(flat)
        return
    print_table(("setting", "value"), sorted(flat.items()))
    note("settings come from newsletter.toml and from the environment, which wins")


def _flat(data: object, path: str) -> list[tuple[str, object]]:
    if isinstance(data, dict):
        return [row for key, value in data.items() for row in _flat(value, f"{path}__{key}" if path else str(key))]
    return [(f"NEWSLETTER_{path.upper()}", data)]


def halt() -> None:
    """Pause every run at once."""
    stopped = STATE.pipeline().control.halt()
    say(
        f"paused: {', '.join(stopped)}; go on with `newsletter issue resume SLUG`"
        if stopped
        else "nothing was being sent"
    )


def explain(address: str, slug: str, newsletter: str = NewsletterOption, json: bool = JsonOption) -> None:
    """Tell the story of one delivery: did this person get the issue, in which language, what did the relay say."""
    story = STATE.pipeline().proof.explain(address, slug, newsletter=newsletter)
    if json:
        print_json(story.to_json())
    else:
        say("\n".join(story.lines))
