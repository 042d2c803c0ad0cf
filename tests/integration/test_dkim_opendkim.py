"""What the composer sends is judged by OpenDKIM's own library, which takes the published keys from a file."""

import ctypes
import ctypes.util
import datetime as dt
import random
import re
import shlex
from pathlib import Path

import pytest
from databases import copy_of
from programs import REQUIRE_ALL
from typer.testing import CliRunner

from newsletter.bootstrap import build
from newsletter.cli.application import app
from newsletter.compilation.artifact import Artifact
from newsletter.compilation.message import Head, build_skeleton
from newsletter.compilation.slots import Slot
from newsletter.content.newsletter import Newsletter
from newsletter.content.store import save_newsletter
from newsletter.dispatch.composer import Draft, MessageComposer, Sealing, form_of
from newsletter.dispatch.dkim import generate, read_signers, records
from newsletter.dispatch.ledger import Claim
from newsletter.dispatchers import build_dispatcher
from newsletter.errors import ConfigurationFault
from newsletter.links import Links
from newsletter.settings import DatabaseSettings, DkimSettings, Settings
from subscribers.store import SlotValues
from subscribers.tokens import Keys

NOW = dt.datetime(2024, 12, 1, 8, 0, tzinfo=dt.UTC)  # past by any clock: OpenDKIM refuses what is signed in the future
KEYS = Keys(signing=(("k1", b"a secret for signing"),), suppression=b"a secret for digests")
PAGE = Path(__file__).parents[2] / "docs" / "dkim.md"
DOMAIN = "news.rivers.example"
BOTH = {"2026": True, "2026-ed25519": True}
NEITHER = {"2026": False, "2026-ed25519": False}

# From OpenDKIM's dkim.h.
SET, QUERY_METHOD, QUERY_INFO, FROM_FILE, PASSED, BODY_MATCHES = 1, 6, 7, 1, 0x04, 0
POINTER, INT, SIZE, TEXT = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t, ctypes.c_char_p
FUNCTIONS = {
    "dkim_init": (POINTER, [POINTER, POINTER]),
    "dkim_close": (None, [POINTER]),
    "dkim_options": (INT, [POINTER, INT, INT, POINTER, SIZE]),
    "dkim_verify": (POINTER, [POINTER, TEXT, POINTER, POINTER]),
    "dkim_chunk": (INT, [POINTER, TEXT, SIZE]),
    "dkim_eom": (INT, [POINTER, POINTER]),
    "dkim_free": (INT, [POINTER]),
    "dkim_getsiglist": (INT, [POINTER, POINTER, POINTER]),
    "dkim_sig_getbh": (INT, [POINTER]),
    "dkim_sig_getflags": (ctypes.c_uint, [POINTER]),
    "dkim_sig_getselector": (TEXT, [POINTER]),
}


class OpenDkim:
    """Verifies messages; the file `published` is its DNS."""

    def __init__(self, library, published):
        self._library = library
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        self._handle = library.dkim_init(None, None)
        self._set(QUERY_METHOD, INT(FROM_FILE))
        self._set(QUERY_INFO, ctypes.create_string_buffer(str(published).encode()))

    def _set(self, option, value):
        size = len(value.value) if isinstance(value, ctypes.Array) else ctypes.sizeof(value)
        assert self._library.dkim_options(self._handle, SET, option, ctypes.byref(value), size) == 0

    def __call__(self, message):
        """Whether each selector's signature has passed."""
        status = INT()
        call = self._library.dkim_verify(self._handle, b"test", None, ctypes.byref(status))
        try:
            self._library.dkim_chunk(call, message, len(message))
            self._library.dkim_chunk(call, None, 0)
            self._library.dkim_eom(call, None)
            found, count = ctypes.POINTER(POINTER)(), INT()
            self._library.dkim_getsiglist(call, ctypes.byref(found), ctypes.byref(count))
            return dict(self._verdict(found[number]) for number in range(count.value))
        finally:
            self._library.dkim_free(call)

    def _verdict(self, signature):
        passed = self._library.dkim_sig_getflags(signature) & PASSED
        matches = self._library.dkim_sig_getbh(signature) == BODY_MATCHES
        return self._library.dkim_sig_getselector(signature).decode(), bool(passed and matches)

    def close(self):
        self._library.dkim_close(self._handle)


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    return generate(tmp_path_factory.mktemp("keys"), "2026")


