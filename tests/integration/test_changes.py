"""An operator changes people, one or many; who cannot be changed keeps nobody else from it, and it is told who did."""

import pytest
from integration.register import Register
from integration.signing import ADA, BOB
from sqlmodel import col, select

from newsletter.accounts.models import AuditRow
from newsletter.dispatch.audit import audit
from newsletter.dispatch.ledger import Mark
from newsletter.errors import InvalidInput, WrongState
from newsletter.planning.models import DeliveryState
from subscribers import store
from subscribers.errors import InvalidValue, SubscriberExists, UnknownList, UnknownSubscriber, UnknownTag
from subscribers.models import ConsentAction, MembershipState, SuppressionReason

EVE = "eve@meadow.example"


@pytest.fixture
def register(chosen_engine):
    return Register(chosen_engine)


@pytest.fixture
def either(engine):
    """The same over each kind of database."""
    return Register(engine)


def deeds(register):
    with register.parts.sessions() as session:
        rows = session.exec(select(AuditRow).order_by(col(AuditRow.id))).all()
    return [(row.operator, row.action, row.about, row.reason) for row in rows]


def states(register, address=ADA):
    return {name: state.value for name, (state, _) in register.people.show(address).memberships.items()}


def test_many_people_are_changed_at_once_and_each_is_told_of(register):
    register.add(city="Ghent")
    register.add(BOB)
    done = register.people.changes.set([ADA, BOB, EVE, "no address"], {"city": "Ghent", "size": "5"})
    assert [(each.address, each.changed) for each in done] == [
        (ADA, ("size",)),
        (BOB, ("city", "size")),
        (EVE, ()),
        ("no address", ()),
    ]
    assert [str(each.problem) for each in done[2:]] == [
        "No subscriber has this address.",
        "An email address must have an @-sign.",
    ]
    assert register.people.show(BOB).person.attributes == {"size": 5}
    assert deeds(register) == [("grace", "changed", "size", ""), ("grace", "changed", "city, size", "")]


def test_what_cannot_be_stored_changes_nobody(register):
    register.add()
    [done] = register.people.changes.set([ADA], {"city": "Ghent", "country": "Atlantis"})
    assert isinstance(done.problem, InvalidValue)
    assert register.people.show(ADA).person.fields["city"] == ""
    with pytest.raises(UnknownSubscriber):
        register.people.change(BOB, {"city": "Ghent"})


def test_a_dry_run_tells_what_would_change_and_stores_nothing(register):
    register.add()
    before = register.everything()
    changes = register.people.changes
    told = [
        *changes.set([ADA], {"city": "Ghent"}, dry_run=True),
        *changes.tag([ADA], add=["press"], dry_run=True),
        *changes.move([ADA], source="members", target="press", dry_run=True),
        *changes.unsubscribe([ADA], dry_run=True),
    ]
    assert [each.changed for each in told] == [("city",), ("+press",), ("-members", "+press"), ("everything",)]
    assert changes.rename(ADA, BOB, dry_run=True)
    assert register.everything() == before


def test_tags_are_put_on_and_taken_off(register):
    register.add(tags="mayor")
    register.add(BOB)
    done = register.people.changes.tag([ADA, BOB], add=["press", "guest"], remove=["mayor", "vip"])
    assert [each.changed for each in done] == [("-mayor", "+guest", "+press"), ("+guest", "+press")]
    assert register.people.show(ADA).person.tags == ("guest", "press")
    [again, _] = register.people.changes.tag([ADA, BOB], add=["press"])
    assert again.changed == ()
    assert len(deeds(register)) == 2
    with pytest.raises(InvalidValue):
        register.people.changes.tag([ADA], add=[" "])


def test_members_are_moved_by_an_administrators_word(register):
    register.add()
    run = register.run(expression='list = "members"')
    planned = register.plan(ADA, run)
    [done] = register.people.changes.move([ADA], source="members", target="press")
    assert (done.changed, done.stopped) == (("-members", "+press"), 1)
    assert states(register) == {"members": "removed", "press": "confirmed"}
    assert register.delivery(planned).state is DeliveryState.SUPPRESSED
    log = register.people.show(ADA).consent[-2:]
    assert [(line.action, line.list_name, line.operator) for line in log] == [
        (ConsentAction.IMPORTED, "press", "grace"),
        (ConsentAction.REMOVED, "members", "grace"),
    ]


