"""
The fault relay: an SMTP server that does what it is told, notes what it takes, and watches over its client.

Takes a `Script` (see there for what recipients and rules can ask for), yields two files of JSON lines: `accepted`, a
line per message, on disk before the relay says that it has taken it, and `seen`, a line per connection, login and
violation. A violation is whatever a client must never do: input behind EHLO, STARTTLS, AUTH or DATA, input behind
anything where PIPELINING is not offered (RFC 2920 §3.1), half a line end, a line of more than 1000 octets, an empty
message.

Replies bear a tag of their recipient, `[0f3a…]`, so that a ledger shows whether it took one reply for another's.

Runs in a thread with a loop of its own (`running`), or as a process that outlives its clients:

    python -m faults.relay FOLDER [--port N] [--rules JSON] [--seed N]
"""

import argparse
import asyncio
import base64
import contextlib
import dataclasses
import hashlib
import json
import os
import re
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import NamedTuple

from faults.script import Act, Drop, Rule, Script, Step, Way, rules_from
from faults.wire import BARE, LONGEST_LINE, Gone, Wire

SIZE = 10 * 1024 * 1024
FLOOD = b"250-and another line of a reply that goes on\r\n"
MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^>]*)>", re.IGNORECASE | re.MULTILINE)
PATIENCE = 30.0


class Taken(NamedTuple):
    """One message that the relay has taken, as its log says."""

    name: str
    recipient: str
    sha256: str
    at: float
    connection: int


@dataclasses.dataclass(kw_only=True)
class Options:
    """What the relay offers, and to whom."""

    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
    size: int = SIZE
    tls: ssl.SSLContext | None = None
    is_implicit: bool = False
    login: tuple[str, str] | None = None


class Notebook:
    """The two files; what is taken is on disk when `take` returns."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._accepted = os.open(folder / "accepted", flags)
        self._seen = os.open(folder / "seen", flags)

    def take(self, message: Taken) -> None:
        os.write(self._accepted, json.dumps(message._asdict()).encode() + b"\n")
        os.fsync(self._accepted)

    def note(self, what: str, connection: int, detail: str = "") -> None:
        line = {"what": what, "connection": connection, "detail": detail, "at": time.time()}
        os.write(self._seen, json.dumps(line).encode() + b"\n")

    def close(self) -> None:
        os.close(self._accepted)
        os.close(self._seen)


def taken(folder: Path) -> list[Taken]:
    """What a relay has taken, from its file; a line that a kill has cut was never answered."""
    path = folder / "accepted"
    whole = (
        [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")] if path.exists() else []
    )
    return [Taken(**json.loads(line)) for line in whole]


def seen(folder: Path, what: str = "violation") -> list[str]:
    """The details of what a relay has noted of some kind."""
    path = folder / "seen"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [line["detail"] for line in lines if line["what"] == what]


def tag(recipient: str) -> str:
    """What replies about a recipient bear."""
    return f"[{hashlib.sha256(recipient.encode()).hexdigest()[:12]}]"


class Relay:
    """
    The server.

    `watch` is called in its loop with each step that a client has come to; `call` runs work in that loop, from another
    thread, where the relay is `running`.
    """

    def __init__(self, folder: Path, *, script: Script | None = None, options: Options | None = None) -> None:
        self.folder = folder
        self.script = script or Script()
        self.options = options or Options()
        self.watch: Callable[[Step, str], object] = lambda _step, _recipient: None
        self.call: Callable[[Coroutine[object, object, None]], object] = lambda _work: None
        self.port = 0
        self.steps: Counter[Step] = Counter()
        self.pipelined: Counter[int] = Counter()
        self.connections = 0
        self.open_now = 0
        self._notebook = Notebook(folder)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> None:
        """Listen, on the port that it had; the connections that stand are left alone."""
        if self._server:
            self._server.close()
        context = self.options.tls if self.options.is_implicit else None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Wire(self._greet), "127.0.0.1", port or self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and end every connection."""
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def close(self) -> None:
        """Close the files."""
        self._notebook.close()

    def _greet(self, wire: Wire) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(Session(self, wire, self.connections)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, session: "Session") -> None:
        self._notebook.note("connection", session.number)
        self.open_now += 1
        try:
            await session.run()
        except Gone:
            pass
        finally:
            self.open_now -= 1
            session.wire.drop(Drop.FIN)

    def note(self, what: str, session: "Session", detail: str = "") -> None:
        """Write a line of `seen`."""
        self._notebook.note(what, session.number, detail)

    def take(self, session: "Session", content: bytes) -> None:
        """Write a line of `accepted`."""
        name = MESSAGE_ID.search(content)
        digest = hashlib.sha256(content).hexdigest()
        told = name[1].decode() if name else ""
        self._notebook.take(Taken(told, session.recipient, digest, time.time(), session.number))


