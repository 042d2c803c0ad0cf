"""Commands about themes."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from newsletter.cli.groups import group
from newsletter.cli.output import JsonOption, print_json, print_table, progress, say
from newsletter.cli.report import counted
from newsletter.cli.state import STATE
from newsletter.compilation.theme import read_theme, theme_names
from newsletter.links import Links
from newsletter.pipeline.difficult import Case
from newsletter.preflight.finding import Severity

if TYPE_CHECKING:
    from newsletter.pipeline.themes import CaseReport, ThemeReport

app = group("Themes: the dress of the editions.", no_args_is_help=True)


@app.callback()
def themes() -> None:
    """Themes: the dress of the editions."""


@app.command("list")
def list_all(json: bool = JsonOption) -> None:
    """List the themes that an issue can wear."""
    found = [read_theme(name) for name in theme_names()]
    if json:
        print_json([{"name": theme.name, "title": theme.manifest.title, "folder": str(theme.path)} for theme in found])
        return
    print_table(
        ("theme", "title", "description"),
        [(theme.name, theme.manifest.title, theme.manifest.description) for theme in found],
    )


@app.command()
def check(
    folder: Path = typer.Argument(..., metavar="DIR", help="The folder of a theme; its name is the theme's name."),
    case: list[Case] = typer.Option(list(Case), help="Only this case; may be repeated."),
    notices: bool = typer.Option(False, "--notices", help="Print what is good to know, too."),
    json: bool = JsonOption,
) -> None:
    """
    Dress difficult content in a theme, compile it in every language and run preflight on it.

    Exit code 0: every edition compiles without an error of preflight; 1: something has to be mended.
    """
    from newsletter.pipeline.themes import check_theme

    settings = STATE.settings()
    with progress("compiling") as bar:
        links = Links(settings.public_url, settings.media_url)
        report = check_theme(folder.resolve(), links, cases=dict.fromkeys(case), progress=bar)
    if json:
        print_json(report.to_json())
    else:
        _print_report(report, notices=notices)
    raise typer.Exit(0 if report.sound else 1)


def _print_report(report: "ThemeReport", *, notices: bool) -> None:
    from newsletter.pipeline.themes import gathered

    if report.cases:
        languages = [trial.language for trial in report.cases[0].trials]
        print_table(("kB", *languages, "findings"), [_row(case) for case in report.cases], headed=True)
        say()
    for fault in report.faults:
        say(f"fault    {fault}")
    for words in report.unknown:
        say(f"warning  “{words}” is in no catalogue: it stays English in every edition")
    found = list(gathered(report))
    mild = [finding for finding, _ in found if finding.severity is Severity.NOTICE]
    for finding, places in found:
        if notices or finding not in mild:
            say(f"{finding.severity:8} {finding.code}: {finding.message()}")
            say(f"{'':8} in {_places(places, report)}")
    if mild and not notices:
        say(f"{counted(len(mild), 'notice', 'notices')}, of what some mail programs lack and the like: see --notices")
    say(_summary(report))


def _row(case: "CaseReport") -> tuple[str, ...]:
    sizes = ("fault" if trial.fault else f"{trial.size / 1000:.1f}" for trial in case.trials)
    severities = [each.severity.value for each in case.findings if each.severity is not Severity.NOTICE]
    kinds = (counted(severities.count(kind), kind, f"{kind}s") for kind in dict.fromkeys(severities))
    return case.case.value, *sizes, ", ".join(kinds)


def _places(places: Mapping[Case, tuple[str, ...]], report: "ThemeReport") -> str:
    languages = [{trial.language for trial in case.trials} for case in report.cases]
    everywhere = {case.case: tongues for case, tongues in zip(report.cases, languages, strict=True)}
    if {case: set(editions) for case, editions in places.items()} == everywhere:
        return "every edition"
    whole = [case for case, editions in places.items() if not editions or set(editions) == everywhere[case]]
    return ", ".join(
        case.value if case in whole else f"{case.value} ({', '.join(editions)})" for case, editions in places.items()
    )


def _summary(report: "ThemeReport") -> str:
    if not report.sound:
        return f"{report.name} has to be mended"
    editions = sum(len(case.trials) for case in report.cases)
    return f"{report.name} is sound: {counted(editions, 'edition', 'editions')} of difficult content compiled"
