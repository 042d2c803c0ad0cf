"""Freezing an audience in both databases: everybody once, in the right edition, and nobody who must not be written to."""

import time

import pytest
from sqlalchemy import delete, insert, update
from sqlmodel import col, select

from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.planning.planner import CHUNK, Plan, freeze
from newsletter.planning.store import change_run, count_run
from subscribers.models import (
    Departure,
    MailingList,
    Membership,
    MembershipState,
    Subscriber,
    SubscriberTag,
    Suppression,
    SuppressionReason,
)
from subscribers.segments import parse, to_condition
from subscribers.store import resolver

EN, FR, DE = "e" * 64, "f" * 64, "d" * 64
EDITIONS = {language: {frozenset(): digest} for language, digest in {"en": EN, "fr": FR, "de": DE}.items()}


@pytest.fixture
def people(rows, now):
    """Puts people on the list `members`, each described as (name, language, tags), confirmed unless said otherwise."""

    def add(*described, state=MembershipState.CONFIRMED, list_name="members"):
        with rows.sessions() as session:
            listed = session.scalars(select(MailingList).where(col(MailingList.name) == list_name)).first()
            if listed is None:
                listed = MailingList(name=list_name, created=now)
                session.add(listed)
            for name, language, *tags in described:
                person = Subscriber(
                    address=f"{name}@lakes.example",
                    address_key=f"{name}@lakes.example",
                    digest=name,
                    language=language,
                    created=now,
                    updated=now,
                )
                session.add(person)
                session.flush()
                session.add(Membership(subscriber_id=person.id, list_id=listed.id, state=state, changed=now))
                session.add_all(SubscriberTag(subscriber_id=person.id, tag=tag) for tag in tags)
            session.commit()

    return add


def a_plan(rows, now, *, segment="all", artifacts=EDITIONS, limits=None):
    with rows.sessions() as session:

        def condition(words):
            return to_condition(parse(words), now=now, resolve=resolver(session))

        segments = {name: condition(words) for name, words in (limits or {}).items()}
        return Plan(
            newsletter="rivers", artifacts=artifacts, default="en", condition=condition(segment), segments=segments
        )


def freeze_run(rows, now, run_id=None, *, progress=lambda _done, _total: None, **plan):
    """Freeze the audience of a new run of the same issue, or of the one given; returns how many were added."""
    run_id = run_id or rows.run(state=RunState.PLANNING)
    run = rows.get(RunRow, run_id)
    return freeze(rows.sessions, run, plan=a_plan(rows, now, **plan), now=now, progress=progress)


def editions(rows):
    """Which artifact is planned for whom."""
    with rows.sessions() as session:
        found = session.scalars(select(DeliveryRow).where(col(DeliveryRow.state) == DeliveryState.PLANNED))
        return {delivery.digest: (delivery.language, delivery.artifact) for delivery in found}


def person(rows, name):
    with rows.sessions() as session:
        return session.scalars(select(col(Subscriber.id)).where(col(Subscriber.digest) == name)).one()


def test_everybody_gets_one_delivery_in_the_nearest_edition(rows, people, now):
    people(("anna", "fr-BE"), ("ben", "de"), ("cleo", "el"), ("dora", None), ("emil", "en-GB"), ("fay", "de-AT"))

    assert freeze_run(rows, now) == 6

    assert editions(rows) == {
        "anna": ("fr", FR),
        "ben": ("de", DE),
        "cleo": ("en", EN),
        "dora": ("en", EN),
        "emil": ("en", EN),
        "fay": ("de", DE),
    }


def test_a_planned_delivery_holds_no_address(rows, people, now):
    people(("anna", "fr"))
    freeze_run(rows, now)

    delivery = rows.delivery("anna")

    assert (delivery.address, delivery.subscriber_id, delivery.changed) == (None, person(rows, "anna"), now)
    assert (delivery.epoch, delivery.attempts, delivery.repeats, delivery.worker) == (0, 0, 0, None)


