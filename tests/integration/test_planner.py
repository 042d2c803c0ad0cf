"""Freezing an audience in both databases: everybody once, in the right edition, and nobody who must not be written to."""

import datetime as dt
import threading
import time
from dataclasses import replace

import pytest
from sqlalchemy import delete, insert, text, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState, WithdrawalRow
from newsletter.planning.planner import CHUNK, Plan, freeze
from newsletter.planning.snapshot import snapshot
from newsletter.planning.stage import HELD_BACK
from newsletter.planning.store import change_run, count_run, has_missed
from newsletter.planning.waiting import count_held_back
from newsletter.planning.withdrawals import add_withdrawals, being_planned
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
from subscribers.store import count_audience, resolver

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
    return freeze(rows.engine, run, plan=a_plan(rows, now, **plan), now=now, progress=progress)


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


def once(act):
    """A listener to progress that acts after the first chunk."""
    told = []

    def tell(_done, _total):
        if not told:
            act()
        told.append(act)

    return tell


def test_the_audience_is_looked_at_once(rows, people, now, monkeypatch):
    monkeypatch.setattr("newsletter.planning.planner.CHUNK", 1)
    people(("1anna", "fr", "press"), ("2ben", "fr", "press"))

    def change():
        rows.change(delete(SubscriberTag))
        rows.change(update(Subscriber).values(language="de"))
        people(("3cleo", "fr", "press"), list_name="joined")

    freeze_run(rows, now, segment='tag = "press"', progress=once(change))

    assert editions(rows) == {"1anna": ("fr", FR), "2ben": ("fr", FR)}


def test_who_is_erased_while_the_audience_is_frozen_is_passed_over(rows, people, now, monkeypatch):
    monkeypatch.setattr("newsletter.planning.planner.CHUNK", 1)
    people(("1anna", "fr"), ("2ben", "fr"), ("3cleo", "fr"))

    planned = freeze_run(
        rows, now, progress=once(lambda: rows.change(delete(Subscriber).where(col(Subscriber.digest) == "2ben")))
    )

    assert (planned, set(editions(rows))) == (2, {"1anna", "3cleo"})


def test_who_gets_another_address_while_the_audience_is_frozen_is_planned_with_that(rows, people, now, monkeypatch):
    monkeypatch.setattr("newsletter.planning.planner.CHUNK", 1)
    people(("1anna", "fr"), ("2ben", "fr"))
    moves = update(Subscriber).where(col(Subscriber.digest) == "2ben").values(digest="0ben")

    freeze_run(rows, now, progress=once(lambda: rows.change(moves)))

    assert set(editions(rows)) == {"1anna", "0ben"}


def test_who_withdraws_while_the_audience_is_frozen_is_passed_over(rows, people, now, monkeypatch):
    monkeypatch.setattr("newsletter.planning.planner.CHUNK", 1)
    people(("1anna", "fr"), ("2ben", "fr"), ("3cleo", "fr"))
    run_id = rows.run(state=RunState.PLANNING)

    def withdraw():
        with rows.sessions() as session:
            add_withdrawals(session, run_id, ["2ben"])
            session.commit()

    assert freeze_run(rows, now, run_id, progress=once(withdraw)) == 2
    assert set(editions(rows)) == {"1anna", "3cleo"}


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_no_part_is_planned_while_somebody_is_about_to_withdraw(rows, people, now):
    """On a server two transactions that do not see each other could write at once."""
    people(("anna", "fr"), ("ben", "fr"), ("cleo", "fr"))
    run_id = rows.run(state=RunState.PLANNING)
    planning = threading.Thread(target=freeze_run, args=(rows, now, run_id))
    with rows.sessions() as session:
        run = session.get(RunRow, run_id)
        assert being_planned(session, [run]) == [run_id]
        planning.start()
        planning.join(0.5)
        assert planning.is_alive(), "it waits"
        add_withdrawals(session, run_id, ["ben"])
        session.commit()
    planning.join()

    assert set(editions(rows)) == {"anna", "cleo"}


