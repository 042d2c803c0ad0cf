from dataclasses import replace
from datetime import timedelta

import pytest

from subscribers import consent, store
from subscribers.consent import Circumstances
from subscribers.models import ConsentAction, MembershipState, SuppressionReason


@pytest.fixture
def form(now):
    return Circumstances(
        at=now, source="form", wording_version="3", wording_language="fr", origin="192.0.2.77", operator=""
    )


@pytest.fixture
def anne(add_person):
    return add_person("a@x.example")


def actions(session, person):
    return [entry.action for entry in store.consent_of(session, person.digest)]


def state(session, person, listed):
    return store.membership_state(session, subscriber_id=person.id, list_id=listed.id)


def test_a_double_opt_in_list_waits_for_the_confirmation(session, anne, members, form):
    facts = {"subscriber": anne, "mailing_list": members, "circumstances": form}
    assert consent.subscribe(session, **facts) is MembershipState.PENDING
    assert consent.confirm(session, **facts)
    assert not consent.confirm(session, **facts)
    assert consent.subscribe(session, **facts) is MembershipState.CONFIRMED
    assert actions(session, anne) == [ConsentAction.SUBSCRIBED, ConsentAction.CONFIRMED]


def test_a_single_opt_in_list_does_not_wait(session, anne, now, form):
    press = store.create_list(session, "press", now=now, double_opt_in=False)
    facts = {"subscriber": anne, "mailing_list": press, "circumstances": form}
    assert consent.subscribe(session, **facts) is MembershipState.CONFIRMED
    assert actions(session, anne) == [ConsentAction.SUBSCRIBED]


def test_the_log_says_what_was_agreed_to_and_how(session, anne, members, form, now):
    consent.subscribe(session, subscriber=anne, mailing_list=members, circumstances=form)
    (entry,) = store.consent_of(session, anne.digest)
    assert (entry.subscriber_id, entry.list_name, entry.source, entry.at) == (anne.id, "members", "form", now)
    assert (entry.wording_version, entry.wording_language, entry.origin) == ("3", "fr", "192.0.2.0/24")


def test_asking_again_while_pending_is_recorded_again(session, anne, members, form):
    facts = {"subscriber": anne, "mailing_list": members, "circumstances": form}
    consent.subscribe(session, **facts)
    assert consent.subscribe(session, **facts) is MembershipState.PENDING
    assert actions(session, anne) == [ConsentAction.SUBSCRIBED] * 2


def test_leaving_works_also_twice(session, anne, members, form):
    facts = {"subscriber": anne, "mailing_list": members, "circumstances": form}
    assert not consent.leave(session, **facts)
    consent.subscribe(session, **facts)
    assert consent.leave(session, **facts)
    assert not consent.leave(session, **facts)
    assert state(session, anne, members) is MembershipState.LEFT


def test_an_old_confirmation_link_does_not_bring_back_who_left(session, anne, members, form):
    facts = {"subscriber": anne, "mailing_list": members, "circumstances": form}
    consent.subscribe(session, **facts)
    consent.leave(session, **facts)
    assert not consent.confirm(session, **facts)


def test_coming_back_is_recorded_as_such(session, anne, members, form):
    facts = {"subscriber": anne, "mailing_list": members, "circumstances": form}
    consent.subscribe(session, **facts)
    consent.leave(session, **facts)
    assert consent.subscribe(session, **facts) is MembershipState.PENDING
    assert actions(session, anne)[-1] is ConsentAction.RESUBSCRIBED


def test_an_operator_takes_somebody_off_a_list(session, anne, members, form):
    facts = {"subscriber": anne, "mailing_list": members, "circumstances": replace(form, operator="marie")}
    consent.subscribe(session, **facts)
    assert consent.remove(session, **facts)
    assert state(session, anne, members) is MembershipState.REMOVED
    assert store.consent_of(session, anne.digest)[-1].operator == "marie"


def test_leaving_a_newsletter_ends_the_lists_that_brought_it(session, add_person, now, form):
    anne = add_person("a@x.example", lists=["members", "board"])
    facts = {"subscriber": anne, "newsletter": "river", "lists": ["members", "deleted"], "circumstances": form}
    assert consent.leave_newsletter(session, **facts)
    assert not consent.leave_newsletter(session, **facts)
    assert store.departures_of(session, anne.id) == {"river": now}
    assert store.lists_of(session, [anne.id]) == {anne.id: ["board"]}
    assert actions(session, anne) == [ConsentAction.LEFT_NEWSLETTER, ConsentAction.LEFT]
    assert store.consent_of(session, anne.digest)[0].newsletter == "river"


def test_new_consent_undoes_a_departure_and_the_persons_own_suppression(session, anne, members, form, now):
    consent.leave_newsletter(session, subscriber=anne, newsletter="river", lists=[], circumstances=form)
    store.put_suppression(session, digest=anne.digest, reason=SuppressionReason.UNSUBSCRIBED, now=now)
    facts = {"subscriber": anne, "mailing_list": members, "circumstances": form}
    consent.subscribe(session, **facts)
    assert store.departures_of(session, anne.id)
    consent.confirm(session, **facts)
    assert store.departures_of(session, anne.id) == {}
    assert store.find_suppression(session, anne.digest) is None


@pytest.mark.parametrize(
    "reason", [SuppressionReason.COMPLAINT, SuppressionReason.HARD_BOUNCE, SuppressionReason.MANUAL]
)
def test_new_consent_does_not_undo_what_others_decided(session, anne, now, form, reason):
    press = store.create_list(session, "press", now=now, double_opt_in=False)
    store.put_suppression(session, digest=anne.digest, reason=reason, now=now)
    consent.subscribe(session, subscriber=anne, mailing_list=press, circumstances=form)
    assert store.find_suppression(session, anne.digest) is not None


def test_one_departure_can_be_forgotten_alone(session, anne, now):
    for newsletter in ("a", "b"):
        store.add_departure(session, subscriber_id=anne.id, newsletter=newsletter, now=now + timedelta(days=1))
    store.delete_departures(session, subscriber_id=anne.id, newsletter="a")
    assert list(store.departures_of(session, anne.id)) == ["b"]


@pytest.mark.parametrize(
    ("origin", "shortened"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("", ""),
        ("unknown", ""),
    ],
)
def test_where_it_came_from_is_shortened(origin, shortened):
    assert consent.shortened_origin(origin) == shortened
