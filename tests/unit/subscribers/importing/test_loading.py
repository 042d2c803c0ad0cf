import csv
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, func, select

from subscribers import consent, store, suppression
from subscribers.consent import Circumstances
from subscribers.errors import ImportRefused, UnknownList
from subscribers.importing import Elsewhere, Listeners, Reason, loading
from subscribers.importing import report as report_module
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
    assert report.problems == [(2, "", "this person has left and would be subscribed again", Reason.LEFT)]
    assert state("a.lambert@liege.example") is MembershipState.LEFT
    assert anne.first_name == "Anne"
    consent.subscribe(session, subscriber=anne, mailing_list=members, circumstances=form)
    session.commit()
    assert load(HEADINGS + ANNE).refused == 1
    assert state("a.lambert@liege.example") is MembershipState.LEFT


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
    assert report.problems == [(2, "", "the same address stands on line 4, which counts", Reason.REPEATED)]
    assert store.get_subscriber(session, "a.lambert@liege.example").city == "Seraing"
    assert load(text).counts() == counts(rows=3, unchanged=3)


def test_wrong_rows_are_counted_and_told_and_the_others_taken(load, session):
    report = load(HEADINGS + "nobody,,,,,\n" + ANNE + "c@x.example,,,klingon,,\n")
    assert report.counts() == counts(rows=3, new=1, invalid=2)
    assert [(problem.line, problem.column) for problem in report.problems] == [(2, "email"), (4, "language")]
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
    load(HEADINGS + rows, listeners=Listeners(progress=lambda done, total: steps.append((done, total))))
    assert steps == [(2, 5), (4, 5), (5, 5), (5, 5)]
    assert len(commits) == 3


def test_the_report_keeps_no_more_problems_than_anybody_reads(load, monkeypatch):
    monkeypatch.setattr(report_module, "MAX_PROBLEMS", 2)
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


def the_state(session, members, address):
    session.expire_all()
    person = store.find_subscriber(session, address)
    return person and store.membership_state(session, subscriber_id=person.id, list_id=members.id)


def test_who_left_elsewhere_is_noted_as_having_left_and_no_later_file_brings_them(load, session, members):
    report = load(HEADINGS + ANNE, people=Elsewhere.LEFT)
    assert (report.counts(), report.reasons) == (counts(rows=1, refused=1), {Reason.LEFT_ELSEWHERE: 1})
    anne = store.get_subscriber(session, "a.lambert@liege.example")
    assert (anne.first_name, anne.city, anne.attributes, store.tags_of(session, [anne.id])) == ("", "", {}, {})
    assert [entry.action for entry in store.consent_of(session, anne.digest)] == [ConsentAction.LEFT]
    assert load(HEADINGS + ANNE).refused == 1
    assert the_state(session, members, anne.address) is MembershipState.LEFT


def test_leaving_elsewhere_ends_a_membership_here_and_says_who_is_to_get_less_mail(load, session, members):
    load(HEADINGS + ANNE + BEN)
    told = []
    listeners = Listeners(departures=lambda _session, digests: told.extend(digests))
    load(HEADINGS + ANNE, people=Elsewhere.LEFT, listeners=listeners)
    anne = store.get_subscriber(session, "a.lambert@liege.example")
    assert the_state(session, members, anne.address) is MembershipState.LEFT
    assert (anne.first_name, told) == ("Anne", [anne.digest])
    again = load(HEADINGS + ANNE, people=Elsewhere.LEFT, listeners=listeners)
    assert (again.refused, told) == (1, [anne.digest])
    assert [entry.action for entry in store.consent_of(session, anne.digest)] == [
        ConsentAction.IMPORTED,
        ConsentAction.LEFT,
    ]