def test_only_the_segment_is_planned(rows, people, now):
    people(("anna", "fr", "press"), ("ben", "fr"), ("cleo", "de", "press"))

    freeze_run(rows, now, segment='tag = "press" and language = "fr"')

    assert set(editions(rows)) == {"anna"}


def test_each_variant_goes_to_those_it_is_for(rows, people, now):
    people(("anna", "fr", "press"), ("ben", "fr", "press", "board"), ("cleo", "fr", "board"), ("dora", "fr"))
    variants = {
        frozenset(): "0" * 64,
        frozenset({"press"}): "1" * 64,
        frozenset({"board"}): "2" * 64,
        frozenset({"press", "board"}): "3" * 64,
    }

    limits = {"press": 'tag = "press"', "board": 'tag = "board"'}
    assert freeze_run(rows, now, artifacts={"fr": variants}, limits=limits) == 4

    assert {name: artifact[0] for name, (_, artifact) in editions(rows).items()} == {
        "anna": "1",
        "ben": "3",
        "cleo": "2",
        "dora": "0",
    }


def test_nobody_is_planned_who_must_not_be_written_to(rows, people, now):
    people(("anna", "en"), ("left", "en"), ("left-another", "en"), ("suppressed", "en"))
    people(("pending", "en"), state=MembershipState.PENDING, list_name="a")
    people(("gone", "en"), state=MembershipState.LEFT, list_name="b")
    people(("removed", "en"), state=MembershipState.REMOVED, list_name="c")
    rows.change(insert(Departure).values(subscriber_id=person(rows, "left"), newsletter="rivers", at=now))
    rows.change(insert(Departure).values(subscriber_id=person(rows, "left-another"), newsletter="lakes", at=now))
    rows.change(
        insert(Suppression).values(digest="suppressed", reason=SuppressionReason.HARD_BOUNCE, note="", since=now)
    )

    assert freeze_run(rows, now) == 2

    assert set(editions(rows)) == {"anna", "left-another"}


def test_planning_again_adds_nobody_twice(rows, people, now):
    people(("anna", "fr"), ("ben", "de"))
    run_id = rows.run(state=RunState.PLANNING)

    assert (freeze_run(rows, now, run_id), freeze_run(rows, now, run_id)) == (2, 0)
    assert rows.states() == {DeliveryState.PLANNED: 2}


def test_planning_that_was_broken_off_is_completed(rows, people, now):
    people(("anna", "fr"), ("ben", "de"), ("cleo", "fr"))
    run_id = rows.run(state=RunState.PLANNING)
    freeze_run(rows, now, run_id)
    rows.change(delete(DeliveryRow).where(col(DeliveryRow.digest) == "ben"))

    assert freeze_run(rows, now, run_id) == 1
    assert set(editions(rows)) == {"anna", "ben", "cleo"}


def test_a_language_that_somebody_changes_meanwhile_does_not_change_the_edition(rows, people, now):
    people(("anna", "fr"))
    run_id = rows.run(state=RunState.PLANNING)
    freeze_run(rows, now, run_id)
    rows.change(update(Subscriber).values(language="de"))
    freeze_run(rows, now, run_id)

    assert editions(rows) == {"anna": ("fr", FR)}


def test_a_run_that_is_cancelled_while_it_is_planned_gets_no_more_deliveries(rows, people, now, monkeypatch):
    monkeypatch.setattr("newsletter.planning.planner.CHUNK", 1)
    people(("1anna", "fr"), ("7ben", "fr"), ("cleo", "fr"))
    run_id = rows.run(state=RunState.PLANNING)

    def cancel(_done, _total):
        with rows.sessions() as session:
            change_run(session, run_id, expected=[RunState.PLANNING], state=RunState.CANCELLED)
            session.commit()

    assert freeze_run(rows, now, run_id, progress=cancel) == 1
    assert set(editions(rows)) == {"1anna"}


