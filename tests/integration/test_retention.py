"""What has lasted for its term ends, a piece at a time, and a log says how much."""

import datetime as dt
import gc
import time
from dataclasses import replace

import pytest
from integration.register import Register
from integration.signing import ADA, BOB, NOW
from sqlmodel import col, select

from newsletter.accounts.models import AuditRow
from newsletter.dispatch.audit import audit
from newsletter.dispatch.forgetting import FORGOTTEN
from newsletter.dispatch.store import attempts_of
from newsletter.errors import WrongState
from newsletter.pipeline import retention as module
from newsletter.pipeline import terms
from newsletter.pipeline.proof import Proof
from newsletter.pipeline.readers import ensure_known
from newsletter.planning.log import RetentionRow
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from subscribers import consent, store
from subscribers.address import parse_address
from subscribers.models import (
    ConfirmationRequest,
    ConsentAction,
    ConsentEntry,
    MembershipState,
    RequestKind,
    SuppressionReason,
)

REFUSAL = (550, "5.1.1 ada is no user here")


@pytest.fixture
def register(engine):
    return Register(engine)


@pytest.fixture
def small(chosen_engine, monkeypatch):
    """Where one kind of database is enough; a tick goes on to its end, however busy the machine is."""
    monkeypatch.setattr(module, "SHARE", 60)
    return Register(chosen_engine)


def asked(register, address=ADA, list_name="members"):
    """Somebody who has asked for a list and not confirmed."""
    with register.parts.sessions() as session:
        known = store.find_subscriber(session, address) or store.add_subscriber(
            session, register.parts.keys, address=parse_address(address), now=register.clock()
        )
        consent.subscribe(
            session,
            subscriber=known,
            mailing_list=store.get_list(session, list_name),
            circumstances=consent.Circumstances(at=register.clock(), source="form"),
        )
        session.commit()


def ended(register):
    """What a run ends, by rule; a preview has said the same before."""
    before = register.everything()
    said = {each.rule: each.count for each in register.retention.preview()}
    assert register.everything() == before
    done = {each.rule: each.count for each in register.retention.run()}
    assert list(done) == [rule.name for rule in terms.RULES]
    assert done == said
    return {rule: count for rule, count in done.items() if count}


def addresses(register):
    return [person.address for person in register.people.page(limit=99)]


def consent_log(register):
    with register.parts.sessions() as session:
        return session.exec(select(ConsentEntry).order_by(col(ConsentEntry.id))).all()


def test_who_never_confirmed_is_erased_without_a_trace_after_thirty_days(register):
    asked(register)
    asked(register, list_name="press")
    register.clock.forward(days=30)
    assert ended(register) == {}
    register.clock.forward(days=1)
    assert ended(register) == {"unconfirmed": 2}
    assert addresses(register) == []
    assert consent_log(register) == []
    assert register.count("suppression") == 0
    assert ended(register) == {}


def test_of_a_member_only_the_request_goes_that_was_never_confirmed(register):
    register.add(list_name="press")
    asked(register)
    register.clock.forward(days=31)
    assert ended(register) == {"unconfirmed": 1}
    shown = register.people.show(ADA)
    assert {name: state for name, (state, _) in shown.memberships.items()} == {
        "members": MembershipState.REMOVED,
        "press": MembershipState.CONFIRMED,
    }
    last = shown.consent[-1]
    assert (last.action, last.list_name, last.source) == (ConsentAction.REMOVED, "members", "retention")


def test_a_new_address_that_was_never_confirmed_is_forgotten_after_thirty_days(register):
    register.add()
    with register.parts.sessions() as session:
        ada = store.get_subscriber(session, ADA)
        facts = {"subscriber_id": ada.id, "newsletter": "rivers", "mailing": "confirm:rivers/k", "language": "en"}
        for number, confirmed in enumerate((None, register.clock())):
            request = ConfirmationRequest(
                kind=RequestKind.ADDRESS, key=f"k{number}", asked=register.clock(), confirmed=confirmed, **facts
            )
            request.address = None if confirmed else "ada@elsewhere.example"
            store.add_request(session, request)
        session.commit()
    register.clock.forward(days=30)
    assert ended(register) == {}
    register.clock.forward(days=1)
    assert ended(register) == {"unheeded": 1}
    with register.parts.sessions() as session:
        assert [request.key for request in session.exec(select(ConfirmationRequest)).all()] == ["k1"]


