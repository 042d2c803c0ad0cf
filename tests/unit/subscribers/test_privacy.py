import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers import consent, store, suppression
from subscribers.consent import Circumstances
from subscribers.errors import InvalidAddress
from subscribers.models import SuppressionReason
from subscribers.privacy import erase, export_columns, export_subscribers
from subscribers.segments import parse, to_condition
from subscribers.store import guarded, unguarded

ANNE = "anne@x.example"


def test_erasure_leaves_only_the_digest(session, add_person, members, keys, now):
    anne = add_person(ANNE, lists=["members"], tags=["press"], attributes={"a": 1})
    key, digest = anne.id, anne.digest
    form = Circumstances(at=now, source="form")
    consent.leave_newsletter(session, subscriber=anne, newsletter="river", lists=["members"], circumstances=form)
    session.commit()
    assert erase(session, keys, address="Anne@X.example", now=now)
    session.commit()
    assert store.find_subscriber(session, ANNE) is None
    assert store.find_suppression(session, digest).reason is SuppressionReason.ERASED
    assert [entry.subscriber_id for entry in store.consent_of(session, digest)] == [None, None]
    assert (store.tags_of(session, [key]), store.memberships_of(session, key), store.departures_of(session, key)) == (
        {},
        {},
        {},
    )


def test_erasure_keeps_a_stronger_reason(session, add_person, keys, now):
    anne = add_person(ANNE)
    digest = anne.digest
    suppression.suppress(session, keys, address=ANNE, reason=SuppressionReason.COMPLAINT, now=now)
    erase(session, keys, address=ANNE, now=now)
    assert store.find_suppression(session, digest).reason is SuppressionReason.COMPLAINT


def test_somebody_who_was_never_known_can_be_kept_out(session, keys, now):
    assert not erase(session, keys, address=ANNE, now=now)
    assert suppression.is_suppressed(session, keys, ANNE)
    with pytest.raises(InvalidAddress):
        erase(session, keys, address="nobody", now=now)


def test_an_export_holds_what_an_import_reads(session, add_person, now):
    add_person(
        ANNE, lists=["members", "press"], tags=["b", "a"], language="fr", city="Liège", attributes={"population": 5}
    )
    add_person("ben@x.example", attributes={"vip": True})
    rows = list(export_subscribers(session))
    assert rows[0] == {
        "email": ANNE,
        "first_name": "",
        "last_name": "",
        "organisation": "",
        "city": "Liège",
        "country": "",
        "language": "fr",
        "timezone": "",
        "tags": "a;b",
        "lists": "members;press",
        "created": "2026-11-21T09:00:00+00:00",
        "population": 5,
    }
    assert rows[1]["vip"] is True
    assert set(export_columns(session)) == {*rows[0], *rows[1]}


def test_an_export_can_be_of_a_list_or_a_condition(session, add_person, now):
    add_person(ANNE, lists=["members"])
    add_person("ben@x.example", city="Liège")
    condition = to_condition(parse('city = "Liège"'), now=now)
    assert [row["email"] for row in export_subscribers(session, list_name="members")] == [ANNE]
    assert [row["email"] for row in export_subscribers(session, condition=condition)] == ["ben@x.example"]
    assert list(export_subscribers(session, list_name="none")) == []


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1"])
def test_what_a_spreadsheet_would_compute_is_guarded(cell):
    assert guarded(cell) == f"'{cell}"


@given(st.text())
def test_a_guarded_cell_never_begins_a_formula(cell):
    assert guarded(cell)[:1] not in {"=", "+", "-", "@", "\t", "\r"}
    assert guarded(cell) in {cell, f"'{cell}"}
    assert unguarded(guarded(cell)) == cell


@pytest.mark.parametrize("cell", ["=1+1", "+32 4 000", "-", "@home", "'quoted'", "plain", "", "'", "'=x", "''=x"])
def test_an_exported_cell_comes_back_as_it_was(cell):
    assert unguarded(guarded(cell)) == cell


def test_erasure_takes_the_note_off_a_suppression(session, add_person, keys, now):
    add_person(ANNE)
    suppression.suppress(session, keys, address=ANNE, reason=SuppressionReason.MANUAL, now=now, note="Anne wrote")
    erase(session, keys, address=ANNE, now=now)
    [kept] = store.suppressions(session)
    assert (kept.reason, kept.note) == (SuppressionReason.MANUAL, "")


def test_erasure_bars_the_addresses_that_somebody_had_before(session, add_person, keys, now):
    anne = add_person(ANNE)
    store.add_former_address(session, subscriber_id=anne.id, digest="a" * 64, until=now)
    erase(session, keys, address=ANNE, now=now)
    assert {each.digest for each in store.suppressions(session)} == {anne.digest, "a" * 64}
    assert store.suppressions(session, after="f" * 64) == []
    assert store.suppressions(session, reason=SuppressionReason.COMPLAINT) == []