@pytest.mark.parametrize(
    ("state", "ids"),
    [(RunState.PLANNING, 1), (RunState.PAUSED, 1), (RunState.SCHEDULED, 0), (RunState.RUNNING, 0)],
)
def test_who_can_still_withdraw_from_what(chosen_rows, state, ids):
    run_id = chosen_rows.run(state=state)
    with chosen_rows.sessions() as session:
        assert being_planned(session, [session.get(RunRow, run_id)]) == [run_id] * ids


def test_planning_that_goes_on_asks_anew_who_is_meant(rows, people, now):
    people(("anna", "fr"))
    run_id, other = rows.run(state=RunState.PLANNING), rows.run(slug="2026-11", state=RunState.RUNNING)
    with rows.sessions() as session:
        for each in (run_id, other):
            add_withdrawals(session, each, ["anna"])
        session.commit()

    assert freeze_run(rows, now, run_id) == 1, "she has come back since"
    with rows.sessions() as session:
        assert session.scalars(select(WithdrawalRow)).all() == []


def test_while_the_audience_is_looked_at_others_write(rows, people, now):
    people(("anna", "fr"))
    with snapshot(rows.engine, [a_plan(rows, now).audience(frozenset())]) as audience:
        people(("ben", "fr"), list_name="joined")

        assert (audience.total, audience.languages, audience.zones) == (1, ["fr"], [None])


def test_people_are_planned_in_the_order_of_a_digit_and_within_it_in_their_own(rows, people, now):
    people(("b9", "fr"), ("a5", "fr"), ("b1", "de"), ("a2", "fr"))
    freeze_run(rows, now)

    with rows.sessions() as session:
        assert session.scalars(select(DeliveryRow.digest).order_by(DeliveryRow.id)).all() == ["a5", "a2", "b9", "b1"]


def test_nothing_of_an_audience_is_left_behind(rows, people, now):
    """Neither in the connection that looked at it nor in the file."""
    people(("anna", "fr"))
    freeze_run(rows, now)

    with rows.engine.connect() as connection, pytest.raises(DBAPIError, match="audience"):
        connection.execute(text("SELECT * FROM audience"))


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


HOUR = dt.timedelta(hours=1)


def in_zone(rows, zone, *names):
    rows.change(update(Subscriber).where(col(Subscriber.digest).in_(names)).values(timezone=zone))


def a_manner(rows, run_id, **values):
    rows.change(update(RunRow).where(col(RunRow.id) == run_id).values(**values))
    return run_id


def waiting_of(rows):
    """What each planned delivery waits for, and the Date that it has of its own."""
    with rows.sessions() as session:
        found = session.scalars(select(DeliveryRow).where(col(DeliveryRow.state) == DeliveryState.PLANNED))
        return {delivery.digest: (delivery.next_at, delivery.dated) for delivery in found}


def test_at_everybodys_own_hour_each_waits_for_theirs(rows, people, now):
    people(*((name, "en") for name in ("anna", "ben", "cleo", "dora", "emil", "fay")))
    in_zone(rows, "America/Lima", "anna")
    in_zone(rows, "America/Bogota", "ben")
    in_zone(rows, "Europe/Helsinki", "cleo")
    in_zone(rows, "Atlantis/Capital", "dora")
    in_zone(rows, "Asia/Tokyo", "emil")
    run_id = a_manner(
        rows, rows.run(state=RunState.PLANNING), local=True, wall="2026-12-01 10:00", zone="Europe/Brussels"
    )

    assert freeze_run(rows, now, run_id) == 6

    lima, brussels = now + 7 * HOUR, now + HOUR
    assert waiting_of(rows) == {
        "anna": (lima, lima),
        "ben": (lima, lima),
        "cleo": (None, None),  # in Helsinki it is that hour now
        "dora": (brussels, brussels),
        "emil": (None, None),
        "fay": (brussels, brussels),
    }


def test_somebody_who_moves_while_the_audience_is_frozen_gets_it_at_the_hour_of_the_zone_they_had(
    rows, people, now, monkeypatch
):
    monkeypatch.setattr("newsletter.planning.planner.CHUNK", 1)
    people(("1anna", "en"), ("2ben", "en"))
    in_zone(rows, "America/Lima", "1anna", "2ben")
    run_id = a_manner(
        rows, rows.run(state=RunState.PLANNING), local=True, wall="2026-12-01 10:00", zone="Europe/Brussels"
    )

    freeze_run(rows, now, run_id, progress=lambda _done, _total: in_zone(rows, "Asia/Kathmandu", "2ben"))

    assert {at for at, _ in waiting_of(rows).values()} == {now + 7 * HOUR}


