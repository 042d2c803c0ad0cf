"""An installation of its own for each test: a folder, a database, a mail server on loopback, and the command line."""

import asyncio
import contextlib
import copy
import email
import email.policy
import functools
import io
import json
import os
import subprocess
import sys
import threading
import time
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiosmtpd.controller import Controller
from databases import CHOSEN, databases
from faults.zygote import Process, Zygote

from newsletter.bootstrap import Pipeline, build
from newsletter.cli import application
from newsletter.settings import load

PACKS = Path(__file__).parent / "packs"

LANGUAGES = {"en": "en", "fr": "fr", "fr-BE": "fr", "es-ES": "es", "hu": "en", "de-AT": "en"}
"""What the subscribers of these tests asked for, and the edition that BCP 47 lookup gives them."""

PATIENCE = 90.0
"""Seconds after which a condition that a test waits for has not come true."""


class Result(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def problem(self) -> str:
        """What went wrong, without the lines of the log."""
        return "\n".join(line for line in self.err.splitlines() if not line.startswith("{"))


class Received(NamedTuple):
    """A message as the mail server took it."""

    recipient: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def language(self) -> str:
        return str(self.message["Content-Language"])

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, kind: str) -> str:
        body = self.message.get_body((kind,))
        assert body is not None
        return str(body.get_content())


class MailServer:
    """
    A real SMTP server that keeps what it takes; after `answers` messages it keeps on taking and says no more.

    Addresses in `unknown` are refused for good.
    """

    def __init__(self) -> None:
        self.port = 1  # until it listens
        self.received: list[Received] = []
        self.unanswered: list[str] = []
        self.answers: int | None = None
        self.unknown: set[str] = set()

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802  aiosmtpd's name
        if address in self.unknown:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802  aiosmtpd's name
        message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        recipient = envelope.rcpt_tos[0]
        self.received.append(Received(recipient, message))
        if self.answers is not None and len(self.received) > self.answers:
            self.unanswered.append(recipient)
            while self.answers is not None:  # noqa: ASYNC110  a test in another thread decides
                await asyncio.sleep(0.02)
        return "250 2.0.0 kept"

    @property
    def recipients(self) -> list[str]:
        return [received.recipient for received in self.received]

    def to(self, recipient: str) -> list[Received]:
        return [received for received in self.received if received.recipient == recipient]


class _Listening(Controller):
    """Takes a free port, and knows which."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Installation:
    """A folder with a database of its own, and the command line over it."""

    def __init__(self, folder: Path, mail: MailServer, zygote: Zygote, kind: str = CHOSEN) -> None:
        self.folder = folder
        self.mail = mail
        self.kind = kind
        self._zygote = zygote
        self._started: list[Process] = []

    @property
    def database(self) -> Path:
        return self.folder / "newsletter.sqlite"

    @property
    def url(self) -> str:
        return databases(self.kind).address(self.database)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "NEWSLETTER_DATABASE__URL": self.url,
            "NEWSLETTER_SMTP__HOST": "127.0.0.1",
            "NEWSLETTER_SMTP__PORT": str(self.mail.port),
            "NEWSLETTER_SMTP__CONNECTIONS": "4",
            "NEWSLETTER_PUBLIC_URL": "https://news.beacontowns.example",
        }

    def run(self, *arguments: str | Path, code: int = 0, **settings: str) -> Result:
        """Run `newsletter ARGUMENTS` as a process of its own, to its end."""
        process = self.start(*arguments, **settings)
        ended = process.wait(PATIENCE)
        return self._checked(Result(ended, process.out, process.error), arguments, code)

    def start(self, *arguments: str | Path, **settings: str) -> Process:
        """Start `newsletter ARGUMENTS` and leave it running; it is ended with the test."""
        environment = {**self.settings, **settings}
        process = self._zygote.start(arguments, environment=environment, folder=self.folder)
        self._started.append(process)
        return process

    def afresh(self, *arguments: str | Path, **settings: str) -> Result:
        """Run `newsletter ARGUMENTS` by an interpreter of its own, as a shell does, to its good end."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        done = subprocess.run(
            [sys.executable, "-m", "newsletter", *map(str, arguments)],
            cwd=self.folder,
            env={**plain, **self.settings, **settings},
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        return self._checked(Result(done.returncode, done.stdout, done.stderr), arguments, 0)

    def quickly(self, *arguments: str | Path, code: int | None = 0) -> Result:
        """
        Run `newsletter ARGUMENTS` inside this process: the same command line without the second that a start takes.

        A `code` of None takes any that is no accident.
        """
        out, err = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            patch.setattr(sys, "argv", ["newsletter", *map(str, arguments)])
            for name, value in self.settings.items():
                patch.setenv(name, value)
            try:
                application.run()
                ended = 0
            except SystemExit as left:
                ended = int(left.code or 0)
        return self._checked(Result(ended, out.getvalue(), err.getvalue()), arguments, code)

    def opened(self, **settings: Any) -> Pipeline:
        """The program over the database, within this process."""
        with contextlib.chdir(self.folder):  # on PostgreSQL the keys lie below the folder that the program is in
            return build(load(database={"url": self.url}, **settings))

    def status(self, slug: str = "2026-12") -> dict[str, Any]:
        return dict(self.quickly("issue", "status", slug, "--json").json)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Look into the database, or change it, behind the program's back."""
        return databases(self.kind).rows(self.database, query, *values)

    def wait(self, condition) -> None:
        """Wait until a condition is true."""
        patience = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < patience, "waited in vain"
            time.sleep(0.02)

    def write(self, name: str, pack: dict[str, Any]) -> Path:
        """Write a content pack; JSON is YAML."""
        path = self.folder / name
        path.write_text(json.dumps(pack, ensure_ascii=False, indent=1), encoding="utf-8")
        return path

    def readers(self, count: int) -> Path:
        """Write a file of subscribers whose languages take turns."""
        path = self.folder / "readers.csv"
        tags = list(LANGUAGES)
        rows = [f"reader{number:04}@{tags[number % 6].lower()}.example,{tags[number % 6]}" for number in range(count)]
        path.write_text("\n".join(["email,language", *rows]) + "\n", encoding="utf-8")
        return path

    def closed(self) -> Path:
        """The folder, to be copied: all that is in the database is where a copy finds it."""
        databases(self.kind).settle(self.database)
        return self.folder

    def end(self) -> None:
        """End what was started; the mail server answers again, so that nothing waits for it."""
        self.mail.answers = None
        for process in self._started:
            if process.poll() is None:
                process.terminate()
            process.wait(PATIENCE)

    def _checked(self, result: Result, arguments, code: int | None) -> Result:
        said = f"newsletter {' '.join(map(str, arguments))}: {result.code}\n{result.out}\n{result.err}"
        assert code is None or result.code == code, said
        assert "Traceback" not in result.err, said
        return result


