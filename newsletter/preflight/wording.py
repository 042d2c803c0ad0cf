"""
A report in words, as officers read it on a terminal.

Takes a report and its waivers, yields lines of at most 80 columns in the operator's language: edition by edition, in
each the gravest first; every finding with its place, then once for its kind what to do. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from textwrap import wrap
from typing import Final

from newsletter.preflight.finding import DOMAIN, Finding, Severity, Waiver, edition_words
from newsletter.preflight.report import Report
from newsletter.times import day_words
from newsletter.words import ENGLISH, Catalogue, catalogue

WIDTH: Final = 80
"""Columns: what every terminal has."""

WHOLE: Final = "The whole issue"
EDITION: Final = "The {edition} edition"
OUTSIDE: Final = "Outside the program, and not in the way of approval"
SEVERITIES: Final = {Severity.ERROR: "to fix", Severity.WARNING: "to decide", Severity.NOTICE: "to know"}
ACCEPTED: Final = "accepted"
BY: Final = "accepted by {operator} on {day}: {reason}"
TO_FIX: Final = "{n} to fix", "{n} to fix"
TO_DECIDE: Final = "{n} to fix or waive", "{n} to fix or waive"
BOTH: Final = "{first} and {second}"
CLEAR: Final = "nothing stands in the way of approval"

PARTS: Final = ("masthead", "subject", "preheader", "intro", "footer", "sender")
"""Places that are a part of the issue; others are keys."""

WORDS: Final[tuple[tuple[str, ...], ...]] = (
    *((words,) for words in (WHOLE, EDITION, OUTSIDE, *SEVERITIES.values(), ACCEPTED, BY, BOTH, CLEAR, *PARTS)),
    TO_FIX,
    TO_DECIDE,
)
"""All of them, for the catalogues: the form for one, and that for several where there is one."""

_Group = tuple[str, str]


def report_lines(report: Report, waivers: Mapping[str, Waiver], *, language: str = ENGLISH) -> Iterator[str]:
    """Tell a report; `waivers` has those that were accepted, by fingerprint. Ends with what it means for approval."""
    words = catalogue(language, DOMAIN)
    ordered = sorted(report.findings, key=lambda finding: (finding.rule.outside, finding.edition))
    for (is_outside, edition), found in groupby(ordered, lambda finding: (finding.rule.outside, finding.edition)):
        yield _heading(edition, words, is_outside=is_outside)
        listed = list(found)
        # Kinds come in the order in which the report, which has the gravest first, meets them.
        kinds = dict.fromkeys(_kind(finding, waivers) for finding in listed)
        for kind in kinds:
            yield from _told([each for each in listed if _kind(each, waivers) == kind], waivers, words)
        yield ""
    yield verdict_words(report, waivers, language=language)


def verdict_words(report: Report, waived: Iterable[str] = (), *, language: str = ENGLISH) -> str:
    """One line: what stands in the way of approval, or that nothing does."""
    words = catalogue(language, DOMAIN)
    severities = [finding.severity for finding in report.standing(frozenset(waived))]
    errors, warnings = severities.count(Severity.ERROR), severities.count(Severity.WARNING)
    if errors and warnings:
        return words.say(BOTH, first=words.say_n(*TO_FIX, errors), second=words.say_n(*TO_DECIDE, warnings))
    if errors:
        return words.say_n(*TO_FIX, errors)
    return words.say_n(*TO_DECIDE, warnings) if warnings else words.say(CLEAR)


def _heading(edition: str, words: Catalogue, *, is_outside: bool) -> str:
    if is_outside:
        where = f" ({edition_words(edition, words.language)})" if edition else ""
        return words.say(OUTSIDE) + where
    return words.say(EDITION, edition=edition_words(edition, words.language)) if edition else words.say(WHOLE)


def _kind(finding: Finding, waivers: Mapping[str, Waiver]) -> _Group:
    if finding.severity is Severity.WARNING and finding.fingerprint in waivers:
        return ACCEPTED, finding.code
    return SEVERITIES[finding.severity], finding.code


def _told(findings: list[Finding], waivers: Mapping[str, Waiver], words: Catalogue) -> Iterator[str]:
    """Findings of one kind: what is to be done with them and their code, each of them, what to do."""
    label, code = _kind(findings[0], waivers)
    yield f"  {words.say(label)} ({code})"
    for finding in findings:
        said = words.say(finding.place) if finding.place in PARTS else finding.place
        message = finding.message(words.language)
        yield from _wrapped(f"{said} – {message}" if said else message, bullet="    - ")
        if label == ACCEPTED:
            yield from _wrapped(_by(waivers[finding.fingerprint], words), bullet="      ")
    if label != ACCEPTED:
        yield from _wrapped(findings[0].hint(words.language), bullet="    > ")


def _by(waiver: Waiver, words: Catalogue) -> str:
    locale = "en-GB" if words.language == ENGLISH else words.language
    return words.say(BY, operator=waiver.operator, day=day_words(waiver.at.date(), locale=locale), reason=waiver.reason)


def _wrapped(text: str, *, bullet: str) -> list[str]:
    # An address is not broken: it is longer than a line, or it fits the next one whole.
    return wrap(
        text,
        WIDTH,
        initial_indent=bullet,
        subsequent_indent=" " * len(bullet),
        break_long_words=False,
        break_on_hyphens=False,
    )
