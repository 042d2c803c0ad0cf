"""
Puts the rows of a file into the database.

Takes a file; yields a report; promises transactions of at most 10,000 rows, each whole or not at all, in flat memory,
without an object per stored row. It commits itself: a million rows are too many for one transaction and, on SQLite,
for the patience of whoever else wants to write.
"""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from subscribers import store
from subscribers.address import masked
from subscribers.importing.chunk import SOURCE, Decision, Target, decide, look_up
from subscribers.importing.headings import Column, doubtful_headings, plan_columns
from subscribers.importing.origins import ADDRESS, UNKNOWN, Elsewhere, Origin, gravest, origin_of
from subscribers.importing.reasons import Problem, Reason
from subscribers.importing.repeats import find_repeats
from subscribers.importing.report import INVALID, ImportReport, Line, TellLines
from subscribers.importing.rows import ReadRow, Row, row_reader
from subscribers.importing.source import opened
from subscribers.importing.storing import write
from subscribers.importing.table import MAX_OCTETS, Table
from subscribers.models import MembershipState
from subscribers.tokens import Keys

CHUNK = 2000
"""Rows a transaction: some 100 ms on a small machine, short enough beside a run that is under way."""

WIDE = 10_000
"""Rows a transaction where nobody else is waiting: every page of an index is written less often, in half the time."""

MAX_PROOF = 500
"""Characters of a proof; the rest is cut off."""

_ATTEMPTS = 3
"""Tries at a chunk when somebody else adds the same person in the same moment."""

MakeSession = Callable[[], Session]
"""Opens a session of its own for each transaction."""

TellProgress = Callable[[int, int], None]
"""Told after each chunk how many rows are done and how many there are."""

TellDepartures = Callable[[Session, Sequence[str]], None]
"""Told, within the transaction, the digests of those who are to get less mail than before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a file is to be imported.

    Attributes:
        dry_run: only count.
        pending: new members still have to confirm.
        mapping: target by heading, see `plan_columns`.
        people: how everybody in the file stands where it comes from, unless the file itself says worse.
        proof: what proves that people who left want to come back; empty where nothing does. Addresses are masked.
        sheet: which sheet of a spreadsheet; by default the first that is not hidden.
        name: what to call the file in messages; by default as it is called.
        largest: octets of the file.
    """

    dry_run: bool = False
    pending: bool = False
    mapping: Mapping[str, str] | None = None
    people: Elsewhere | None = None
    proof: str = ""
    sheet: str | None = None
    name: str | None = None
    largest: int = MAX_OCTETS


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Who wants to know how an import goes.

    Attributes:
        progress: told after each chunk.
        lines: takes a line about every row.
        departures: told who is to get less mail, to stop what is planned for them.
        stopping: asked after each chunk whether to go on.
        crowded: asked before each chunk whether others have to write in between; then chunks are small.
    """

    progress: TellProgress = lambda _done, _total: None
    lines: TellLines | None = None
    departures: TellDepartures = lambda _session, _digests: None
    stopping: Callable[[], bool] = lambda: False
    crowded: Callable[[], bool] = lambda: True


def import_subscribers(
    make_session: MakeSession,
    path: Path,
    *,
    list_name: str,
    keys: Keys,
    operator: str,
    now: datetime,
    manner: Manner | None = None,
    listeners: Listeners | None = None,
) -> ImportReport:
    """Import a file into a list, and return what became of its rows.

    Args:
        make_session: opens a session for each transaction.
        path: the file.
        list_name: the list that the people become members of.
        keys: for the digests of addresses.
        operator: who imports, for the consent log.
        now: aware.
        manner: how.
        listeners: who wants to know.

    Raises:
        ImportRefused, UnknownField, InvalidValue, UnknownList: nothing was stored.
    """
    manner = manner or Manner()
    with opened(path, name=manner.name, sheet=manner.sheet, largest=manner.largest) as table:
        file = understood(table, manner)
        target = make_target(
            make_session, file, list_name=list_name, keys=keys, operator=operator, now=now, manner=manner
        )
        return load(make_session, file, target, dry_run=manner.dry_run, listeners=listeners or Listeners())


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file whose columns are understood.

    Attributes:
        table: its rows.
        origin: the program that made it.
        columns: those that are imported.
        doubts: what the operator should know about it.
    """

    table: Table
    origin: Origin
    columns: tuple[Column, ...]
    doubts: tuple[str, ...]

    @property
    def address(self) -> Column:
        """The column that holds the address."""
        return next(column for column in self.columns if column.target == ADDRESS)


def understood(table: Table, manner: Manner) -> File:
    """Find out where a file comes from and what its columns are.

    Raises:
        ImportRefused, UnknownField, InvalidValue: it cannot be used so.
    """
    origin = origin_of(table.headings, file=table.name)
    columns = plan_columns(table, manner.mapping, origin)
    if manner.people is not None:
        # The operator may know worse than the file says, but nobody who left there becomes a member by their word.
        origin = replace(origin, everybody=gravest([origin.everybody or Elsewhere.MEMBER, manner.people]), doubt="")
    doubts = [origin.doubt] if origin.doubt else []
    if origin.name == UNKNOWN.name and manner.people is None:
        doubts += [
            f"“{heading}” is stored as an attribute; if it says who left, add --map '{heading}=standing-there'"
            for heading in doubtful_headings(columns)
        ]
    if table.layout.assumed:
        doubts.append(f"the letters are taken for {table.layout.encoding}, which nothing in the file proves")
    return File(table=table, origin=origin, columns=columns, doubts=tuple(doubts))


