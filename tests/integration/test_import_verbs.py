"""Files of people through the pipeline: what is planned for them, how they come and go, and exports that come back."""

import csv
import io
import json
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlmodel import col, select

from newsletter.database import session_factory
from newsletter.errors import InvalidInput
from newsletter.links import Links
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.people import ExportFormat, People
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.settings import Settings
from subscribers import store, suppression
from subscribers.address import parse_address
from subscribers.errors import InvalidAddress, InvalidValue
from subscribers.importing import Elsewhere, Manner
from subscribers.importing.sync import Bound
from subscribers.models import Subscriber
from subscribers.segments import RESERVED
from subscribers.store import clean_text, typed
from subscribers.tokens import Keys

KEYS = Keys(signing=(("k1", b"a secret for signing"),), suppression=b"a secret for digests")
ADA, BOB = "ada@town.example", "bob@harbour.example"
ANY = Bound(Fraction(1))


@pytest.fixture
def parts(engine, now):
    return Parts(
        settings=Settings(),
        engine=engine,
        sessions=session_factory(engine),
        keys=KEYS,
        links=Links("https://news.example"),
        operator="grace",
        now=lambda: now,
    )


@pytest.fixture
def people(parts):
    made = People(parts)
    made.lists.create("members")
    return made


@pytest.fixture
def a_file(tmp_path):
    def write(*lines, name="people.csv"):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def planned(rows, parts):
    """Plans a delivery to an address in a run, or by itself; returns what tells its state."""

    def plan(address, *, run=None):
        digest = suppression.digest_of(KEYS, address)
        with rows.sessions() as session:
            row = rows._delivery("issue:rivers/2026-12" if run else f"confirm:{address}", digest, run, {})
            session.add(row)
            session.commit()
            key = row.id
        return lambda: rows.get(DeliveryRow, key).state

    return plan


def test_who_left_where_a_file_comes_from_gets_nothing_of_a_run_that_is_under_way(people, rows, planned, a_file):
    people.import_file(a_file("email", ADA, BOB), list_name="members")
    run = rows.run(state=RunState.RUNNING)
    hers, his = planned(ADA, run=run), planned(BOB, run=run)
    people.imports.take(a_file("email", ADA), list_name="members", manner=Manner(people=Elsewhere.LEFT))
    assert (hers(), his()) == (DeliveryState.SUPPRESSED, DeliveryState.PLANNED)


def test_an_address_that_bounced_elsewhere_gets_not_even_a_single_message(people, planned, a_file):
    hers, his = planned(ADA), planned(BOB)
    people.imports.take(a_file("email", ADA), list_name="members", manner=Manner(people=Elsewhere.BOUNCED))
    assert (hers(), his()) == (DeliveryState.SUPPRESSED, DeliveryState.PLANNED)


def test_who_is_taken_off_by_a_sync_gets_nothing_more_unless_a_run_means_them_still(people, rows, planned, a_file):
    people.import_file(a_file("email", ADA, BOB), list_name="members")
    people.lists.create("press")
    people.import_file(a_file("email", BOB), list_name="press")
    run = rows.run(state=RunState.RUNNING)
    hers, his = planned(ADA, run=run), planned(BOB, run=run)
    report = people.imports.sync(a_file("email", "c@x.example"), list_name="members", bound=ANY)
    assert (report.removed, report.imported.new) == (2, 1)
    assert (hers(), his()) == (DeliveryState.SUPPRESSED, DeliveryState.PLANNED)


def test_a_run_whose_segment_cannot_be_read_any_more_stops_for_who_leaves(people, rows, planned, a_file):
    people.import_file(a_file("email", ADA), list_name="members")
    run = rows.run(state=RunState.RUNNING)
    with rows.sessions() as session:
        session.get(RunRow, run).expression = 'segment = "gone"'
        session.commit()
    hers = planned(ADA, run=run)
    people.imports.sync(a_file("email", BOB), list_name="members", bound=ANY)
    assert hers() is DeliveryState.SUPPRESSED