def test_who_left_the_other_list_or_is_no_member_is_not_moved(register):
    for address in (ADA, BOB, EVE):
        register.add(address)
    register.add(ADA, list_name="press")
    register.people.unsubscribe(ADA, list_name="press")
    register.people.unsubscribe(BOB, list_name="members")
    register.people.suppress(EVE)
    done = register.people.changes.move([ADA, BOB, EVE], source="members", target="press")
    assert ["this person has left" in str(done[0].problem), str(done[1].problem)] == [
        True,
        "is no confirmed member of members",
    ]
    assert "must not be written to" in str(done[2].problem)
    assert states(register) == {"members": "confirmed", "press": "left"}
    with pytest.raises(UnknownList):
        register.people.changes.move([ADA], source="members", target="presse")
    register.people.unsuppress(EVE, reason="a mistake")
    [same] = register.people.changes.move([EVE], source="members", target="members")
    assert (same.changed, states(register, EVE)) == ((), {"members": "confirmed"})


def test_many_people_leave_at_once(register):
    for address in (ADA, BOB):
        register.add(address)
    run = register.run()
    register.plan(ADA, run)
    done = register.people.changes.unsubscribe([ADA, BOB, EVE], list_name="members")
    assert [(each.changed, each.stopped) for each in done] == [(("members",), 1), (("members",), 0), ((), 0)]
    assert isinstance(done[2].problem, UnknownSubscriber)
    [again] = register.people.changes.unsubscribe([ADA], list_name="members")
    assert again.changed == ()


def test_another_address_takes_lists_consent_and_tags_along(either):
    key = either.add(tags="press", first_name="Ada")
    assert either.people.changes.rename(ADA, "Ada@City.example")
    shown = either.people.show("ada@city.example")
    assert (shown.person.key, shown.person.address, shown.person.tags) == (key, "Ada@city.example", ("press",))
    assert states(either, "ada@city.example") == {"members": "confirmed"}
    assert len(shown.consent) == 1
    with either.parts.sessions() as session:
        [former] = store.former_addresses(session, key)
    assert (former.digest, former.until) == (either.digest_of(ADA), either.clock())
    assert deeds(either) == [("grace", "address changed", "", "")]
    assert ADA not in either.everything()


def test_another_spelling_is_no_other_address(register):
    key = register.add()
    assert register.people.changes.rename(ADA, "ADA@town.example")
    assert not register.people.changes.rename(ADA, "ADA@town.example")
    with register.parts.sessions() as session:
        assert store.former_addresses(session, key) == []


def test_what_has_not_gone_out_goes_to_the_new_address(either):
    either.add()
    run = either.run(total=3)
    planned = either.plan(ADA, run)
    ledger = either.ledger()
    [claim] = ledger.claim(10, either.clock())
    other = either.run("2026-11", total=1)
    sent = either.plan(ADA, other, state=DeliveryState.ACCEPTED)

    either.people.changes.rename(ADA, BOB)

    assert ledger.commit([Mark(claim)], either.clock()) == [False]
    row = either.delivery(planned)
    assert (row.digest, row.state, row.worker) == (either.digest_of(BOB), DeliveryState.PLANNED, None)
    assert either.delivery(sent).digest == either.digest_of(ADA)
    assert either.people.unsubscribe(BOB).deliveries == 1


def test_a_mailing_that_the_new_address_has_had_does_not_go_there_again(register):
    register.add()
    run = register.run(total=2)
    hers = register.plan(ADA, run)
    register.plan(BOB, run, state=DeliveryState.ACCEPTED)
    register.people.changes.rename(ADA, BOB)
    assert register.delivery(hers).digest == register.digest_of(ADA)
    assert register.people.erase(BOB).deliveries == 1
    with register.parts.sessions() as session:
        assert [check.code for check in audit(session, run[1]) if check.code == "I9" and not check.holds] == []


def test_an_address_that_is_taken_or_barred_is_refused(register):
    register.add()
    register.add(BOB)
    with pytest.raises(SubscriberExists):
        register.people.changes.rename(ADA, BOB)
    register.people.suppress(EVE, note="by letter")
    with pytest.raises(WrongState, match="the new address must not be written to"):
        register.people.changes.rename(ADA, EVE)
    assert register.people.show(ADA).person.address == ADA


@pytest.mark.parametrize(
    ("reason", "follows"),
    [
        (SuppressionReason.UNSUBSCRIBED, True),
        (SuppressionReason.COMPLAINT, True),
        (SuppressionReason.HARD_BOUNCE, False),
    ],
)
def test_a_wish_follows_the_person_and_a_dead_mailbox_does_not(register, reason, follows):
    register.add()
    with register.parts.sessions() as session:
        store.put_suppression(session, digest=register.digest_of(ADA), reason=reason, now=register.clock())
        session.commit()
    register.people.changes.rename(ADA, BOB)
    assert (register.people.show(BOB).barred is not None) is follows


