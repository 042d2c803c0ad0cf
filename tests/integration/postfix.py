"""
A Postfix of the tests' own on loopback, which delivers into Maildirs.

Takes settings beyond the common ones, yields it while it runs, with its folder, port and log. Queue, settings and boxes
lie in a folder of their own under /tmp (elsewhere its sockets' names become too long), and nothing outlives the test.
"""

import contextlib
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import need

PATIENCE = 30

MAIN = """\
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
maillog_file = {top}/log
maillog_file_prefixes = {top}
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = relay.example
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_relay_restrictions = permit_mynetworks, reject
virtual_mailbox_domains = static:all
virtual_mailbox_base = {boxes}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
"""

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
virtual unix - n n - - virtual
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""

ADDED = ("Return-Path", "X-Original-To", "Delivered-To", "Received")
"""What every relay adds before a message."""


class Postfix:
    """A Postfix that runs."""

    def __init__(self, top: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.top = top
        self.port = port
        self.boxes = top / "boxes"
        self._process = process

    @property
    def log(self) -> str:
        """What it has written down."""
        path = self.top / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def reload(self) -> None:
        """Have it read its settings and tables again."""
        self._process.send_signal(signal.SIGHUP)

    def await_listening(self) -> None:
        """Wait until it takes connections."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                smtplib.SMTP("127.0.0.1", self.port, local_hostname="sender.example", timeout=PATIENCE).close()
            except OSError:
                assert self._process.poll() is None, self.log or "Postfix has ended"
                assert time.monotonic() < deadline, "Postfix does not listen"
                time.sleep(0.02)
            else:
                return


@contextlib.contextmanager
def running(main: str, **tables: str) -> Iterator[Postfix]:
    """
    A Postfix with more lines in its `main.cf`, in which `{top}` stands for its folder; skips where there is none.

    `tables` are texts that it looks things up in, as `texthash:{top}/conf/NAME`.
    """
    need("postfix", "apt-get install postfix")
    if os.geteuid():
        pytest.skip("Postfix changes between users, which only root may")
    setpriv = need("setpriv", "apt-get install util-linux")
    top = Path(tempfile.mkdtemp(prefix="newsletter-postfix-", dir="/tmp"))
    port = _settle(top, main)
    for name, table in tables.items():
        (top / "conf" / name).write_text(table)
    # A killed test must not leave it behind.
    process = subprocess.Popen(
        [setpriv, "--pdeathsig=TERM", f"{_setting('daemon_directory')}/master", "-d", "-c", top / "conf"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        relay = Postfix(top, port, process)
        relay.await_listening()
        yield relay
    finally:
        process.terminate()
        process.wait(PATIENCE)
        shutil.rmtree(top)


def _setting(name: str) -> str:
    return subprocess.run(["postconf", "-dh", name], capture_output=True, check=True, text=True).stdout.strip()


def _settle(top: Path, main: str) -> int:
    """Make the folders that Postfix expects, with their owners, and its settings; returns the port."""
    owner = pwd.getpwnam("postfix").pw_uid
    top.chmod(0o755)
    private = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved")
    for name in ("conf", "queue", "queue/pid", "data", "boxes", *(f"queue/{name}" for name in (*private, "trace"))):
        (top / name).mkdir(mode=0o755)
    for name in ("data", "boxes", *(f"queue/{name}" for name in (*private, "trace"))):
        (top / name).chmod(0o700)
        shutil.chown(top / name, owner)
    for name, mode in (("public", 0o2710), ("maildrop", 0o1730)):
        (top / "queue" / name).mkdir()
        shutil.chown(top / "queue" / name, owner, "postdrop")
        (top / "queue" / name).chmod(mode)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {"top": top, "queue": top / "queue", "data": top / "data", "boxes": top / "boxes", "uid": owner}
    (top / "conf" / "main.cf").write_text((MAIN + main).format(**places))
    (top / "conf" / "master.cf").write_text(MASTER.format(port=port))
    return port


def split(delivered: bytes) -> tuple[bytes, bytes]:
    """The fields that Postfix has put before a message, and the message, with CRLF as on the wire."""
    whole = delivered.replace(b"\n", b"\r\n")
    start = whole.index(b"\r\nFrom:") + 2
    return whole[:start], whole[start:]
