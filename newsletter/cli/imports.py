"""Commands that bring many people in from a file, and keep a list as a membership system has it."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from types import FrameType
from typing import Any, Final

import typer

from newsletter.cli.invitations import invite_all, invited_words
from newsletter.cli.output import JsonOption, note, print_json, private, progress, say
from newsletter.cli.report import counted
from newsletter.cli.state import STATE, interruptible
from newsletter.errors import InvalidInput
from subscribers.importing import Elsewhere, ImportReport, Listeners, Manner
from subscribers.importing.report import line_writer
from subscribers.importing.source import STANDARD_INPUT, spooled
from subscribers.importing.sync import Bound, SyncReport

SHOWN: Final = 20
"""Problems of an import that are printed: a screenful."""

INTERRUPTED: Final = 130
"""Exit code after ^C, as shells have it."""

_STDIN = Path("-")

FileArgument = typer.Argument(
    ..., metavar="FILE", help="CSV or XLSX; the first line names columns. - reads standard input."
)
DryRunOption = typer.Option(False, "--dry-run", help="Only say what would happen, and why.")
MapOption = typer.Option(
    [], "--map", metavar="COL=FIELD", help="What a column is: a field, tags, an attribute, or - to leave it out."
)
SheetOption = typer.Option(None, help="Which sheet of a spreadsheet; by default the first that is not hidden.")
PeopleOption = typer.Option(
    None, help="How everybody in the file stands where it comes from, unless it says worse itself."
)
ReportOption = typer.Option(
    None, "--report", help="Write what became of every line into this CSV file, readable only by you."
)


def import_file(
    file: Path = FileArgument,
    list_name: str = typer.Option(..., "--list", help="The list that the people become confirmed members of."),
    pending: bool = typer.Option(False, "--pending", help="They confirm first: each new one gets a confirmation mail."),
    newsletter: str | None = typer.Option(
        None, "--newsletter", help="In whose name the confirmation mails go out, where there are several."
    ),
    dry_run: bool = DryRunOption,
    mapping: list[str] = MapOption,
    sheet: str | None = SheetOption,
    people: Elsewhere | None = PeopleOption,
    proof: str = typer.Option(
        "",
        "--with-consent-proof",
        metavar="TEXT",
        help="Subscribe again also who left, on the strength of this; it goes into the consent log of each.",
    ),
    report_file: Path | None = ReportOption,
    json: bool = JsonOption,
) -> None:
    """Import subscribers from a CSV or XLSX file; who left or is suppressed stays away."""
    imports = STATE.pipeline().people.imports
    with _surroundings(file, report_file, words="importing") as (path, listeners):
        manner = _manner(
            file, dry_run=dry_run, mapping=mapping, sheet=sheet, people=people, proof=proof, pending=pending
        )
        report = imports.take(path, list_name=list_name, manner=manner, listeners=listeners)
    invites = pending and not (dry_run or report.stopped)
    invited = invite_all(list_name, newsletter=newsletter) if invites else 0
    _tell_problems(file, report)
    if json:
        print_json(_import_json(report) | ({"invited": invited} if pending else {}))
    else:
        _tell_counts(report, dry_run=dry_run)
        if invites:
            say(invited_words(invited))
    _end_if_stopped(report)


def sync(
    file: Path = FileArgument,
    list_name: str = typer.Option(..., "--list", help="The list that is to have just the people in the file."),
    max_removals: str = typer.Option(
        "5%", metavar="N|N%", help="How many members may be taken off, as a number or a share; else nothing is done."
    ),
    dry_run: bool = DryRunOption,
    mapping: list[str] = MapOption,
    sheet: str | None = SheetOption,
    people: Elsewhere | None = PeopleOption,
    report_file: Path | None = ReportOption,
    json: bool = JsonOption,
) -> None:
    """Import a file and take off the list who is not in it; who left by themselves stays away."""
    imports = STATE.pipeline().people.imports
    bound = _bound(max_removals)
    with _surroundings(file, report_file, words="syncing") as (path, listeners):
        manner = _manner(file, dry_run=dry_run, mapping=mapping, sheet=sheet, people=people)
        report = imports.sync(path, list_name=list_name, bound=bound, manner=manner, listeners=listeners)
    _tell_problems(file, report.imported)
    if json:
        print_json(_sync_json(report))
    else:
        _tell_counts(report.imported, dry_run=dry_run, removed=report)
    _end_if_stopped(report.imported)


def _manner(
    file: Path,
    *,
    dry_run: bool,
    mapping: list[str],
    sheet: str | None,
    people: Elsewhere | None,
    proof: str = "",
    pending: bool = False,
) -> Manner:
    return Manner(
        dry_run=dry_run,
        pending=pending,
        mapping=dict(map(_mapped, mapping)),
        sheet=sheet,
        people=people,
        proof=proof,
        name=STANDARD_INPUT if file == _STDIN else None,
    )


def _mapped(text: str) -> tuple[str, str]:
    column, sign, field = text.rpartition("=")
    if not sign or not column.strip() or not field.strip():
        raise InvalidInput(f"--map {text!r}: write COLUMN=FIELD, for example --map 'Prénom=first_name'")
    return column, field


def _bound(text: str) -> Bound:
    number, percent, rest = text.strip().partition("%")
    try:
        if percent and not rest and 0 <= (share := Fraction(number.strip())) <= 100:  # noqa: PLR2004 - per cent
            return Bound(share / 100)
        if not percent and number.strip().isdecimal():
            return Bound(None, int(number))
    except (ValueError, ZeroDivisionError):
        pass
    raise InvalidInput(f"--max-removals {text!r}: write a number of members like 20, or a share like 5%")


@contextmanager
def _surroundings(file: Path, report_file: Path | None, *, words: str) -> Iterator[tuple[Path, Listeners]]:
    """Everything around an import: standard input, the report by line, the bar, and ^C between two chunks."""
    with ExitStack() as stack:
        path = stack.enter_context(spooled(sys.stdin.buffer)) if file == _STDIN else file
        lines = None if report_file is None else line_writer(stack.enter_context(private(report_file)))
        bar = stack.enter_context(progress(words, "rows"))
        stopping = stack.enter_context(_between_chunks())
        stack.enter_context(interruptible("what was stored stays; give the same command again to go on"))
        yield path, Listeners(progress=bar, lines=lines, stopping=stopping)


@contextmanager
def _between_chunks() -> Iterator[Callable[[], bool]]:
    """Have the first ^C end the work at the next seam, and a second one at once; yields whether there was one."""
    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


def _end_if_stopped(report: ImportReport) -> None:
    if report.stopped:
        note(f"interrupted after {report.rows:,} rows: what was stored stays; give the same command again to go on")
        raise typer.Exit(INTERRUPTED)


def _tell_problems(file: Path, report: ImportReport) -> None:
    if report.origin:
        note(f"{file}: an export of {report.origin}")
    for doubt in report.doubts:
        note(f"{file}: {doubt}")
    for problem in report.problems[:SHOWN]:
        column = f" {problem.column}:" if problem.column else ""
        note(f"{file}:{problem.line}:{column} {problem.words}")
    more = report.reasons.total() - SHOWN
    if more > 0:
        note(f"and {more:,} more")


def _tell_counts(report: ImportReport, *, dry_run: bool, removed: SyncReport | None = None) -> None:
    words = ", ".join(f"{count:,} {name}" for name, count in report.counts().items() if name != "rows")
    say(f"{counted(report.rows, 'row', 'rows')}: {words}")
    if dry_run:
        for reason, count in sorted(report.reasons.items()):
            say(f"  {reason.replace('_', ' ')}: {count:,}")
    if report.returned:
        say(f"{counted(report.returned, 'person', 'people')} who had left came back on the strength of the proof")
    if removed is not None:
        say(f"{removed.removed:,} of {counted(removed.members, 'member', 'members')} not in the file, taken off")
    if dry_run:
        say("nothing was stored")


def _import_json(report: ImportReport) -> dict[str, Any]:
    layout = report.layout
    return report.counts() | {
        "returned": report.returned,
        "reasons": {reason.value: count for reason, count in sorted(report.reasons.items())},
        "file": {
            "format": layout.form,
            "encoding": layout.encoding or None,
            "assumed": layout.assumed,
            "delimiter": layout.delimiter or None,
            "sheet": layout.sheet or None,
            "origin": report.origin or None,
        },
        "doubts": report.doubts,
        "stopped": report.stopped,
    }


def _sync_json(report: SyncReport) -> dict[str, Any]:
    return _import_json(report.imported) | {"members": report.members, "removed": report.removed}