@pytest.fixture(scope="module")
def signers(key_file):
    return read_signers(DkimSettings(domain=DOMAIN, selector="2026", key_file=key_file))


@pytest.fixture(scope="module")
def opendkim(signers, tmp_path_factory):
    name = ctypes.util.find_library("opendkim")
    if name is None:
        message = "libopendkim is missing: install opendkim-tools"
        (pytest.fail if REQUIRE_ALL else pytest.skip)(message)
    published = tmp_path_factory.mktemp("dns") / "keys"
    published.write_text("".join(f"{record.name} {record.text}\n" for record in records(signers[0])))
    verifier = OpenDkim(ctypes.CDLL(name), published)
    yield verifier
    verifier.close()


def artifact(sender=f"news@{DOMAIN}"):
    """An edition of about 45 kB."""
    name = Slot("first_name", "lectrice")
    head = Head(
        sender_name="Réseau des Villes fluviales",
        sender_address=sender,
        language="fr",
        reply_to="desk@rivers.example",
        list_id="villes.rivers.example",
        feedback_id="2026-12:fr:villes:riversexample",
    )
    paragraph = "<p>Les  quais de la Meuse, la nuit : qui paie l'éclairage ?\t</p> \n"
    skeleton = build_skeleton(
        head,
        subject=["Les quais, la nuit, pour ", name],
        text=["Bonjour ", name, ",\n\n", "Les  quais de la Meuse. \n.\n" * 100, Slot("unsubscribe_url", ""), "\n\n\n"],
        html=["<p>Bonjour ", name, "</p>\n" + paragraph * 500],
    )
    return Artifact(
        newsletter="villes",
        issue="2026-12",
        date=NOW.date(),
        language="fr",
        dir="ltr",
        variant="",
        sender_address=sender,
        subject="",
        preheader="",
        mjml="",
        html="",
        text="",
        skeleton=skeleton.to_bytes(),
        nonce="",
        slots=(name,),
        unknown=(),
        links=(),
        text_lacks=(),
        size=0,
        digest="",
    )


NAMES = ("Ada", "Žofie", "Ιωάννα", "محمد", "Jean-Baptiste", "", 'O"Hara', "Владимир Владимирович", "川端")


def composed(signers, number=0, edition=None):
    """The message of one of many readers, as the dispatcher gets it."""
    draw = random.Random(number)  # the same reader under the same number
    person = SlotValues(
        address=f"reader{number}@{'harbour.' * (number % 4)}town.example",
        first_name=draw.choice(NAMES) * (1 + number % 3),
        last_name=" ".join(draw.choices(NAMES, k=number % 7)),
        organisation="",
        city="Liège",
        country="BE",
        uid=f"{number:026}",
    )
    claim = Claim(
        delivery_id=number,
        epoch=1,
        number=1,
        mailing="issue:villes/2026-12",
        run_id=1,
        subscriber_id=number,
        address=None,
        digest=f"{number:064}",
        language="fr",
        artifact="",
        repeats=0,
        since=NOW,
        dated=NOW,
    )
    sealing = Sealing(keys=KEYS, links=Links("https://news.rivers.example"), bounce_domain=None, signers=signers)
    draft = Draft(claim, person, form_of(edition or EDITION, sealing))
    return MessageComposer(None, sealing).compose(draft).data


EDITION = artifact()


def without_signatures(message):
    return message[message.index(b"\r\nFrom: ") + 2 :]


def test_five_hundred_personal_messages_are_accepted(opendkim, signers):
    messages = [composed(signers, number) for number in range(500)]

    assert len(set(messages)) == 500
    assert all(opendkim(message) == BOTH for message in messages)


def _flipped(octet):
    """One bit changed, so that white space becomes a letter: OpenDKIM takes a form feed for a line end, say."""
    return bytes([octet[0] ^ (0x40 if octet.isspace() else 1)])


