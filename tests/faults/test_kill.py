"""
`kill -9` at any moment of a run: nobody is lost, and what is repeated is bounded and known by name.

The real `newsletter dispatch` over SQLite sends to a real SMTP server, which notes each message on disk before it says
that it has taken it. The process is killed when the server has just seen some command that chance has chosen.
"""

import asyncio
import contextlib
import datetime as dt
import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import threading
from collections import Counter, defaultdict

import pytest
from aiosmtpd.smtp import SMTP
from sqlalchemy import insert
from sqlmodel import col, select

from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.compilation import store as artifacts
from newsletter.compilation.artifact import Artifact, digest_of
from newsletter.compilation.message import Head, build_skeleton
from newsletter.compilation.slots import Slot
from newsletter.content.models import NewsletterRow
from newsletter.database import migrate, open_engine, session_factory
from newsletter.dispatch.audit import audit
from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Verdict
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from subscribers.models import MailingList, Membership, MembershipState, Subscriber

CONNECTIONS = 4
MAILING = "issue:rivers/2026-12"
NOW = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
DEADLINE = 60.0


class Relay(SMTP):
    """A server that tells its `witness` of each command, and of each message before it answers."""

    async def smtp_MAIL(self, arg):  # noqa: N802  aiosmtpd's names
        self.event_handler.saw("MAIL")
        await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg):  # noqa: N802
        self.event_handler.saw("RCPT")
        await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg):  # noqa: N802
        self.event_handler.saw("DATA")
        await super().smtp_DATA(arg)


class Witness:
    """Keeps the log of accepted messages, and kills a process when the chosen command has come in."""

    def __init__(self, log):
        self._log = log
        self._lock = threading.Lock()
        self._target = None

    def kill(self, process, *, phase, count):
        """Kill a process at the `count`th command of this kind from now on."""
        with self._lock:
            self._target = (process, phase, count)

    def saw(self, phase):
        with self._lock:
            if self._target and self._target[1] == phase:
                process, _, count = self._target
                self._target = (process, phase, count - 1) if count > 1 else None
                if count == 1:
                    process.send_signal(signal.SIGKILL)

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        digest = hashlib.sha256(envelope.original_content).hexdigest()
        name = re.search(rb"^Message-ID: <(\S+)>", envelope.original_content, re.MULTILINE)[1].decode()
        os.write(self._log, f"{envelope.rcpt_tos[0]} {name} {digest}\n".encode())
        os.fsync(self._log)
        self.saw("DOT")
        return "250 2.0.0 Ok"