@pytest.mark.parametrize(
    ("elsewhere", "reason"),
    [
        (Elsewhere.UNSUBSCRIBED, SuppressionReason.UNSUBSCRIBED),
        (Elsewhere.BOUNCED, SuppressionReason.HARD_BOUNCE),
        (Elsewhere.COMPLAINED, SuppressionReason.COMPLAINT),
        (Elsewhere.BLOCKED, SuppressionReason.MANUAL),
    ],
)
def test_who_must_not_be_written_to_elsewhere_must_not_be_here(load, session, keys, elsewhere, reason):
    load(HEADINGS + BEN)
    told = []
    listeners = Listeners(departures=lambda _session, digests: told.extend(digests))
    report = load(HEADINGS + ANNE + BEN, people=elsewhere, listeners=listeners)
    assert (report.counts(), report.reasons) == (counts(rows=2, suppressed=2), {Reason(reason.value): 2})
    assert store.find_subscriber(session, "a.lambert@liege.example") is None
    digest = suppression.digest_of(keys, "a.lambert@liege.example")
    found = store.find_suppression(session, digest)
    assert (found.reason, found.note) == (reason, "import")
    assert len(told) == 2
    assert load(HEADINGS + ANNE + BEN, people=elsewhere, listeners=listeners).suppressed == 2
    assert len(told) == 2


def test_a_stronger_reason_takes_the_place_of_a_weaker_one_and_stays(load, session, keys):
    digest = suppression.digest_of(keys, "a.lambert@liege.example")
    load(HEADINGS + ANNE, people=Elsewhere.BOUNCED)
    load(HEADINGS + ANNE, people=Elsewhere.COMPLAINED)
    assert store.find_suppression(session, digest).reason is SuppressionReason.COMPLAINT
    session.rollback()
    report = load(HEADINGS + ANNE, people=Elsewhere.BOUNCED)
    assert report.reasons == {Reason.COMPLAINT: 1}
    assert load(HEADINGS + ANNE, people=Elsewhere.LEFT).reasons == {Reason.COMPLAINT: 1}
    session.expire_all()
    assert store.find_suppression(session, digest).reason is SuppressionReason.COMPLAINT


def test_who_never_asked_elsewhere_becomes_a_member_only_with_a_proof(load, session, members):
    report = load(HEADINGS + ANNE, people=Elsewhere.NEVER_ASKED)
    assert (report.refused, report.reasons) == (1, {Reason.NEVER_ASKED: 1})
    assert the_state(session, members, "a.lambert@liege.example") is None
    assert load(HEADINGS + ANNE, people=Elsewhere.NEVER_ASKED, proof="signed at the fair").new == 1


def test_a_proof_brings_back_who_left_and_stands_in_the_log(load, session, members, keys, now):
    load(HEADINGS + ANNE + BEN)
    anne, ben = (store.get_subscriber(session, a) for a in ("a.lambert@liege.example", "b.okafor@rotterdam.example"))
    form = Circumstances(at=now, source="form")
    consent.leave(session, subscriber=anne, mailing_list=members, circumstances=form)
    suppression.suppress(session, keys, address=ben.address, reason=SuppressionReason.UNSUBSCRIBED, now=now)
    store.add_departure(session, subscriber_id=ben.id, newsletter="river", now=now)
    session.commit()
    dry = load(HEADINGS + ANNE + BEN, proof="paper of x@y.example", dry_run=True)
    report = load(HEADINGS + ANNE + BEN, proof="paper\nof x@y.example")
    assert dry.counts() == report.counts() == counts(rows=2, changed=2)
    assert (dry.returned, report.returned) == (2, 2)
    assert the_state(session, members, anne.address) is MembershipState.CONFIRMED
    entries = [store.consent_of(session, person.digest)[-1] for person in (anne, ben)]
    assert {(entry.action, entry.proof) for entry in entries} == {
        (ConsentAction.RESUBSCRIBED, "paper of x…@y….example")
    }
    assert store.find_suppression(session, ben.digest) is None
    assert store.departures_of(session, ben.id) == {}
    again = load(HEADINGS + ANNE + BEN, proof="paper of x@y.example")
    assert (again.counts(), again.returned) == (counts(rows=2, unchanged=2), 0)


def test_a_proof_brings_back_somebody_unknown_who_wanted_nothing_more(load, session, keys, now):
    suppression.suppress(
        session, keys, address="a.lambert@liege.example", reason=SuppressionReason.UNSUBSCRIBED, now=now
    )
    session.commit()
    assert load(HEADINGS + ANNE, proof="paper").counts() == counts(rows=1, new=1)
    assert not suppression.is_suppressed(session, keys, "a.lambert@liege.example")


@pytest.mark.parametrize("reason", [SuppressionReason.ERASED, SuppressionReason.COMPLAINT])
def test_no_proof_lifts_any_other_suppression(load, session, keys, now, reason):
    suppression.suppress(session, keys, address="a.lambert@liege.example", reason=reason, now=now)
    session.commit()
    assert load(HEADINGS + ANNE, proof="paper").suppressed == 1


