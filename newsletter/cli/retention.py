"""Commands about retention: what ends after its term, now or as the scheduler does it every day."""

import typer

from newsletter.cli.groups import group
from newsletter.cli.output import JsonOption, note, print_json, print_table, progress, say
from newsletter.cli.state import STATE, interruptible
from newsletter.times import rfc3339

app = group("Retention: what is erased when its term is over; the scheduler does it once a day.", no_args_is_help=True)


@app.command()
def run(
    dry_run: bool = typer.Option(False, "--dry-run", help="Only say what would end."), json: bool = JsonOption
) -> None:
    """End what has lasted for its term, as the settings have it."""
    retention = STATE.pipeline().retention
    if dry_run:
        ended = retention.preview()
    else:
        with interruptible("what was ended stays ended; the next run goes on"), progress("ending") as bar:
            ended = retention.run(progress=bar)
    if json:
        print_json([{"rule": each.rule, "before": each.before, "count": each.count} for each in ended])
        return
    print_table(
        ("rule", "from before", "number", "what"),
        [(each.rule, f"{each.before:%Y-%m-%d}", each.count, each.words) for each in ended],
    )
    if dry_run:
        note("nothing was changed")


@app.command()
def log(
    limit: int = typer.Option(50, min=1, max=10_000, help="How many lines at most."), json: bool = JsonOption
) -> None:
    """Show what retention has ended, the newest first."""
    entries = STATE.pipeline().retention.log(limit=limit)
    if json:
        print_json(
            [
                {
                    "at": entry.at,
                    "rule": entry.rule,
                    "before": entry.before,
                    "count": entry.count,
                    "operator": entry.operator,
                    "ended": entry.ended,
                }
                for entry in entries
            ]
        )
        return
    if not entries:
        say("retention has never run")
    print_table(
        ("when", "rule", "from before", "number", "who", ""),
        [
            (
                rfc3339(entry.at),
                entry.rule,
                f"{entry.before:%Y-%m-%d}",
                entry.count,
                entry.operator,
                "" if entry.ended else "broken off",
            )
            for entry in entries
        ],
    )
