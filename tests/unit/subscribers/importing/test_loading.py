from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, func, select

from subscribers import consent, store, suppression
from subscribers.consent import Circumstances
from subscribers.errors import ImportRefused, UnknownList
from subscribers.importing import loading
from subscribers.models import ConsentAction, ConsentEntry, MembershipState, Subscriber, SuppressionReason

HEADINGS = "email,first_name,city,language,tags,population\n"
ANNE = "a.lambert@liege.example,Anne,Liège,fr-BE,member;climate,197355\n"
BEN = "b.okafor@rotterdam.example,Ben,Rotterdam,en,member,655468\n"


@pytest.fixture
def state(session, members):
    def of(address):
        session.expire_all()
        person = store.get_subscriber(session, address)
        return store.membership_state(session, subscriber_id=person.id, list_id=members.id)

    return of


def counts(**expected):
    names = ("rows", "new", "changed", "unchanged", "invalid", "suppressed", "refused")
    return {name: expected.get(name, 0) for name in names}


def test_new_people_become_confirmed_members(load, session, state, now):
    assert load(HEADINGS + ANNE + BEN).counts() == counts(rows=2, new=2)
    anne = store.get_subscriber(session, "a.lambert@liege.example")
    assert (anne.first_name, anne.city, anne.language, anne.attributes) == (
        "Anne",
        "Liège",
        "fr-BE",
        {"population": 197355},
    )
    assert (anne.created, anne.timezone, anne.country, len(anne.uid)) == (now, None, "", 16)
    assert store.tags_of(session, [anne.id]) == {anne.id: ["climate", "member"]}
    assert state("a.lambert@liege.example") is MembershipState.CONFIRMED


def test_the_log_says_that_an_operator_imported_them(load, session, now):
    load(HEADINGS + ANNE)
    anne = store.get_subscriber(session, "a.lambert@liege.example")
    (entry,) = store.consent_of(session, anne.digest)
    assert (entry.action, entry.source, entry.operator) == (ConsentAction.IMPORTED, "import", "marie")
    assert (entry.subscriber_id, entry.list_name, entry.at) == (anne.id, "members", now)


def test_the_same_file_again_changes_nothing(load, session):
    load(HEADINGS + ANNE + BEN)
    assert load(HEADINGS + ANNE + BEN).counts() == counts(rows=2, unchanged=2)
    assert session.scalar(select(func.count()).select_from(ConsentEntry)) == 2


def test_what_is_different_is_changed_and_what_is_empty_stays(load, session, now):
    load(HEADINGS + ANNE + BEN)
    later = now + timedelta(days=1)
    text = "email,first_name,city,tags,population,mayor\na.lambert@liege.example,,Seraing,vip,,true\n"
    assert load(text, now=later).counts() == counts(rows=1, changed=1)
    anne = store.get_subscriber(session, "a.lambert@liege.example")
    assert (anne.first_name, anne.city, anne.language, anne.updated) == ("Anne", "Seraing", "fr-BE", later)
    assert anne.attributes == {"population": 197355, "mayor": True}
    assert store.tags_of(session, [anne.id])[anne.id] == ["climate", "member", "vip"]
    assert store.get_subscriber(session, "b.okafor@rotterdam.example").updated == now


def test_a_change_of_type_is_a_change(load, session):
    load("email,vip\na@x.example,1\n")
    assert load("email,vip\na@x.example,true\n").changed == 1
    assert load("email,vip\na@x.example,true\n").unchanged == 1


def test_new_tags_alone_are_a_change_without_touching_the_person(load, session, now):
    load(HEADINGS + ANNE)
    report = load("email,tags\na.lambert@liege.example,vip\n", now=now + timedelta(days=1))
    assert report.counts() == counts(rows=1, changed=1)
    assert store.get_subscriber(session, "a.lambert@liege.example").updated == now


def test_somebody_known_joins_the_list(load, session, add_person, state):
    add_person("a.lambert@liege.example")
    session.commit()
    assert load("email\nA.Lambert@liege.example\n").counts() == counts(rows=1, changed=1)
    assert state("a.lambert@liege.example") is MembershipState.CONFIRMED


def test_pending_members_still_have_to_confirm(load, state):
    assert load(HEADINGS + ANNE, pending=True).new == 1
    assert state("a.lambert@liege.example") is MembershipState.PENDING
    assert load(HEADINGS + ANNE, pending=True).unchanged == 1
    assert load(HEADINGS + ANNE).changed == 1
    assert state("a.lambert@liege.example") is MembershipState.CONFIRMED
    assert load(HEADINGS + ANNE, pending=True).unchanged == 1


def test_who_left_is_refused_and_stays_as_they_are(load, session, members, state, now):
    load(HEADINGS + ANNE)
    anne = store.get_subscriber(session, "a.lambert@liege.example")
    form = Circumstances(at=now, source="form")
    consent.leave(session, subscriber=anne, mailing_list=members, circumstances=form)
    session.commit()
    report = load(HEADINGS + ANNE.replace("Anne", "Anna"))
    assert report.counts() == counts(rows=1, refused=1)
    assert report.problems == [(2, "", "this person has left and would be subscribed again")]
    assert state("a.lambert@liege.example") is MembershipState.LEFT
    assert anne.first_name == "Anne"
    consent.subscribe(session, subscriber=anne, mailing_list=members, circumstances=form)
    session.commit()
    assert load(HEADINGS + ANNE).refused == 1
    assert state("a.lambert@liege.example") is MembershipState.PENDING


