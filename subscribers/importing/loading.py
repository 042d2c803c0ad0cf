"""
Puts the rows of a file into the database.

Takes a file; yields a report; promises transactions of at most 2,000 rows, each whole or not at all, in flat memory,
without an object per stored row. It commits itself: a million rows are too many for one transaction and, on SQLite,
for the patience of whoever else wants to write.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from subscribers import store
from subscribers.importing.chunk import Decision, Target, Verdict, decide, look_up, write
from subscribers.importing.headings import ADDRESS, plan_columns
from subscribers.importing.repeats import find_repeats
from subscribers.importing.rows import Problem, Row, row_reader
from subscribers.importing.table import open_table
from subscribers.models import MembershipState
from subscribers.tokens import Keys

CHUNK = 2000
"""Rows a transaction: some 100 ms on a small machine, short enough beside a run that is under way."""

MAX_PROBLEMS = 10_000
"""Problems kept in the report; all of them are counted."""

_ATTEMPTS = 3
"""Tries at a chunk when somebody else adds the same person in the same moment."""

_REASONS = {
    Verdict.SUPPRESSED: "this address must not be written to",
    Verdict.REFUSED: "this person has left and would be subscribed again",
}

MakeSession = Callable[[], Session]
"""Opens a session of its own for each transaction."""


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

    def counts(self) -> dict[str, int]:
        """Return the counts by name, without the problems."""
        names = ("rows", "new", "changed", "unchanged", "invalid", "suppressed", "refused")
        return {name: getattr(self, name) for name in names}

    def add_problem(self, problem: Problem) -> None:
        """Keep a problem, unless there are too many to read."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)


def import_subscribers(
    make_session: MakeSession,
    path: Path,
    *,
    list_name: str,
    keys: Keys,
    operator: str,
    now: datetime,
    dry_run: bool = False,
    pending: bool = False,
    mapping: Mapping[str, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Import a file into a list, and return what became of its rows.

    Args:
        make_session: opens a session for each transaction of at most 2,000 rows.
        path: the file.
        list_name: the list that the people become members of.
        keys: for the digests of addresses.
        operator: who imports, for the consent log.
        now: aware.
        dry_run: only count.
        pending: new members still have to confirm.
        mapping: target by heading, see `plan_columns`.
        progress: called after each chunk with the rows done and the rows there are.

    Raises:
        ImportRefused, UnknownField, InvalidValue, UnknownList: nothing was stored.
    """
    table = open_table(path)
    columns = plan_columns(table, mapping)
    total, last_lines = find_repeats(table, next(column for column in columns if column.target == ADDRESS))
    state = MembershipState.PENDING if pending else MembershipState.CONFIRMED
    target = _target(make_session, list_name=list_name, keys=keys, operator=operator, now=now, state=state)
    report = ImportReport()
    read = row_reader(table, columns)
    checked = (read(line, cells) for line, cells in table.rows())
    rows = _usable(checked, report=report, last_lines=last_lines)
    while chunk := list(islice(rows, CHUNK)):
        _count(report, _load(make_session, target, chunk, dry_run=dry_run))
        if progress is not None:
            progress(report.rows, total)
    if progress is not None:
        progress(report.rows, total)
    return report


def _target(
    make_session: MakeSession, *, list_name: str, keys: Keys, operator: str, now: datetime, state: MembershipState
) -> Target:
    with make_session() as session:
        list_id = store.list_id_of(store.get_list(session, list_name))
    return Target(list_id=list_id, list_name=list_name, state=state, keys=keys, operator=operator, now=now)


def _usable(checked: Iterator[Row | Problem], *, report: ImportReport, last_lines: Mapping[str, int]) -> Iterator[Row]:
    """Yield the rows that are to be stored, and put the others into the report."""
    for row in checked:
        report.rows += 1
        if isinstance(row, Problem):
            report.invalid += 1
            report.add_problem(row)
        elif (last := last_lines.get(row.address.key, row.line)) != row.line:
            report.unchanged += 1
            report.add_problem(Problem(row.line, "", f"the same address stands on line {last}, which counts"))
        else:
            yield row


def _load(make_session: MakeSession, target: Target, rows: Sequence[Row], *, dry_run: bool) -> list[Decision]:
    for _ in range(_ATTEMPTS - 1):
        try:
            return _load_once(make_session, target, rows, dry_run=dry_run)
        except IntegrityError:
            # Somebody subscribed between our look and our write; the next look sees them.
            continue
    return _load_once(make_session, target, rows, dry_run=dry_run)


def _load_once(make_session: MakeSession, target: Target, rows: Sequence[Row], *, dry_run: bool) -> list[Decision]:
    with make_session() as session:
        standing, digests = look_up(session, target, rows)
        decisions = [
            decide(row, digest, standing=standing, state=target.state)
            for row, digest in zip(rows, digests, strict=True)
        ]
        if not dry_run:
            write(session, target, decisions)
            session.commit()
    return decisions


def _count(report: ImportReport, decisions: Sequence[Decision]) -> None:
    # A verdict is called as its count in the report.
    for verdict, number in Counter(decision.verdict for decision in decisions).items():
        setattr(report, verdict, getattr(report, verdict) + number)
    for decision in decisions:
        if reason := _REASONS.get(decision.verdict):
            report.add_problem(Problem(decision.row.line, "", reason))
