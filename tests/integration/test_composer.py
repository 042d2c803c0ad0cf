"""The composer over stored people and artifacts, on either database."""

import datetime as dt
import email
import email.policy

import pytest
from sqlalchemy import delete

from newsletter.compilation import store as artifacts
from newsletter.compilation.artifact import Artifact, digest_of
from newsletter.compilation.message import Head, build_skeleton
from newsletter.compilation.slots import Slot
from newsletter.dispatch import composer as module
from newsletter.dispatch.composer import MessageComposer, Sealing
from newsletter.dispatch.ledger import Claim
from newsletter.errors import NotFound
from newsletter.links import Links
from subscribers.models import Subscriber
from subscribers.tokens import Keys

KEYS = Keys(signing=(("k1", b"signing" * 5),), suppression=b"digest" * 6)


def stored(rows, language):
    """Store an edition; returns its digest."""
    head = Head(sender_name="River News", sender_address="news@rivers.example", language=language)
    parts = (f"{language}: ", Slot("first_name", "dear reader"), " from ", Slot("city", "nowhere"), "\n")
    skeleton = build_skeleton(head, subject=("Agenda",), text=parts, html=("<p>", *parts, "</p>")).to_bytes()
    artifact = Artifact(
        newsletter="rivers",
        issue="2026-12",
        date=dt.date(2026, 12, 1),
        language=language,
        dir="ltr",
        variant="",
        sender_address="news@rivers.example",
        subject="Agenda",
        skeleton=skeleton,
        nonce="0",
        slots=(),
        unknown=(),
        links=(),
        text_lacks=(),
        size=len(skeleton),
        digest=digest_of(language, "", skeleton=skeleton),
        **dict.fromkeys(("preheader", "mjml", "html", "text"), ""),
    )
    with rows.sessions() as session:
        artifacts.put(session, artifact, now=rows.now)
        session.commit()
    return artifact.digest


def people(rows, *names):
    """Store subscribers; returns their ids in order."""
    with rows.sessions() as session:
        made = []
        for name in names:
            address = f"{name.lower()}@lakes.example"
            about = {"digest": name, "created": rows.now, "updated": rows.now}
            made.append(Subscriber(address=address, address_key=address, first_name=name, city="Liège", **about))
        session.add_all(made)
        session.commit()
        return [person.id for person in made]


def claim(rows, artifact, subscriber_id=None, **values):
    plain = {"delivery_id": 1, "epoch": 1, "number": 1, "repeats": 0, "run_id": 1, "address": None, "language": "en"}
    dates = {"since": rows.now, "dated": rows.now, "mailing": "issue:rivers/2026-12", "digest": "d" * 64}
    return Claim(**{**plain, **dates, "artifact": artifact, "subscriber_id": subscriber_id, **values})


@pytest.fixture
def composer(rows):
    return MessageComposer(rows.sessions, Sealing(keys=KEYS, links=Links("https://news.example"), bounce_domain=None))


def texts(composer, drafts):
    messages = [email.message_from_bytes(composer.compose(draft).data, policy=email.policy.default) for draft in drafts]
    return [message.get_body(("plain",)).get_content().strip() for message in messages]


def test_everybody_gets_their_edition_with_what_is_known_of_them(rows, composer):
    english, french = stored(rows, "en"), stored(rows, "fr")
    anna, zoe = people(rows, "Anna", "Zoe")

    drafts = composer.look_up([claim(rows, french, zoe), claim(rows, english, anna)])

    assert [draft.person.address for draft in drafts] == ["zoe@lakes.example", "anna@lakes.example"]
    assert texts(composer, drafts) == ["fr: Zoe from Liège", "en: Anna from Liège"]


def test_who_has_been_erased_is_left_out(rows, composer):
    english = stored(rows, "en")
    anna, zoe = people(rows, "Anna", "Zoe")
    rows.change(delete(Subscriber).where(Subscriber.first_name == "Anna"))
    nobody = claim(rows, english)

    drafts = composer.look_up([claim(rows, english, anna), claim(rows, english, zoe), nobody])

    assert [draft.person.first_name for draft in drafts] == ["Zoe"]


def test_a_single_message_goes_to_the_address_that_it_holds(rows, composer):
    single = claim(rows, stored(rows, "en"), address="test@lakes.example", run_id=None, mailing="test:1")

    [draft] = composer.look_up([single])

    assert composer.compose(draft).recipient == "test@lakes.example"
    assert texts(composer, [draft]) == ["en: dear reader from nowhere"]


def test_an_artifact_is_read_once_and_only_so_many_are_kept(rows, composer, monkeypatch):
    monkeypatch.setattr(module, "KEPT", 2)
    read = []
    get_many = artifacts.get_many
    monkeypatch.setattr(
        artifacts, "get_many", lambda session, digests: read.append(digests) or get_many(session, digests)
    )
    editions = [stored(rows, language) for language in ("en", "fr", "de")]
    [anna] = people(rows, "Anna")
    ask = [claim(rows, edition, anna) for edition in editions]

    for number in (0, 1, 0, 2, 0, 1):
        composer.look_up([ask[number]])

    assert read == [[editions[0]], [editions[1]], [editions[2]], [editions[1]]], "the one used longest ago goes first"


def test_an_artifact_that_is_not_there_is_a_fault(rows, composer):
    [anna] = people(rows, "Anna")

    with pytest.raises(NotFound):
        composer.look_up([claim(rows, "f" * 64, anna)])
