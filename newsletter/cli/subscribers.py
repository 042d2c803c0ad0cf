"""Commands about subscribers: bring them in, look at them, let them go."""

import datetime as dt
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import typer

from newsletter.cli.groups import group
from newsletter.cli.imports import import_file, sync
from newsletter.cli.invitations import invite
from newsletter.cli.lists import (
    PAIRS,
    AfterOption,
    LimitOption,
    pairs,
    person_json,
    print_people,
)
from newsletter.cli.output import JsonOption, note, print_json, private, progress, say
from newsletter.cli.people import register
from newsletter.cli.report import counted
from newsletter.cli.state import STATE, interruptible
from newsletter.pipeline.parts import BY_HAND
from newsletter.pipeline.people import ExportFormat, Progress
from newsletter.pipeline.person import ConsentLine, Standing
from newsletter.times import rfc3339
from subscribers.importing.chunk import Verdict
from subscribers.models import ConsentAction

app = group("Subscribers: bring them in, look at them, let them go.", no_args_is_help=True)
app.command()(invite)

_ADDED = {
    Verdict.NEW: "added to {list}",
    Verdict.CHANGED: "was known already; changed, and a confirmed member of {list}",
    Verdict.UNCHANGED: "is a confirmed member of {list} already; nothing changed",
}

_CONSENT = {
    ConsentAction.SUBSCRIBED: "asked for",
    ConsentAction.CONFIRMED: "confirmed",
    ConsentAction.IMPORTED: "imported by an administrator into",
    ConsentAction.LEFT: "left",
    ConsentAction.LEFT_NEWSLETTER: "left the newsletter",
    ConsentAction.RESUBSCRIBED: "asked again for",
    ConsentAction.REMOVED: "taken off by an administrator from",
}


app.command("import")(import_file)
app.command("sync")(sync)


@app.command()
def add(
    address: str,
    facts: list[str] | None = typer.Argument(
        None, metavar=PAIRS, help="Fields, attributes, tags; like first_name=Ada."
    ),
    list_name: str = typer.Option(..., "--list", help="The list that the person becomes a confirmed member of."),
    language: str | None = typer.Option(None, help="Language tag, like fr or fr-BE."),
) -> None:
    """Put one person on a list, confirmed by your word as an administrator; the consent log says so."""
    given = pairs(facts or ()) | ({"language": language} if language is not None else {})
    verdict = STATE.pipeline().people.add(address, list_name=list_name, given=given)
    say(f"{address} {_ADDED[verdict].format(list=list_name)}")


@app.command()
def show(address: str, json: bool = JsonOption) -> None:
    """Show everything that is stored about a person."""
    standing = STATE.pipeline().people.show(address)
    if json:
        print_json(_standing_json(standing))
        return
    for line in _standing_lines(standing):
        say(line)


def _standing_json(standing: Standing) -> dict[str, object]:
    barred = standing.barred
    return person_json(standing.person) | {
        "lists": [
            {"list": name, "state": state.value, "changed": changed}
            for name, (state, changed) in standing.memberships.items()
        ],
        "departures": [{"newsletter": name, "at": at} for name, at in standing.departures.items()],
        "suppression": barred and {"reason": barred.reason.value, "note": barred.note, "since": barred.since},
        "consent": [
            {
                "at": line.at,
                "action": line.action.value,
                "list": line.list_name,
                "newsletter": line.newsletter,
                "source": line.source,
                "operator": line.operator,
                "proof": line.proof,
            }
            for line in standing.consent
        ],
    }


def _standing_lines(standing: Standing) -> Iterable[str]:
    person = standing.person
    yield person.address
    yield from (f"  {name} = {value}" for name, value in person.fields.items() if value)
    yield from (f"  {name} = {value}" for name, value in sorted(person.attributes.items()))
    if person.tags:
        yield f"  tags: {', '.join(person.tags)}"
    yield f"  added {_when(person.created)}, changed {_when(person.updated)}"
    for name, (state, changed) in standing.memberships.items():
        yield f"list {name}: {state.value} since {_when(changed)}"
    for name, at in standing.departures.items():
        yield f"left the newsletter {name} {_when(at)}"
    if standing.barred:
        yield f"must not be written to: {standing.barred.words}"
    yield from (f"{_when(line.at)} {_consent_words(line)}" for line in standing.consent)


def _when(instant: dt.datetime) -> str:
    return rfc3339(instant.replace(microsecond=0))


def _consent_words(line: ConsentLine) -> str:
    action = _CONSENT[line.action]
    if line.action is ConsentAction.IMPORTED and line.source in BY_HAND:
        action = "added by an administrator to"
    operator = f" ({line.operator})" if line.operator else ""
    proof = f": {line.proof}" if line.proof else ""
    return f"{action} {line.newsletter or line.list_name}{operator}{proof}"


@app.command("list")
def list_subscribers(
    segment: str | None = typer.Option(None, help="Only whom this segment means."),
    limit: int = LimitOption,
    after: str | None = AfterOption,
    json: bool = JsonOption,
) -> None:
    """List subscribers, page by page."""
    print_people(
        STATE.pipeline().people.page(limit=limit, after=after, segment=segment),
        json=json,
        limit=limit,
    )


@app.command()
def export(
    list_name: str | None = typer.Option(None, "--list", help="Only the confirmed members of this list."),
    segment: str | None = typer.Option(None, help="Only whom this segment means."),
    form: ExportFormat = typer.Option(ExportFormat.CSV, "--format", help="csv for spreadsheets, jsonl for programs."),
    output: Path | None = typer.Option(
        None, help="Write this file, readable only by you, instead of standard output (-)."
    ),
) -> None:
    """Export subscribers, with the columns that an import reads back."""
    people = STATE.pipeline().people

    def write(out: TextIO, bar: Progress) -> int:
        return people.export(out, form=form, list_name=list_name, segment=segment, progress=bar)

    if output is None or output == Path("-"):
        write(sys.stdout, lambda _done, _total: None)
        return
    with interruptible(f"{output} is incomplete"), private(output) as file, progress("exporting", "people") as bar:
        written = write(file, bar)
    note(f"{counted(written, 'person', 'people')} written to {output}")


register(app)
