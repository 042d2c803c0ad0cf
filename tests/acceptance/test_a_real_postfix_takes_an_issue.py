"""A real Postfix is the relay: every mailbox has its message once, byte for byte what was approved."""

import email
import email.policy
import json
import re
from collections import Counter
from hashlib import sha256

import pytest
from integration.postfix import ADDED, running, split
from sqlmodel import col, select

from newsletter.compilation.artifact import SAMPLE
from newsletter.dispatch.composer import MessageComposer, Sealing
from newsletter.dispatch.entries import Claim
from newsletter.planning.models import DeliveryRow, RunRow

NAMES = ("", "Anna", "Þóra", "Łukasz", "Ἑλένη", '<b>"Bo"</b>', "Jean-Luc", "ليلى", "=?utf-8?q?x?=", "Zoë")
STRANGERS = tuple(f"reader{number:04}" for number in (7, 20, 33, 58))
GREY = tuple(f"reader{number:04}" for number in (4, 29, 59))

SETTINGS = """\
virtual_mailbox_maps = texthash:{top}/conf/boxes
smtpd_recipient_restrictions = check_recipient_access texthash:{top}/conf/access, permit_mynetworks, reject
smtpd_forbid_unauth_pipelining = yes
debug_peer_list = 127.0.0.1
debug_peer_level = 3
"""
"""It polices what may be pipelined, and writes down what it reads, and when."""


@pytest.fixture
def readers(approved):
    """The addresses of the sixty readers, who have names now, by their local part."""
    rows = (approved.folder / "readers.csv").read_text(encoding="utf-8").splitlines()[1:]
    named = [f'{row},"{NAMES[number % 10].replace(chr(34), chr(34) * 2)}"' for number, row in enumerate(rows)]
    people = approved.folder / "people.csv"
    people.write_text("\n".join(["email,language,first_name", *named]) + "\n", encoding="utf-8")
    approved.quickly("subscribers", "import", people, "--list", "readers")
    addresses = [row.partition(",")[0] for row in rows]
    return {address.partition("@")[0]: address for address in addresses}


@pytest.fixture
def postfix(readers):
    boxes = "".join(f"{address} {local}/\n" for local, address in readers.items() if local not in STRANGERS)
    access = "".join(f"{readers[local]} 450 4.2.0 Greylisted, come again\n" for local in GREY)
    with running(SETTINGS, boxes=boxes, access=access) as relay:
        yield relay


def in_boxes(postfix):
    """What lies in the mailboxes, by their names; never two in one."""
    found = [(path.parts[-3], path.read_bytes()) for path in postfix.boxes.glob("*/new/*")]
    assert max(Counter(box for box, _ in found).values(), default=0) <= 1
    return dict(found)


def test_a_real_postfix_takes_an_issue(approved, readers, postfix):
    there = {"NEWSLETTER_SMTP__PORT": str(postfix.port)}
    approved.quickly("issue", "compile", "2026-12", "--output", "built")
    approved.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--now")

    begun = approved.run("dispatch", "--until-done", "--patience", "0", code=4, **there)
    assert begun.problem.splitlines()[0] == "53 accepted, 3 deferred, 4 refused, 0 uncertain"
    approved.wait(lambda: len(in_boxes(postfix)) == 53)
    all_of, waited = commands_it_had_to_wait_for(postfix.log)
    assert {all_of[word] for word in ("MAIL", "RCPT", "DATA")} == {60}
    assert (waited["RCPT"], waited["DATA"]) == (0, 0), "they come with their MAIL"
    assert waited["MAIL"] < 15, "nearly all come with the content before"

    (postfix.top / "conf" / "access").write_text("")
    postfix.reload()
    approved.rows("UPDATE delivery SET next_at = '2026-01-01 00:00:00.000000' WHERE state = 'deferred'")
    ended = approved.run("dispatch", "--until-done", **there)
    assert ended.problem == "3 accepted, 0 deferred, 0 refused, 0 uncertain"
    approved.wait(lambda: len(in_boxes(postfix)) == 56)

    boxes = in_boxes(postfix)
    assert set(boxes) == set(readers) - set(STRANGERS)
    assert postfix.log.count("status=sent") == 56
    nothing_was_changed_on_the_way(approved, readers, boxes)
    every_body_is_that_of_the_build(approved, boxes)
    the_ledger_says_why(approved, readers)


