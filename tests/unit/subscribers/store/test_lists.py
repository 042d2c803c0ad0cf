from datetime import timedelta

import pytest

from subscribers import store
from subscribers.errors import InvalidLanguage, InvalidValue, ListExists, UnknownList
from subscribers.models import MailingList, MembershipState


def test_a_list_is_created_once(session, now):
    created = store.create_list(session, " members ", now=now, description="All  cities")
    assert (created.name, created.description, created.public, created.double_opt_in) == (
        "members",
        "All cities",
        False,
        True,
    )
    with pytest.raises(ListExists):
        store.create_list(session, "members", now=now)
    with pytest.raises(InvalidValue):
        store.create_list(session, " ", now=now)


def test_an_unknown_list_is_told_with_the_nearest(session, members):
    assert store.find_list(session, "member") is None
    with pytest.raises(UnknownList) as error:
        store.get_list(session, "member")
    assert error.value.hint == "members"


def test_what_has_not_been_stored_has_no_id(now):
    with pytest.raises(UnknownList):
        store.list_id_of(MailingList(name="x", created=now))


def test_a_list_can_be_changed_and_renamed(session, members, now):
    store.create_list(session, "press", now=now)
    changed = store.set_list(
        session,
        "members",
        name="cities",
        public=True,
        double_opt_in=False,
        opt_in_reason="paper forms",
        description="x",
    )
    assert (changed.name, changed.public, changed.opt_in_reason) == ("cities", True, "paper forms")
    assert [found.name for found in store.all_lists(session)] == ["cities", "press"]
    assert store.set_list(session, "cities", name="cities").name == "cities"
    assert store.set_list(session, "cities", public=False).public is False
    with pytest.raises(ListExists):
        store.set_list(session, "cities", name="press")


def test_a_list_goes_with_its_memberships(session, add_person):
    anne = add_person("a@x.example", lists=["members", "press"])
    store.delete_list(session, "members")
    session.expire_all()
    assert list(store.memberships_of(session, anne.id)) == ["press"]


def test_memberships_are_changed_and_dated(session, add_person, members, now):
    anne = add_person("a@x.example")
    facts = {"subscriber_id": anne.id, "list_id": members.id}
    assert store.membership_state(session, **facts) is None
    assert store.set_membership(session, **facts, state=MembershipState.PENDING, now=now)
    assert not store.set_membership(session, **facts, state=MembershipState.PENDING, now=now + timedelta(days=1))
    assert store.set_membership(session, **facts, state=MembershipState.CONFIRMED, now=now + timedelta(days=2))
    assert store.membership_state(session, **facts) is MembershipState.CONFIRMED
    assert store.memberships_of(session, anne.id)["members"].changed == now + timedelta(days=2)
    assert store.lists_of(session, [anne.id]) == {anne.id: ["members"]}


def test_lists_are_counted_by_state(session, add_person, members, now):
    store.create_list(session, "empty", now=now)
    add_person("a@x.example", lists=["members"])
    ben = add_person("b@x.example", lists=["members"])
    store.set_membership(session, subscriber_id=ben.id, list_id=members.id, state=MembershipState.LEFT, now=now)
    assert store.list_counts(session) == {
        "empty": {},
        "members": {MembershipState.CONFIRMED: 1, MembershipState.LEFT: 1},
    }


def test_titles_and_descriptions_are_kept_by_language(session, members):
    store.set_list(session, "members", titles={"fr": " Membres ", "de": "Mitglieder"}, descriptions={"fr_be": "Ici"})
    store.set_list(session, "members", titles={"de": ""})
    assert members.titles == {"fr": "Membres"}
    assert members.descriptions == {"fr-BE": "Ici"}
    with pytest.raises(InvalidLanguage):
        store.set_list(session, "members", titles={"french": "Membres"})
