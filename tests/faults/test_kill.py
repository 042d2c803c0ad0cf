"""
`kill -9` at any moment of a run: nobody is lost, and what is repeated is bounded and known by name.

The real `newsletter dispatch` sends, pipelined, to a server that notes each message on disk before it says that it has
taken it. The process is killed when the server has just seen some command that chance has chosen.
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
from databases import url_of
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

CONNECTIONS = 16
MAILING = "issue:rivers/2026-12"
NOW = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
DEADLINE = 60.0


HELLO = b"250-relay.example\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n"
REPLIES = {b"EHLO": HELLO, b"DATA": b"354 go on\r\n", b"QUIT": b"221 2.0.0 Bye\r\n"}


class Relay(asyncio.Protocol):
    """A server that tells its `witness` of each command, and of each message before it answers."""

    def __init__(self, witness):
        self.witness = witness
        self.buffer = bytearray()
        self.recipient = b""
        self.is_content = False

    def connection_made(self, transport):
        self.transport = transport
        transport.write(b"220 relay.example ESMTP\r\n")

    def data_received(self, data):
        self.buffer += data
        replies = b""
        while (end := self.buffer.find(b"\r\n.\r\n" if self.is_content else b"\r\n")) >= 0:
            taken = bytes(self.buffer[: end + 2])
            del self.buffer[: end + (5 if self.is_content else 2)]
            replies += self.content(taken) if self.is_content else self.command(taken)
        self.transport.write(replies)

    def command(self, line):
        verb = line[:4].upper()
        self.witness.saw(verb.decode())
        if verb == b"RCPT":
            self.recipient = line.partition(b"<")[2].partition(b">")[0]
        self.is_content = verb == b"DATA"
        return REPLIES.get(verb, b"250 2.0.0 Ok\r\n")

    def content(self, data):
        self.is_content = False
        self.witness.took(self.recipient.decode(), data)
        return b"250 2.0.0 Ok\r\n"


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
                    process.kill()

    def took(self, recipient, content):
        digest = hashlib.sha256(content).hexdigest()
        name = re.search(rb"^Message-ID: <(\S+)>", content, re.MULTILINE)[1].decode()
        os.write(self._log, f"{recipient} {name} {digest}\n".encode())
        os.fsync(self._log)
        self.saw("DOT")


@pytest.fixture
def witness(tmp_path):
    log = os.open(tmp_path / "accepted", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    yield Witness(log)
    os.close(log)


@pytest.fixture
def port(witness):
    """The server's, in a thread of its own."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: Relay(witness), "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server.sockets[0].getsockname()[1]

    async def close():
        server.close()
        await asyncio.sleep(0)

    asyncio.run_coroutine_threadsafe(close(), loop).result(DEADLINE)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(DEADLINE)
    loop.close()


@pytest.fixture
def sessions(tmp_path):
    engine = open_engine(url_of(tmp_path / "newsletter.sqlite"))
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


NURSERY = """
import os, sys
import newsletter.bootstrap, newsletter.dispatchers, newsletter.cli.processes, newsletter.cli.progress, newsletter.dispatch.lock
import newsletter.pipeline.proof, newsletter.pipeline.sending
from newsletter.__main__ import main

for line in sys.stdin:
    child = os.fork()
    if not child:
        os.environ["NEWSLETTER_DISPATCH__UNCERTAIN"] = line.strip()
        sys.argv = ["newsletter", "dispatch", "--until-done"]
        try:
            main()
        except SystemExit as ended:
            os._exit(ended.code or 0)
        os._exit(99)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Has imported the program, and runs `newsletter dispatch` in a process of its own for each line that it reads."""


class Dispatching:
    """One dispatcher, born in the nursery."""

    def __init__(self, nursery, policy):
        self.nursery = nursery
        nursery.stdin.write(f"{policy}\n")
        nursery.stdin.flush()
        self.pid = int(nursery.stdout.readline())
        self.has_ended = False

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)

    def wait(self):
        """Its exit code, or minus the signal that ended it; pytest-timeout watches over the test."""
        code = int(self.nursery.stdout.readline())
        self.has_ended = True
        return code


@pytest.fixture
def dispatch(tmp_path, port):
    """Starts `newsletter dispatch --until-done`, with a policy for uncertain outcomes, in a process of its own."""
    environment = {
        **os.environ,
        "NEWSLETTER_DATABASE__URL": url_of(tmp_path / "newsletter.sqlite"),
        "NEWSLETTER_SMTP__HOST": "127.0.0.1",
        "NEWSLETTER_SMTP__PORT": str(port),
        "NEWSLETTER_SMTP__CONNECTIONS": str(CONNECTIONS),
    }
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    nursery = subprocess.Popen([sys.executable, "-c", NURSERY], env=environment, cwd=tmp_path, **pipes)
    born = []

    def start(policy):
        born.append(Dispatching(nursery, policy))
        return born[-1]

    yield start
    nursery.stdin.close()
    if born and not born[-1].has_ended:
        with contextlib.suppress(ProcessLookupError):
            born[-1].kill()
    nursery.wait(DEADLINE)
    nursery.stdout.close()


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


