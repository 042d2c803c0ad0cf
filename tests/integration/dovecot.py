"""
A Dovecot of the tests' own on loopback: one mailbox, IMAP with TLS from the first byte and without.

Yields it while it runs; mail, settings and sockets lie in a folder of their own under /tmp (elsewhere the sockets' names
become too long), and nothing outlives the test.
"""

import contextlib
import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from conftest import need
from faults.certificates import Authority

PATIENCE = 30
PASSWORD = "a-password-for-trials"

SETTINGS = """\
protocols = imap
listen = 127.0.0.1
base_dir = {top}/run
state_dir = {top}/state
log_path = {top}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_location = maildir:{top}/mail
first_valid_uid = 1
ssl = yes
ssl_cert = <{top}/localhost30.pem
ssl_key = <{top}/localhost30.key
disable_plaintext_auth = no
auth_mechanisms = plain login{mechanisms}
auth_failure_delay = 0
{tokens}passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={top}/home
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {implicit}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


TOKENS = """\
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {top}/tokens.conf
}}
"""
INTROSPECTION = """\
introspection_mode = post
introspection_url = {url}
username_attribute = username
active_attribute = active
active_value = true
"""


class Dovecot:
    """A running server: its ports, the authority of its certificate, and its one mailbox."""

    def __init__(self, top: Path, authority: Authority, *, plain: int, implicit: int) -> None:
        self.plain = plain
        self.implicit = implicit
        self.authority = authority.file
        self._top = top

    def put(self, *messages: bytes, folder: str = "INBOX") -> None:
        """Lay messages into a folder."""
        with self._session() as session:
            for message in messages:
                assert session.append(folder, None, None, message)[0] == "OK"

    def count(self, folder: str) -> int:
        """How many messages lie in a folder; none where there is no such folder."""
        with self._session() as session:
            status, told = session.select(f'"{folder}"', readonly=True)
            return int(told[0]) if status == "OK" else 0

    def flags(self, folder: str) -> list[bytes]:
        """The flags of the messages in a folder."""
        with self._session() as session:
            session.select(f'"{folder}"', readonly=True)
            return [line for line in session.fetch("1:*", "(FLAGS)")[1] if line]

    def empty(self) -> None:
        """Forget all messages and folders."""
        for entry in (self._top / "mail").iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def renumber(self) -> None:
        """Forget how the messages were numbered, as a restored backup does: UIDVALIDITY changes."""
        for file in (self._top / "mail").glob("dovecot*"):
            file.unlink()

    @contextlib.contextmanager
    def _session(self) -> Iterator[imaplib.IMAP4]:
        session = imaplib.IMAP4("127.0.0.1", self.plain, timeout=PATIENCE)
        try:
            session.login("bounces", PASSWORD)
            yield session
        finally:
            session.logout()


@contextlib.contextmanager
def dovecot(*, introspection: str = "") -> Iterator[Dovecot]:
    """Run the server while the context lasts; with `introspection` (RFC 7662) it takes the tokens good there, too."""
    program = need("dovecot", "apt-get install dovecot-imapd")
    setpriv = need("setpriv", "apt-get install util-linux")
    top = Path(tempfile.mkdtemp(prefix="newsletter-dovecot-", dir="/tmp"))
    owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    authority = Authority(top)
    authority.context("localhost")
    plain, implicit = _free_ports(2)
    for name in ("mail", "home"):
        (top / name).mkdir()
        os.chown(top / name, owner.pw_uid, owner.pw_gid)
    top.chmod(0o755)
    given = {"top": top, "password": PASSWORD, "plain": plain, "implicit": implicit, "uid": owner.pw_uid}
    group = subprocess.run(["id", "-gn", owner.pw_name], capture_output=True, text=True, check=True).stdout.strip()
    tokens = TOKENS.format(top=top) if introspection else ""
    (top / "tokens.conf").write_text(INTROSPECTION.format(url=introspection))
    more = {"tokens": tokens, "mechanisms": " xoauth2 oauthbearer" if introspection else ""}
    settings = SETTINGS.format(**given, **more, gid=owner.pw_gid, user=owner.pw_name, group=group)
    (top / "dovecot.conf").write_text(settings)
    process = subprocess.Popen([setpriv, "--pdeathsig=TERM", program, "-F", "-c", top / "dovecot.conf"])
    try:
        _await(plain, process, top / "log")
        yield Dovecot(top, authority, plain=plain, implicit=implicit)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        shutil.rmtree(top)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            said = log.read_text() if log.exists() else ""
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
        else:
            return
