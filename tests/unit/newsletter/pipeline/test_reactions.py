"""What came back is told, forgotten and dropped."""

import datetime as dt

import pytest
from sqlalchemy import create_engine, insert
from sqlmodel import Session

import newsletter.tables  # noqa: F401  every table that these refer to
from newsletter.feedback.clicks.models import Engaged, EngagementRow
from newsletter.feedback.event import Kind, Proof
from newsletter.feedback.models import EventRow
from newsletter.pipeline import reactions
from newsletter.pipeline.dossier import _consent, _reaction
from subscribers.columns import Base
from subscribers.models import ConsentAction, ConsentEntry
from subscribers.store import put_wording

NOW = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
ADA, BOB = "a" * 64, "b" * 64


@pytest.fixture
def session():
    """What came back about Ada and Bob."""
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    bounce = {"kind": Kind.SOFT, "proof": Proof.MAC, "source": "mail", "mailing": "issue:rivers/1", "status": "4.2.2"}
    times = [{"at": NOW - days * DAY, "received": NOW - days * DAY} for days in (400, 10)]
    with Session(engine) as session:
        session.execute(
            insert(EventRow),
            [
                {**bounce, "key": "1", "digest": ADA, "delivery_id": 7, "text": "ada is full", **times[0]},
                {**bounce, "key": "2", "digest": None, "delivery_id": 8, "text": "ada again", **times[1]},
                {**bounce, "key": "3", "digest": BOB, "delivery_id": 9, "text": "bob is full", **times[0]},
            ],
        )
        clicked = {"kind": Engaged.CLICKED, "first": NOW - 20 * DAY}
        session.execute(
            insert(EngagementRow),
            [
                {**clicked, "mailing": "issue:rivers/1", "subscriber_id": 1},
                {**clicked, "mailing": "issue:rivers/1", "subscriber_id": 2},
                {**clicked, "mailing": "issue:rivers/0", "subscriber_id": 2, "first": NOW - 500 * DAY},
            ],
        )
        put_wording(session, version="v1", language="en", text="Yes, write to me.", now=NOW)
        yield session
    engine.dispose()


def told(session, **whom):
    return reactions.reactions_of(session, **{"digests": [], "delivery_ids": [], "subscriber_id": None, **whom})


def test_what_came_back_is_told_by_address_delivery_and_person_in_order(session):
    found = told(session, digests=[ADA], delivery_ids=[8], subscriber_id=1)
    assert [(each["kind"], each.get("text")) for each in found] == [
        ("soft", "ada is full"),
        ("clicked", None),
        ("soft", "ada again"),
    ]
    assert [_reaction(each) for each in found[:2]] == [
        {
            "when": "2025-10-27T08:00:00Z",
            "what": "soft",
            "message": "issue:rivers/1",
            "came by": "mail",
            "code": "4.2.2",
            "words": "ada is full",
        },
        {"when": "2026-11-11T08:00:00Z", "what": "clicked", "message": "issue:rivers/1"},
    ]


def test_words_are_forgotten_and_the_event_stays(session):
    reactions.forget_reactions(session, digests=[ADA], delivery_ids=[8])
    assert [each["text"] for each in told(session, digests=[ADA, BOB], delivery_ids=[8])] == ["", "bob is full", ""]


def test_what_is_old_is_dropped_in_pieces(session):
    before = NOW - 396 * DAY
    assert reactions.count_reactions(session, before) == 3
    assert reactions.drop_reactions(session, before, 1) == 2
    assert reactions.drop_reactions(session, before, 9) == 1
    assert reactions.drop_reactions(session, before, 9) == 0
    assert len(told(session, digests=[ADA, BOB], delivery_ids=[8], subscriber_id=2)) == 2


def test_the_words_of_a_consent_are_told_where_they_are_kept(session):
    line = ConsentEntry(action=ConsentAction.SUBSCRIBED, wording_version="v1", list_name="press", at=NOW, digest=ADA)
    words = reactions.words_agreed_to(session, [line])
    assert _consent(line, words) == {
        "when": "2026-12-01T08:00:00Z",
        "what": "asked to receive it",
        "words agreed to": "Yes, write to me.",
        "list": "press",
    }
    line.wording_version = "v0"
    assert _consent(line, reactions.words_agreed_to(session, [line]))["words agreed to"] == "v0"