@pytest.fixture
def witness(tmp_path):
    log = os.open(tmp_path / "accepted", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    yield Witness(log)
    os.close(log)


@pytest.fixture
def port(witness):
    """The server's, in a thread of its own."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        loop.create_server(lambda: Relay(witness, hostname="relay.example", loop=loop), "127.0.0.1", 0)
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server.sockets[0].getsockname()[1]

    async def close():
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run_coroutine_threadsafe(close(), loop).result(DEADLINE)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(DEADLINE)
    loop.close()


@pytest.fixture
def sessions(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'newsletter.sqlite'}")
    migrate(engine)
    yield session_factory(engine)
    engine.dispose()


def an_artifact():
    """An edition of one line."""
    name = Slot("first_name", "dear reader")
    head = Head(sender_name="River News", sender_address="news@rivers.example", language="en")
    parts = ("Good morning, ", name, "!\n")
    skeleton = build_skeleton(head, subject=("Agenda",), text=parts, html=("<p>", *parts, "</p>")).to_bytes()
    nothing = {
        "preheader": "",
        "mjml": "",
        "html": "",
        "text": "",
        "nonce": "0",
        "unknown": (),
        "links": (),
        "text_lacks": (),
    }
    return Artifact(
        newsletter="rivers",
        issue="2026-12",
        date=NOW.date(),
        language="en",
        dir="ltr",
        variant="",
        sender_address="news@rivers.example",
        subject="Agenda",
        skeleton=skeleton,
        slots=(name,),
        size=len(skeleton),
        digest=digest_of("en", "", skeleton=skeleton),
        **nothing,
    )


def a_running_run(sessions, people):
    """A run whose audience has just been frozen."""
    artifact, day = an_artifact(), NOW.date()
    with sessions() as session:
        artifacts.put(session, artifact, now=NOW)
        newsletter = NewsletterRow(slug="rivers", settings={"slug": "rivers"}, created=NOW, changed=NOW)
        session.add(newsletter)
        session.flush()
        dates = {"date": day, "period_from": day, "period_to": day, "created": NOW, "changed": NOW}
        issue = IssueRow(newsletter_id=newsletter.id, slug="2026-12", state=IssueState.SENDING, plan={}, **dates)
        session.add(issue)
        session.flush()
        run = RunRow(
            issue_id=issue.id,
            mailing=MAILING,
            segment="everybody",
            expression="all",
            state=RunState.RUNNING,
            due_at=NOW,
            started=dt.datetime.now(dt.UTC),
            dated=NOW,
            operator="anna",
            created=NOW,
            total=people,
        )
        session.add(run)
        session.flush()
        named = [f"p{number}@lakes.example" for number in range(people)]
        about = {"created": NOW, "updated": NOW}
        session.add_all(Subscriber(address=name, address_key=name, digest=name, **about) for name in named)
        session.flush()
        ids = dict(session.execute(select(col(Subscriber.digest), col(Subscriber.id))).all())
        session.add(MailingList(id=1, name="members", created=NOW))
        session.flush()
        member = {"list_id": 1, "state": MembershipState.CONFIRMED, "changed": NOW}
        session.execute(insert(Membership), [{**member, "subscriber_id": ids[name]} for name in named])
        plain = {"mailing": MAILING, "run_id": run.id, "language": "en", "artifact": artifact.digest, "changed": NOW}
        zero = {"state": DeliveryState.PLANNED, "epoch": 0, "attempts": 0, "repeats": 0}
        session.execute(
            insert(DeliveryRow), [{**plain, **zero, "digest": name, "subscriber_id": ids[name]} for name in named]
        )
        session.commit()


@pytest.fixture
def dispatch(tmp_path, port):
    """Starts `newsletter dispatch --until-done` in a process of its own."""
    environment = {
        **os.environ,
        "NEWSLETTER_DATABASE__URL": f"sqlite:///{tmp_path / 'newsletter.sqlite'}",
        "NEWSLETTER_SMTP__HOST": "127.0.0.1",
        "NEWSLETTER_SMTP__PORT": str(port),
        "NEWSLETTER_SMTP__CONNECTIONS": str(CONNECTIONS),
    }
    started = []

    def start():
        command = [sys.executable, "-m", "newsletter", "dispatch", "--until-done"]
        process = subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE)
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def taken(tmp_path):
    """The messages that the server has on disk: recipient, Message-ID, digest."""
    return [tuple(line.split()) for line in (tmp_path / "accepted").read_text().splitlines()]


def accepted(sessions):
    """Who has the message for certain, by the ledger."""
    with sessions() as session:
        state = col(DeliveryRow.state) == DeliveryState.ACCEPTED
        return set(session.scalars(select(col(DeliveryRow.digest)).where(state)))


def doubts(sessions):
    """How many attempts at each recipient are named uncertain."""
    with sessions() as session:
        uncertain = (
            select(col(DeliveryRow.digest))
            .join(AttemptRow, col(AttemptRow.delivery_id) == col(DeliveryRow.id))
            .where(col(AttemptRow.verdict) == Verdict.UNCERTAIN)
        )
        return Counter(session.scalars(uncertain))


@pytest.mark.faults
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "drawn",
    [
        pytest.param((300, 5, 20261201), id="5 kills"),
        pytest.param((1500, 50, 7), id="50 kills", marks=pytest.mark.long),
    ],
)
def test_nobody_is_lost_and_repeats_are_bounded_and_named(tmp_path, sessions, witness, dispatch, drawn):
    people, kills, seed = drawn
    chance = random.Random(seed)
    a_running_run(sessions, people)
    certain = {}
    for _ in range(kills):
        process = dispatch()
        phase = chance.choice(["MAIL", "RCPT", "DATA", "DOT", "DOT"])
        witness.kill(process, phase=phase, count=chance.randint(1, people * 4 // (kills * 5)))
        assert process.wait(DEADLINE) == -signal.SIGKILL
        now_certain = accepted(sessions)
        counts = Counter(recipient for recipient, *_ in taken(tmp_path))
        certain.update({recipient: counts[recipient] for recipient in now_certain - set(certain)})
    last = dispatch()
    assert last.wait(DEADLINE) == 0, last.stderr.read()

    messages = defaultdict(list)
    for recipient, *message in taken(tmp_path):
        messages[recipient].append(tuple(message))
    named = doubts(sessions)
    repeated = {recipient: len(found) - 1 for recipient, found in messages.items() if len(found) > 1}
    assert set(messages) == accepted(sessions) == {f"p{number}@lakes.example" for number in range(people)}
    assert sum(repeated.values()) <= sum(named.values()) <= CONNECTIONS * kills
    assert all(extra <= named[recipient] for recipient, extra in repeated.items())
    assert all(len(messages[recipient]) == count for recipient, count in certain.items())
    assert all(len(set(found)) == 1 for found in messages.values()), "a repeated message is the same to the last byte"
    assert len({found[0][0] for found in messages.values()}) == people, "each delivery has a Message-ID of its own"
    with sessions() as session:
        assert [check.code for check in audit(session, MAILING) if not check.holds] == []
        assert session.scalars(select(RunRow)).one().state is RunState.FINISHED
        assert session.scalars(select(IssueRow)).one().state is IssueState.SENT
