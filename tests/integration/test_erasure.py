"""Who is erased is gone, from every table, file and expression, and what was counted stays counted."""

import random

import pytest
from integration.register import Register
from integration.signing import ADA, BOB
from sqlmodel import col, select

from newsletter.accounts.store import deeds_about
from newsletter.dispatch.audit import audit
from newsletter.dispatch.forgetting import FORGOTTEN
from newsletter.dispatch.ledger import Mark, Result
from newsletter.dispatch.outcome import Phase, classify, reply
from newsletter.dispatch.store import attempts_of
from newsletter.errors import WrongState
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow
from newsletter.planning.store import of_digest
from subscribers import store
from subscribers.errors import InvalidAddress, UnknownSubscriber
from subscribers.models import ConsentEntry, Segment, SuppressionReason

REFUSAL = (550, "5.1.1 <ada@town.example>: ada is no user here, said ada@town.example")


@pytest.fixture
def register(engine):
    return Register(engine)


@pytest.fixture
def on_disk(sqlite_engine):
    return Register(sqlite_engine)


@pytest.fixture
def a_file(tmp_path):
    def write(*lines):
        path = tmp_path / "people.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


def audited(register, mailing):
    with register.parts.sessions() as session:
        return {check.code: check.violations for check in audit(session, mailing) if check.violations}


def test_an_erased_address_stands_in_no_column_of_any_table(register):
    register.add(first_name="Ada", last_name="Lovelace", tags="press", nickname="ada@town.example")
    register.people.suppress(ADA, note="Ada Lovelace wrote: ada@town.example is mine")
    register.people.unsuppress(ADA, reason="Ada Lovelace telephoned")
    run = register.run(total=1)
    sent = register.plan(ADA, run)
    single = register.plan(ADA, clear=ADA)
    register.send(saying={register.digest_of(ADA): REFUSAL})
    register.people.suppress(ADA, note="Ada Lovelace again")

    stopped = register.people.erase(ADA)

    assert (stopped.changed, stopped.deliveries) == (True, 0)
    told = register.everything().lower()
    for trace in ("ada@", "town.example", "lovelace", "ada is no user", "nickname"):
        assert trace not in told
    assert (register.delivery(sent).state, register.delivery(sent).reason) == (
        DeliveryState.REFUSED,
        "recipient: 550 5.1.1",
    )
    assert register.delivery(single).address is None
    with pytest.raises(UnknownSubscriber, match="manual since"):
        register.people.show(ADA)


def test_the_audit_of_a_run_holds_after_somebody_was_erased(register):
    for address in (ADA, BOB):
        register.add(address)
    run_id, mailing = register.run(total=2)
    for address in (ADA, BOB):
        register.plan(address, (run_id, mailing))
    register.send(saying={register.digest_of(ADA): REFUSAL})
    assert audited(register, mailing) == {}

    register.people.erase(ADA)

    assert audited(register, mailing) == {}
    with register.parts.sessions() as session:
        texts = [attempts_of(session, row.id)[0].text for row in register.deliveries()]
    assert texts == [FORGOTTEN, "2.0.0 Ok: queued as 77"]


def test_a_chain_of_attempts_that_was_broken_stays_broken(register):
    register.add()
    run = register.run(total=1)
    key = register.plan(ADA, run)
    register.send(saying={register.digest_of(ADA): REFUSAL})
    with register.parts.sessions() as session:
        attempts_of(session, key)[0].text = "somebody has changed this"
        session.commit()
    assert audited(register, run[1]) == {"I7": 1}
    register.people.erase(ADA)
    assert audited(register, run[1]) == {"I7": 1}


def test_who_is_erased_while_a_run_is_under_way_gets_nothing_more(register):
    register.add()
    run = register.run(total=1)
    key = register.plan(ADA, run)
    ledger = register.ledger()
    [claim] = ledger.claim(10, register.clock())

    assert register.people.erase(ADA).deliveries == 1

    assert ledger.commit([Mark(claim)], register.clock()) == [False]
    assert register.delivery(key).state is DeliveryState.SUPPRESSED
    assert audited(register, run[1]) == {}