def test_chunks_are_small_only_while_something_is_sent(people, rows):
    assert not people.imports._is_sending()
    rows.run(state=RunState.SCHEDULED)
    assert not people.imports._is_sending()
    rows.run(slug="2027-01", state=RunState.RUNNING)
    assert people.imports._is_sending()


def test_a_sync_with_an_unknown_list_says_how_to_create_it(people, a_file):
    with pytest.raises(InvalidInput, match="newsletter lists create nobody"):
        people.imports.sync(a_file("email", ADA), list_name="nobody", bound=ANY)


def test_a_proof_is_shown_with_the_consent(people, a_file):
    people.import_file(a_file("email", ADA), list_name="members")
    people.unsubscribe(ADA, list_name="members")
    people.imports.take(a_file("email", ADA), list_name="members", manner=Manner(proof="letter of 2026-11-30"))
    assert [line.proof for line in people.show(ADA).consent] == ["", "", "letter of 2026-11-30"]


def _stored_text(text):
    try:
        return clean_text("x", text, longest=200)
    except InvalidValue:
        return ""


def _as_stored(text):
    return typed(_stored_text(text))


NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name not in RESERVED)
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["=1+1", "'=1", "''@x", "+32", "-5", "007", "0.0000001", "1e5", "TRUE", "５", "＝x", 'a"b', "a;b,c\td"]
    ),
)
VALUES = TEXTS.map(_as_stored).filter(lambda value: value != "")
LOCALS = st.text("abc=+-'_.", min_size=1, max_size=8)
SOMEBODY = st.fixed_dictionaries(
    {
        "local": LOCALS,
        "values": st.dictionaries(st.sampled_from(store.FIELDS[:4]), TEXTS.map(_stored_text), max_size=3),
        "attributes": st.dictionaries(NAMES, VALUES, max_size=3),
        "tags": st.sets(TEXTS.map(lambda text: _stored_text(text).replace(";", " ").strip()).filter(bool), max_size=2),
    }
)


@pytest.fixture
def emptied(parts, people):
    def empty():
        with parts.sessions() as session:
            session.execute(delete(Subscriber))
            session.commit()

    return empty


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(everybody=st.lists(SOMEBODY, max_size=4))
def test_an_export_is_imported_again_without_any_change(parts, people, emptied, tmp_path, everybody):
    emptied()
    stored = _added(parts, people, everybody)
    out = io.StringIO()
    assert people.export(out, form=ExportFormat.CSV) == stored
    assert not any(
        cell[:1] in "=+@\t\r＝＋－＠" for row in csv.reader(io.StringIO(out.getvalue())) for cell in row if cell
    )
    path = tmp_path / "people.csv"
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    report = people.import_file(path, list_name="members")
    assert (report.unchanged, report.problems) == (stored, [])
    lines = io.StringIO()
    people.export(lines, form=ExportFormat.JSONL)
    assert len([json.loads(line) for line in lines.getvalue().splitlines()]) == stored


def _added(parts, people, everybody):
    with parts.sessions() as session:
        mailing_list = store.get_list(session, "members")
        for somebody in everybody:
            try:
                address = parse_address(f"{somebody['local']}@town.example")
            except InvalidAddress:
                continue
            if store.find_subscriber(session, address) is None:
                person = store.add_subscriber(
                    session,
                    KEYS,
                    address=address,
                    now=parts.now(),
                    values=somebody["values"],
                    attributes=somebody["attributes"],
                    tags={tag for tag in somebody["tags"] if len(tag) <= 100},
                )
                store.set_membership(
                    session, subscriber_id=person.id, list_id=mailing_list.id, state="confirmed", now=parts.now()
                )
        session.commit()
        return len(session.scalars(select(col(Subscriber.id))).all())