TALK = re.compile(r"smtpd\[(\d+)\]: (?:vstream_buf_get_ready: fd (\d+) got|([<>]) unknown\[127\.0\.0\.1\]: (\w+))")
"""Of a process of Postfix: that it reads from a descriptor, a command (<) or a reply (>)."""


def commands_it_had_to_wait_for(log):
    """How often each command came, and how often Postfix had to read anew since its last reply to have it."""
    all_of, waited, line, read = Counter(), Counter(), {}, Counter()
    for process, descriptor, side, word in TALK.findall(log):
        if descriptor:
            read[process, descriptor] += 1
            newest = descriptor
        elif side == ">":
            read[process, line.get(process)] = 0
        else:
            client = line.setdefault(process, newest)  # the first command is what was read last
            all_of[word] += 1
            waited[word] += read[process, client] > 0
    return all_of, waited


def nothing_was_changed_on_the_way(approved, readers, boxes):
    composed = messages_of(approved)
    for box, delivered in boxes.items():
        added, message = split(delivered)
        assert message == composed[readers[box]], box
        assert set(re.findall(rb"^([\w-]+):", added, re.MULTILINE)) <= {name.encode() for name in ADDED}


def messages_of(approved):
    """The message of every reader of the run, as the program composes it now."""
    parts = approved.opened(public_url=approved.settings["NEWSLETTER_PUBLIC_URL"]).parts
    sealing = Sealing(keys=parts.keys, links=parts.links, bounce_domain=None)
    composer = MessageComposer(parts.sessions, sealing)
    with parts.sessions() as session:
        [run] = session.scalars(select(RunRow)).all()
        rows = session.scalars(select(DeliveryRow).where(col(DeliveryRow.run_id) == run.id)).all()
        claims = [
            Claim(
                delivery_id=row.id,
                epoch=1,
                number=1,
                mailing=row.mailing,
                run_id=run.id,
                subscriber_id=row.subscriber_id,
                address=None,
                digest=row.digest,
                language=row.language,
                artifact=row.artifact,
                repeats=0,
                since=run.started,
                dated=run.dated,
            )
            for row in rows
        ]
    envelopes = [composer.compose(draft) for draft in composer.look_up(claims)]
    parts.engine.dispose()
    return {envelope.recipient: envelope.data for envelope in envelopes}


def every_body_is_that_of_the_build(approved, boxes):
    built = approved.folder / "built"
    editions = json.loads((built / "build.json").read_bytes())["editions"]
    sent = dict(approved.rows("SELECT language, artifact FROM delivery GROUP BY 1, 2"))
    assert sent == {language: facts["digest"] for language, facts in editions.items()}
    seen = Counter()
    for delivered in boxes.values():
        message = email.message_from_bytes(delivered, policy=email.policy.default)
        language = str(message["Content-Language"])
        for kind, name in (("plain", "txt"), ("html", "html")):
            body = put_back(message.get_body((kind,)).get_content().replace("\r\n", "\n"))
            assert digest(body) == digest((built / f"{language}.{name}").read_text(encoding="utf-8"))
        seen[language] += 1
    assert set(seen) == {"en", "fr", "es"}


def put_back(body):
    """A body as the neutral reader gets it."""
    for letter, address in (("u", SAMPLE.unsubscribe_url), ("p", SAMPLE.preferences_url)):
        body, count = re.subn(rf"https://news\.beacontowns\.example/{letter}/[\w.~-]+", address, body)
        assert count
    return body


def digest(body):
    return sha256(body.encode()).hexdigest()


def the_ledger_says_why(approved, readers):
    standing = approved.status()
    assert (standing["state"], standing["accepted"], standing["refused"]) == ("sent", 56, 4)
    assert approved.quickly("issue", "audit", "2026-12", "--json").json["holds"] is True
    for local in STRANGERS:
        [attempt] = attempts_at(approved, readers[local])
        assert (attempt["verdict"], attempt["fault"], attempt["phase"]) == ("refused", "recipient", "RCPT")
        assert (attempt["code"], attempt["enhanced"]) == (550, "5.1.1")
        assert attempt["text"].endswith("User unknown in virtual mailbox table")
    for local in GREY:
        put_off, taken = attempts_at(approved, readers[local])
        assert (put_off["verdict"], put_off["phase"], put_off["code"]) == ("deferred", "RCPT", 450)
        assert (taken["verdict"], taken["code"]) == ("accepted", 250)


def attempts_at(approved, address):
    return approved.quickly("explain", address, "2026-12", "--json").json["attempts"]