def test_flipping_any_octet_that_is_signed_is_refused(opendkim, signers):
    message = composed(signers)
    start, end = message.index(b"\r\nFrom: ") + 2, message.index(b"\r\n\r\n") + 4
    unsigned = range(*re.search(rb"Precedence: bulk", message).span())
    body = random.Random(5).sample(range(end, len(message)), 500)

    assert len(message) > 40_000
    assert opendkim(message.replace(b"Precedence: bulk", b"Precedence: list")) == BOTH
    for index in [index for index in (*range(start, end), *body) if index not in unsigned]:
        flipped = message[:index] + _flipped(message[index : index + 1]) + message[index + 1 :]
        assert not any(opendkim(flipped).values()), flipped[index - 20 : index + 20]


def test_without_the_published_keys_nothing_passes(opendkim, signers):
    assert opendkim(composed(signers).replace(b" s=2026", b" s=2025")) == {"2025": False, "2025-ed25519": False}


def test_a_second_sender_or_unsubscribe_address_is_refused(opendkim, signers):
    message = composed(signers)

    for added in (b"From: boss@town.example\r\n", b"List-Unsubscribe: <https://elsewhere.example>\r\n"):
        assert opendkim(added + message) == NEITHER
    assert opendkim(b"Received: from relay.example by mx.example; Tue, 1 Dec 2026 08:00:02 +0000\r\n" + message) == BOTH


def test_every_attempt_at_a_delivery_has_the_same_bytes(signers):
    assert composed(signers, 7) == composed(signers, 7)


def test_without_keys_a_message_goes_out_as_it_is(signers):
    plain = composed(())

    assert plain.startswith(b"From: ")
    assert composed(signers).endswith(plain)
    assert composed(signers).startswith(b"DKIM-Signature: v=1; a=rsa-sha256; ")


def test_nothing_is_composed_for_a_sender_whose_domain_has_no_key(signers):
    with pytest.raises(ConfigurationFault, match=r"sent from clubs\.example, for which there is no DKIM key"):
        composed(signers, edition=artifact("news@clubs.example"))


def test_the_command_of_the_page_makes_keys_and_prints_what_to_publish(tmp_path):
    command = re.search(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]
    program, *arguments = command.replace("/etc/newsletter", shlex.quote(str(tmp_path))).split()

    assert program == "newsletter"
    made = CliRunner().invoke(app, arguments)
    (signer,) = read_signers(DkimSettings(domain="news.example", selector="2026", key_file=tmp_path / "2026.pem"))

    assert [record.name.split(".")[0] for record in records(signer)] == ["2026", "2026-ed25519"]
    assert [line for line in made.stdout.splitlines() if "_domainkey" in line] == [
        record.zone_line for record in records(signer)
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["2026.pem"]


@pytest.fixture
def pipeline(ready, tmp_path, key_file):
    """A program whose one newsletter is sent from the domain that signs."""
    settings = Settings(
        database=DatabaseSettings(url=copy_of(ready, tmp_path / "newsletter.sqlite")),
        dkim=DkimSettings(domain=DOMAIN, selector="2026", key_file=key_file),
    )
    made = build(settings, migrated=False)
    _newsletter(made, "villes", f"news@{DOMAIN}")
    yield made
    made.parts.engine.dispose()


def _newsletter(pipeline, slug, sender):
    newsletter = Newsletter.model_validate(
        {
            "slug": slug,
            "name": {"en": "River Cities"},
            "languages": ["en"],
            "timezone": "Europe/Brussels",
            "sender": {"name": {"en": "River Cities"}, "address": sender},
            "list_id": f"{slug}.rivers.example",
            "sections": [{"key": "news", "title": {"en": "News"}}],
        }
    )
    with pipeline.parts.sessions() as session:
        save_newsletter(session, newsletter, now=NOW)
        session.commit()


def test_a_dispatcher_is_built_with_the_keys_of_the_settings(pipeline):
    assert build_dispatcher(pipeline, wakes=False).composer.signs


def test_no_dispatcher_is_built_while_a_newsletter_has_a_sender_without_a_key(pipeline):
    _newsletter(pipeline, "clubs", "news@clubs.example")

    with pytest.raises(ConfigurationFault, match=r"sent from clubs\.example, for which there is no DKIM key"):
        build_dispatcher(pipeline, wakes=False)