def test_a_reply_that_comes_after_the_erasure_is_forgotten_by_the_next_retention(register):
    register.add()
    run = register.run(total=1)
    key = register.plan(ADA, run)
    ledger = register.ledger()
    [claim] = ledger.claim(10, register.clock())
    assert ledger.commit([Mark(claim)], register.clock()) == [True]

    assert register.people.erase(ADA).deliveries == 0

    outcome = classify(Phase.CONTENT, reply(550, "5.1.1 ada is no user here"))
    assert ledger.commit([Result(claim, outcome, marked=True, relay="r")], register.clock()) == [True]
    assert "ada is no user" in register.everything()
    assert {each.rule: each.count for each in register.retention.preview()}["late replies"] == 1
    done = {each.rule: each.count for each in register.retention.run()}
    assert done["late replies"] == 1
    assert "ada is no user" not in register.everything()
    assert register.delivery(key).state is DeliveryState.REFUSED
    assert audited(register, run[1]) == {}


@pytest.mark.parametrize("spelling", [ADA, "ADA@TOWN.example", "  Ada@Town.Example "])
def test_no_import_brings_an_erased_person_back_however_the_address_is_spelled(register, a_file, spelling):
    register.add()
    register.people.erase(ADA)
    report = register.people.import_file(a_file("email,first_name", f"{spelling},Ada"), list_name="press")
    assert (report.suppressed, report.new) == (1, 0)
    assert register.people.page(limit=9) == []
    with pytest.raises(WrongState, match="erased since"):
        register.add()


def test_an_international_address_does_not_come_back_in_its_other_script(register, a_file):
    register.add("ada@bücher.example")
    register.people.erase("ada@xn--bcher-kva.example")
    report = register.people.import_file(a_file("email", "ADA@BÜCHER.example"), list_name="press")
    assert (report.suppressed, report.new) == (1, 0)


def test_an_erased_person_does_not_come_back_by_an_address_they_had_before(register, a_file):
    register.add()
    register.people.changes.rename(ADA, "ada@city.example")
    register.people.changes.rename("ada@city.example", "ada@village.example")
    register.people.erase("ada@village.example")
    addresses = (ADA, "ada@city.example", "ada@village.example")
    assert register.people.import_file(a_file("email", *addresses), list_name="press").suppressed == 3


def test_an_address_that_is_somebody_elses_by_now_is_not_barred(register):
    register.add()
    register.people.changes.rename(ADA, BOB)
    register.add(ADA)
    register.people.erase(BOB)
    assert register.people.show(ADA).barred is None


def test_an_expression_that_names_an_erased_address_means_nobody_instead(register):
    register.add()
    register.people.segments.create("one", 'email = "ADA@town.example" or email = "bada@town.example"')
    register.people.segments.create("adas", 'first_name = "ada"')
    run_id, _ = register.run(expression='email in ("ada@town.example", "bob@harbour.example")')

    register.people.erase(ADA)

    with register.parts.sessions() as session:
        told = {each.name: each.expression for each in session.exec(select(Segment))}
        frozen = session.get(RunRow, run_id).expression
    assert told["one"] == 'email = "nobody@erased.invalid" or email = "bada@town.example"'
    assert told["adas"] == 'first_name = "ada"'
    assert frozen == 'email in ("nobody@erased.invalid", "bob@harbour.example")'
    assert register.people.segments.count("one").matching == 0


def test_the_audit_log_says_who_erased_and_nothing_about_whom(register):
    register.add()
    register.people.change(ADA, {"city": "Ghent"})
    register.as_operator("anna").erase(ADA)
    with register.parts.sessions() as session:
        deeds = deeds_about(session, subscriber_id=None, digest=register.digest_of(ADA))
        log = session.exec(select(ConsentEntry)).all()
    assert [(deed.operator, deed.action, deed.about, deed.subscriber_id) for deed in deeds] == [
        ("grace", "changed", "", None),
        ("anna", "erased", "", None),
    ]
    assert [(line.subscriber_id, line.list_name) for line in log] == [(None, "members")]


def test_somebody_who_complained_is_erased_and_stays_a_complaint(register):
    register.add()
    with register.parts.sessions() as session:
        digest = register.digest_of(ADA)
        store.put_suppression(
            session, digest=digest, reason=SuppressionReason.COMPLAINT, now=register.clock(), note="Ada was angry"
        )
        session.commit()
    register.people.erase(ADA)
    with register.parts.sessions() as session:
        kept = store.find_suppression(session, digest)
    assert (kept.reason, kept.note) == (SuppressionReason.COMPLAINT, "")


