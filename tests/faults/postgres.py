"""A PostgreSQL server of our own, which can be stopped as if its machine had failed and started again."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
from programs import need

HOW = "apt-get install postgresql"


class Postgres:
    """The server, on a socket in a folder of its own; it ends with the process that has started it."""

    def __init__(self, *, durable: bool = False, connections: int = 100) -> None:
        """Start it; without `durable` it does not wait for the disk, which tests have no use for."""
        self._flags = ["-c", f"max_connections={connections}", "-c", "timezone=UTC"]
        self._flags += [] if durable else ["-c", "fsync=off", "-c", "full_page_writes=off"]
        self._initdb, self._server = need("initdb", HOW), need("postgres", HOW)
        self._guarded = [need("setpriv", "apt-get install util-linux"), "--pdeathsig=QUIT"]
        self.folder = Path(tempfile.mkdtemp(prefix="newsletter-pg-", dir="/tmp"))
        if os.geteuid() == 0:  # the server refuses root
            nobody = pwd.getpwnam("nobody")
            self._guarded += [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
            shutil.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        options = ["-U", "tests", "-A", "trust", "--no-sync", "-E", "UTF8"]
        subprocess.run([*self._guarded, self._initdb, "-D", self.folder / "data", *options], check=True, **self._quiet)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def _quiet(self) -> dict[str, object]:
        return {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": self.folder}

    def start(self, *, within: Sequence[str] = (), address: str = "") -> None:
        """
        Start, and wait until it answers on its socket.

        On another machine's network by a command that begins with `within`, at an address there too.
        """
        if address:
            with (self.folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet trust\n")
        where = ["-D", self.folder / "data", "-k", self.folder, "-c", f"listen_addresses={address}"]
        command = [*within, *self._guarded, self._server, *where, *self._flags]
        self._process = subprocess.Popen(command, **self._quiet)
        deadline = time.monotonic() + 30
        while True:
            try:
                self.do("SELECT 1")
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, "PostgreSQL does not start"
                time.sleep(0.02)
            else:
                return

    @property
    def program(self) -> str:
        """Where the server comes from."""
        return self._server

    def processes(self) -> list[int]:
        """The ids of the server's processes, the parent first."""
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii").split()
        return [parent, *map(int, children)]

    def fail(self) -> None:
        """Stop at once, as `pg_ctl stop -m immediate` does: the next start has to recover."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()

    def url(self, name: str) -> str:
        """The address of a database on it."""
        return f"postgresql://tests@/{name}?host={self.folder}"

    def do(self, statement: str) -> None:
        """Run a statement outside of transactions."""
        with psycopg.connect(host=str(self.folder), user="tests", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)

    def close(self) -> None:
        """End it and leave nothing behind."""
        self.fail()
        shutil.rmtree(self.folder)
