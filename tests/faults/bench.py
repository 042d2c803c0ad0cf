"""
The test bench of the fault table: an installation with an approved issue, the fault relay, and the verdict over both.

Takes recipients and what is to go wrong, starts the real command line in processes of their own, and compares what
`newsletter issue audit` says with what the relay has on disk.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from faults.relay import Relay, Taken, seen, tag, taken
from faults.zygote import PATIENCE, Break, Process, Zygote

SLUG = "2026-12"
CONNECTIONS = 2
QUICK = {"NEWSLETTER_DISPATCH__FIRST_RETRY": "0.2", "NEWSLETTER_DISPATCH__UNCERTAIN_HOLD": "0.5"}
"""Waits that a test can await; their proportions are those of the defaults."""

SHORT_PAUSES = {"newsletter.dispatch.line:FIRST_PAUSE": 0.05}
"""The pause before the second attempt at a relay that is away."""


LEASES = {
    "newsletter.dispatch.workers:SILENCE": 1.0,
    "newsletter.dispatch.lock:IDLE": 0.5,
    "newsletter.dispatch.pulse:BEAT_SECONDS": 0.2,
    "newsletter.dispatch.dispatcher:REAP_SECONDS": 0.2,
}
"""The times of a lease on PostgreSQL, a tenth of what they are in earnest."""

SHORT_LEASES = Break(constants={**SHORT_PAUSES, **LEASES, "newsletter.dispatch.outage:RETRY_SECONDS": 0.1})
EAGER = Break(
    constants={
        name: value for name, value in SHORT_LEASES.constants.items() if not name.endswith((":SILENCE", ":IDLE"))
    }
)
"""Nobody dies, so nobody may be taken for dead: the lease is the real one, which a busy machine does not outlast."""


def people(count: int, asks: str = "accept") -> list[str]:
    """Recipients whose local part asks the relay for something (see `script`)."""
    return [f"{asks}+{number}@lakes.example" for number in range(count)]


def short(**timeouts: float) -> dict[str, float]:
    """Timeouts of the wire, in seconds, that a test can await."""
    named = {f"newsletter.dispatch.smtp:TIMEOUTS.{name}": seconds for name, seconds in timeouts.items()}
    quick = {"newsletter.dispatch.smtp:TIMEOUTS.tick": 0.05, "newsletter.dispatch.smtp:TIMEOUTS.slowest": 1e6}
    return {**quick, **named}


class Attempt(NamedTuple):
    """One try at a delivery, as the ledger has it."""

    recipient: str
    number: int
    verdict: str
    fault: str | None
    phase: int
    code: int | None
    text: str
    at: str


class Bench:
    """An installation in a folder of its own, and the relay that it sends to."""

    def __init__(self, folder: Path, *, zygote: Zygote, relay: Relay, url: str = "") -> None:
        self.folder = folder
        self.relay = relay
        self._zygote = zygote
        self._url = url or f"sqlite:///{self.database}"
        self._started: list[Process] = []
        self.settings: dict[str, str] = {}

    @property
    def database(self) -> Path:
        return self.folder / "newsletter.sqlite"

    def url_at(self, host: str) -> str:
        """The address of its database, by the network."""
        return self._url.replace("tests@/", f"tests@{host}/").partition("?")[0]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "NEWSLETTER_DATABASE__URL": self._url,
            "NEWSLETTER_SMTP__HOST": "127.0.0.1",
            "NEWSLETTER_SMTP__PORT": str(self.relay.port),
            "NEWSLETTER_SMTP__CONNECTIONS": str(CONNECTIONS),
            "NEWSLETTER_SMTP__HELLO": "client.example",
            **QUICK,
            **self.settings,
        }

    def start(self, *arguments: object, broken: Break | None = None, **settings: str) -> Process:
        """Start `newsletter ARGUMENTS`."""
        process = self._zygote.start(
            arguments, environment={**self.environment, **settings}, folder=self.folder, broken=broken
        )
        self._started.append(process)
        return process

    def run(self, *arguments: object, code: int | None = 0, patience: float = PATIENCE) -> Process:
        """Run `newsletter ARGUMENTS` to its end."""
        process = self.start(*arguments)
        ended = process.wait(patience)
        said = f"newsletter {arguments}: {ended}\n{process.out}\n{process.error}"
        assert code is None or ended == code, said
        assert "Traceback" not in process.error, said
        return process

    def queue(self, recipients: Iterable[str]) -> None:
        """Import recipients into the list of the issue, and queue it at once."""
        self.admit(recipients)
        self.run("issue", "queue", SLUG, "--segment", "everybody", "--now")

    def queue_at(self, recipients: Iterable[str], wall: str, *, zone: str) -> None:
        """The same for later."""
        self.admit(recipients)
        self.run("issue", "queue", SLUG, "--segment", "everybody", "--at", wall, "--timezone", zone)

    def admit(self, recipients: Iterable[str]) -> None:
        """Import recipients into the list of the issue."""
        path = self.folder / "readers.csv"
        path.write_text("email,language\n" + "".join(f"{recipient},en\n" for recipient in recipients))
        self.run("subscribers", "import", path, "--list", "readers")

    def dispatch(self, *, broken: Break | None = None, patience: float = 20, **settings: str) -> Process:
        """Start `newsletter dispatch --until-done`."""
        return self.start("dispatch", "--until-done", "--patience", patience, broken=broken, **settings)

    def finish(self, *, code: int = 0, broken: Break | None = None, wait: float = PATIENCE, **settings: str) -> Process:
        """Dispatch until every delivery has ended."""
        process = self.dispatch(broken=broken, **settings)
        assert process.wait(wait) == code, process.error
        assert "Traceback" not in process.error, process.error
        return process

    def status(self) -> dict[str, Any]:
        """What `newsletter issue status` says."""
        return json.loads(self.run("issue", "status", SLUG, "--json").out)

    def audit(self) -> list[str]:
        """The invariants that do not hold, by `newsletter issue audit`."""
        found = self.run("issue", "audit", SLUG, "--json", code=None)
        checks = json.loads(found.out)
        broken = [check["code"] for check in _checks(checks) if not check["holds"]]
        assert (found.wait() == 0) is (not broken)
        return broken

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Look into the database behind the program's back."""
        if self._url.startswith("postgresql"):
            with psycopg.connect(self._url, autocommit=True) as server:
                found = server.execute(query, values)
                return found.fetchall() if found.description else []
        with contextlib.closing(sqlite3.connect(self.database, timeout=30)) as connection, connection:
            return connection.execute(query, values).fetchall()

    def attempts(self) -> list[Attempt]:
        """Every attempt, in order."""
        query = (
            "SELECT s.address, a.number, a.verdict, a.fault, a.phase, a.code, a.text, a.at FROM attempt a"
            " JOIN delivery d ON d.id = a.delivery_id JOIN subscriber s ON s.id = d.subscriber_id"
            " WHERE d.run_id IS NOT NULL ORDER BY a.id"
        )
        return [Attempt(*row[:-1], str(row[-1])) for row in self.rows(query)]

    def states(self) -> dict[str, str]:
        """The state of each recipient's delivery."""
        query = (
            "SELECT s.address, d.state FROM delivery d JOIN subscriber s ON s.id = d.subscriber_id"
            " WHERE d.run_id IS NOT NULL"
        )
        return dict(self.rows(query))

    def sent_by(self, process: Process) -> set[str]:
        """Whose messages a process has on the wire, or had when it died."""
        query = (
            "SELECT s.address, d.worker FROM delivery d JOIN subscriber s ON s.id = d.subscriber_id"
            " WHERE d.run_id IS NOT NULL AND d.state = 'sending'"
        )
        own = re.compile(rf":{process.pid}(~|$)")
        return {recipient for recipient, worker in self.rows(query) if own.search(worker)}

    def taken(self) -> list[Taken]:
        """What the relay has on disk."""
        return taken(self.relay.folder)

    def violations(self) -> list[str]:
        """What the relay has to say against us."""
        return seen(self.relay.folder)

    def end(self) -> None:
        """Kill what still runs."""
        for process in self._started:
            process.send_signal(signal.SIGCONT)  # what is stopped cannot be waited for
            process.kill()