def make_target(
    make_session: MakeSession,
    file: File,
    *,
    list_name: str,
    keys: Keys,
    operator: str,
    now: datetime,
    manner: Manner,
    source: str = SOURCE,
) -> Target:
    """Return where the rows of a file go to.

    Raises:
        UnknownList: there is no such list.
    """
    with make_session() as session:
        list_id = store.list_id_of(store.get_list(session, list_name))
    foreign = file.origin.name and not file.origin.literal
    return Target(
        list_id=list_id,
        list_name=list_name,
        state=MembershipState.PENDING if manner.pending else MembershipState.CONFIRMED,
        keys=keys,
        operator=operator,
        now=now,
        source=f"{source} ({file.origin.name})" if foreign else source,
        proof="".join(filter(str.isprintable, " ".join(masked(manner.proof).split())))[:MAX_PROOF],
    )


def load(make_session: MakeSession, file: File, target: Target, *, dry_run: bool, listeners: Listeners) -> ImportReport:
    """Store the rows of a file chunk by chunk, and return what became of them.

    Raises:
        ImportRefused: the file breaks off or a field is too long; nothing has been stored then.
    """
    total, last_lines = find_repeats(file.table, file.address)
    report = ImportReport(layout=file.table.layout, origin=file.origin.name, doubts=list(file.doubts))
    loader = _Loader(make_session, target, report=report, last_lines=last_lines, dry_run=dry_run, listeners=listeners)
    rows = file.table.rows()
    read = row_reader(file.table, file.columns, file.origin)
    with _collecting_between_chunks() as collect:
        while not report.stopped and (chunk := list(islice(rows, CHUNK if listeners.crowded() else WIDE))):
            loader.take(chunk, read, place=file.address.index)
            listeners.progress(report.rows, total)
            report.stopped = report.rows < total and listeners.stopping()
            collect()
    listeners.progress(report.rows, total)
    return report


@contextmanager
def _collecting_between_chunks() -> Iterator[Callable[[], object]]:
    """Have Python look for garbage when it is told to: within a chunk there is none, and the search costs a seventh."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield lambda: gc.collect(1)
    finally:
        if was_on:
            gc.enable()


class _Loader:
    """Takes one chunk after the other; the report is the only thing that it changes beside the database."""

    def __init__(
        self,
        make_session: MakeSession,
        target: Target,
        *,
        report: ImportReport,
        last_lines: Mapping[str, int],
        dry_run: bool,
        listeners: Listeners,
    ) -> None:
        self._make_session = make_session
        self._target = target
        self._report = report
        self._last_lines = last_lines
        self._dry_run = dry_run
        self._listeners = listeners

    def take(self, chunk: Sequence[tuple[int, Sequence[str]]], read: ReadRow, *, place: int) -> None:
        """Check, decide and store a chunk, and report on it; `place` is that of the address."""
        checked = [self._without_repeats(read(line, cells)) for line, cells in chunk]
        rows = [row for row in checked if isinstance(row, Row)]
        decisions = iter(self._load(rows) if rows else ())
        tell = self._listeners.lines
        lines = []
        self._report.rows += len(chunk)
        for (line, cells), row in zip(chunk, checked, strict=True):
            verdict, problem = self._counted(row, decisions)
            if tell is not None:
                email = cells[place] if place < len(cells) else ""
                lines.append(_line(line, email, verdict, problem))
        if tell is not None:
            tell(lines)

    def _without_repeats(self, row: Row | Problem) -> Row | Problem:
        if isinstance(row, Row) and (last := self._last_lines.get(row.address.key, row.line)) != row.line:
            return Problem(row.line, "", f"the same address stands on line {last}, which counts", Reason.REPEATED)
        return row

    def _counted(self, row: Row | Problem, decisions: Iterator[Decision]) -> tuple[str, Problem | None]:
        if isinstance(row, Row):
            decision = next(decisions)
            return decision.verdict, self._report.decided(decision)
        self._report.problem(row)
        if row.reason is Reason.REPEATED:
            self._report.unchanged += 1
            return "unchanged", row
        self._report.invalid += 1
        return INVALID, row

    def _load(self, rows: Sequence[Row]) -> list[Decision]:
        for _ in range(_ATTEMPTS - 1):
            try:
                return self._load_once(rows)
            except IntegrityError:
                # Somebody subscribed between our look and our write; the next look sees them.
                continue
        return self._load_once(rows)

    def _load_once(self, rows: Sequence[Row]) -> list[Decision]:
        target = self._target
        with self._make_session() as session:
            standing, digests = look_up(session, target, rows)
            decisions = [
                decide(row, digest, standing=standing, state=target.state, proven=bool(target.proof))
                for row, digest in zip(rows, digests, strict=True)
            ]
            if not self._dry_run:
                departed = write(session, target, decisions)
                if departed:
                    self._listeners.departures(session, departed)
                session.commit()
        return decisions


def _line(line: int, email: str, verdict: str, problem: Problem | None) -> Line:
    if problem is None:
        return Line(line, email, verdict)
    return Line(line, email, verdict, problem.reason, problem.column, problem.words)