def test_in_stages_all_wait_but_those_with_the_lowest_digests(rows, people, now, monkeypatch):
    monkeypatch.setattr("newsletter.planning.planner.CHUNK", 2)
    people(*((f"{letter}{number}", "fr") for letter in "05af" for number in range(2)))
    run_id = a_manner(rows, rows.run(state=RunState.PLANNING), first=5, hold=900)

    assert freeze_run(rows, now, run_id) == 8

    going = {name for name, waits in waiting_of(rows).items() if waits == (None, None)}
    assert going == {"00", "01", "50", "51", "a0"}
    assert {waits for name, waits in waiting_of(rows).items() if name not in going} == {(HELD_BACK, None)}
    with rows.sessions() as session:
        assert count_held_back(session, session.get(RunRow, run_id)) == 3


def test_planning_in_stages_that_was_broken_off_lets_no_more_go_ahead(rows, people, now):
    people(*((f"{number}", "fr") for number in range(6)))
    run_id = a_manner(rows, rows.run(state=RunState.PLANNING), first=2, hold=900)
    freeze_run(rows, now, run_id)
    people(("000", "fr"))

    assert freeze_run(rows, now, run_id) == 1
    assert [name for name, (at, _) in sorted(waiting_of(rows).items()) if at is None] == ["0", "1"]


def test_of_a_small_audience_all_are_among_the_first(rows, people, now):
    people(("anna", "fr"), ("ben", "fr"))
    run_id = a_manner(rows, rows.run(state=RunState.PLANNING), first=200, hold=900)

    freeze_run(rows, now, run_id)

    assert waiting_of(rows) == {"anna": (None, None), "ben": (None, None)}


def test_nobody_goes_ahead_of_a_run_that_is_cancelled_meanwhile(rows, people, now):
    people(("anna", "fr"), ("ben", "fr"))
    run_id = a_manner(rows, rows.run(state=RunState.PLANNING), first=1, hold=900)

    def cancel(_done, _total):
        rows.change(update(RunRow).values(state=RunState.CANCELLED))

    freeze_run(rows, now, run_id, progress=cancel)

    assert {at for at, _ in waiting_of(rows).values()} == {HELD_BACK}


MISSED = [
    (DeliveryState.ACCEPTED, None, False),
    (DeliveryState.CANCELLED, None, True),
    (DeliveryState.EXPIRED, "recipient: 452 4.2.2 full", True),
    (DeliveryState.REFUSED, "recipient: 550 5.1.1 unknown", False),
    (DeliveryState.REFUSED, None, False),
    (DeliveryState.REFUSED, "sender: 550 5.7.1 blocked", True),
    (DeliveryState.REFUSED, "content: 552 5.3.4 too big", True),
    (DeliveryState.REFUSED, "relay: 554 5.3.0 no", True),
    (DeliveryState.SENDING, None, False),
    (DeliveryState.DEFERRED, None, False),
    (DeliveryState.UNCERTAIN, None, False),
]


def topped_up(rows, now, *, doubtful=False):
    """Queue a further run of the issue for those who missed it, and freeze it; returns who was planned by it."""
    issue_id = rows.get(RunRow, rows.delivery("anna").run_id).issue_id
    run_id = rows.run(state=RunState.PLANNING, issue_id=issue_id)
    a_manner(rows, run_id, missed=True, doubtful=doubtful)
    missed = has_missed("issue:rivers/2026-12", doubtful=doubtful)
    run, plan = rows.get(RunRow, run_id), a_plan(rows, now)
    plan = replace(plan, condition=plan.condition & missed)
    with rows.sessions() as session:
        expected = count_audience(session, plan.condition, newsletter="rivers")
    assert freeze(rows.engine, run, plan=plan, now=now) == expected
    with rows.sessions() as session:
        planned = select(col(DeliveryRow.digest)).where(col(DeliveryRow.run_id) == run_id)
        return set(session.scalars(planned))


