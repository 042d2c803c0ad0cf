"""
What works on the database: the server's settings and clock, the scheduler, the workers, their jobs, the backups.

Takes the engine of a database of this version, yields checks. Changes nothing; a process that is not there is wrong
only where something waits for it.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import Engine, func, select, text
from sqlmodel import Session

from newsletter.database import reading
from newsletter.dispatch import gauges
from newsletter.doctor.check import Check, error, ok, warning
from newsletter.pipeline.election import leader_by
from newsletter.pipeline.keeping import last_backup
from newsletter.planning.models import RunState

OLDEST_SERVER: Final = 13
"""PostgreSQL's oldest version that Procrastinate works on."""

MOST_DRIFT: Final = 2.0
"""Seconds by which two clocks may differ: workers are declared dead after 8."""

OLD_BACKUP: Final = dt.timedelta(days=7)

PER_WORKER: Final = 10
"""Connections to the database that a worker may hold at once: pool, heartbeat, queue."""

_DURABLE: Final = ("fsync", "full_page_writes", "synchronous_commit")


def check_working(engine: Engine, now: dt.datetime) -> Iterator[Check]:
    """Look at all of it."""
    with reading(engine) as session:
        if engine.dialect.name == "postgresql":
            yield from _server(session)
            yield _clock(session, now)
        yield from _processes(session, now)
        yield _backup(session, now)


def _server(session: Session) -> Iterator[Check]:
    asked = text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names)")
    names = [*_DURABLE, "server_version", "server_version_num", "max_connections"]
    found: Mapping[str, str] = dict(session.execute(asked, {"names": names}).all())
    yield from check_server(found)
    used = session.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")) or 0
    yield check_connections(used, most=int(found["max_connections"]))


def check_server(found: Mapping[str, str]) -> Iterator[Check]:
    """The version of PostgreSQL, and whether what it says is stored is stored."""
    version = found["server_version"]
    if int(found["server_version_num"]) < OLDEST_SERVER * 10_000:
        yield error("server", f"PostgreSQL {version} is too old", f"Upgrade the server to {OLDEST_SERVER} or later.")
    else:
        yield ok("server", f"PostgreSQL {version}")
    off = [name for name in _DURABLE if found[name] == "off"]
    if "fsync" in off or "full_page_writes" in off:
        yield error(
            "durability",
            f"{' and '.join(off)} off: a power cut may destroy the database",
            "Turn them on in postgresql.conf. What was sent is known from nowhere else.",
        )
    elif off:
        yield warning(
            "durability",
            "synchronous_commit is off: after a power cut some hundred people may get a message twice",
            "Turn it on for this database: ALTER DATABASE … SET synchronous_commit = on.",
        )
    else:
        yield ok("durability", "what the server says is stored is stored")


def check_connections(used: int, *, most: int) -> Check:
    """Whether the server has connections left for one worker more."""
    words = f"{used} of {most} connections to the database are used"
    if most - used < PER_WORKER:
        return warning("connections", words, "Raise max_connections of the server, or put a pooler before the webs.")
    return ok("connections", words)


def counted(workers: int) -> str:
    """So many workers, in words."""
    return "1 worker" if workers == 1 else f"{workers} workers"


def _clock(session: Session, now: dt.datetime) -> Check:
    theirs = session.scalar(select(func.clock_timestamp())) or now
    return check_clock((dt.datetime.now(dt.UTC) - theirs).total_seconds())


def check_clock(drift: float) -> Check:
    """Whether this machine's clock agrees with the database's; `drift` in seconds."""
    if abs(drift) > MOST_DRIFT:
        side = "ahead of" if drift > 0 else "behind"
        return error(
            "clock",
            f"this machine's clock is {abs(drift):.0f} s {side} the database's",
            "Set both by NTP: runs start and retries are made by these clocks.",
        )
    return ok("clock", "this machine's clock agrees with the database's")


def _processes(session: Session, now: dt.datetime) -> Iterator[Check]:
    runs = gauges.runs_by_state(session)
    leading, hands = leader_by(session), gauges.hands(session, now)
    yield check_scheduler(leading.name if leading else "", waiting=runs.get(RunState.SCHEDULED, 0))
    yield check_workers(hands.alive, hands.silent, running=runs.get(RunState.RUNNING, 0))
    jobs = gauges.jobs_by_state(session)
    if jobs is not None:
        yield check_jobs(jobs)


def check_scheduler(leading: str, *, waiting: int) -> Check:
    """Whether somebody starts what is due."""
    if leading:
        return ok("scheduler", f"{leading} acts")
    if waiting:
        return warning(
            "scheduler",
            f"no scheduler acts, and {waiting} {'run waits' if waiting == 1 else 'runs wait'} for their time",
            "Start `newsletter scheduler`, or `newsletter run`, which does it too.",
        )
    return ok("scheduler", "no scheduler acts, and no run waits for its time", "`newsletter run` starts one.")


def check_workers(alive: int, silent: int, *, running: int) -> Check:
    """Whether somebody sends."""
    if alive:
        return ok("workers", f"{counted(alive)} alive" + (f", and {silent} silent" if silent else ""))
    if running:
        return warning(
            "workers",
            f"nobody sends, and {running} {'run goes' if running == 1 else 'runs go'} out",
            "Start `newsletter run`, `newsletter worker` or `newsletter dispatch`.",
        )
    return ok("workers", "nobody sends, and nothing goes out", "`newsletter run` starts a dispatcher.")


def check_jobs(jobs: Mapping[str, int]) -> Check:
    """How the queue stands."""
    failed, waiting = jobs.get("failed", 0), jobs.get("todo", 0)
    words = f"{waiting} jobs wait, {jobs.get('doing', 0)} are done now, {failed} failed"
    if failed:
        return warning("jobs", words, "The log says why. No run is concerned: deliveries do not depend on jobs.")
    return ok("jobs", words)


def _backup(session: Session, now: dt.datetime) -> Check:
    last = last_backup(session)
    return check_backup(None if last is None else now - last.at)


def check_backup(age: dt.timedelta | None) -> Check:
    """Whether the last backup, which holds pictures and keys too, is young enough."""
    if age is None:
        return ok("backup", "no backup was made yet", "`newsletter backup FILE` makes one, with pictures and keys.")
    words = f"the last backup is {age.days} days old" if age.days else "the last backup is of the last 24 hours"
    if age > OLD_BACKUP:
        return warning("backup", words, "Run `newsletter backup FILE` every night, and keep it on another machine.")
    return ok("backup", words)
