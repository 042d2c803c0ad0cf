"""
Backups: made while everybody works, looked at, and put back.

    back_up    a snapshot of the database and the keys, into a stream
    look_at    whether a backup is whole
    restore    the database and the keys as they were, with every run held that was under way or planned
    move       the database into one of the other kind, as it is

These are functions over settings and not verbs of the pipeline: they have to work where the database is missing, of an
earlier version, or not to be trusted.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO, Final

from sqlalchemy import func, inspect, select
from sqlalchemy.engine import make_url
from sqlmodel import Session, col

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.database import open_engine
from newsletter.keeping.databases import Filling, Finish, at_rest, fill, snapshot
from newsletter.keeping.file import BackupFile, Head, Sink, write_backup
from newsletter.keeping.known_keys import ensure_known, known_keys, note_keys
from newsletter.keeping.models import BackupRow
from newsletter.keeping.pouring import Poured, Progress
from newsletter.keyring import content_of, key_file, put_keys, read_keys
from newsletter.pipeline.control import hold_run
from newsletter.planning import store
from newsletter.planning.models import DeliveryRow, DeliveryState, RunState
from newsletter.settings import Settings
from newsletter.times import rfc3339

UNDER_WAY: Final = (RunState.SCHEDULED, RunState.PLANNING, RunState.RUNNING)

_WAITING: Final = (DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.SENDING, DeliveryState.DEFERRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A run that was held: its issue, how it stood in the backup, and how many of all had got the issue by then."""

    issue: str
    state: RunState
    accepted: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """
    What was restored: the backup's head, the rows, the runs that are held, and how many single messages wait.

    `keys` is where the keys lie, `keys_aside` where others lie that were there before; `file_aside` likewise of a
    database. `revision` is that of the backup's tables.
    """

    head: Head
    poured: Poured
    held: tuple[Held, ...]
    singles: int
    keys: Path
    keys_aside: Path | None
    file_aside: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What was moved, and where the keys lie that belong to it; `keys_aside` is where others lie that were there."""

    poured: Poured
    keys: Path
    keys_aside: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """When somebody fills a database, who is told how far it is, and who is asked before another is given up."""

    now: dt.datetime
    progress: Progress
    ask: Callable[[], None] | None = None

    @property
    def mark(self) -> str:
        """What ends the names of files that are set aside."""
        return f"{self.now:%Y%m%dT%H%M%SZ}"

    def filling(self, finish: Finish) -> Filling:
        """How the database is filled."""
        return Filling(finish=finish, progress=self.progress, mark=self.mark, ask=self.ask)


def back_up(settings: Settings, stream: Sink, *, now: dt.datetime, progress: Progress) -> Head:
    """
    Write database and keys into a stream, as they stand at this moment; others go on working.

    Also of a database of an earlier version. Raises DatabaseFault where there is none, ConfigurationFault where the
    keys are missing or others than those that the database was used with.
    """
    engine = open_engine(settings.database.url)
    with snapshot(engine) as source:
        keys = content_of(settings)
        ensure_known(read_keys(keys, name=str(key_file(settings))), source.known_keys(), name=str(key_file(settings)))
        head = Head(program=version("newsletter"), at=rfc3339(now), shape=source.shape, rows=source.total)
        write_backup(stream, source, head=head, keys=keys, progress=progress)
    engine.dispose()
    return head


def note_backup(settings: Settings, head: Head, *, octets: int, operator: str) -> None:
    """Note in the database that a backup of it was made; one of an earlier version has no place for that."""
    engine = open_engine(settings.database.url)
    with Session(engine) as session:
        if inspect(engine).has_table(BackupRow.__tablename__):
            at = dt.datetime.fromisoformat(head.at)
            session.add(BackupRow(at=at, octets=octets, rows=head.rows, operator=operator[:80]))
            note_deed(session, Deed.BACKED_UP, operator=operator, at=at, about=f"{head.rows} rows, {octets} octets")
            session.commit()
    engine.dispose()


def last_backup(session: Session) -> BackupRow | None:
    """The newest backup that was made of this database; None where there never was one."""
    return session.scalars(select(BackupRow).order_by(col(BackupRow.at).desc()).limit(1)).first()


def look_at(stream: IO[bytes], *, name: str, progress: Progress) -> Head:
    """Read a backup to its end; returns its head. Raises InvalidInput where it is damaged or cut short."""
    backup = BackupFile(stream, name=name)
    read_keys(backup.keys, name=f"the file of keys in {name}")
    done = 0
    for _table, lines in backup.portions():
        done += len(lines)
        progress(done, backup.total)
    return backup.head


def restore(settings: Settings, backup: BackupFile, *, name: str, operator: str, given: "Given") -> Restored:
    """
    Put a backup into the database and the keys into their place, and hold every run that it has under way.

    Whoever got an issue after the backup was made is not known in it: a run that went on by itself would write to them
    again. Raises what `databases.fill` raises; everything is then as it was.
    """
    keys = read_keys(backup.keys, name=f"the file of keys in {name}")
    held: list[Held] = []
    singles, set_aside = 0, None

    def finish(session: Session, poured: Poured) -> None:
        nonlocal singles, set_aside
        ensure_known(keys, known_keys(session), name=name)
        note_keys(session, keys, now=given.now)
        held.extend(_hold(session, at=backup.head.at, operator=operator, now=given.now))
        singles = _singles(session)
        about = f"of {backup.head.at}, {poured.rows} rows"
        note_deed(session, Deed.RESTORED, operator=operator, at=given.now, about=about)
        set_aside = put_keys(key_file(settings), backup.keys, mark=given.mark)

    poured, aside = fill(make_url(settings.database.url), backup, given.filling(finish))
    return Restored(
        head=backup.head,
        poured=poured,
        held=tuple(held),
        singles=singles,
        keys=key_file(settings),
        keys_aside=set_aside,
        file_aside=aside,
    )


def move(source: Settings, target: Settings, *, operator: str, given: "Given") -> Moved:
    """
    Copy the database of `source` into that of `target`, with its keys; the source is not changed.

    Nobody works with either meanwhile. Raises WrongState where somebody does, or where the target is not empty;
    DatabaseFault where rows are refused or are not read as they were written. The target is then as it was.
    """
    engine = open_engine(source.database.url)
    place, set_aside = key_file(target), None

    def finish(session: Session, poured: Poured) -> None:
        nonlocal set_aside
        note_keys(session, known, now=given.now)
        about = f"from {engine.url.render_as_string()}, {poured.rows} rows"
        note_deed(session, Deed.DATABASE_MOVED, operator=operator, at=given.now, about=about)
        set_aside = put_keys(place, keys, mark=given.mark)

    with at_rest(engine) as rows:
        keys = content_of(source)
        known = read_keys(keys, name=str(key_file(source)))
        ensure_known(known, rows.known_keys(), name=str(key_file(source)))
        poured, _ = fill(make_url(target.database.url), rows, given.filling(finish))
    engine.dispose()
    return Moved(poured=poured, keys=place, keys_aside=set_aside)


def _hold(session: Session, *, at: str, operator: str, now: dt.datetime) -> Iterator[Held]:
    """Hold every run that is under way or planned; yields what is to be known of each."""
    for run in store.runs(session, states=UNDER_WAY):
        state = run.state
        counts = store.states_of(session, run.mailing)
        hold_run(session, run, because=f"as in the backup of {at}", operator=operator, now=now)
        issue = run.mailing.partition(":")[2]
        yield Held(
            issue=issue, state=state, accepted=counts[DeliveryState.ACCEPTED], total=sum(counts.values()) or run.total
        )


def _singles(session: Session) -> int:
    """How many single messages wait to be sent: confirmations, notices, tests."""
    waiting = (col(DeliveryRow.run_id).is_(None), col(DeliveryRow.state).in_(_WAITING))
    return session.scalar(select(func.count()).select_from(DeliveryRow).where(*waiting)) or 0
