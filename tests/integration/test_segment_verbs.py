"""The verbs about segments, on both databases, where they need more than subscribers: issues, and who received them."""

import datetime as dt
from dataclasses import replace

import pytest
from sqlmodel import col, select, update

from newsletter.assembly.models import IssueRow
from newsletter.content.models import NewsletterRow
from newsletter.content.newsletter import Newsletter
from newsletter.errors import InvalidInput, NotFound
from newsletter.feedback.clicks.models import Engaged, EngagementRow
from newsletter.links import Links
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.people import People
from newsletter.pipeline.segments import SegmentCount
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow
from newsletter.settings import Settings
from subscribers.errors import SegmentSyntaxError, UnknownSubscriber
from subscribers.store import delete_segment
from subscribers.tokens import Keys

NOW = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
KEYS = Keys(signing=(("k1", b"a secret for signing"),), suppression=b"a secret for digests")
ADA, BOB, EVE = "ada@town.example", "bob@town.example", "eve@town.example"


@pytest.fixture
def parts(engine, rows):
    return Parts(
        settings=Settings(),
        engine=engine,
        sessions=rows.sessions,
        keys=KEYS,
        links=Links("https://news.example"),
        operator="grace",
        now=lambda: NOW,
    )


@pytest.fixture
def people(parts):
    made = People(parts)
    made.lists.create("members")
    made.add(ADA, list_name="members", given={"language": "fr", "population": "12000", "tags": "press"})
    made.add(BOB, list_name="members", given={"language": "de", "population": "many"})
    made.add(EVE, list_name="members", given={})
    return made


@pytest.fixture
def sent(people, rows):
    """Issue 2026-12 of “rivers” was accepted for Ada 31 days ago, may have come to Bob today, was refused for Eve."""
    rows.run(3)
    with rows.sessions() as session:
        settings = Newsletter.model_validate(
            {
                "slug": "rivers",
                "name": "River News",
                "languages": ["en"],
                "timezone": "Europe/Brussels",
                "sender": {"name": "River network", "address": "news@rivers.example"},
                "list_id": "rivers.rivers.example",
                "sections": [{"key": "news"}],
            }
        )
        session.execute(update(NewsletterRow).values(settings=settings.model_dump(mode="json")))
        states = {ADA: (DeliveryState.ACCEPTED, 31), BOB: (DeliveryState.UNCERTAIN, 0), EVE: (DeliveryState.REFUSED, 0)}
        for number, (address, (state, days)) in enumerate(states.items()):
            values = {"state": state, "changed": NOW - dt.timedelta(days=days), "subscriber_id": _id(people, address)}
            mine = update(DeliveryRow).where(col(DeliveryRow.digest) == f"d{number}")
            session.execute(mine.values(**values))
        session.commit()
    return people


def _id(people, address):
    return next(person.key for person in people.page(limit=9) if person.address == address)


def meant(people, expression):
    people.segments.create(expression[:90], expression)
    return [person.address for person in people.page(limit=9, segment=expression[:90])]


def test_who_received_an_issue_is_known_from_the_ledger(sent):
    assert meant(sent, 'received "2026-12"') == [ADA, BOB]
    assert meant(sent, 'not received "2026-12"') == [EVE]
    assert meant(sent, 'received "rivers/2026-12" and language = "fr"') == [ADA]


def test_who_received_anything_lately_is_known_from_the_ledger(sent, rows):
    with rows.sessions() as session:
        test = rows._delivery(
            "test:eve", "eve", None, {"state": DeliveryState.ACCEPTED, "subscriber_id": _id(sent, EVE)}
        )
        session.add(test)
        session.commit()
    assert meant(sent, "received in the last 30 days") == [BOB]
    assert meant(sent, "not received in the last 30 days") == [ADA, EVE]
    assert meant(sent, "received since 2026-10-31") == [ADA, BOB]
    assert meant(sent, "received is empty") == [EVE], "a test is no issue"


def test_an_issue_that_does_not_exist_is_told_with_the_nearest(sent):
    with pytest.raises(NotFound, match=r"no issue '2026-13'; did you mean '2026-12'\?"):
        sent.segments.create("x", 'not received "2026-13"')
    with pytest.raises(NotFound, match="no issue 'lakes/2026-12'"):
        sent.segments.create("x", 'received "lakes/2026-12"')
    assert sent.segments.all() == []


def test_an_issue_that_is_gone_was_received_by_nobody(sent, rows):
    sent.segments.create("x", 'received "2026-12"')
    with rows.sessions() as session:
        session.execute(update(IssueRow).values(slug="2027-01"))
        session.commit()
    assert sent.segments.count("x").matching == 0


@pytest.mark.parametrize(("expression", "words"), [('clicked "2026-12"', "clicks"), ("opened is empty", "opens")])
def test_what_is_not_counted_cannot_be_asked(sent, expression, words):
    for ask in (sent.segments.count_expression, lambda text: sent.segments.create("x", text)):
        with pytest.raises(InvalidInput, match=f"{words} are not counted here, ask who received an issue instead"):
            ask(expression)