def doubts_by_death(sessions):
    """How many attempts each dispatcher has left that are named uncertain; on a server two may be dead at once."""
    with sessions() as session:
        uncertain = select(col(AttemptRow.worker)).where(col(AttemptRow.verdict) == Verdict.UNCERTAIN)
        return Counter(session.scalars(uncertain))


def run_with_kills(tmp_path, sessions, witness, dispatch, *, people, kills, seed, policy):
    """Kill one dispatcher after the other, and let the last one end; returns its exit code."""
    chance = random.Random(seed)
    a_running_run(sessions, people)
    certain = {}
    for _ in range(kills):
        process = dispatch(policy)
        phase = chance.choice(["MAIL", "RCPT", "DATA", "DOT", "DOT"])
        witness.kill(process, phase=phase, count=chance.randint(1, people * 4 // (kills * 5)))
        assert process.wait() == -signal.SIGKILL
        counts = Counter(recipient for recipient, *_ in taken(tmp_path))
        certain.update({recipient: counts[recipient] for recipient in accepted(sessions) - set(certain)})
        named = doubts(sessions)
        assert max(doubts_by_death(sessions).values(), default=0) <= CONNECTIONS, "of one death"
        assert all(count - 1 <= named[recipient] for recipient, count in counts.items()), "named before it is repeated"
    last = dispatch(policy)
    code = last.wait()
    counts = Counter(recipient for recipient, *_ in taken(tmp_path))
    assert all(counts[recipient] == count for recipient, count in certain.items())
    return code


def everybody(people):
    return {f"p{number}@lakes.example" for number in range(people)}


def kills(ordinary, long):
    """The same with few kills in the ordinary run and with many in the long one."""
    named = pytest.mark.long
    return pytest.mark.parametrize(
        "drawn",
        [
            pytest.param(ordinary, id=f"{ordinary[1]} kills"),
            pytest.param(long, id=f"{long[1]} kills", marks=named),
        ],
    )


@pytest.mark.faults
@pytest.mark.timeout(1200)
@kills((2000, 20, 20261201), (2000, 200, 7))
def test_nobody_is_lost_and_repeats_are_bounded_and_named(tmp_path, sessions, witness, dispatch, drawn):
    people, number, seed = drawn
    given = {"people": people, "kills": number, "seed": seed}
    assert run_with_kills(tmp_path, sessions, witness, dispatch, **given, policy="repeat") == 0

    messages = defaultdict(list)
    for recipient, *message in taken(tmp_path):
        messages[recipient].append(tuple(message))
    named = doubts(sessions)
    repeated = {recipient: len(found) - 1 for recipient, found in messages.items() if len(found) > 1}
    assert set(messages) == accepted(sessions) == everybody(people)
    assert sum(repeated.values()) <= sum(named.values()) <= CONNECTIONS * number
    assert all(extra <= named[recipient] for recipient, extra in repeated.items())
    assert all(len(set(found)) == 1 for found in messages.values()), "a repeated message is the same to the last byte"
    assert len({found[0][0] for found in messages.values()}) == people, "each delivery has a Message-ID of its own"
    with sessions() as session:
        assert [check.code for check in audit(session, MAILING) if not check.holds] == []
        assert session.scalars(select(RunRow)).one().state is RunState.FINISHED
        assert session.scalars(select(IssueRow)).one().state is IssueState.SENT


@pytest.mark.faults
@pytest.mark.timeout(1200)
@kills((300, 4, 11), (2000, 200, 12))
def test_under_skip_nothing_is_repeated_and_whoever_may_lack_it_is_named(tmp_path, sessions, witness, dispatch, drawn):
    people, number, seed = drawn
    given = {"people": people, "kills": number, "seed": seed}
    code = run_with_kills(tmp_path, sessions, witness, dispatch, **given, policy="skip")

    counts, named = Counter(recipient for recipient, *_ in taken(tmp_path)), doubts(sessions)
    assert code == (5 if named else 0)
    assert max(counts.values()) == 1
    assert accepted(sessions) | set(named) == everybody(people)
    assert accepted(sessions) & set(named) == set()
    assert set(counts) - accepted(sessions) <= set(named)
    assert len(named) <= CONNECTIONS * number
    with sessions() as session:
        assert [check.code for check in audit(session, MAILING) if not check.holds] == []