def test_who_was_removed_by_an_operator_may_be_imported_again(load, session, members, state, now):
    load(HEADINGS + ANNE)
    anne = store.get_subscriber(session, "a.lambert@liege.example")
    consent.remove(session, subscriber=anne, mailing_list=members, circumstances=Circumstances(at=now, source="cli"))
    session.commit()
    assert load(HEADINGS + ANNE).changed == 1
    assert state("a.lambert@liege.example") is MembershipState.CONFIRMED


@pytest.mark.parametrize(
    ("reason", "expected"),
    [(SuppressionReason.UNSUBSCRIBED, {"refused": 1}), (SuppressionReason.ERASED, {"suppressed": 1})],
)
def test_a_suppressed_address_is_not_even_stored(load, session, keys, reason, expected):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    suppression.suppress(session, keys, address="a.lambert@liege.example", reason=reason, now=now)
    session.commit()
    assert load(HEADINGS + ANNE).counts() == counts(rows=1, **expected)
    assert store.find_subscriber(session, "a.lambert@liege.example") is None


def test_the_last_row_for_an_address_counts_also_the_second_time(load, session):
    text = HEADINGS + ANNE + BEN + ANNE.replace("Liège", "Seraing")
    report = load(text)
    assert report.counts() == counts(rows=3, new=2, unchanged=1)
    assert report.problems == [(2, "", "the same address stands on line 4, which counts")]
    assert store.get_subscriber(session, "a.lambert@liege.example").city == "Seraing"
    assert load(text).counts() == counts(rows=3, unchanged=3)


def test_wrong_rows_are_counted_and_told_and_the_others_taken(load, session):
    report = load(HEADINGS + "nobody,,,,,\n" + ANNE + "c@x.example,,,klingon,,\n")
    assert report.counts() == counts(rows=3, new=1, invalid=2)
    assert [(line, column) for line, column, _ in report.problems] == [(2, "email"), (4, "language")]
    assert store.count_subscribers(session) == 1


def test_a_dry_run_counts_the_same_and_stores_nothing(load, session):
    text = HEADINGS + ANNE + BEN + "nobody,,,,,\n"
    expected = load(text, dry_run=True).counts()
    assert store.count_subscribers(session) == 0
    assert load(text).counts() == expected


def test_an_empty_table_is_no_mistake(load):
    assert load(HEADINGS).counts() == counts()


def test_nothing_is_stored_when_the_file_breaks_off(load, session):
    with pytest.raises(ImportRefused):
        load(HEADINGS + ANNE + f"b@x.example,{'x' * 5000},,,,\n")
    assert store.count_subscribers(session) == 0


def test_the_list_must_exist(load):
    with pytest.raises(UnknownList) as error:
        load(HEADINGS + ANNE, list_name="member")
    assert error.value.hint == "members"


def test_a_file_is_stored_in_chunks_and_tells_how_far_it_is(load, session, engine, monkeypatch):
    monkeypatch.setattr(loading, "CHUNK", 2)
    commits, steps = [], []
    event.listen(engine, "commit", commits.append)
    rows = "".join(f"p{number}@x.example,,,,,{number}\n" for number in range(5))
    load(HEADINGS + rows, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(2, 5), (4, 5), (5, 5), (5, 5)]
    assert len(commits) == 3


def test_the_report_keeps_no_more_problems_than_anybody_reads(load, monkeypatch):
    monkeypatch.setattr(loading, "MAX_PROBLEMS", 2)
    report = load(HEADINGS + "nobody,,,,,\n" * 5)
    assert (report.invalid, len(report.problems)) == (5, 2)


def test_somebody_who_subscribes_meanwhile_is_met_again(load, session, add_person, monkeypatch):
    look_up, looks = loading.look_up, []

    def and_meanwhile(own, target, rows):
        found = look_up(own, target, rows)
        if not looks:
            own.rollback()
            add_person("a.lambert@liege.example")
            session.commit()
        looks.append(rows)
        return found

    monkeypatch.setattr(loading, "look_up", and_meanwhile)
    assert load(HEADINGS + ANNE).counts() == counts(rows=1, changed=1)
    assert len(looks) == 2


def test_a_chunk_that_cannot_be_stored_at_all_raises(load, session, add_person, monkeypatch):
    add_person("a.lambert@liege.example")
    session.commit()
    look_up = loading.look_up

    def blind(own, target, rows):
        standing, digests = look_up(own, target, rows)
        standing.people.clear()
        return standing, digests

    monkeypatch.setattr(loading, "look_up", blind)
    with pytest.raises(loading.IntegrityError):
        load(HEADINGS + ANNE)
    assert session.scalar(select(func.count()).select_from(Subscriber)) == 1
