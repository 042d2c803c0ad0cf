"""
Where things are kept: the database, its disk, and the keys beside it.

Takes paths and settings, yields checks. Opens the database to read it; makes neither file nor folder.
"""

import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from newsletter.database import ensure_current, open_engine, reading
from newsletter.doctor.check import Check, error, ok, warning
from newsletter.errors import ConfigurationFault, DatabaseFault
from newsletter.keeping.known_keys import ensure_known, known_keys
from newsletter.keyring import content_of, key_file, read_keys
from newsletter.pipeline.alerting import LITTLE_SPACE
from newsletter.settings import Settings

CONNECT_SECONDS: Final = 5
"""Seconds after which a PostgreSQL server that says nothing is given up."""

NO_SPACE: Final = 200_000_000
"""Octets: less than the log of one large import."""

MOUNTS: Final = Path("/proc/self/mountinfo")

_NETWORKED: Final = frozenset(
    """
    9p afs beegfs ceph cifs davfs fuse.ceph fuse.glusterfs fuse.s3fs fuse.sshfs glusterfs gpfs lustre ncpfs nfs nfs4
    ocfs2 prl_fs smb2 smb3 smbfs vboxsf virtiofs vmhgfs
    """.split()  # noqa: SIM905  reads as a list
)
"""File systems without the shared memory that SQLite's write-ahead log needs (https://www.sqlite.org/wal.html)."""


def reach_database(url: str) -> Engine | Check:
    """Open the database if it is there and of this version; else what is wrong with it."""
    try:
        address = make_url(url)
    except ArgumentError:
        return error("database", "its address cannot be read", "Correct NEWSLETTER_DATABASE__URL.")
    file = sqlite_file(address)
    if file is not None and not file.exists():
        return error("database", f"there is none at {file}", "Run `newsletter init`, or correct the setting.")
    if address.get_backend_name() == "postgresql" and "connect_timeout" not in address.query:
        address = address.update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})
    try:
        engine = open_engine(address.render_as_string(hide_password=False))
        ensure_current(engine)
    except (ConfigurationFault, DatabaseFault) as fault:
        return error("database", str(fault), "Nothing works without it.")
    return engine


def check_database(engine: Engine) -> Check:
    """Say which database it is that was reached."""
    return ok("database", f"{engine.url.render_as_string()} answers and is of this version")


def sqlite_file(address: URL) -> Path | None:
    """The file of a SQLite database."""
    named = address.database if address.get_backend_name() == "sqlite" else None
    return Path(named) if named and named != ":memory:" else None


def check_file_system(file: Path, mounts: str) -> Check:
    """Whether a SQLite file lies on a disk of this machine; `mounts` is the text of /proc/self/mountinfo."""
    kind = file_system_of(file.resolve(), mounts)
    if kind in _NETWORKED:
        return error(
            "file-system",
            f"{file} lies on a network file system ({kind}), where SQLite loses data",
            "Move it to a disk of this machine, or use PostgreSQL: `newsletter database move`.",
        )
    return ok("file-system", f"{file} lies on a disk of this machine" if kind else "unknown on this system")


def file_system_of(path: Path, mounts: str) -> str:
    """The kind of file system that a path lies on (proc_pid_mountinfo(5)); "" where that is not known."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, source = before.split(), after.split()
        if len(fields) > _POINT and source:
            point = Path(fields[_POINT].replace("\\040", " "))
            # Of mounts on the same point the last one is seen.
            if path.is_relative_to(point) and len(point.parts) >= best:
                best, kind = len(point.parts), source[0]
    return kind


_POINT: Final = 4
"""The field of a mount with the place where it is seen."""


def check_space(folder: Path) -> Check:
    """Whether there is room: what cannot be recorded is not sent."""
    free = shutil.disk_usage(folder).free
    words = f"{free / 1e9:,.1f} GB free in {folder}"
    advice = "Make room: without it a run stops, since nothing is sent that cannot be recorded."
    if free < NO_SPACE:
        return error("disk-space", words, advice)
    return warning("disk-space", words, advice) if free < LITTLE_SPACE else ok("disk-space", words)


def check_keys(file: Path) -> Iterator[Check]:
    """Whether the keys of this installation can be read, by nobody else."""
    if not file.exists():
        yield ok("keys", f"there are none yet: they are made at first use, in {file}")
        return
    if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield error(
            "keys",
            f"others on this machine may open {file}",
            f"Run `chmod 600 {file}`: whoever has the keys can unsubscribe anybody.",
        )
    try:
        found = json.loads(file.read_text())
        is_whole = bool(found["signing"]) and bool(bytes.fromhex(found["suppression"]))
    except (OSError, ValueError, KeyError, TypeError):
        is_whole = False
    if is_whole:
        yield ok(
            "keys", f"{file} can be read", "Back it up with the database: without it suppressed addresses are lost."
        )
    else:
        yield error("keys", f"{file} cannot be read", "Restore it from a backup, together with the database.")


def check_known_keys(engine: Engine, settings: Settings) -> Iterator[Check]:
    """Whether this machine has every key that the database was used with; nothing where it was used with none."""
    with reading(engine) as session:
        known = known_keys(session)
    if not known:
        return
    name = str(key_file(settings))
    try:
        ensure_known(read_keys(content_of(settings), name=name), known, name=name)
    except ConfigurationFault as fault:
        yield error("known-keys", str(fault), "No process starts on this machine before that: see docs/keys.md.")
        return
    yield ok("known-keys", "this machine has every key that the database was used with")