def test_who_was_taken_off_every_list_is_erased_after_two_years_with_suppression_as_it_was(register):
    register.add()
    register.add(BOB)
    register.add("eve@x.example")
    register.people.changes.move([ADA], source="members", target="press")
    with register.parts.sessions() as session:
        for address in (ADA, BOB):
            for name in ("members", "press"):
                consent.remove(
                    session,
                    subscriber=store.get_subscriber(session, address),
                    mailing_list=store.get_list(session, name),
                    circumstances=consent.Circumstances(at=register.clock(), source="sync"),
                )
        session.commit()
    register.people.suppress(BOB, note="Bob wrote")
    register.clock.forward(days=730)
    assert ended(register) == {}
    register.clock.forward(days=1)
    assert ended(register) == {"gone": 2}
    assert addresses(register) == ["eve@x.example"]
    with register.parts.sessions() as session:
        assert store.find_suppression(session, register.digest_of(ADA)) is None
        kept = store.find_suppression(session, register.digest_of(BOB))
    assert (kept.reason, kept.note) == (SuppressionReason.MANUAL, "")
    assert register.count("consent_entry", "subscriber_id IS NULL") == 6
    assert ended(register) == {}


def test_who_left_is_erased_and_an_import_does_not_bring_them_back(register, tmp_path):
    register.add()
    register.people.unsubscribe(ADA, list_name="members")
    register.clock.forward(days=731)
    assert ended(register) == {"gone": 1}
    path = tmp_path / "people.csv"
    path.write_text(f"email\n{ADA}\n")
    assert register.people.import_file(path, list_name="press").refused == 1
    asked(register)
    with register.parts.sessions() as session:
        consent.confirm(
            session,
            subscriber=store.get_subscriber(session, ADA),
            mailing_list=store.get_list(session, "members"),
            circumstances=consent.Circumstances(at=register.clock(), source="form"),
        )
        session.commit()
    assert register.people.show(ADA).barred is None


def test_who_left_lately_or_was_added_lately_stays(small):
    for address in (ADA, BOB):
        small.add(address)
    small.add("eve@x.example", list_name="press")
    small.people.unsubscribe("eve@x.example", list_name="press")
    small.clock.forward(days=731)
    small.people.unsubscribe(ADA)
    assert ended(small) == {"gone": 1}
    assert addresses(small) == [ADA, BOB]


def test_whose_list_was_deleted_has_their_term_from_then_on(small):
    small.add()
    small.clock.forward(days=731)
    small.people.lists.delete("members")
    assert ended(small) == {}
    small.clock.forward(days=731)
    assert ended(small) == {"gone": 1}


def test_many_people_who_are_gone_are_erased_piece_by_piece(small, monkeypatch):
    monkeypatch.setattr(terms, "MOST_PEOPLE", 2)
    for number in range(7):
        small.add(f"p{number}@town.example")
        small.people.unsubscribe(f"p{number}@town.example", list_name="members")
    small.add(BOB)
    small.clock.forward(days=731)
    assert ended(small) == {"gone": 7}
    assert addresses(small) == [BOB]


def test_deliveries_stop_saying_whose_they_were_after_thirteen_months(register):
    for address in (ADA, BOB):
        register.add(address)
    run = register.run(total=2)
    for address in (ADA, BOB):
        register.plan(address, run)
    register.send(saying={register.digest_of(ADA): REFUSAL})
    register.clock.forward(days=396)
    assert ended(register) == {}
    register.clock.forward(days=1)
    assert ended(register) == {"ledger": 2}

    rows = register.deliveries()
    assert [(row.subscriber_id, row.address, row.state.value, row.reason) for row in rows] == [
        (None, None, "refused", "recipient: 550 5.1.1"),
        (None, None, "accepted", None),
    ]
    known = {register.digest_of(address) for address in (ADA, BOB)}
    assert all(row.digest not in known and len(row.digest) == 64 for row in rows)
    with register.parts.sessions() as session:
        texts = [attempts_of(session, row.id)[0].text for row in rows]
        checks = audit(session, run[1])
    assert texts == [FORGOTTEN, FORGOTTEN]
    assert [check.code for check in checks if not check.holds] == []
    assert len(addresses(register)) == 2
    assert ended(register) == {}


