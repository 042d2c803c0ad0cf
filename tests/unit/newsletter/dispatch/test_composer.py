"""The composer without a database: what becomes of one person's delivery."""

import datetime as dt
import email
import email.policy
import subprocess
import sys

import pytest

from newsletter.compilation.artifact import Artifact
from newsletter.compilation.message import Head, build_skeleton
from newsletter.compilation.slots import Slot, System
from newsletter.dispatch.composer import PREFERENCES, UNADDRESSED, UNSUBSCRIBE, Draft, MessageComposer, Sealing, form_of
from newsletter.dispatch.ledger import Claim
from newsletter.dispatch.names import Names
from newsletter.errors import ConfigurationFault
from newsletter.links import Links
from subscribers.store import SlotValues
from subscribers.tokens import Keys, verify

KEYS = Keys(signing=(("k1", b"signing" * 5),), suppression=b"digest" * 6)
NOW = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
ANNA = SlotValues(
    address="anna@lakes.example",
    first_name="Anna",
    last_name="Brook",
    organisation="",
    city="Liège",
    country="BE",
    uid="a1b2c3",
)


def an_artifact(sender="news@rivers.example"):
    name, settings = Slot("first_name", "dear reader"), Slot(System.PREFERENCES, "")
    head = Head(sender_name="River News", sender_address=sender, language="en")
    parts = ("Good morning, ", name, "! ", settings, "\n")
    skeleton = build_skeleton(head, subject=("Agenda",), text=parts, html=("<p>", *parts, "</p>")).to_bytes()
    empty = dict.fromkeys(("preheader", "mjml", "html", "text", "digest"), "")
    return Artifact(
        newsletter="rivers",
        issue="2026-12",
        date=NOW.date(),
        language="en",
        dir="ltr",
        variant="",
        sender_address=sender,
        subject="Agenda",
        skeleton=skeleton,
        nonce="0",
        slots=(name, settings),
        unknown=(),
        links=(),
        text_lacks=(),
        size=0,
        **empty,
    )


def a_claim(**values):
    plain = {
        "delivery_id": 1,
        "epoch": 1,
        "number": 1,
        "mailing": "issue:rivers/2026-12",
        "run_id": 1,
        "subscriber_id": 1,
        "address": None,
        "digest": "d" * 64,
        "language": "en",
        "artifact": "a" * 64,
        "repeats": 0,
        "since": NOW,
        "dated": NOW,
    }
    return Claim(**{**plain, **values})


def sealing(**values):
    return Sealing(**{"keys": KEYS, "links": Links("https://news.example"), "bounce_domain": None, **values})


def composed(person=ANNA, *, claim=None, artifact=None, **seals):
    sealed = sealing(**seals)
    form = form_of(artifact or an_artifact(), sealed)
    return MessageComposer(None, sealed).compose(Draft(claim or a_claim(), person, form))


def read(envelope):
    return email.message_from_bytes(envelope.data, policy=email.policy.default)


def test_a_message_is_addressed_named_and_dated():
    envelope = composed()
    message = read(envelope)

    assert (envelope.sender, envelope.recipient) == ("news@rivers.example", "anna@lakes.example")
    assert envelope.needs_smtputf8 is False
    assert envelope.name == Names(KEYS).of(1, "issue:rivers/2026-12", "d" * 64)
    assert message["To"] == "Anna Brook <anna@lakes.example>"
    assert message["Message-ID"] == f"<{envelope.name}@rivers.example>"
    assert message["Date"].datetime == NOW
    assert "Good morning, Anna!" in message.get_body(("plain",)).get_content()


def test_its_links_are_signed_for_this_person_and_this_mailing():
    message = read(composed())
    leave = message["List-Unsubscribe"].strip("<>")
    prefer = message.get_body(("plain",)).get_content().split("! ")[1].strip()

    assert leave.startswith("https://news.example/u/")
    assert verify(KEYS, UNSUBSCRIBE, leave.rpartition("/")[2]) == b"a1b2c3/issue:rivers/2026-12"
    assert prefer.startswith("https://news.example/p/")
    assert verify(KEYS, PREFERENCES, prefer.rpartition("/")[2]) == b"a1b2c3"


def test_every_attempt_has_the_same_bytes():
    assert composed(claim=a_claim(number=1, epoch=1)) == composed(claim=a_claim(number=4, epoch=9))


def test_deliveries_have_names_of_their_own():
    claims = [a_claim(), a_claim(delivery_id=2), a_claim(digest="e" * 64), a_claim(mailing="issue:rivers/2026-11")]

    assert len({composed(claim=claim).name for claim in claims}) == 4


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [("Anna", "", "Anna"), ("", "Brook", "Brook"), ("", "", ""), ("Anna", "Brook", "Anna Brook")],
)
def test_a_name_is_what_is_known_of_it(first, last, shown):
    message = read(composed(ANNA._replace(first_name=first, last_name=last)))

    assert message["To"].addresses[0].display_name == shown


def test_bounces_come_back_to_the_delivery_where_there_is_a_domain_for_them():
    envelope = composed(bounce_domain="bounce.rivers.example")

    assert envelope.sender == f"b+{envelope.name}@bounce.rivers.example"


def test_readers_can_leave_by_mail_where_something_reads_it():
    envelope = composed(bounce_domain="bounce.rivers.example")
    web, mail = read(envelope)["List-Unsubscribe"].split(", ")

    assert web.startswith("<https://news.example/u/")
    assert mail == f"<mailto:leave+{envelope.name}@bounce.rivers.example>"
    assert "mailto:" not in read(composed())["List-Unsubscribe"]


def objection(address):
    composer = MessageComposer(None, sealing())
    return composer.objection(Draft(a_claim(), ANNA._replace(address=address), form_of(an_artifact(), sealing())))


def test_a_domain_outside_ascii_is_written_as_the_envelope_needs_it():
    envelope = composed(ANNA._replace(address="anna@bücher.example"))

    assert (envelope.recipient, envelope.needs_smtputf8) == ("anna@xn--bcher-kva.example", False)
    assert read(envelope)["To"].addresses[0].addr_spec == "anna@xn--bcher-kva.example"


def test_whom_no_header_can_name_is_told_before_a_message_is_written():
    assert objection("žofie@lakes.example") is UNADDRESSED
    assert objection("anna@bücher.example") is None
    assert objection("anna@lakes.example") is None


class Stamp:
    """A signer that can be seen."""

    domain = "rivers.example"

    def is_aligned(self, domain):
        return domain == self.domain

    def sign(self, message):
        return f"DKIM-Signature: {len(message)}\r\n".encode()


def test_what_is_signed_has_its_signature_before_it():
    plain, signed = composed(), composed(signers=(Stamp(),))

    assert signed.data == f"DKIM-Signature: {len(plain.data)}\r\n".encode() + plain.data


def test_nothing_goes_out_half_proven():
    with pytest.raises(ConfigurationFault, match=r"clubs\.example"):
        composed(artifact=an_artifact("news@clubs.example"), signers=(Stamp(),))


def test_a_composer_says_whether_it_signs():
    assert MessageComposer(None, sealing(signers=(Stamp(),))).signs
    assert not MessageComposer(None, sealing()).signs


def test_the_cryptography_is_imported_only_where_something_is_signed():
    seen = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, newsletter.bootstrap, newsletter.dispatchers; print('cryptography' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )

    assert seen.stdout == "False\n"
