import pytest

from subscribers import store, suppression
from subscribers.address import parse_address
from subscribers.errors import InvalidAddress
from subscribers.models import SuppressionReason

ANNE = "anne@x.example"


def test_a_suppressed_address_is_known_by_its_digest_only(session, keys, now):
    assert suppression.suppress(
        session, keys, address="Anne@X.example", reason=SuppressionReason.MANUAL, now=now, note="asked: anne@x.example"
    )
    assert suppression.is_suppressed(session, keys, ANNE)
    assert suppression.is_suppressed(session, keys, parse_address(ANNE))
    known = store.find_suppression(session, suppression.digest_of(keys, ANNE))
    assert known.note == "asked: a…@x….example"
    assert not suppression.is_suppressed(session, keys, "ben@x.example")


def test_a_note_is_cut_and_cleaned_rather_than_refused(session, now):
    noted = "550\x00 no\r\nsuch <anne@x.example> " + "x" * 600
    suppression.suppress_digest(session, digest="d", reason=SuppressionReason.HARD_BOUNCE, now=now, note=noted)
    note = store.find_suppression(session, "d").note
    assert note.startswith("550 no such <a…@x….example> x")
    assert len(note) == 500


def test_a_reason_gives_way_to_a_stronger_one_only(session, keys, now):
    def suppress(reason):
        return suppression.suppress(session, keys, address=ANNE, reason=reason, now=now)

    assert suppress(SuppressionReason.UNSUBSCRIBED)
    assert not suppress(SuppressionReason.UNSUBSCRIBED)
    assert suppress(SuppressionReason.COMPLAINT)
    assert not suppress(SuppressionReason.ERASED)
    digest = suppression.digest_of(keys, ANNE)
    assert store.find_suppression(session, digest).reason is SuppressionReason.COMPLAINT


def test_a_suppression_can_be_lifted(session, keys, now):
    assert not suppression.unsuppress(session, keys, address=ANNE)
    suppression.suppress(session, keys, address=ANNE, reason=SuppressionReason.HARD_BOUNCE, now=now)
    assert suppression.unsuppress(session, keys, address=ANNE)
    assert not suppression.is_suppressed(session, keys, ANNE)


def test_the_suppressed_among_many_are_found(session, now):
    suppression.suppress_digest(session, digest="d1", reason=SuppressionReason.ERASED, now=now)
    digests = [f"d{number}" for number in range(3000)]
    assert suppression.suppressed_among(session, digests) == {"d1": SuppressionReason.ERASED}


def test_what_is_no_address_cannot_be_suppressed(session, keys, now):
    with pytest.raises(InvalidAddress):
        suppression.suppress(session, keys, address="nobody", reason=SuppressionReason.MANUAL, now=now)


def test_many_are_suppressed_as_each_would_be(session, now):
    suppression.suppress_digest(session, digest="left", reason=SuppressionReason.UNSUBSCRIBED, now=now)
    suppression.suppress_digest(session, digest="spam", reason=SuppressionReason.COMPLAINT, now=now)
    notes = {"left": "gone", "spam": "gone", "new": "550 <anne@x.example>"}

    changed = suppression.suppress_digests(session, notes, reason=SuppressionReason.HARD_BOUNCE, now=now)
    again = suppression.suppress_digests(session, notes, reason=SuppressionReason.HARD_BOUNCE, now=now)

    assert (changed, again) == ({"left", "new"}, frozenset())
    assert suppression.suppressed_among(session, list(notes)) == {
        "left": SuppressionReason.HARD_BOUNCE,
        "spam": SuppressionReason.COMPLAINT,
        "new": SuppressionReason.HARD_BOUNCE,
    }
    assert store.find_suppression(session, "new").note == "550 <a…@x….example>"