def test_after_its_term_nobody_can_tell_who_got_an_issue_and_everybody_says_so(small):
    small.add()
    run_id, mailing = small.run(total=1)
    small.plan(ADA, (run_id, mailing))
    small.send()
    assert "was accepted" in Proof(small.parts).explain(ADA, "2026-12", newsletter=None).lines[0]
    with small.parts.sessions() as session:
        ensure_known(session, mailing, "2026-12")
    small.clock.forward(days=400)
    small.retention.run()
    story = Proof(small.parts).explain(ADA, "2026-12", newsletter=None)
    assert story.state is None
    [told] = story.lines
    assert told.startswith(f"Whether issue 2026-12 went to {ADA} is not known any more: its deliveries lost their ties")
    assert told.endswith("2028-01-05T08:00:00Z, when their term was over.")
    with small.parts.sessions() as session, pytest.raises(WrongState, match=r"is not known any more.*issue copy"):
        ensure_known(session, mailing, "2026-12")


def test_a_mailing_keeps_its_ties_while_one_of_its_runs_is_young_or_lasts(register):
    register.add()
    run_id, mailing = register.run(total=1)
    register.plan(ADA, (run_id, mailing))
    register.send()
    with register.parts.sessions() as session:
        old = session.get(RunRow, run_id)
        values = {"issue_id": old.issue_id, "mailing": mailing, "segment": "x", "expression": "all", "operator": "a"}
        session.add(RunRow(**values, state=RunState.SCHEDULED, created=NOW, held="missed"))
        session.commit()
    register.clock.forward(days=400)
    assert ended(register) == {}
    with register.parts.sessions() as session:
        second = session.exec(select(RunRow).where(col(RunRow.id) != run_id)).one()
        second.state, second.ended = RunState.CANCELLED, register.clock() - dt.timedelta(days=10)
        session.commit()
    assert ended(register) == {}
    register.clock.forward(days=390)
    assert ended(register) == {"ledger": 1}


def test_single_messages_go_whole_after_thirty_days_unless_they_are_still_to_be_sent(register):
    register.add()
    for number, state in enumerate((DeliveryState.ACCEPTED, DeliveryState.REFUSED, DeliveryState.UNCERTAIN)):
        register.plan(f"x{number}@y.example", (None, f"test:{number}"), state=state)
    waiting = register.plan("z@y.example", (None, "confirm:1"), state=DeliveryState.DEFERRED, clear="z@y.example")
    sent = register.plan(ADA, (None, "notice:1"), clear=ADA)
    register.send()
    register.clock.forward(days=31)
    assert register.count("attempt") == 1
    assert ended(register) == {"singles": 4}
    assert [row.id for row in register.deliveries()] == [waiting]
    assert register.count("attempt") == 0
    assert sent != waiting


def test_consent_is_proved_for_three_years_after_somebody_has_gone(register):
    register.add()
    register.add(BOB)
    register.people.erase(ADA)
    register.clock.forward(days=700)
    register.people.erase(BOB)
    register.clock.forward(days=397)
    done = ended(register)
    assert (done["consent"], done["audit"]) == (1, 1)
    [left] = consent_log(register)
    assert left.digest == register.digest_of(BOB)
    register.clock.forward(days=700)
    assert ended(register)["consent"] == 1
    assert register.count("suppression") == 2


def test_the_consent_log_of_a_member_is_kept_however_old(small):
    small.add()
    small.clock.forward(days=5000)
    assert ended(small) == {}
    assert len(consent_log(small)) == 1


def test_the_log_of_retention_has_a_line_a_rule_with_what_it_ended(small):
    asked(small)
    small.clock.forward(days=31)
    small.retention.run()
    entries = small.retention.log(limit=99)
    assert [entry.rule for entry in reversed(entries)] == [rule.name for rule in terms.RULES]
    first = entries[-1]
    assert (first.count, first.operator, first.at, first.ended) == (1, "grace", small.clock(), small.clock())
    assert first.before == small.clock() - dt.timedelta(days=30)
    assert len(small.retention.log(limit=2)) == 2


