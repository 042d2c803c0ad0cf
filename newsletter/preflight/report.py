"""
The report: every family of checks folded into one list, and what it means for approval.

Takes an issue with its compiled editions and, where a segment is named, the counts of its audience; yields a `Report`.
Promises the same report for the same input, in the same order: severity, edition, code, place. Equal findings of the
variants of a language are one, and so are equal findings of several languages where they are about the same words.

A new family is a module with `RULES` and `check`; it is named here and explained in `docs/preflight.md`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Final

from newsletter.assembly.facts import IssueFacts
from newsletter.preflight import (
    accessibility,
    audience,
    clients,
    contrast,
    dates,
    deliverability,
    domains,
    entries,
    inbox,
    languages,
    links,
    markup,
    message,
    mime,
    pictures,
    reach,
    sender,
    weight,
)
from newsletter.preflight.audience import AudienceCounts
from newsletter.preflight.client_facts import ClientFacts, own_facts
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.finding import Finding, Rule, Severity
from newsletter.words import ENGLISH

FAMILIES: Final = (links, dates, languages, inbox, message, mime, markup, accessibility, contrast, weight)
"""The checks on each edition that need nothing but the edition and its issue."""

_OTHERS: Final = (entries, sender, clients, pictures, audience, reach, deliverability, domains)

RULES: Final[tuple[Rule, ...]] = tuple(rule for family in (*FAMILIES, *_OTHERS) for rule in family.RULES)
"""Everything that can be found."""

_ORDER: Final = tuple(Severity)


class Verdict(IntEnum):
    """What a report means, as the exit code of `newsletter issue preflight`."""

    #: The issue may be approved.
    CLEAR = 0
    #: Errors have to be fixed.
    ERRORS = 3
    #: Warnings have to be fixed or waived.
    UNDECIDED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightInput:
    """
    What is checked: every edition and variant of an issue.

    `audience` is None where no segment is named. `baseline` is the signs of the theme's own features (see `baseline`);
    without it mail programs are judged by pictures alone. `client_facts` are those of our own table where it is None.
    `picture_sizes` has the octets of stored pictures by name, as far as they are known. `signing` names the domains
    whose keys sign what is sent (A-labels), none where nothing is signed.
    """

    issue: IssueFacts
    editions: tuple[CompiledEdition, ...]
    audience: AudienceCounts | None = None
    baseline: frozenset[str] | None = None
    client_facts: ClientFacts | None = None
    picture_sizes: Mapping[str, int] = field(default_factory=dict)
    signing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    All findings on an issue, in order.

    `waived` stands in each method for the fingerprints of the findings that an operator accepted with a reason.
    """

    findings: tuple[Finding, ...]

    def standing(self, waived: Collection[str] = ()) -> tuple[Finding, ...]:
        """
        The findings that stand in the way of approval: errors, and warnings that nobody waived.

        What was found outside the program is none of them: it changes from day to day, and the issue with it would.
        """
        return tuple(
            finding
            for finding in self.findings
            if not finding.rule.outside
            and (
                finding.severity is Severity.ERROR
                or (finding.severity is Severity.WARNING and finding.fingerprint not in waived)
            )
        )

    def verdict(self, waived: Collection[str] = ()) -> Verdict:
        """Whether the issue may be approved."""
        severities = {finding.severity for finding in self.standing(waived)}
        if Severity.ERROR in severities:
            return Verdict.ERRORS
        return Verdict.UNDECIDED if severities else Verdict.CLEAR

    def to_json(self, waived: Collection[str] = (), *, language: str = ENGLISH) -> dict[str, Any]:
        """The report as plain data, its sentences in `language`."""
        return {"findings": [_plain(finding, waived, language=language) for finding in self.findings]}


def run(given: PreflightInput, *, outside: Iterable[Finding] = ()) -> Report:
    """Check an issue; `outside` is what was found outside the program (see `outside`), which the report takes in."""
    found = _merged((*_all(given), *outside))
    return Report(findings=tuple(sorted(found, key=_rank)))


def _all(given: PreflightInput) -> Iterator[Finding]:
    yield from dates.check_issue(given.issue)
    yield from entries.check_entries(given.issue)
    yield from sender.check_sender(given.issue, signing=given.signing)
    if given.audience is not None:
        yield from audience.check_audience(given.audience, given.issue)
    for edition in given.editions:
        for family in FAMILIES:
            yield from family.check(edition, given.issue)
        yield from clients.check_clients(edition, facts=given.client_facts or own_facts(), baseline=given.baseline)
        yield from pictures.check_pictures(edition, given.issue, sizes=given.picture_sizes)


def _merged(findings: Iterable[Finding]) -> Iterator[Finding]:
    editions: dict[Finding, set[str]] = {}
    for finding in findings:
        editions.setdefault(replace(finding, edition=""), set()).add(finding.edition)
    for finding, names in editions.items():
        by_language: dict[str, list[str]] = {}
        for name in sorted(names):
            by_language.setdefault(name.partition(".")[0], []).append(name)
        if finding.rule.shared and len(by_language) > 1:
            yield finding
            continue
        # Of a language's variants the plain edition comes first, being the shortest name.
        yield from (replace(finding, edition=variants[0]) for variants in by_language.values())


def _rank(finding: Finding) -> tuple[int, str, str, str, str]:
    severity = _ORDER.index(finding.severity)
    return severity, finding.edition, finding.code, finding.place, finding.fingerprint


def _plain(finding: Finding, waived: Collection[str], *, language: str) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "edition": finding.edition,
        "place": finding.place,
        "message": finding.message(language),
        "hint": finding.hint(language),
        "waived": finding.severity is Severity.WARNING and finding.fingerprint in waived,
    }
