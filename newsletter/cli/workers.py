"""The table of those who send: which workers live, since when, and what they have."""

from dataclasses import asdict

from newsletter.cli.groups import group
from newsletter.cli.output import JsonOption, note, print_json, print_table
from newsletter.cli.report import counted
from newsletter.cli.state import STATE
from newsletter.times import rfc3339

app = group()

HEADINGS = ("worker", "since", "heard of", "connections", "claimed", "on the wire", "")


@app.command()
def workers(json: bool = JsonOption) -> None:
    """
    Show which workers and dispatchers live, since when, and what they have claimed.

    One that was not heard of for 8 seconds is silent: the others take over what it has. Shards are pieces of runs that
    are handed out to workers; where none are left, what remains is sent all the same.
    """
    from newsletter.pipeline.crew import crew_of

    crew = crew_of(STATE.pipeline().parts)
    if json:
        print_json(asdict(crew))
        return
    rows = [
        (
            hand.name,
            rfc3339(hand.started),
            rfc3339(hand.heartbeat),
            hand.connections,
            hand.claimed,
            hand.sending,
            "silent" if hand.is_silent else "",
        )
        for hand in crew.hands
    ]
    print_table(HEADINGS, rows, headed=True)
    if not rows:
        note("nobody is at work: start `newsletter run`")
    if crew.waiting is not None:
        note(f"{counted(crew.waiting, 'shard', 'shards')} of runs waiting, {crew.at_work} at work")