@pytest.fixture
def mail():
    """A mail server that listens on loopback while the test runs."""
    server = MailServer()
    controller = _Listening(server, hostname="127.0.0.1", port=0)
    controller.start()
    server.port = controller.port
    yield server
    server.answers = None
    controller.stop()


@pytest.fixture(scope="session")
def empty_of(tmp_path_factory, zygote):
    """The folder of an installation with an empty database of a kind, made once."""

    @functools.cache
    def empty(kind):
        made = Installation(tmp_path_factory.mktemp("empty"), MailServer(), zygote, kind)
        made.quickly("init")
        return made.closed()

    return empty


@pytest.fixture
def installation(kind, empty_of, tmp_path, mail, zygote):
    """An empty installation, its database made."""
    made = Installation(databases(kind).copy_folder(empty_of(kind), tmp_path), mail, zygote, kind)
    yield made
    made.end()


@pytest.fixture(scope="session")
def approved_of(empty_of, tmp_path_factory, zygote):
    """The folder of an installation with an approved issue and a database of a kind, made once."""

    @functools.cache
    def approved(kind):
        folder = databases(kind).copy_folder(empty_of(kind), tmp_path_factory.mktemp("approved"))
        made = Installation(folder, MailServer(), zygote, kind)
        for arguments in (
            ("content", "import", PACKS / "beacons.yaml"),
            ("issue", "assemble", "2026-12"),
            ("issue", "approve", "2026-12"),
            ("lists", "create", "readers"),
            ("subscribers", "import", made.readers(60), "--list", "readers"),
            ("segments", "create", "everybody", 'list = "readers"'),
        ):
            made.quickly(*arguments)
        return made.closed()

    return approved


@pytest.fixture
def approved(kind, approved_of, tmp_path, mail, zygote):
    """An installation with the approved issue 2026-12 of the beacons and sixty readers in the segment `everybody`."""
    folder = databases(kind).copy_folder(approved_of(kind), tmp_path / "installation")
    made = Installation(folder, mail, zygote, kind)
    yield made
    made.end()


SMALL = {
    "newsletter": {
        "slug": "small",
        "name": {"en": "Small Letter", "fr": "Petite lettre", "de": "Kleiner Brief"},
        "languages": ["en", "fr", "de"],
        "locales": {"en": "en-GB", "fr": "fr-FR", "de": "de-DE"},
        "timezone": "Europe/Brussels",
        "sender": {"name": "Small network", "address": "letter@small.example"},
        "list_id": "letter.small.example",
        "sections": [
            {"key": "lead"},
            {"key": "news", "title": {"en": "News", "fr": "Nouvelles", "de": "Neues"}},
            {"key": "agenda", "title": {"en": "Agenda", "fr": "Agenda", "de": "Termine"}, "show": "lines"},
        ],
    },
    "entries": [],
    "issues": [
        {
            "slug": "one",
            "date": "2026-12-01",
            "period": {"from": "2026-11-01", "to": "2026-11-30"},
            "texts": {
                "en": {"title": "December", "subject": "In December"},
                "fr": {"title": "Décembre", "subject": "En décembre"},
                "de": {"title": "Dezember", "subject": "Im Dezember"},
            },
        }
    ],
}


@pytest.fixture
def small():
    """A content pack with one newsletter in English, French and German and one issue, and no entry yet."""
    return copy.deepcopy(SMALL)


@pytest.fixture(autouse=True)
def every_page_once(no_page_twice):
    """What becomes of pages is the matter here; that they are made the same twice, processes show."""


@pytest.fixture(autouse=True)
def no_threads_left():
    """A test ends with the threads that it began with."""
    before = threading.active_count()
    yield
    patience = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < patience:
        time.sleep(0.01)
