from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from subscribers import consent, store
from subscribers.address import parse_address
from subscribers.consent import Circumstances
from subscribers.models import ConsentAction, MembershipState, SuppressionReason
from subscribers.replay import UNDO, replay


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


def test_who_asks_again_has_as_long_to_confirm_as_anybody(session, anne, members, form):
    later = replace(form, at=form.at + timedelta(days=29))
    for circumstances in (form, later):
        consent.subscribe(session, subscriber=anne, mailing_list=members, circumstances=circumstances)
    assert store.memberships_of(session, anne.id)["members"].changed == later.at


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
    later = replace(form, at=form.at + timedelta(hours=1))
    again = facts | {"circumstances": later}
    assert consent.subscribe(session, **again) is MembershipState.LEFT
    assert actions(session, anne)[-1] is ConsentAction.SUBSCRIBED
    assert consent.confirm(session, **facts | {"circumstances": replace(later, asked=later.at, mailing="confirm:r/k")})
    line = store.consent_of(session, anne.digest)[-1]
    assert (line.action, line.asked, line.mailing) == (ConsentAction.RESUBSCRIBED, later.at, "confirm:r/k")


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


def test_single_opt_in_is_not_for_who_has_left_something_or_is_suppressed(session, add_person, now, form):
    press = store.create_list(session, "press", now=now, double_opt_in=False)
    departed, suppressed = add_person("d@x.example"), add_person("s@x.example")
    consent.leave_newsletter(session, subscriber=departed, newsletter="river", lists=[], circumstances=form)
    store.put_suppression(session, digest=suppressed.digest, reason=SuppressionReason.ERASED, now=now)
    for person in (departed, suppressed):
        facts = {"subscriber": person, "mailing_list": press, "circumstances": form}
        assert consent.subscribe(session, **facts) is MembershipState.PENDING


def test_who_proves_their_address_joins_at_once(session, anne, members, form):
    facts = {"subscriber": anne, "mailing_list": members, "circumstances": form, "proven": True}
    assert consent.subscribe(session, **facts) is MembershipState.CONFIRMED
    consent.leave(session, subscriber=anne, mailing_list=members, circumstances=form)
    assert consent.subscribe(session, **facts) is MembershipState.CONFIRMED
    assert actions(session, anne)[-1] is ConsentAction.RESUBSCRIBED


def test_consent_to_one_newsletter_leaves_the_departure_from_another(session, anne, members, form):
    for newsletter in ("river", "lake"):
        consent.leave_newsletter(session, subscriber=anne, newsletter=newsletter, lists=[], circumstances=form)
    consent.subscribe(
        session,
        subscriber=anne,
        mailing_list=members,
        circumstances=replace(form, newsletter="river"),
        proven=True,
    )
    assert list(store.departures_of(session, anne.id)) == ["lake"]


def test_who_left_a_newsletter_after_they_asked_has_left_it(session, anne, form):
    consent.leave_newsletter(session, subscriber=anne, newsletter="river", lists=[], circumstances=form)
    facts = {"subscriber": anne, "newsletter": "river"}
    before = replace(form, asked=form.at - timedelta(hours=1))
    assert not consent.come_back(session, **facts, circumstances=before)
    assert not consent.come_back(session, **{**facts, "newsletter": "lake"}, circumstances=form)
    assert consent.come_back(session, **facts, circumstances=form)


@st.composite
def histories(draw):
    """What happens to one person: verbs with a list or a newsletter each, one after the other."""
    lists = st.sampled_from(["double", "single"])
    newsletters = st.sampled_from(["river", "lake"])
    step = st.one_of(
        st.tuples(st.just("subscribe"), lists, st.booleans(), newsletters | st.just("")),
        st.tuples(st.just("confirm"), lists, st.booleans(), newsletters | st.just("")),
        st.tuples(st.sampled_from(["leave", "remove", "import"]), lists, st.none(), st.just("")),
        st.tuples(st.sampled_from(["depart", "return", "undo"]), lists, st.booleans(), newsletters),
    )
    return draw(st.lists(step, max_size=12))


class Life:
    """Does to one person what a history says."""

    def __init__(self, session, person, lists, start):
        self.session, self.person, self.lists, self.at = session, person, lists, start
        self.farewell = []

    def do(self, verb, name, flag, newsletter):
        self.at += timedelta(minutes=1)
        circumstances = Circumstances(at=self.at, source="form", newsletter=newsletter)
        facts = {"session": self.session, "subscriber": self.person, "circumstances": circumstances}
        on_list = {**facts, "mailing_list": self.lists[name]}
        match verb:
            case "subscribe":
                consent.subscribe(**on_list, proven=flag)
            case "confirm":
                asked = self.at if flag else None
                consent.confirm(**on_list | {"circumstances": replace(circumstances, asked=asked)})
            case "leave":
                consent.leave(**on_list)
            case "remove":
                consent.remove(**on_list)
            case "import":
                self._import(circumstances, name)
            case "depart":
                self._depart(facts, newsletter, [name] if flag else [])
            case "return":
                consent.come_back(**facts, newsletter=newsletter)
            case "undo":
                self._undo(circumstances)

    def _import(self, circumstances, name):
        key = {"subscriber_id": self.person.id, "list_id": self.lists[name].id}
        if store.membership_state(self.session, **key) is None:
            store.set_membership(self.session, **key, state=MembershipState.CONFIRMED, now=circumstances.at)
            imported = {"action": ConsentAction.IMPORTED, "list_name": name}
            consent.record(self.session, subscriber=self.person, circumstances=circumstances, **imported)

    def _depart(self, facts, newsletter, lists):
        before = len(store.consent_of(self.session, self.person.digest))
        consent.leave_newsletter(**facts, newsletter=newsletter, lists=lists)
        self.farewell = store.consent_of(self.session, self.person.digest)[before:] or self.farewell

    def _undo(self, circumstances):
        if self.farewell:
            undone = replace(circumstances, source=UNDO, newsletter="")
            consent.undo(self.session, subscriber=self.person, farewell=self.farewell, circumstances=undone)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])  # nothing is committed
@given(history=histories())
def test_the_log_alone_says_how_everybody_stands(engine, keys, now, history):
    with Session(engine) as session:
        person = store.add_subscriber(session, keys, address=parse_address("a@x.example"), now=now)
        lists = {
            name: store.create_list(session, name, now=now, double_opt_in=name == "double")
            for name in ("double", "single")
        }
        life = Life(session, person, lists, now)
        for step in history:
            life.do(*step)
        replayed = replay(store.consent_of(session, person.digest))
        stored = {name: each.state for name, each in store.memberships_of(session, person.id).items()}
        assert (replayed.memberships, replayed.departures) == (stored, set(store.departures_of(session, person.id)))
        session.rollback()
