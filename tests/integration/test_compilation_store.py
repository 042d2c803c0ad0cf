import datetime as dt
import json
from dataclasses import replace

import pytest
from databases import url_of
from sqlmodel import Session

from newsletter.assembly.models import IssueRow
from newsletter.compilation import store
from newsletter.compilation.artifact import Artifact, digest_of
from newsletter.compilation.message import Head, build_skeleton
from newsletter.compilation.slots import Slot
from newsletter.content.models import NewsletterRow
from newsletter.database import open_engine
from newsletter.errors import NotFound
from subscribers.columns import Base

NOW = dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC)


def an_artifact(language="en", **changes):
    name = Slot("first_name", "reader")
    head = Head(sender_name="Rivers", sender_address="news@rivers.example", language=language)
    skeleton = build_skeleton(
        head, subject=["Quays"], text=["Dear ", name, "\n"], html=["<p>Dear ", name, "</p>\n"]
    ).to_bytes()
    token = "zq0123456789t0qz"
    artifact = Artifact(
        newsletter="river-cities",
        issue="2026-12",
        date=dt.date(2026, 12, 1),
        language=language,
        dir="ltr",
        variant="",
        sender_address="news@rivers.example",
        subject="Quays",
        preheader="",
        mjml="<mjml></mjml>",
        html=f"<p>Dear {token}</p>\n",
        text=f"Dear {token}\n",
        skeleton=skeleton,
        nonce="0123456789",
        slots=(name,),
        unknown=("unsubscribe",),
        links=("https://www.rivers.example/",),
        text_lacks=(),
        size=1234,
        digest=digest_of(language, "", skeleton=skeleton),
    )
    return replace(artifact, **changes)


@pytest.fixture
def session(tmp_path):
    engine = open_engine(url_of(tmp_path / "x.db"))
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


@pytest.fixture
def issue(session):
    newsletter = NewsletterRow(slug="river-cities", settings={}, created=NOW, changed=NOW)
    session.add(newsletter)
    session.flush()
    row = IssueRow(
        newsletter_id=newsletter.id,
        slug="2026-12",
        date=dt.date(2026, 12, 1),
        period_from=dt.date(2026, 11, 1),
        period_to=dt.date(2026, 11, 30),
        plan={},
        created=NOW,
        changed=NOW,
    )
    session.add(row)
    session.flush()
    return row.id


def test_an_artifact_comes_back_as_it_was_stored(session):
    artifact = an_artifact()
    assert store.put(session, artifact, now=NOW)
    session.commit()
    session.expire_all()
    again = store.get(session, artifact.digest)
    assert again == artifact
    assert again.is_whole
    assert again.message == artifact.message


def test_storing_it_twice_changes_nothing(session):
    assert store.put(session, an_artifact(), now=NOW) is True
    assert store.put(session, an_artifact(), now=NOW + dt.timedelta(days=1)) is False


def test_a_digest_that_is_not_there_is_named(session):
    with pytest.raises(NotFound, match="artifact 'beef'"):
        store.get(session, "beef")
    store.put(session, an_artifact(), now=NOW)
    with pytest.raises(NotFound, match="'beef'"):
        store.get_many(session, [an_artifact().digest, "beef"])


def test_many_artifacts_are_read_at_once_in_the_order_asked_for(session):
    artifacts = [an_artifact(language) for language in ("fr", "en", "es")]
    for artifact in artifacts:
        store.put(session, artifact, now=NOW)
    digests = [artifact.digest for artifact in artifacts]
    assert list(store.get_many(session, [*digests, digests[0]]).values()) == artifacts
    assert store.get_many(session, []) == {}


def test_an_approval_pins_artifacts_and_a_new_one_replaces_them(session, issue):
    english, french = an_artifact(), an_artifact("fr")
    for artifact in (english, french):
        store.put(session, artifact, now=NOW)
    store.pin(session, issue, [english, french])
    assert store.pins(session, issue) == {("en", ""): english.digest, ("fr", ""): french.digest}
    store.pin(session, issue, [french])
    assert store.pins(session, issue) == {("fr", ""): french.digest}


def test_a_build_is_held_beside_the_pins_and_goes_with_them(session, issue):
    assert store.get_build(session, issue) is None
    store.put_build(session, issue, calendar=b"old", manifest=b"{}")
    store.put_build(session, issue, calendar=b"BEGIN:VCALENDAR", manifest=json.dumps({"a": 1}).encode())
    store.pin(session, issue, [])
    assert store.get_build(session, issue) == (b"BEGIN:VCALENDAR", b'{"a": 1}')
    store.unpin(session, issue)
    assert store.get_build(session, issue) is None
    assert store.pins(session, issue) == {}
