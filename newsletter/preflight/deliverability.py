"""
Deliverability: what a spam filter makes of the message.

Takes compiled editions, yields findings by SpamAssassin where it is installed: its rules without network (`-L`), on the
sample message, which has no history (`-t`). Runs another program for a second per edition, so it is done only where
somebody asks for it. What a filter learns from DNS (SPF, DKIM, DMARC of the sender's domain) is asked by `newsletter
doctor`: it belongs to the relay, not to an issue.
"""

import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from shutil import which
from typing import Final

from newsletter.compilation.artifact import SAMPLE
from newsletter.compilation.message import render
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.finding import Finding, Names, Rule, Severity

PROGRAM: Final = "spamassassin"

SUSPICIOUS: Final = 1.0
"""Points: filters refuse at five, but a newsletter starts from nothing and meets rules that need the network, too."""

TIMEOUT: Final = 60.0
"""Seconds for one message, of which it takes one; the first run after an update compiles its rules."""

SPAM: Final = Rule(
    code="spam-score",
    severity=Severity.WARNING,
    message="SpamAssassin gives the {edition} edition {score} points, for {rules}; filters refuse at five.",
    hint="Look the rules up by their names: most of them are about words, pictures without text, or odd links.",
    outside=True,
)
HITS: Final = Rule(
    code="spam-rules",
    severity=Severity.NOTICE,
    message="SpamAssassin gives the {edition} edition {score} points, for {rules}.",
    hint="Below one point nothing has to be done.",
    outside=True,
)
SILENT: Final = Rule(
    code="spam-unknown",
    severity=Severity.NOTICE,
    message="SpamAssassin gave no answer about the {edition} edition.",
    hint="Run it yourself: `spamassassin -t -L -x` with the edition's .eml file.",
    outside=True,
)
RULES: Final = (SPAM, HITS, SILENT)

Filter = Callable[[bytes], str]
"""Takes a message, gives the filter's report; raises OSError or subprocess.SubprocessError where it cannot."""

_STATUS: Final = re.compile(r"^X-Spam-Status: (?:Yes|No), score=(-?[\d.]+)", re.MULTILINE)
_HIT: Final = re.compile(r"^\s*(-?\d+\.\d)\s+([A-Z][A-Z0-9_]+)\s", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the filter says: points, and the rules that gave any, the gravest first."""

    score: float
    rules: tuple[str, ...]


def installed() -> Filter | None:
    """SpamAssassin, where this machine has it."""
    path = which(PROGRAM)
    return None if path is None else lambda message: _run(path, message)


def check_spam(editions: Iterable[CompiledEdition], judge: Filter) -> Iterator[Finding]:
    """Show the sample message of each edition to a filter."""
    for given in editions:
        verdict = _verdict(judge, render(given.artifact.message, SAMPLE))
        if verdict is None:
            yield SILENT.found(edition=given.name)
        elif verdict.score > 0:
            rule = SPAM if verdict.score >= SUSPICIOUS else HITS
            yield rule.found(edition=given.name, score=verdict.score, rules=Names(verdict.rules))


def verdict_in(report: str) -> Verdict | None:
    """Read a report of SpamAssassin; None where it is none."""
    status = _STATUS.search(report)
    if status is None:
        return None
    hits = {name: float(points) for points, name in _HIT.findall(report) if float(points) > 0}
    return Verdict(score=float(status[1]), rules=tuple(sorted(hits, key=lambda name: (-hits[name], name))))


def _verdict(judge: Filter, message: bytes) -> Verdict | None:
    try:
        return verdict_in(judge(message))
    except (OSError, subprocess.SubprocessError):
        return None


def _run(path: str, message: bytes) -> str:
    done = subprocess.run(  # noqa: S603  a fixed command; the message goes in by its standard input
        [path, "-t", "-L", "-x"], input=message, capture_output=True, timeout=TIMEOUT, check=True
    )
    return done.stdout.decode("utf-8", "replace")