def test_reactions_that_are_counted_are_looked_up_also_when_they_are_counted_no_more(sent, people, rows):
    def count(**settings):
        with rows.sessions() as session:
            row = session.exec(select(NewsletterRow)).one()
            row.settings = {**row.settings, **settings}
            session.commit()

    count(tracking="people", opens=False)
    sent.segments.create("x", 'clicked "2026-12"')
    assert sent.segments.count("x").matching == 0
    with pytest.raises(InvalidInput, match="opens are not counted"):
        sent.segments.create("y", 'opened "2026-12"')
    with rows.sessions() as session:
        mailing = session.exec(select(DeliveryRow.mailing)).first()
        clicked = {"mailing": mailing, "kind": Engaged.CLICKED, "first": NOW}
        session.add(EngagementRow(subscriber_id=_id(people, ADA), **clicked))
        session.commit()
    assert sent.segments.count("x").matching == 1

    count(tracking="off")
    assert sent.segments.count("x").matching == 1
    with pytest.raises(InvalidInput, match="clicks are not counted"):
        sent.segments.create("z", "clicked is empty")


def test_who_leaves_is_let_go_though_the_segment_of_a_run_asks_for_what_is_not_counted_any_more(sent, rows):
    rows.run(0, slug="2027-01")
    with rows.sessions() as session:
        session.execute(update(RunRow).values(expression="clicked is empty"))
        session.commit()
    assert sent.unsubscribe(ADA, list_name="members").changed


def test_an_expression_is_counted_without_being_saved(sent):
    assert sent.segments.count_expression("population >= 12000") == SegmentCount(matching=1)
    assert sent.segments.count_expression("all", newsletter="rivers") == SegmentCount(matching=3, audience=3)
    with pytest.raises(SegmentSyntaxError):
        sent.segments.count_expression("population >=")
    assert sent.segments.all() == []


@pytest.mark.parametrize(("bound", "matching", "more"), [(1, 1, True), (2, 2, True), (3, 3, False), (4, 3, False)])
def test_counting_ends_where_it_is_told_to(sent, bound, matching, more):
    counts = sent.segments.count_expression("all", newsletter="rivers", at_most=bound)
    assert counts == SegmentCount(matching=matching, audience=min(3, bound), more=more)


def test_a_segment_is_tried_on_a_person_part_by_part(sent):
    sent.segments.create("german", 'language = "de"')
    sent.segments.create("x", 'received "2026-12" and (segment = "german" or not tag = "press") and population > 5')
    tried = sent.segments.test("x", BOB)
    assert [(part.depth, part.words, part.holds) for part in tried.parts] == [
        (0, "all of these:", False),
        (1, "who received issue “2026-12”", True),
        (1, "at least one of these:", True),
        (2, "whose language is “de”", True),
        (2, "who do not have the tag “press”", True),
        (1, "whose population is more than 5", False),
    ]
    assert not tried.holds
    assert not sent.segments.test("x", ADA).holds
    sent.change(BOB, {"population": "6"})
    assert sent.segments.test("x", BOB).holds


def test_values_that_are_equal_in_python_are_told_apart(people):
    people.change(ADA, {"vip": "true"})
    people.segments.create("x", "vip = true and vip = 1")
    assert [part.holds for part in people.segments.test("x", ADA).parts] == [False, True, False]


def test_a_segment_is_tried_on_known_people_only(people):
    people.segments.create("x", "all")
    with pytest.raises(UnknownSubscriber):
        people.segments.test("x", "nobody@town.example")


def test_a_tag_that_nobody_has_is_doubted(people):
    assert people.segments.create("a", 'has tag "PRESS" or tag like "x*"').doubts == ()
    assert people.segments.change("a", 'tag = "pres" and not tag = "zzz"').doubts == (
        "nobody has the tag “pres” yet; did you mean “press”?",
        "nobody has the tag “zzz” yet",
    )


def test_the_words_of_the_segments_that_are_named_stand_beside_it(people, parts):
    people.segments.create("a", "all")
    people.segments.create("b", 'segment = "a"')
    made = people.segments.create("c", 'not segment = "b" or segment in ("a", "b")')
    assert dict(made.named) == {"a": "All subscribers.", "b": "Subscribers who are in the segment “a”."}
    with parts.sessions() as session:
        delete_segment(session, "a")
        session.commit()
    assert people.segments.get("b").named == {"a": "There is no such segment any more."}


def test_the_same_clock_counts_days_for_all(people, parts):
    later = People(replace(parts, now=lambda: NOW + dt.timedelta(days=31)))
    people.segments.create("new", "created in the last 30 days")
    assert (people.segments.count("new").matching, later.segments.count("new").matching) == (3, 0)
