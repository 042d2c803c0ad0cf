"""
Which scheduler acts: one at a time, and another as soon as that one is gone.

Takes the engine of the database that all of them share; yields whether this process leads. On PostgreSQL the leader
holds an advisory lock on a session of its own, and asks that session every second. The server ends a session that has
been silent for `SILENT_SECONDS`, and the lock with it: so a leader that is killed, stopped, or cut off loses it in that
time, whatever it believes. Promises that a leader believes itself for less long than that (`VALID_SECONDS`, counted
from before it asked): one that wakes up finds out before it acts. On SQLite it is a lock on the file
`DATABASE.scheduler`, which the kernel drops with the process.

What two schedulers do at once is harmless (every time that is due is taken by a unique key); the election spares the
work, and the officer the doubt.
"""

import fcntl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Final, ParamSpec, Protocol, TextIO, TypeVar

from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from newsletter.database import reading
from newsletter.logs import logger
from newsletter.process import boot_seconds, process_name

ADVISORY_KEY: Final = {"space": 0x6C65_6164, "seat": 0}
"""The advisory lock: the letters `lead`, so that it meets no other program's."""

EVERY_SECONDS: Final = 1.0
"""How often a leader makes sure, and the others try."""

SILENT_SECONDS: Final = 3.0
"""After so long without a word the server ends the leader's session: with a second until somebody tries, four."""

VALID_SECONDS: Final = 2.5
"""For how long what the server said is believed."""

_AT_SERVER: Final = {
    "idle_session_timeout": SILENT_SECONDS,
    "statement_timeout": SILENT_SECONDS,
    "tcp_user_timeout": SILENT_SECONDS,
}
"""What the server is told of the leader's session; in seconds."""

_AT_CLIENT: Final = {
    "connect_timeout": 2,
    "keepalives_idle": 1,
    "keepalives_interval": 1,
    "keepalives_count": 2,
    "tcp_user_timeout": 2000,
}
"""How soon this side gives up a connection over which nothing comes (libpq; in milliseconds the last)."""

_HELD: Final = """
SELECT activity.application_name FROM pg_locks JOIN pg_stat_activity AS activity USING (pid)
WHERE pg_locks.locktype = 'advisory' AND pg_locks.granted AND classid = :space AND objid = :seat AND objsubid = 2
AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

_OURS: Final = f"SELECT EXISTS ({_HELD} AND pid = pg_backend_pid())"

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Leader:
    """The scheduler that acts, as it calls itself: the host's name and the number of its process."""

    name: str


class Seat(Protocol):
    """What one scheduler holds at a time."""

    def take(self) -> bool:
        """Take it if it is free; returns whether it is ours now."""
        ...

    def holds(self) -> bool:
        """Ask whether it is still ours."""
        ...

    def leave(self) -> None:
        """Give it up at once, for the next one."""
        ...


class FileSeat:
    """A lock on a file beside a SQLite database."""

    def __init__(self, path: Path, *, name: str) -> None:
        self._path, self._name = path, name
        self._file: TextIO | None = None

    def take(self) -> bool:
        """Take it if it is free, and write down who has it."""
        file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        file.truncate(0)
        file.write(self._name)
        file.flush()
        self._file = file
        return True

    def holds(self) -> bool:
        """Whether we hold it: nobody takes it from a process that lives."""
        return self._file is not None

    def leave(self) -> None:
        """Give it up."""
        if self._file is not None:
            self._file.close()
            self._file = None