def test_no_proof_makes_a_member_of_who_left_elsewhere(load):
    assert load(HEADINGS + ANNE, people=Elsewhere.LEFT, proof="paper").refused == 1


def test_a_column_may_say_how_everybody_stands(load):
    text = "email,Status\n" + "".join(
        f"p{n}@x.example,{s}\n" for n, s in enumerate(["active", "unsubscribed", "bounced"])
    )
    assert load(text, mapping={"status": "standing-there"}, dry_run=True).counts() == counts(
        rows=3, new=1, refused=1, suppressed=1
    )
    (doubt,) = load(text, dry_run=True).doubts
    assert "--map 'Status=standing-there'" in doubt


def test_a_file_of_another_program_is_named_in_the_report_and_in_the_log(load, session):
    text = "uuid,email,name,attributes,status,created_at,updated_at\nu,anne@x.example,Anne,{},enabled,2021-01-02,x\n"
    report = load(text)
    assert (report.origin, report.new) == ("listmonk", 1)
    assert any("blocklisted" in doubt for doubt in report.doubts)
    (entry,) = store.consent_of(session, store.get_subscriber(session, "anne@x.example").digest)
    assert (entry.source, entry.proof) == ("import (listmonk)", "listmonk: added 2021-01-02")


def test_an_encoding_that_is_only_assumed_is_said(load):
    (doubt,) = load("email,city\na@x.example,Liège\n".encode("cp1252")).doubts
    assert "iso-8859-1" in doubt


def test_an_export_of_ours_raises_no_doubts(load, session):
    headings = "email,first_name,last_name,organisation,city,country,language,timezone,tags,lists,created,status\n"
    assert load(headings + "a@x.example,,,,,,,,,,,x\n").doubts == []


def test_somebody_who_asks_to_stop_is_heard_between_two_chunks(load, session, monkeypatch):
    monkeypatch.setattr(loading, "CHUNK", 2)
    rows = "".join(f"p{number}@x.example,,,,,\n" for number in range(5))
    report = load(HEADINGS + rows, listeners=Listeners(stopping=lambda: True))
    assert (report.stopped, report.rows, report.new) == (True, 2, 2)
    report = load(HEADINGS + rows)
    assert (report.stopped, report.new, report.unchanged) == (False, 3, 2)


def test_with_nobody_waiting_chunks_are_wide(load, monkeypatch):
    monkeypatch.setattr(loading, "WIDE", 4)
    steps = []
    rows = "".join(f"p{number}@x.example,,,,,\n" for number in range(5))
    load(
        HEADINGS + rows,
        listeners=Listeners(progress=lambda done, total: steps.append(done), crowded=lambda: len(steps) > 1),
    )
    assert steps == [4, 5, 5]


def test_a_report_by_line_has_every_row_in_order_and_no_formula(load, tmp_path):
    path = tmp_path / "report.csv"
    text = "email,country\n=anne@x.example,BE\n-@,\nben@x.example,XX\n=anne@x.example,NL\nshort\n"
    with path.open("w", encoding="utf-8", newline="") as out:
        load(text, listeners=Listeners(lines=report_module.line_writer(out)))
    with path.open(encoding="utf-8", newline="") as file:
        lines = [
            (row["line"], row["email"], row["verdict"], row["reason"], row["column"]) for row in csv.DictReader(file)
        ]
    assert lines == [
        ("2", "'=anne@x.example", "unchanged", "repeated", ""),
        ("3", "'-@", "invalid", "address", "email"),
        ("4", "ben@x.example", "invalid", "country", "country"),
        ("5", "'=anne@x.example", "new", "", ""),
        ("6", "short", "invalid", "width", ""),
    ]


def test_nobody_who_left_elsewhere_becomes_a_member_by_the_operators_word(load):
    text = "Email Address,MEMBER_RATING,LEID,CLEAN_TIME\na@x.example,2,1,2020-01-01 10:00:00\n"
    assert load(text, people=Elsewhere.MEMBER).reasons == {Reason.HARD_BOUNCE: 1}
    assert load(text.replace("a@", "b@"), people=Elsewhere.LEFT).reasons == {Reason.HARD_BOUNCE: 1}