def test_a_suppression_is_lifted_for_a_reason_that_is_kept(register):
    register.add()
    register.people.suppress(ADA, note=f"asked by {BOB}")
    with pytest.raises(InvalidInput, match="say why with --reason"):
        register.people.unsuppress(ADA, reason="  ")
    assert register.people.unsuppress(ADA, reason=f"asked again by {BOB}")
    assert not register.people.unsuppress(ADA, reason="again")
    assert deeds(register) == [
        ("grace", "suppressed", "", "asked by b…@h….example"),
        ("grace", "unsuppressed", "", "asked again by b…@h….example"),
    ]


def test_a_complaint_is_lifted_only_by_somebody_who_means_it(register):
    with register.parts.sessions() as session:
        digest = register.digest_of(ADA)
        store.put_suppression(session, digest=digest, reason=SuppressionReason.COMPLAINT, now=register.clock())
        session.commit()
    with pytest.raises(WrongState, match="--even-complaints"):
        register.people.unsuppress(ADA, reason="she wrote")
    assert register.people.barring.unsuppress(ADA, reason="she wrote", even_complaints=True, dry_run=True)
    assert register.people.unsuppress(ADA, reason="she wrote", even_complaints=True)


def test_an_erasure_is_lifted_by_nobody_else(register):
    register.people.erase(ADA)
    with pytest.raises(WrongState, match="only their own new consent"):
        register.people.unsuppress(ADA, reason="we miss her", even_complaints=True)


def test_suppressions_are_listed_by_digest_and_in_clear_only_for_subscribers(either):
    either.add()
    either.people.suppress(ADA, note="by letter")
    either.people.erase(BOB)
    found = either.people.barring.page(limit=9)
    assert [each.digest for each in found] == sorted([either.digest_of(ADA), either.digest_of(BOB)])
    by_digest = {each.digest: (each.address, each.reason.value, each.note) for each in found}
    assert by_digest == {
        either.digest_of(ADA): (ADA, "manual", "by letter"),
        either.digest_of(BOB): ("", "erased", ""),
    }
    [only] = either.people.barring.page(limit=9, reason=SuppressionReason.ERASED)
    assert only.digest == either.digest_of(BOB)
    assert either.people.barring.page(limit=1, after=found[0].digest) == found[1:]


def test_a_dry_run_of_a_suppression_stores_nothing(register):
    before = register.everything()
    assert register.people.barring.suppress(ADA, dry_run=True).changed
    assert register.everything() == before


def test_a_tag_is_renamed_for_everybody_who_has_it(either):
    either.add(tags="press;media")
    either.add(BOB, tags="press")
    either.people.segments.create("journalists", 'tag = "press"')
    done = either.people.tags.rename("press", "media")
    assert (done.people, done.stranded) == (2, ("the segment “journalists”",))
    assert dict(either.people.tags.all()) == {"media": 2}
    with pytest.raises(UnknownTag, match="did you mean “media”"):
        either.people.tags.rename("medio", "press")
    assert either.people.tags.rename("media", "media").people == 2
    assert ("grace", "tag renamed", "press → media", "") in deeds(either)


def test_a_tag_that_a_segment_names_is_not_deleted(register):
    register.add(tags="Press")
    register.people.segments.create("journalists", 'tag = "press"')
    register.people.segments.create("nested", 'not segment = "journalists"')
    with pytest.raises(WrongState, match="the tag “Press” is named by the segment “journalists”, the segment “nested”"):
        register.people.tags.delete("Press")
    for name in ("nested", "journalists"):
        register.people.segments.delete(name)
    assert register.people.tags.delete("Press", dry_run=True) == 1
    assert register.people.tags.delete("Press") == 1
    assert register.people.tags.all() == {}


def test_what_is_done_to_a_list_is_told_with_who_did_it(register):
    anna = register.as_operator("anna")
    anna.lists.change("press", {"public": "true"})
    anna.lists.change("press", {"name": "media"}, dry_run=True)
    anna.lists.change("press", {"name": "media"})
    anna.lists.delete("media", dry_run=True)
    anna.lists.delete("media")
    assert [deed[:3] for deed in deeds(register)] == [
        ("anna", "list changed", "press"),
        ("anna", "list renamed", "press → media"),
        ("anna", "list deleted", "media"),
    ]
    assert [each.name for each in register.people.lists.all()] == ["members"]


def test_a_pending_membership_is_not_moved(register):
    key = register.add()
    with register.parts.sessions() as session:
        members = store.get_list(session, "members")
        store.set_membership(
            session,
            subscriber_id=key,
            list_id=members.id,
            state=MembershipState.PENDING,
            now=register.clock(),
        )
        session.commit()
    [done] = register.people.changes.move([ADA], source="members", target="press")
    assert str(done.problem) == "is no confirmed member of members"