def test_progress_is_told_per_chunk(rows, people, now, monkeypatch):
    monkeypatch.setattr("newsletter.planning.planner.CHUNK", 2)
    people(*((f"p{number}", "en") for number in range(5)))
    told = []

    freeze_run(rows, now, progress=lambda done, total: told.append((done, total)))

    assert told == [(2, 5), (4, 5), (5, 5)]


def test_nobody_is_an_audience_too(rows, now):
    assert freeze_run(rows, now) == 0
    assert rows.states() == {}


@pytest.mark.parametrize(
    ("state", "opened"),
    [
        (DeliveryState.CANCELLED, True),
        (DeliveryState.SUPPRESSED, True),
        (DeliveryState.EXPIRED, True),
        (DeliveryState.ACCEPTED, False),
        (DeliveryState.REFUSED, False),
        (DeliveryState.UNCERTAIN, False),
    ],
)
def test_a_later_run_opens_again_what_was_never_accepted(rows, people, now, state, opened):
    people(("anna", "fr"))
    issue_id = rows.issue()
    first = rows.run(state=RunState.PLANNING, issue_id=issue_id)
    freeze_run(rows, now, first)
    rows.change(update(DeliveryRow).values(state=state, reason="before", attempts=2))
    rows.change(update(RunRow).values(state=RunState.CANCELLED))
    second = rows.run(state=RunState.PLANNING, issue_id=issue_id)

    added = freeze_run(rows, now, second, artifacts={"fr": {frozenset(): "9" * 64}})

    delivery = rows.delivery("anna")
    assert added == opened
    assert (delivery.run_id, delivery.artifact[0]) == ((second, "9") if opened else (first, "f"))
    assert delivery.state is (DeliveryState.PLANNED if opened else state)
    assert delivery.attempts == 2, "attempts go on counting, so that their numbers stay unique"
    with rows.sessions() as session:
        assert count_run(session, second) == opened


def test_somebody_suppressed_since_is_not_opened_again(rows, people, now):
    people(("anna", "fr"))
    issue_id = rows.issue()
    freeze_run(rows, now, rows.run(state=RunState.PLANNING, issue_id=issue_id))
    rows.change(update(DeliveryRow).values(state=DeliveryState.CANCELLED))
    rows.change(insert(Suppression).values(digest="anna", reason=SuppressionReason.MANUAL, note="", since=now))

    assert freeze_run(rows, now, rows.run(state=RunState.PLANNING, issue_id=issue_id)) == 0


def fill(rows, now, count):
    """So many confirmed members in three languages."""
    with rows.sessions() as session:
        session.add(MailingList(name="members", created=now))
        session.flush()
        languages = ("en", "fr-BE", "de", None)
        people = [
            {
                "id": number,
                "uid": f"{number:016d}",
                "address": f"p{number}@lakes.example",
                "address_key": f"p{number}@lakes.example",
                "digest": f"{number * 2654435761 % 2**32:08x}{number:056x}",
                "first_name": "",
                "last_name": "",
                "organisation": "",
                "city": "",
                "country": "",
                "language": languages[number % 4],
                "attributes": {},
                "created": now,
                "updated": now,
            }
            for number in range(1, count + 1)
        ]
        session.execute(insert(Subscriber), people)
        listed = {"list_id": 1, "state": MembershipState.CONFIRMED, "changed": now}
        session.execute(insert(Membership), [{"subscriber_id": each["id"], **listed} for each in people])
        session.commit()


def test_fifty_thousand_people_are_planned_in_seconds(sqlite_rows, now):
    fill(sqlite_rows, now, 50_000)
    begun = time.perf_counter()

    assert freeze_run(sqlite_rows, now) == 50_000

    seconds = time.perf_counter() - begun
    assert seconds < 5
    assert CHUNK < 50_000, "more than one chunk"
