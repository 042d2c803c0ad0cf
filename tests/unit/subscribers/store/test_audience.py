import pytest

from subscribers import store
from subscribers.models import SuppressionReason
from subscribers.segments import parse, to_condition

NEWSLETTER = "river-cities"


@pytest.fixture
def everybody(now):
    return to_condition(parse("all"), now=now)


def audience(session, condition):
    return session.execute(store.audience_query(condition, newsletter=NEWSLETTER)).all()


def test_the_audience_is_the_segment_among_confirmed_members(session, add_person, now):
    anne = add_person("a@x.example", lists=["members"], language="fr", timezone="Europe/Brussels", country="BE")
    add_person("b@x.example", lists=["members"], language="en")
    add_person("c@x.example", language="fr")
    condition = to_condition(parse('language = "fr"'), now=now)
    assert audience(session, condition) == [(anne.id, anne.digest, "fr", "Europe/Brussels", "BE")]
    assert store.count_audience(session, condition, newsletter=NEWSLETTER) == 1
    assert store.count_audience(session, condition, newsletter=NEWSLETTER, at_most=0) == 0


@pytest.mark.parametrize("state", ["pending", "left", "removed"])
def test_who_is_no_confirmed_member_of_any_list_receives_nothing(session, add_person, members, everybody, state):
    anne = add_person("a@x.example")
    store.set_membership(session, subscriber_id=anne.id, list_id=members.id, state=state, now=members.created)
    assert audience(session, everybody) == []


def test_who_left_this_newsletter_receives_nothing_of_it(session, add_person, now, everybody):
    anne, ben = (add_person(f"{name}@x.example", lists=["members"]) for name in "ab")
    store.add_departure(session, subscriber_id=anne.id, newsletter=NEWSLETTER, now=now)
    store.add_departure(session, subscriber_id=ben.id, newsletter="another", now=now)
    assert [row.id for row in audience(session, everybody)] == [ben.id]


def test_a_suppressed_address_receives_nothing(session, add_person, now, everybody):
    anne = add_person("a@x.example", lists=["members"])
    store.put_suppression(session, digest=anne.digest, reason=SuppressionReason.MANUAL, now=now)
    assert audience(session, everybody) == []
    assert store.count_audience(session, everybody, newsletter=NEWSLETTER) == 0


def test_nobody_is_counted_twice_for_two_lists(session, add_person, everybody):
    add_person("a@x.example", lists=["members", "press"])
    assert len(audience(session, everybody)) == 1


def test_the_audience_is_counted_by_language(session, add_person, everybody):
    for number, language in enumerate(["fr", "fr", "en", ""]):
        add_person(f"p{number}@x.example", lists=["members"], language=language)
    languages = store.audience_languages(session, everybody, newsletter=NEWSLETTER)
    assert languages == {"fr": 2, "en": 1, None: 1}


def test_what_a_message_says_about_its_reader_is_fetched_in_batches(session, add_person):
    people = [add_person(f"p{number}@x.example", first_name="Anne", city="Liège") for number in range(3)]
    values = store.slot_values(session, [*(person.id for person in people), 999])
    assert set(values) == {person.id for person in people}
    assert values[people[0].id] == ("p0@x.example", "Anne", "", "", "Liège", "", people[0].uid)


def test_long_collections_are_cut():
    assert list(store.in_batches(range(5), 2)) == [(0, 1), (2, 3), (4,)]
    assert list(store.in_batches([])) == []