class Session:
    """One connection, command by command."""

    def __init__(self, relay: Relay, wire: Wire, number: int) -> None:
        self.relay, self.wire, self.number = relay, wire, number
        self.recipient = ""
        self._sender: str | None = None
        self._is_known = relay.options.login is None
        self._is_utf8 = self._is_blamed = False
        self._nth: Counter[Step] = Counter()
        self._held, self._later = b"", b""
        self._verbs = {
            b"EHLO": self._ehlo,
            b"HELO": self._ehlo,
            b"STARTTLS": self._starttls,
            b"AUTH": self._auth,
            b"MAIL": self._mail,
            b"RCPT": self._rcpt,
            b"DATA": self._data,
            b"RSET": self._rset,
            b"NOOP": self._noop,
            b"QUIT": self._quit,
        }

    async def run(self) -> None:
        """Serve until one of us goes."""
        await self._say(Step.CONNECT, "220 relay.example ESMTP")
        while True:
            line = await self.wire.line()
            if not line.endswith(b"\r") or b"\r" in line[:-1]:
                self._blame("half a line end in a command")
            verb, _, rest = line.strip(b"\r").partition(b" ")
            obey = self._verbs.get(verb.upper())
            if obey is None:
                await self.wire.write(b"500 5.5.1 unknown command\r\n")
            else:
                await obey(rest)

    async def _ehlo(self, _rest: bytes) -> None:
        self._forbid_more("EHLO")
        self._forget()
        options = self.relay.options
        offered = [*options.extensions, f"SIZE {options.size}"]
        if options.tls and not self.wire.has_tls:
            offered.append("STARTTLS")
        if options.login:
            offered.append("AUTH PLAIN LOGIN")
        lines = ["relay.example greets you", *offered]
        said = "\r\n".join(f"250{' ' if line is lines[-1] else '-'}{line}" for line in lines)
        await self._say(Step.EHLO, said)

    async def _starttls(self, _rest: bytes) -> None:
        self._forbid_more("STARTTLS")
        if not self.relay.options.tls or self.wire.has_tls:
            await self._say(Step.STARTTLS, "503 5.5.1 no TLS here")
            return
        self.wire.stall()  # the handshake is not for us to read
        if await self._say(Step.STARTTLS, "220 2.0.0 go ahead") == 220:
            await self.wire.secure(self.relay.options.tls)
            self._forget()
        else:
            self.wire.go_on()

    async def _auth(self, rest: bytes) -> None:
        self._forbid_more("AUTH")
        self.relay.note("login", self)
        mechanism, _, initial = rest.partition(b" ")
        if mechanism.upper() == b"PLAIN":
            given = base64.b64decode(initial or await self._ask("")).split(b"\0")[1:]
        else:
            user = initial or await self._ask("Username:")
            given = [base64.b64decode(word) for word in (user, await self._ask("Password:"))]
        if tuple(part.decode() for part in given) != self.relay.options.login:
            await self._say(Step.AUTH, "535 5.7.8 wrong")
        elif await self._say(Step.AUTH, "235 2.7.0 welcome") == 235:
            self._is_known = True

    async def _ask(self, word: str) -> bytes:
        await self.wire.write(b"334 " + base64.b64encode(word.encode()) + b"\r\n")
        return await self.wire.line()

    async def _mail(self, rest: bytes) -> None:
        self._forbid_more("MAIL", unless="PIPELINING")
        words = rest.decode("utf-8", "replace").upper().split()
        self._is_utf8 = "SMTPUTF8" in words
        sizes = [int(word[5:]) for word in words if word.startswith("SIZE=")]
        if not self._is_known:
            usual = "530 5.7.0 log in first"
        elif any(size > self.relay.options.size for size in sizes):
            usual = "552 5.3.4 too big"
        elif self._sender is not None:
            usual = "503 5.5.1 there is a sender already"
        else:
            usual = "250 2.1.0 sender taken"
        if await self._say(Step.MAIL, usual) // 100 == 2:
            self._sender = _address(rest)

    async def _rcpt(self, rest: bytes) -> None:
        self._forbid_more("RCPT", unless="PIPELINING")
        recipient = _address(rest)
        if self._sender is None:
            usual = "503 5.5.1 no sender"
        elif not recipient.isascii() and not self._is_utf8:
            usual = "553 5.6.7 not without SMTPUTF8"
        else:
            usual = "250 2.1.5 recipient taken"
        if await self._say(Step.RCPT, usual, recipient=recipient) // 100 == 2:
            self.recipient = recipient

    async def _data(self, _rest: bytes) -> None:
        self._forbid_more("DATA")
        self._is_blamed = self.wire.waiting > 0
        usual = "354 go ahead" if self.recipient else "554 5.5.1 no valid recipients"
        if await self._say(Step.DATA, usual, recipient=self.recipient) != 354:
            return
        with contextlib.suppress(_Unread):
            await self._content()
        self._forget()

    async def _content(self) -> None:
        await self.wire.at_least(1)
        self.relay.watch(Step.CONTENT, self.recipient)
        act = self._act(Step.CONTENT, self.recipient)
        if act != Act():
            await self.wire.at_least(act.after)
            await self._perform(act, b"" if act.reply is None else f"{act.reply}\r\n".encode())
            if act.reply is not None:
                await self.wire.end()  # an early refusal: the rest is not read
                raise _Unread
        await self.wire.at_least(3)
        is_empty = self.wire.peek(3) == b".\r\n"
        raw = await self.wire.until(b".\r\n" if is_empty else b"\r\n.\r\n")
        content = b"" if is_empty else raw[:-3]
        self._forbid_more("content", unless="PIPELINING")
        self._judge(content)
        whole = (b"\r\n" + content).replace(b"\r\n..", b"\r\n.")[2:]
        usual = "552 5.3.4 too big" if len(content) > self.relay.options.size else "250 2.0.0 taken"
        if not self.recipient:
            usual = "554 5.5.1 no valid recipients"
        await self._say(Step.DOT, usual, recipient=self.recipient, content=whole)

    def _judge(self, content: bytes) -> None:
        if not content:
            self._blame("an empty message")
        if BARE.search(content):
            self._blame("half a line end in a message")
        if max(map(len, content.split(b"\n"))) >= LONGEST_LINE:
            self._blame("a long line in a message")

    async def _rset(self, _rest: bytes) -> None:
        self._forget()
        await self._say(Step.RSET, "250 2.0.0 forgotten")

    async def _noop(self, _rest: bytes) -> None:
        await self.wire.write(b"250 2.0.0 nothing done\r\n")

    async def _quit(self, _rest: bytes) -> None:
        await self._say(Step.QUIT, "221 2.0.0 bye")
        self.wire.drop(Drop.FIN)
        raise Gone

    def _forget(self) -> None:
        self._sender, self.recipient, self._is_utf8 = None, "", False

    def _forbid_more(self, verb: str, *, unless: str = "") -> None:
        if not self.wire.waiting:
            return
        if unless in self.relay.options.extensions:
            self.relay.pipelined[self.number] += 1
        else:
            self._blame(f"input behind {verb}")

    def _blame(self, detail: str) -> None:
        self.relay.note("violation", self, detail)

    def _act(self, step: Step, recipient: str = "") -> Act:
        self._nth[step] += 1
        self.relay.steps[step] += 1
        return self.relay.script.act(
            step, connection=self.number, nth=self._nth[step], recipient=recipient, sender=self._sender or ""
        )

    async def _say(self, step: Step, usual: str, *, recipient: str = "", content: bytes | None = None) -> int:
        """Answer a step as the script says; returns the code that was said, or would have been."""
        act = self._act(step, recipient)
        said = act.reply or usual
        code = int(said[:3])
        if content is not None and (act.taken or (code // 100 == 2 and not (act.drop or act.mute))):
            self.relay.take(self, content)
        self.relay.watch(step, recipient)
        if recipient:
            said += f" {tag(recipient)}"
        await self._perform(act, f"{said}\r\n".encode())
        return code

    async def _perform(self, act: Act, said: bytes) -> None:
        if act.stalls:
            self.wire.stall()
        if act.delay or act.stalls:
            await self._pause(act)
        if act.drop:
            self.wire.drop(act.drop)
            raise Gone
        if act.mute:
            await self.wire.end()
            raise Gone
        await self._flood(act.flood)
        self._held += act.before.encode("latin-1")
        said += act.after_it.encode("latin-1")
        match act.way:
            case Way.MERGE:
                self._held += said
            case Way.SWAP:
                self._later += said
            case Way.TWICE:
                await self._put(said + said, act.slices)
            case Way.PLAIN:
                await self._put(said, act.slices)
        if act.hangs_up:
            self.wire.drop(Drop.FIN)
            raise Gone

    async def _pause(self, act: Act) -> None:
        if act.delay:
            await asyncio.sleep(act.delay)
        else:
            await self.wire.end()
        if act.stalls:
            self.wire.go_on()

    async def _flood(self, size: int) -> None:
        written = 0
        while size < 0 or written < size:
            await self.wire.write(FLOOD)
            written += len(FLOOD)

    async def _put(self, said: bytes, slices: float | None) -> None:
        if said.startswith(b"354") and not self._is_blamed:
            self._forbid_more("DATA")  # what has come while the reply was delayed
        out, self._held, self._later = self._held + said + self._later, b"", b""
        if slices is None:
            await self.wire.write(out)
            return
        for byte in out:
            await self.wire.write(bytes([byte]))
            await asyncio.sleep(slices)


class _Unread(Exception):  # noqa: N818  a way out
    """The rest of a content was not read."""


def _address(rest: bytes) -> str:
    return rest.decode("utf-8", "replace").partition("<")[2].partition(">")[0]


@contextlib.contextmanager
def running(relay: Relay, *, port: int = 0) -> Iterator[Relay]:
    """Run a relay in a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    relay.call = lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(PATIENCE)
    try:
        relay.call(relay.start(port))
        yield relay
    finally:
        relay.call(relay.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()
        relay.close()


def main(arguments: list[str]) -> None:
    """Run a relay until killed; prints its port."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rules", default="[]")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    rules: list[Rule] = rules_from(json.loads(given.rules))

    async def serve() -> None:
        relay = Relay(given.folder, script=Script(rules, seed=given.seed))
        await relay.start(given.port)
        sys.stdout.write(f"{relay.port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    main(sys.argv[1:])