@pytest.mark.parametrize(("state", "reason", "opened"), MISSED)
def test_who_missed_an_issue_was_neither_reached_nor_refused(rows, people, state, reason, opened):
    now = rows.now
    people(("anna", "fr"), ("ben", "fr"))
    freeze_run(rows, now)
    rows.change(update(DeliveryRow).values(state=state, reason=reason, dated=now))
    rows.change(update(DeliveryRow).where(col(DeliveryRow.digest) == "ben").values(state=DeliveryState.ACCEPTED))
    people(("new", "de"), list_name="joined")

    assert topped_up(rows, now) == ({"new", "anna"} if opened else {"new"})
    assert (rows.delivery("anna").state is DeliveryState.PLANNED) is opened
    assert (rows.delivery("anna").dated is None) is opened


def test_who_may_have_got_it_gets_it_again_only_if_that_is_asked_for(rows, people, now):
    people(("anna", "fr"))
    freeze_run(rows, now)
    rows.change(update(DeliveryRow).values(state=DeliveryState.UNCERTAIN, repeats=1))

    assert topped_up(rows, now) == set()
    assert topped_up(rows, now, doubtful=True) == {"anna"}
    assert rows.delivery("anna").repeats == 2


def test_a_new_address_of_somebody_who_got_it_gets_nothing(rows, people, now):
    people(("anna", "fr"), ("ben", "fr"))
    freeze_run(rows, now)
    rows.change(update(DeliveryRow).values(state=DeliveryState.ACCEPTED))
    rows.change(update(Subscriber).where(col(Subscriber.digest) == "ben").values(digest="moved"))

    assert topped_up(rows, now) == set()


def test_who_left_or_is_suppressed_has_missed_nothing(rows, people, now):
    people(("anna", "fr"), ("left", "fr"), ("suppressed", "fr"))
    freeze_run(rows, now)
    rows.change(update(DeliveryRow).values(state=DeliveryState.SUPPRESSED))
    rows.change(insert(Departure).values(subscriber_id=person(rows, "left"), newsletter="rivers", at=now))
    rows.change(insert(Suppression).values(digest="suppressed", reason=SuppressionReason.MANUAL, note="", since=now))

    assert topped_up(rows, now) == {"anna"}, "she has come back since"


LIKE_THE_FIRST = {
    "id": "n",
    "uid": "printf('%016d', n)",
    "address": "'p' || n || '@lakes.example'",
    "address_key": "'p' || n || '@lakes.example'",
    "digest": "printf('%08x%056x', n * 2654435761 % 4294967296, n)",
    "language": "CASE n % 4 WHEN 0 THEN 'en' WHEN 1 THEN 'fr-BE' WHEN 2 THEN 'de' END",
    "subscriber_id": "n",
}
"""The columns of person n, and of a membership, that are not those of the first."""


def fill(rows, now, count):
    """So many confirmed members in three languages, all but one by the database itself: it is quicker."""
    plain = {"address": "p1@lakes.example", "address_key": "p1@lakes.example", "digest": "p1", "language": "fr-BE"}
    with rows.sessions() as session:
        session.add(MailingList(id=1, name="members", created=now))
        session.add(Subscriber(id=1, created=now, updated=now, **plain))
        session.flush()
        session.add(Membership(subscriber_id=1, list_id=1, state=MembershipState.CONFIRMED, changed=now))
        session.commit()
    numbers = "WITH RECURSIVE more(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM more WHERE n < :count)"
    for table in (Subscriber.__table__, Membership.__table__):
        names = [column.name for column in table.columns]
        values = ", ".join(LIKE_THE_FIRST.get(name, f"first.{name}") for name in names)
        told = (
            f"INSERT INTO {table.name} ({', '.join(names)}) {numbers} SELECT {values} FROM more, {table.name} AS first"
        )
        rows.change(text(told).bindparams(count=count))


@pytest.mark.unwatched  # what is measured is the program, not its being watched
def test_fifty_thousand_people_are_planned_in_seconds(sqlite_rows, now):
    fill(sqlite_rows, now, 50_000)
    begun = time.process_time()

    assert freeze_run(sqlite_rows, now) == 50_000

    seconds = time.process_time() - begun
    assert seconds < 5
    assert CHUNK < 50_000, "more than one chunk"