def test_several_people_are_erased_and_a_slip_of_the_pen_erases_nobody(register):
    for address in (ADA, BOB):
        register.add(address)
    with pytest.raises(InvalidAddress):
        register.people.erasure.erase_each([ADA, "no address"])
    assert len(register.people.page(limit=9)) == 2
    assert [each.changed for each in register.people.erasure.erase_each([ADA, BOB, "eve@x.example"])] == [
        True,
        True,
        False,
    ]
    assert register.people.page(limit=9) == []


def test_a_dry_run_of_an_erasure_says_what_would_be_stopped_and_changes_nothing(register):
    register.add()
    register.plan(ADA, register.run())
    before = register.everything()
    [would] = register.people.erasure.erase_each([ADA], dry_run=True)
    assert (would.changed, would.deliveries) == (True, 1)
    assert register.everything() == before


def test_no_byte_of_an_erased_address_is_left_in_the_files_of_the_database(on_disk, a_file):
    chance = random.Random(4)
    people = [f"{chance.getrandbits(50):x}@{'v' * chance.randint(1, 30)}.example" for _ in range(1500)]
    on_disk.people.import_file(
        a_file("email,first_name,city", *(f"{each},Name{number},City" for number, each in enumerate(people))),
        list_name="members",
    )
    run = on_disk.run(total=30)
    gone = chance.sample(people, 30)
    for address in gone:
        on_disk.plan(address, run)
        on_disk.plan(address, (None, f"test:{address[:5]}"), clear=address)
        on_disk.people.change(address, {"city": f"Somewhere longer {address}"})
    on_disk.send(saying={on_disk.digest_of(address): (550, f"5.1.1 <{address}> unknown") for address in gone[:10]})
    assert gone[0].encode() in on_disk.bytes_on_disk()

    on_disk.people.erasure.erase_each(gone)

    stored = on_disk.bytes_on_disk()
    assert [address for address in gone if address.encode() in stored or address.upper().encode() in stored] == []
    assert sum(address.encode() in stored for address in people) == len(people) - len(gone)
    assert on_disk.count("delivery") == 60


def test_an_address_is_found_in_the_ledger_without_reading_all_of_it(on_disk):
    chosen = (
        select(DeliveryRow).where(of_digest("d" * 64)).compile(on_disk.engine, compile_kwargs={"literal_binds": True})
    )
    with on_disk.engine.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {chosen}")]
    assert any("ix_delivery_single" in step for step in plan)
    assert [step for step in plan if step.startswith("SCAN") and "run" not in step and "anon" not in step] == []


def test_a_reader_who_stays_long_keeps_traces_in_the_log_only_while_they_stay(on_disk, capsys):
    on_disk.add()
    with on_disk.engine.execution_options(sqlite_begin="DEFERRED").connect() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM subscriber").scalar()
        on_disk.people.erase(ADA)
        assert "traces stay" in "".join(capsys.readouterr())
        assert ADA.encode() in on_disk.bytes_on_disk()
        connection.rollback()
    on_disk.people.erasure.leave_no_trace()
    assert ADA.encode() not in on_disk.bytes_on_disk()


def test_on_a_server_the_dead_rows_of_the_erased_are_taken_out(postgres_engine):
    register = Register(postgres_engine)
    register.add()
    register.people.erase(ADA)
    with postgres_engine.connect() as connection:
        connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")
        pages = connection.exec_driver_sql(
            "SELECT relpages, reltuples FROM pg_class WHERE relname = 'subscriber'"
        ).one()
    assert pages == (0, 0)


def test_the_consent_log_of_an_erased_person_is_told_by_the_digest(register):
    register.add()
    register.people.erase(ADA)
    with register.parts.sessions() as session:
        [line] = store.consent_of(session, register.digest_of(ADA))
        known = session.exec(select(ConsentEntry).where(col(ConsentEntry.subscriber_id).is_not(None))).all()
    assert (line.operator, known) == ("grace", [])
