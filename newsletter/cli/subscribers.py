"""Commands about subscribers: bring them in, look at them, let them go."""

import datetime as dt
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TextIO

import typer

from newsletter.cli.groups import group
from newsletter.cli.lists import (
    PAIRS,
    AfterOption,
    LimitOption,
    YesOption,
    agree,
    pairs,
    person_json,
    print_people,
)
from newsletter.cli.output import JsonOption, note, print_json, progress, say
from newsletter.cli.report import counted
from newsletter.cli.state import STATE, interruptible
from newsletter.errors import InvalidInput
from newsletter.pipeline.people import SOURCE, ExportFormat, Progress, Stopped
from newsletter.pipeline.person import ConsentLine, Standing
from newsletter.times import rfc3339
from subscribers.importing import ImportReport
from subscribers.importing.chunk import Verdict
from subscribers.models import ConsentAction

app = group("Subscribers: bring them in, look at them, let them go.", no_args_is_help=True)

SHOWN: Final = 20
"""Problems of an import that are printed: a screenful."""

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


@app.command("import")
def import_file(
    file: Path = typer.Argument(
        ..., metavar="FILE", help="CSV, as spreadsheets write it; the first line names columns."
    ),
    list_name: str = typer.Option(..., "--list", help="The list that the people become confirmed members of."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Only say what would happen."),
    mapping: list[str] = typer.Option(
        [], "--map", metavar="COL=FIELD", help="What a column is: a field, tags, an attribute, or - to leave it out."
    ),
    json: bool = JsonOption,
) -> None:
    """Import subscribers from a CSV file; who left or is suppressed stays away."""
    people = STATE.pipeline().people
    with interruptible("what was imported stays; import the file again to go on"), progress("importing") as bar:
        report = people.import_file(
            file, list_name=list_name, dry_run=dry_run, mapping=dict(map(_mapped, mapping)), progress=bar
        )
    _report_problems(file, report)
    if json:
        print_json(report.counts())
        return
    words = ", ".join(f"{count:,} {name}" for name, count in report.counts().items() if name != "rows")
    say(f"{counted(report.rows, 'row', 'rows')}: {words}")
    if dry_run:
        say("nothing was stored")


def _mapped(text: str) -> tuple[str, str]:
    column, sign, field = text.rpartition("=")
    if not sign or not column.strip() or not field.strip():
        raise InvalidInput(f"--map {text!r}: write COLUMN=FIELD, for example --map 'Prénom=first_name'")
    return column, field


def _report_problems(file: Path, report: ImportReport) -> None:
    for problem in report.problems[:SHOWN]:
        column = f" {problem.column}:" if problem.column else ""
        note(f"{file}:{problem.line}:{column} {problem.reason}")
    if len(report.problems) > SHOWN:
        note(f"and {len(report.problems) - SHOWN:,} more")


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


@app.command("set")
def set_subscriber(
    address: str,
    facts: list[str] = typer.Argument(
        ..., metavar=PAIRS, help="Like language=fr, city=Ghent, population=12000, 'tags=press;mayor'; empty clears."
    ),
) -> None:
    """Change fields and attributes of a person; tags=... replaces all tags."""
    changed = STATE.pipeline().people.change(address, pairs(facts))
    say(f"{address}: {', '.join(changed)} changed" if changed else f"{address}: nothing changed")


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
    if line.action is ConsentAction.IMPORTED and line.source == SOURCE:
        action = "added by an administrator to"
    operator = f" ({line.operator})" if line.operator else ""
    return f"{action} {line.newsletter or line.list_name}{operator}"


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
    output: Path | None = typer.Option(None, help="Write this file, readable only by you, instead of standard output."),
) -> None:
    """Export subscribers, with the columns that an import reads back."""
    people = STATE.pipeline().people

    def write(out: TextIO, bar: Progress) -> int:
        return people.export(out, form=form, list_name=list_name, segment=segment, progress=bar)

    if output is None:
        write(sys.stdout, lambda _done, _total: None)
        return
    with interruptible(f"{output} is incomplete"), _private(output) as file, progress("exporting") as bar:
        written = write(file, bar)
    note(f"{counted(written, 'person', 'people')} written to {output}")


def _private(path: Path) -> TextIO:
    """Open a file of personal data for writing; a new one may be read by its owner only."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}") from error
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")


@app.command()
def unsubscribe(
    address: str,
    newsletter: str | None = typer.Option(None, "--newsletter", help="Leave this newsletter."),
    list_name: str | None = typer.Option(None, "--list", help="Leave this list."),
) -> None:
    """Let a person leave a newsletter, a list, or without both options everything; effective at once."""
    done = STATE.pipeline().people.unsubscribe(address, newsletter=newsletter, list_name=list_name)
    left = " and ".join(
        f"{kind} {name}" for kind, name in (("the newsletter", newsletter), ("the list", list_name)) if name
    )
    what = left or "every list and newsletter"
    say(f"{address} {'has left' if done.changed else 'had left'} {what}{_stopped_words(done)}")


@app.command()
def suppress(
    address: str,
    why: str = typer.Option("", "--note", help="Why, for those who ask later; an address in it is masked."),
) -> None:
    """Never write to an address again, whoever it belongs to."""
    done = STATE.pipeline().people.suppress(address, note=why)
    say(f"{address} {'is suppressed' if done.changed else 'was suppressed already'}{_stopped_words(done)}")


@app.command()
def unsuppress(address: str) -> None:
    """Lift the suppression of an address, whatever its reason; lists that were left stay left."""
    lifted = STATE.pipeline().people.unsuppress(address)
    say(f"{address} {'may be written to again' if lifted else 'was not suppressed'}")


@app.command()
def erase(address: str, yes: bool = YesOption) -> None:
    """Forget a person; only a keyed digest stays, so that no import brings them back."""
    agree(f"Erase everything about {address}? This cannot be undone.", yes=yes)
    done = STATE.pipeline().people.erase(address)
    known = "erased" if done.changed else "was not known; no import brings it now"
    say(f"{address} {known}{_stopped_words(done)}")


def _stopped_words(done: Stopped) -> str:
    return f"; {counted(done.deliveries, 'delivery', 'deliveries')} stopped" if done.deliveries else ""
