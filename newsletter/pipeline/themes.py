"""
Whether a theme bears what may be asked of it.

Takes a theme's folder, wherever it lies; dresses the difficult issues in it, compiles each of their editions and runs
preflight on what came out; yields a `ThemeReport`. Promises to leave out what speaks of content rather than of the
theme, and to go on after a fault, so that one look shows all of them. Reads the folder and nothing else.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from newsletter.assembly.composition import build_edition
from newsletter.assembly.edition import Edition
from newsletter.assembly.facts import IssueFacts
from newsletter.compilation.compiler import compile_edition
from newsletter.compilation.templates import unknown_words
from newsletter.compilation.theme import MANIFEST, read_theme
from newsletter.content.fields import Key
from newsletter.errors import CompilationFailed, InvalidInput
from newsletter.links import Links
from newsletter.pipeline.difficult import Case, difficult_issues
from newsletter.preflight import audience, dates, inbox, languages
from newsletter.preflight import links as link_checks
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.finding import Finding, Severity
from newsletter.preflight.report import PreflightInput, Report, run
from newsletter.words import catalogue

Progress = Callable[[int, int], None]
"""Told after each edition how many of how many are done."""

OF_CONTENT: Final = frozenset(
    rule.code for family in (audience, dates, inbox, languages, link_checks) for rule in family.RULES
)
"""The codes of findings that no theme can cause or mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One edition of a difficult issue: the size of its largest message in octets, or why it could not be compiled."""

    language: str
    size: int = 0
    fault: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The trial as plain data; the size is None where there is none."""
        return {"language": self.language, "size": None if self.fault else self.size, "fault": self.fault}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReport:
    """What became of one difficult issue, in the order of its languages."""

    case: Case
    trials: tuple[Trial, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeReport:
    """
    What there is to say of a theme.

    `fault` is why its manifest or one of its templates cannot be read at all; `unknown` names the words it says that no
    catalogue has, so that they stay English in every edition.
    """

    name: str
    title: str = ""
    fault: str | None = None
    unknown: tuple[str, ...] = ()
    cases: tuple[CaseReport, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that kept an edition from being compiled, once each."""
        found = (trial.fault for case in self.cases for trial in case.trials)
        return tuple(dict.fromkeys(fault for fault in (self.fault, *found) if fault))

    @property
    def sound(self) -> bool:
        """Whether every edition was compiled and preflight found no error."""
        severities = {finding.severity for case in self.cases for finding in case.findings}
        return not self.faults and Severity.ERROR not in severities

    def to_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "theme": self.name,
            "title": self.title,
            "sound": self.sound,
            "fault": self.fault,
            "unknown_words": list(self.unknown),
            "cases": [
                {
                    "case": case.case.value,
                    "editions": [trial.to_json() for trial in case.trials],
                    **Report(findings=case.findings).to_json(),
                }
                for case in self.cases
            ],
        }


def check_theme(
    folder: Path,
    links: Links,
    *,
    cases: Iterable[Case] = tuple(Case),
    progress: Progress = lambda _done, _total: None,
) -> ThemeReport:
    """
    Dress difficult issues, those of `cases`, in the theme that lies in `folder`, and look at what comes out.

    Raises InvalidInput where `folder` holds no theme, or has a name that no newsletter could write.
    """
    name = _name(folder)
    try:
        theme = read_theme(name, folder=folder.parent)
        unknown = unknown_words(theme)
    except CompilationFailed as error:
        return ThemeReport(name=name, fault=str(error))
    tried = _tried(difficult_issues(name, cases), folder.parent, links=links, progress=progress)
    return ThemeReport(name=name, title=theme.manifest.title, unknown=unknown, cases=tuple(tried))


def _name(folder: Path) -> str:
    if not (folder / MANIFEST).is_file():
        raise InvalidInput(f"{folder} is no theme: it has no {MANIFEST}; docs/themes.md shows how to write one")
    try:
        return TypeAdapter(Key).validate_python(folder.name)
    except ValidationError as error:
        raise InvalidInput(
            f"the folder's name is the theme's name, in small letters and digits like `my-theme`; not {folder.name!r}"
        ) from error


def _tried(issues: dict[Case, IssueFacts], root: Path, *, links: Links, progress: Progress) -> Iterator[CaseReport]:
    total = sum(len(issue.settings.languages) for issue in issues.values())
    done = 0
    for case, issue in issues.items():
        trials, compiled = [], []
        for language in issue.settings.languages:
            edition = build_edition(issue, language=language, links=links, catalogue=catalogue(language))
            trial, made = _compiled(edition, root, links=links)
            trials.append(trial)
            compiled += made
            progress(done := done + 1, total)
        # With nothing taken for granted, mail programs are judged by what the theme itself uses.
        given = PreflightInput(issue=issue, editions=tuple(compiled), baseline=frozenset())
        findings = run(given).findings
        told = tuple(finding for finding in findings if finding.code not in OF_CONTENT)
        yield CaseReport(case=case, trials=tuple(trials), findings=told)


def _compiled(edition: Edition, root: Path, *, links: Links) -> tuple[Trial, list[CompiledEdition]]:
    try:
        artifact = compile_edition(edition, links=links, templates_dir=root)
    except CompilationFailed as error:
        return Trial(language=edition.language, fault=str(error)), []
    made = CompiledEdition(edition=edition, artifact=artifact)
    return Trial(language=edition.language, size=artifact.size), [made]


def gathered(report: ThemeReport) -> Iterator[tuple[Finding, dict[Case, tuple[str, ...]]]]:
    """
    Every finding once, the gravest first, with the editions of each case it was found in.

    No edition is named where the finding is on the issue as a whole.
    """
    found: dict[Finding, list[tuple[Case, Finding]]] = {}
    for case in report.cases:
        for finding in case.findings:
            found.setdefault(replace(finding, edition=""), []).append((case.case, finding))
    ranked = sorted(found.values(), key=lambda equal: tuple(Severity).index(equal[0][1].severity))
    for equal in ranked:
        places: dict[Case, tuple[str, ...]] = {}
        for case_, finding in equal:
            places[case_] = (*places.get(case_, ()), *([finding.edition] if finding.edition else []))
        yield equal[0][1], places
