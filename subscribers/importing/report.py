"""
What became of the rows of a file: counts, problems, and a line for every row.

Takes verdicts and problems; yields a report for people and programs, and a CSV file by line; promises that the counts
add up, and that no cell of the file is a formula to a spreadsheet.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TextIO

from subscribers.importing.chunk import Decision
from subscribers.importing.reasons import WORDS, Problem, Reason
from subscribers.importing.table import Layout
from subscribers.store import guarded

MAX_PROBLEMS = 10_000
"""Problems kept in the report; all of them are counted."""

INVALID = "invalid"
"""The verdict on a row with something wrong in it."""

HEADINGS = ("line", "email", "verdict", "reason", "column", "words")
"""Columns of the report by line."""


class Line(NamedTuple):
    """What became of one row; `email` as it stands in the file."""

    line: int
    email: str
    verdict: str
    reason: str = ""
    column: str = ""
    words: str = ""


@dataclass(slots=True)
class ImportReport:
    """What became of the rows of a file; `rows` is the sum of all other counts."""

    #: Rows with any text below the headings.
    rows: int = 0
    #: People who were not known.
    new: int = 0
    #: People about whom, or about whose membership, something became different.
    changed: int = 0
    #: Rows that brought nothing new, also those that a later row for the same address overrides.
    unchanged: int = 0
    #: Rows with something wrong in them.
    invalid: int = 0
    #: People who must not be written to.
    suppressed: int = 0
    #: People who left and would have been subscribed again.
    refused: int = 0
    #: The first 10,000 rows that were not taken as they stand, and why.
    problems: list[Problem] = field(default_factory=list)
    #: How many rows, by why they were not taken or not as they stand.
    reasons: Counter[Reason] = field(default_factory=Counter)
    #: People who had left and came back on the strength of a proof; they count as new or changed.
    returned: int = 0
    #: How the file is written.
    layout: Layout = field(default_factory=Layout)
    #: The program that made the file; empty where it is not known.
    origin: str = ""
    #: What the operator should know about the file.
    doubts: list[str] = field(default_factory=list)
    #: Somebody asked to stop, and the rest of the file was not read.
    stopped: bool = False

    def counts(self) -> dict[str, int]:
        """Return the counts by name, without the problems."""
        names = ("rows", "new", "changed", "unchanged", "invalid", "suppressed", "refused")
        return {name: getattr(self, name) for name in names}

    def problem(self, problem: Problem) -> None:
        """Count a row that is not taken as it stands, and keep it, unless there are too many to read."""
        self.reasons[problem.reason] += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    def decided(self, decision: Decision) -> Problem | None:
        """Count what was decided about a row, and return the problem with it, if there is one."""
        # A verdict is called as its count.
        setattr(self, decision.verdict, getattr(self, decision.verdict) + 1)
        self.returned += decision.returns
        if decision.reason is None:
            return None
        problem = Problem(decision.row.line, "", WORDS[decision.reason], decision.reason)
        self.problem(problem)
        return problem


TellLines = Callable[[Iterable[Line]], None]
"""Takes the lines of a report as they come."""


def line_writer(out: TextIO) -> TellLines:
    """Return what writes a report by line as CSV, after its headings."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADINGS)

    def write(lines: Iterable[Line]) -> None:
        writer.writerows([line.line, *map(guarded, line[1:])] for line in lines)

    return write
