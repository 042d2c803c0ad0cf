from datetime import timedelta

import pytest

from subscribers import consent, store
from subscribers.consent import Circumstances
from subscribers.models import MembershipState
from subscribers.privacy import forget

DAY = timedelta(days=1)


@pytest.fixture
def stand(session, now):
    """Let somebody stand to a list in some way since so many days ago."""

    def stand(person, name, state, *, days):
        found = store.find_list(session, name) or store.create_list(session, name, now=now)
        store.set_membership(session, subscriber_id=person.id, list_id=found.id, state=state, now=now - days * DAY)

    return stand


def test_a_request_is_stale_when_it_is_pending_since_before(session, add_person, stand, now):
    anne, ben = add_person("anne@x.example"), add_person("ben@x.example")
    stand(anne, "press", MembershipState.PENDING, days=31)
    stand(anne, "members", MembershipState.CONFIRMED, days=31)
    stand(ben, "press", MembershipState.PENDING, days=30)
    stand(ben, "members", MembershipState.PENDING, days=32)
    before = now - 30 * DAY
    stale = store.stale_requests(session, before, 9)
    assert sorted(stale) == [(anne.id, "press"), (ben.id, "members")]
    assert len(store.stale_requests(session, before, 1)) == 1
    assert store.others_than_stale(session, [anne.id, ben.id], before) == {anne.id, ben.id}


def test_who_only_ever_asked_has_nothing_else(session, add_person, stand, now):
    anne = add_person("anne@x.example")
    for name in ("press", "members"):
        stand(anne, name, MembershipState.PENDING, days=40)
    assert store.others_than_stale(session, [anne.id], now - 30 * DAY) == frozenset()


def test_people_are_gone_who_are_on_no_list_and_to_whom_nothing_has_happened(session, add_person, stand, now):
    long_ago = now - 800 * DAY
    names = ("bare", "left", "lately", "pending", "departed", "new")
    people = {name: add_person(f"{name}@x.example", at=now if name == "new" else long_ago) for name in names}
    stand(people["left"], "press", MembershipState.LEFT, days=731)
    stand(people["lately"], "press", MembershipState.REMOVED, days=5)
    stand(people["pending"], "press", MembershipState.PENDING, days=900)
    store.add_departure(session, subscriber_id=people["departed"].id, newsletter="rivers", now=now - 5 * DAY)
    piece = store.people_gone(session, now - 730 * DAY, after=0, limit=99)
    assert piece == ([people["bare"].id, people["left"].id], people["new"].id)
    assert store.people_gone(session, now - 730 * DAY, after=piece.after, limit=99) == ([], None)
    assert store.people_gone(session, now - 730 * DAY, after=0, limit=1) == ([people["bare"].id], people["bare"].id)


def test_who_left_did_so_by_their_own_decision(session, add_person, stand, now):
    anne, ben, carol = (add_person(f"{name}@x.example") for name in ("anne", "ben", "carol"))
    stand(anne, "press", MembershipState.LEFT, days=1)
    stand(ben, "press", MembershipState.REMOVED, days=1)
    store.add_departure(session, subscriber_id=carol.id, newsletter="rivers", now=now)
    assert [store.has_left(session, person.id) for person in (anne, ben, carol)] == [True, False, True]


def test_a_list_that_goes_touches_whoever_stands_to_it(session, add_person, stand, now):
    anne, ben = add_person("anne@x.example"), add_person("ben@x.example")
    stand(anne, "press", MembershipState.LEFT, days=1)
    store.touch_members(session, store.get_list(session, "press"), now + DAY)
    session.expire_all()
    assert (anne.updated, ben.updated) == (now + DAY, now)


def test_a_proof_is_old_when_its_person_is_gone_and_no_line_is_newer(session, add_person, members, now):
    digests = {}
    for number, name in enumerate(("anne", "ben", "carol")):
        person = add_person(f"{name}@x.example")
        for days in (20, 10 * number):
            form = Circumstances(at=now - timedelta(days=days), source="form")
            consent.subscribe(session, subscriber=person, mailing_list=members, circumstances=form)
            consent.leave(session, subscriber=person, mailing_list=members, circumstances=form)
        digests[name] = person.digest
        if name != "carol":
            forget(session, person)
    found, after = store.old_proofs(session, now - 5 * DAY, after="", limit=99)
    assert (found, after) == ([digests["ben"]], max(digests["anne"], digests["ben"]))
    assert store.old_proofs(session, now, after=after, limit=99) == ([], None)
    assert store.count_proofs(session, found) == store.delete_proofs(session, found) == 3
    assert store.consent_of(session, digests["ben"]) == []


def test_former_addresses_are_digests_and_go_with_the_person(session, add_person, keys, now):
    anne, ben = add_person("anne@x.example"), add_person("ben@x.example")
    for digest in ("a" * 64, ben.digest):
        store.add_former_address(session, subscriber_id=anne.id, digest=digest, until=now)
    assert store.addresses_of(session, [anne.digest, "a" * 64]) == {anne.digest: "anne@x.example"}
    assert forget(session, anne) == [anne.digest, "a" * 64]
    assert store.former_addresses(session, anne.id) == []
