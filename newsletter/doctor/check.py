"""
A check: what was looked at, how it stands, and what to do about it.

Takes nothing; yields the frozen `Check` and the `Diagnosis` that holds them all. Pure.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any


class Status(StrEnum):
    """How something stands."""

    #: As it should be, or as somebody chose.
    OK = "ok"
    #: Works, but not for everybody or not for long.
    WARNING = "warning"
    #: Does not work, or mail will be refused.
    ERROR = "error"


class ExitCode(IntEnum):
    """How `newsletter doctor` ends."""

    #: Nothing is wrong.
    WELL = 0
    #: There is at least one error.
    ERRORS = 1
    #: There are warnings only.
    WARNINGS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """
    One thing that was looked at.

    `code` is its stable name. `words` say how it stands, `advice` what to do or to know, if anything. `records` are
    lines to copy as they are, such as records of a DNS zone.
    """

    code: str
    status: Status
    words: str
    advice: str = ""
    records: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The check as plain data."""
        return {
            "code": self.code,
            "status": self.status.value,
            "words": self.words,
            "advice": self.advice,
            "records": list(self.records),
        }


def ok(code: str, words: str, advice: str = "", *, records: tuple[str, ...] = ()) -> Check:
    """Something that is as it should be."""
    return Check(code=code, status=Status.OK, words=words, advice=advice, records=records)


def warning(code: str, words: str, advice: str) -> Check:
    """Something that works, but not for everybody or not for long."""
    return Check(code=code, status=Status.WARNING, words=words, advice=advice)


def error(code: str, words: str, advice: str) -> Check:
    """Something that does not work."""
    return Check(code=code, status=Status.ERROR, words=words, advice=advice)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Every check, in the order in which they were made."""

    checks: tuple[Check, ...]

    def count(self, status: Status) -> int:
        """How many checks have a status."""
        return sum(check.status is status for check in self.checks)

    @property
    def exit_code(self) -> ExitCode:
        """0 nothing is wrong, 1 errors, 4 warnings only."""
        if self.count(Status.ERROR):
            return ExitCode.ERRORS
        return ExitCode.WARNINGS if self.count(Status.WARNING) else ExitCode.WELL

    def to_json(self) -> dict[str, Any]:
        """The diagnosis as plain data."""
        return {"checks": [check.to_json() for check in self.checks]}