class Account(NamedTuple):
    """The relay's own records against the audience: who got nothing, and how many got it again."""

    lost: set[str]
    repeats: Counter[str]
    strangers: set[str]

    @property
    def repeated(self) -> int:
        return sum(self.repeats.values())


def account(bench: Bench, recipients: Sequence[str], *, refused: Iterable[str] = ()) -> Account:
    """
    Compare what the relay has with whom it was for; asserts what must hold whatever was broken.

    A repeated message is the same to the last byte, a Message-ID is one recipient's, and the relay has nothing to
    complain of; replies that bear a tag bear that of the delivery they were attributed to.
    """
    messages = defaultdict(list)
    for message in bench.taken():
        messages[message.recipient].append((message.name, message.sha256))
    names = Counter(found[0][0] for found in messages.values())
    assert all(len(set(found)) == 1 for found in messages.values()), "a repeated message is another one"
    assert set(names.values()) <= {1}, "two recipients share a Message-ID"
    assert bench.violations() == []
    wanted = set(recipients) - set(refused)
    repeats = Counter({recipient: len(found) - 1 for recipient, found in messages.items() if len(found) > 1})
    return Account(lost=wanted - set(messages), repeats=repeats, strangers=set(messages) - wanted)


def assert_tags(attempts: Iterable[Attempt]) -> int:
    """No reply is attributed to the wrong delivery; returns how many could be told."""
    told = [attempt for attempt in attempts if "[" in attempt.text and attempt.code]
    wrong = [attempt for attempt in told if tag(attempt.recipient) not in attempt.text]
    assert wrong == []
    return len(told)


