"""Every query of preflight. Takes a session, never commits."""

import datetime as dt
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final

from sqlmodel import Session, col, select

from newsletter.errors import InvalidInput, NotFound, WrongState
from newsletter.preflight.finding import Finding, Severity
from newsletter.preflight.models import WaiverRow

LONGEST_REASON: Final = 1000
"""Characters: a reason is a sentence or two."""


def waive(
    session: Session,
    issue_id: int,
    *,
    findings: Iterable[Finding],
    code: str,
    reason: str,
    operator: str,
    now: dt.datetime,
) -> Sequence[Finding]:
    """
    Accept all `findings` of an issue that have `code`, which must be warnings; returns them.

    A finding that was waived before keeps one waiver, with the new reason. Raises NotFound where no finding has the
    code, WrongState where they are errors, which can only be fixed, or notices, which need no waiver, and InvalidInput
    for a reason that is empty or too long.
    """
    accepted = _found(findings, code)
    words = _reason(reason)
    known = {row.fingerprint: row for row in _rows(session, issue_id)}
    for finding in accepted:
        row = known.get(finding.fingerprint) or WaiverRow(
            issue_id=issue_id, code=code, fingerprint=finding.fingerprint, reason=words, operator=operator, at=now
        )
        row.reason, row.operator, row.at = words, operator, now
        session.add(row)
    session.flush()
    return accepted


def waived(session: Session, issue_id: int) -> frozenset[str]:
    """The fingerprints of the findings that were waived for an issue."""
    return frozenset(row.fingerprint for row in _rows(session, issue_id))


def waivers(session: Session, issue_id: int) -> Sequence[WaiverRow]:
    """The waivers of an issue with who, when and why, oldest first."""
    return _rows(session, issue_id)


def _rows(session: Session, issue_id: int) -> Sequence[WaiverRow]:
    of_issue = select(WaiverRow).where(col(WaiverRow.issue_id) == issue_id)
    return session.exec(of_issue.order_by(col(WaiverRow.at), col(WaiverRow.id))).all()


def _found(findings: Iterable[Finding], code: str) -> Sequence[Finding]:
    listed = list(findings)
    matching = [finding for finding in listed if finding.code == code]
    if not matching:
        codes = sorted({finding.code for finding in listed})
        raise NotFound("finding", code, near=get_close_matches(code, codes, n=2))
    severity = matching[0].severity
    if severity is Severity.ERROR:
        raise WrongState(f"{code} is an error and cannot be waived: {matching[0].hint()}")
    if severity is Severity.NOTICE:
        raise WrongState(f"{code} is a notice: it stands in nobody's way and needs no waiver")
    return matching


def _reason(reason: str) -> str:
    words = " ".join(reason.split())
    if not words:
        raise InvalidInput("say why the warning may stand: the reason is kept with the issue")
    if len(words) > LONGEST_REASON:
        raise InvalidInput(f"a reason has at most {LONGEST_REASON} characters; this one has {len(words)}")
    return words