class SessionSeat:
    """An advisory lock on a session of its own, outside of any pool; raises DBAPIError while the server is away."""

    def __init__(self, engine: Engine, *, name: str) -> None:
        arguments = {**_AT_CLIENT, "application_name": name}
        self._engine = create_engine(
            engine.url,
            poolclass=NullPool,
            connect_args=arguments,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
        )
        self._session: Connection | None = None

    def take(self) -> bool:
        """Take it if it is free; the session stays open, so that asking again costs little."""
        return self._ask("SELECT pg_try_advisory_lock(:space, :seat)")

    def holds(self) -> bool:
        """Ask the server whether the lock belongs to this very session."""
        held = self._session is not None and self._ask(_OURS)
        if not held:
            self.leave()
        return held

    def leave(self) -> None:
        """End the session, and the lock with it."""
        session, self._session = self._session, None
        if session is not None:
            session.invalidate()
            session.close()

    def _ask(self, question: str) -> bool:
        try:
            if self._session is None:
                self._session = self._engine.connect()
                for name, seconds in _AT_SERVER.items():
                    self._session.execute(text(f"SET {name} = {int(seconds * 1000)}"))
            return bool(self._session.scalar(text(question), ADVISORY_KEY))
        except DBAPIError:
            self.leave()
            raise


class Election:
    """Has this process lead whenever nobody else does; `clock` is in seconds and stands still for nobody."""

    def __init__(self, seat: Seat, *, clock: Callable[[], float] = boot_seconds) -> None:
        self._seat, self._clock = seat, clock
        self._leading = False
        self._until = float("-inf")
        self._said = ""
        self._log = logger("scheduler")

    @property
    def leads(self) -> bool:
        """Whether this process leads at this moment, as the server said a moment ago."""
        return self._leading and self._clock() < self._until

    def only(self, work: Callable[P, R]) -> Callable[P, R | None]:
        """The same work, left undone while another process leads."""

        @wraps(work)
        def done(*given: P.args, **named: P.kwargs) -> R | None:
            return work(*given, **named) if self.leads else None

        return done

    def run(self, stopped: threading.Event, *, gained: Callable[[], object], lost: Callable[[], object]) -> None:
        """Lead or follow until `stopped`; `gained` and `lost` are called whenever that changes."""
        led = False
        while True:
            leads = self.step()
            if leads != led:
                (gained if leads else lost)()
            led = leads
            if stopped.wait(EVERY_SECONDS):
                return

    def step(self) -> bool:
        """Make sure that we lead, or try to; returns whether we do."""
        asked, led = self._clock(), self._leading
        try:
            self._leading = self._seat.holds() if led else self._seat.take()
        except DBAPIError as error:
            self._leading = False
            self._say("nothing is scheduled: no session with the database", grave=True, words=_words(error))
            return False
        if self._leading:
            self._until = asked + VALID_SECONDS
            self._say("this scheduler leads")
        elif led:
            self._say("this scheduler leads no more: its lock is lost", grave=True)
        else:
            self._say("this scheduler follows: another one leads, and this one takes over when that one is gone")
        return self._leading

    def leave(self) -> None:
        """Let another one lead at once."""
        self._leading = False
        self._seat.leave()

    def _say(self, event: str, *, grave: bool = False, **facts: str) -> None:
        """Log how it stands, once until that changes."""
        if event != self._said:
            self._said = event
            (self._log.warning if grave else self._log.info)(event, **facts)


def seat_of(engine: Engine) -> Seat:
    """The seat of the one scheduler that acts on a database."""
    name = process_name()
    if engine.dialect.name == "sqlite":
        return FileSeat(_file(engine), name=name)
    return SessionSeat(engine, name=name)


def leader(engine: Engine) -> Leader | None:
    """Who leads; None where no scheduler is at work."""
    with reading(engine) as session:
        return leader_by(session)


def leader_by(session: Session) -> Leader | None:
    """The same, for one who has a session already."""
    engine = session.get_bind().engine
    if engine.dialect.name == "sqlite":
        return _leader_of(_file(engine))
    name = session.execute(text(_HELD), ADVISORY_KEY).scalars().first()
    return None if name is None else Leader(name)


def _words(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())[:300]


def _leader_of(path: Path) -> Leader | None:
    try:
        with path.open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return Leader(file.read())
    except FileNotFoundError:
        pass
    return None


def _file(engine: Engine) -> Path:
    return Path(f"{engine.url.database}.scheduler")