def test_a_run_that_is_broken_off_has_counted_what_it_did_and_the_next_goes_on(small, monkeypatch):
    monkeypatch.setattr(module, "FIRST_SIZE", 2)
    monkeypatch.setattr(module, "next_size", lambda size, _seconds: size)
    for number in range(5):
        asked(small, f"p{number}@town.example")
    small.clock.forward(days=31)
    steps = small.retention._steps(small.clock())
    next(steps)
    next(steps)
    steps.close()
    assert len(addresses(small)) == 1
    [broken] = small.retention.log(limit=9)
    assert (broken.count, broken.ended) == (4, None)
    assert ended(small) == {"unconfirmed": 1}


def test_a_change_of_the_terms_counts_from_the_next_run(small):
    terms_of = small.parts.settings.retention.model_copy(update={"unconfirmed": 2})
    settings = small.parts.settings.model_copy(update={"retention": terms_of})
    asked(small)
    small.clock.forward(days=3)
    shorter = module.Retention(replace(small.parts, settings=settings))
    assert {each.rule: each.count for each in shorter.run()}["unconfirmed"] == 1


def test_the_scheduler_applies_the_rules_once_a_day_after_the_hour(small):
    early = NOW.replace(hour=2)
    small.clock.instant = early
    asked(small)
    small.retention.tick(early)
    assert small.count("retention_entry") == len(terms.RULES)
    small.retention.tick(early + dt.timedelta(minutes=30))
    assert small.count("retention_entry") == len(terms.RULES)
    small.clock.instant = early + dt.timedelta(hours=1)
    small.retention.tick(small.clock())
    assert small.count("retention_entry") == 2 * len(terms.RULES)
    small.clock.forward(days=1)
    module.Retention(small.parts).tick(small.clock())
    assert small.count("retention_entry") == 3 * len(terms.RULES)


def test_a_tick_takes_only_a_moment_and_the_next_goes_on(small, monkeypatch):
    monkeypatch.setattr(module, "SHARE", 0)
    asked(small)
    small.clock.forward(days=31)
    small.retention.tick(small.clock())
    assert small.count("retention_entry") == 1
    for _ in range(2 * len(terms.RULES)):
        small.retention.tick(small.clock())
    assert small.count("retention_entry", "ended IS NOT NULL") == len(terms.RULES)
    assert addresses(small) == []


def test_a_run_that_died_is_begun_again_when_nobody_can_be_about_it_any_more(small):
    with small.parts.sessions() as session:
        session.add(RetentionRow(at=NOW, rule="unconfirmed", before=NOW, operator="x"))
        session.commit()
    small.retention.tick(NOW + dt.timedelta(hours=1))
    assert small.count("retention_entry") == 1
    small.clock.instant = NOW + dt.timedelta(hours=7)
    small.retention.tick(small.clock())
    assert small.count("retention_entry") == 1 + len(terms.RULES)


def test_a_piece_is_short_enough_that_a_run_under_way_does_not_feel_it(small, monkeypatch):
    longest = []
    run = small.run(total=1000, state=RunState.FINISHED, ended=NOW)
    with small.parts.sessions() as session:
        common = {"mailing": run[1], "run_id": run[0], "language": "en", "artifact": "0" * 64, "changed": NOW}
        session.add_all(
            DeliveryRow(**common, digest=small.digest_of(f"p{number}@x.example"), state=DeliveryState.ACCEPTED)
            for number in range(1000)
        )
        session.commit()
    small.clock.forward(days=400)
    piece = small.retention._piece

    def timed(*arguments, **named):
        began = time.process_time()
        done = piece(*arguments, **named)
        longest.append(time.process_time() - began)
        return done

    monkeypatch.setattr(small.retention, "_piece", timed)
    gc.collect()
    gc.disable()  # what other tests have left to be collected is no part of it
    try:
        assert {each.rule: each.count for each in small.retention.run()}["ledger"] == 1000
    finally:
        gc.enable()
    assert max(longest) < 0.25


def test_the_audit_log_ends_with_the_proof_of_consent(small):
    small.people.lists.change("press", {"public": "true"})
    small.clock.forward(days=1096)
    assert ended(small) == {}
    small.clock.forward(days=1)
    assert ended(small) == {"audit": 1}
    with small.parts.sessions() as session:
        assert session.exec(select(AuditRow)).all() == []