def doubts(attempts: Iterable[Attempt]) -> Counter[str]:
    """How many attempts at each recipient are named uncertain."""
    return Counter(attempt.recipient for attempt in attempts if attempt.verdict == "uncertain")


def until(condition: Callable[[], object], *, patience: float = PATIENCE) -> float:
    """Wait for a condition; returns how long it took, in seconds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < patience, "waited in vain"
        time.sleep(0.01)
    return time.monotonic() - began


def made(folder: Path, *, zygote: Zygote, pack: Path, url: str = "") -> Path:
    """An installation with an approved issue and no readers, to be copied."""
    bench = Bench(folder, zygote=zygote, relay=_Nowhere(), url=url)
    for arguments in (
        ("init",),
        ("content", "import", pack),
        ("issue", "assemble", SLUG),
        ("issue", "approve", SLUG),
        ("lists", "create", "readers"),
        ("segments", "create", "everybody", 'list = "readers"'),
    ):
        bench.run(*arguments)
    if not url:
        bench.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder


def copied(folder: Path, to: Path) -> Path:
    """A copy of an installation."""
    shutil.copytree(folder, to, ignore=shutil.ignore_patterns("*-shm", "*-wal", "*.err", "*.out", "zygote"))
    return to


def _checks(found: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    return found["checks"] if isinstance(found, Mapping) else found


class _Nowhere:
    """A relay that nothing is sent to."""

    port = 1


def used_while_away(process: Process, seconds: float) -> float:
    """The seconds of processor time that a process uses while its relays are away for so long."""
    time.sleep(0.2)
    used = _processor_time(process)
    time.sleep(seconds)  # the relays' absence, which is what this is about
    return _processor_time(process) - used


def _processor_time(process: Process) -> float:
    used = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")
