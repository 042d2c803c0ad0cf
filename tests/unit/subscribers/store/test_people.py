import re
from datetime import timedelta

import pytest

from subscribers import store
from subscribers.address import parse_address
from subscribers.errors import InvalidAddress, InvalidValue, SubscriberExists, UnknownField, UnknownSubscriber
from subscribers.models import MembershipState, Subscriber, new_uid
from subscribers.segments import parse, to_condition
from subscribers.tokens import address_digest

ANNE = "a.lambert@liege.example"


def test_somebody_who_was_added_is_found_in_every_way(session, add_person, keys):
    anne = add_person(ANNE, first_name=" Anne ", language="FR", tags=["press"], attributes={"population": 5})
    assert store.find_subscriber(session, "A.Lambert@LIEGE.example") is anne
    assert store.get_subscriber(session, parse_address(ANNE)) is anne
    assert store.find_by_uid(session, anne.uid) is anne
    assert store.find_by_digest(session, address_digest(keys, ANNE)) is anne
    assert (anne.first_name, anne.language, anne.timezone, anne.country) == ("Anne", "fr", None, "")
    assert store.tags_of(session, [anne.id]) == {anne.id: ["press"]}


def test_public_ids_tell_nothing():
    assert re.fullmatch(r"[a-z2-7]{16}", new_uid())
    assert new_uid() != new_uid()


def test_somebody_unknown_is_not_found(session):
    assert store.find_subscriber(session, ANNE) is None
    assert store.find_by_uid(session, "x") is None
    with pytest.raises(UnknownSubscriber):
        store.get_subscriber(session, ANNE)
    with pytest.raises(InvalidAddress):
        store.find_subscriber(session, "nobody")


def test_an_address_is_added_once(add_person):
    add_person(ANNE)
    with pytest.raises(SubscriberExists):
        add_person(ANNE.upper())


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"citty": "x"}, UnknownField),
        ({"country": "x"}, InvalidValue),
        ({"attributes": {"A": 1}}, InvalidValue),
        ({"tags": [""]}, InvalidValue),
    ],
)
def test_nothing_is_added_when_a_value_is_wrong(session, add_person, facts, error):
    with pytest.raises(error):
        add_person(ANNE, **facts)
    assert store.count_subscribers(session) == 0


def test_what_has_not_been_stored_has_no_id(now):
    with pytest.raises(UnknownSubscriber):
        store.id_of(Subscriber(address="a", address_key="a", digest="a", created=now, updated=now))


def test_changes_are_told_and_dated(session, add_person, now):
    anne = add_person(ANNE, city="Liège", attributes={"a": 1, "b": True, "c": "x"})
    later = now + timedelta(days=1)
    changed = store.change_subscriber(
        session,
        anne,
        now=later,
        values={"city": "", "first_name": "Anne", "country": ""},
        attributes={"a": 2, "b": 1, "c": None, "d": 0.5, "e": None},
    )
    assert changed == {"city", "first_name", "a", "b", "c", "d"}
    session.commit()
    assert (anne.city, anne.first_name, anne.updated) == ("", "Anne", later)
    assert anne.attributes == {"a": 2, "b": 1, "d": 0.5}


def test_a_change_that_changes_nothing_is_not_dated(session, add_person, now):
    anne = add_person(ANNE, city="Liège")
    later = now + timedelta(days=1)
    assert store.change_subscriber(session, anne, now=later, values={"city": " Liège "}) == frozenset()
    assert anne.updated == now


def test_a_change_inside_the_attributes_is_noticed(session, add_person):
    anne = add_person(ANNE, attributes={"a": 1})
    session.commit()
    anne.attributes["a"] = 2
    session.commit()
    session.expire_all()
    assert anne.attributes == {"a": 2}


def test_a_change_of_address_keeps_the_person(session, add_person, keys, now):
    anne, ben = add_person(ANNE), add_person("ben@x.example")
    store.change_address(session, keys, subscriber=anne, address=parse_address("Anne@New.example"), now=now)
    assert store.get_subscriber(session, "anne@new.example") is anne
    assert store.find_by_digest(session, address_digest(keys, "anne@new.example")) is anne
    with pytest.raises(SubscriberExists):
        store.change_address(session, keys, subscriber=ben, address=parse_address("anne@new.example"), now=now)
    store.change_address(session, keys, subscriber=anne, address=parse_address("ANNE@new.example"), now=now)
    assert anne.address == "ANNE@new.example"


def test_tags_are_put_on_and_taken_off(session, add_person):
    anne = add_person(ANNE, tags=["press"])
    assert store.add_tags(session, subscriber_id=anne.id, tags=["press", "vip "]) == {"vip"}
    assert store.add_tags(session, subscriber_id=anne.id, tags=["vip"]) == frozenset()
    assert store.remove_tags(session, subscriber_id=anne.id, tags=["press", "other"]) == {"press"}
    assert store.tags_of(session, [anne.id]) == {anne.id: ["vip"]}
    assert store.all_tags(session) == {"vip": 1}


def test_pages_follow_each_other_by_id(session, add_person):
    people = [add_person(f"p{number}@x.example") for number in range(5)]
    assert list(store.page(session, limit=2)) == people[:2]
    assert list(store.page(session, after=people[1].id, limit=2)) == people[2:4]
    assert list(store.page(session, after=people[4].id)) == []


def test_pages_hold_the_members_of_a_list_or_those_a_condition_means(session, add_person, now):
    anne = add_person(ANNE, lists=["members"], city="Liège")
    add_person("ben@x.example")
    condition = to_condition(parse('city = "Liège"'), now=now)
    assert list(store.page(session, list_name="members")) == [anne]
    assert list(store.page(session, list_name="members", state=MembershipState.LEFT)) == []
    assert list(store.page(session, condition=condition)) == [anne]
    assert store.count_subscribers(session) == 2
    assert store.count_subscribers(session, condition) == 1


def test_counting_ends_where_it_is_told_to(session, add_person):
    for number in range(3):
        add_person(f"p{number}@x.example")
    assert [store.count_subscribers(session, at_most=bound) for bound in (0, 2, 3, 4)] == [0, 2, 3, 3]


def test_conditions_hold_for_one_person_each_by_itself(session, add_person, now):
    anne = add_person(ANNE, lists=["members"], city="Liège")
    asked = ['city = "Liège"', 'list = "members"', 'list = "press"', "all", "not all"]
    conditions = [to_condition(parse(text), now=now) for text in asked]
    assert store.truth_of(session, anne.id, conditions) == [True, True, False, True, False]
    with pytest.raises(UnknownSubscriber):
        store.truth_of(session, anne.id + 1, conditions)


def test_attributes_are_known_by_name(session, add_person):
    assert store.attribute_names(session) == []
    add_person(ANNE, attributes={"b": 1, "a": 2})
    add_person("ben@x.example", attributes={"b": "x", "c": True})
    assert store.attribute_names(session) == ["a", "b", "c"]


def test_an_id_is_never_given_out_again(session, add_person):
    anne = add_person(ANNE)
    first = anne.id
    store.delete_subscriber(session, first)
    session.expunge(anne)
    assert add_person("ben@x.example").id > first
