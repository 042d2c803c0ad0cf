"""What comes back changes people, once, and only with proof."""

import datetime as dt

import pytest
from integration.feedback_scene import ANNA, NOW, Scene
from unit.newsletter.feedback.corpus import CORPUS, Sample

from newsletter.dispatch.outcome import Fault, Phase, Verdict
from newsletter.errors import NotFound
from newsletter.feedback.event import Cause, Event, Kind, Proof, said
from newsletter.pipeline import feedback
from newsletter.planning.models import DeliveryState
from subscribers.models import ConsentAction, MembershipState, SuppressionReason

DAY = dt.timedelta(days=1)


@pytest.fixture
def scene(engine):
    """Anna and Bob on a list, an issue that Anna has got, in either database."""
    return Scene(engine)


@pytest.fixture
def small(chosen_engine):
    """The same where one database is enough."""
    return Scene(chosen_engine)


def sample(label: str) -> Sample:
    return next(one for one in CORPUS if one.label == label)


def test_a_hard_bounce_ends_all_mail_to_the_address(scene: Scene):
    sent = scene.delivery("2026-12")
    planned = scene.delivery("2027-01", state=DeliveryState.PLANNED)

    received = scene.feedback.receive(sample("postfix: unknown in a table").octets(scene.name(sent)))

    assert received.is_proven
    assert received.kind is Kind.HARD
    assert (received.absorbed.suppressed, received.absorbed.stopped) == (1, 1)
    assert scene.suppression() is SuppressionReason.HARD_BOUNCE
    assert scene.state(planned) is DeliveryState.SUPPRESSED
    [event] = scene.feedback.page(limit=9)
    assert (event.kind, event.cause, event.proof, event.did) == (Kind.HARD, Cause.UNKNOWN, Proof.MAC, "suppressed")
    assert (event.delivery_id, event.mailing, event.status) == (sent, "issue:rivers/2026-12", "5.1.1")
    assert ANNA not in event.text


def test_the_same_bounce_told_again_counts_once(scene: Scene):
    octets = sample("gmail: over quota").octets(scene.name(scene.delivery("2026-12")))
    first, again = scene.feedback.receive(octets), scene.feedback.receive(octets.replace(b"<1.E0@", b"<2.E0@"))

    assert (first.absorbed.new, again.absorbed.new, again.absorbed.known) == (1, 0, 1)
    assert len(scene.feedback.page(limit=9)) == 1


def test_events_of_one_call_that_bear_the_same_id_count_once(scene: Scene):
    events = [an_event(scene.delivery("2026-12"), Kind.COMPLAINT)] * 3

    absorbed = scene.feedback.absorb(events)

    assert (absorbed.new, absorbed.known, absorbed.suppressed) == (1, 2, 1)


def test_a_code_that_is_wrong_changes_nothing(small: Scene):
    name = small.name(small.delivery("2026-12"))
    forged = name[:-1] + ("0" if name[-1] != "0" else "1")

    received = small.feedback.receive(sample("postfix: unknown in a table").octets(forged))

    assert (received.kind, received.is_proven, received.absorbed.unproven) == (Kind.HARD, False, 1)
    assert small.suppression() is None
    [event] = small.feedback.page(limit=9, proven=False)
    assert (event.delivery_id, event.digest, event.did) == (None, None, "")
    assert small.feedback.page(limit=9, proven=True) == []


def test_the_code_of_another_delivery_changes_nothing(small: Scene):
    mine, theirs = small.delivery("2026-12"), small.delivery("2026-12", who="bob@lakes.example")
    forged = small.name(theirs).partition("-")[0] + "-" + small.name(mine).partition("-")[2]

    received = small.feedback.receive(sample("postfix: unknown in a table").octets(forged))

    assert received.absorbed.unproven == 1
    assert small.suppression() is small.suppression("bob@lakes.example") is None


def test_a_name_without_a_delivery_changes_nothing(small: Scene):
    received = small.feedback.receive(sample("postfix: unknown in a table").octets("ffff-0123456789abcdef0123"))

    assert (received.is_proven, received.absorbed.unproven) == (False, 1)


def test_a_report_about_somebody_else_changes_nobody(small: Scene):
    """Whoever has a message of their own, and so its code, must not end another person's mail with it."""
    own = small.delivery("2026-12", who="mallory@lakes.example")
    small.delivery("2026-12")

    received = small.feedback.receive(sample("postfix: unknown in a table").octets(small.name(own), ANNA))

    assert (received.kind, received.is_proven) == (Kind.SOFT, True)
    assert small.feedback.page(limit=1)[0].cause is Cause.FORWARDED
    assert small.suppression() is small.suppression("mallory@lakes.example") is None


def test_without_any_code_the_address_alone_changes_nothing(small: Scene):
    small.delivery("2026-12")
    plain = sample("postfix: unknown in a table").octets("none").replace(b"b+none@", b"news@")

    assert small.feedback.receive(plain).absorbed.unproven == 1
    assert small.suppression() is None


def test_the_message_id_proves_a_bounce_that_lost_its_address(small: Scene):
    octets = sample("postfix: unknown in a table").octets(small.name(small.delivery("2026-12")))
    lost = octets.replace(b"To: b+", b"To: postmaster+").replace(b"<b+", b"<someone+")

    assert small.feedback.receive(lost).is_proven
    assert small.suppression() is SuppressionReason.HARD_BOUNCE


def test_a_complaint_is_obeyed_at_once(scene: Scene):
    received = scene.feedback.receive(sample("abuse").octets(scene.name(scene.delivery("2026-12"))))

    assert received.kind is Kind.COMPLAINT
    assert scene.suppression() is SuppressionReason.COMPLAINT


@pytest.mark.parametrize(
    "label",
    [
        "not spam after all",
        "out of office by Exchange",
        "absence that speaks of a dead mailbox",
        "challenge by subject",
        "postfix: delay",
        "postfix: blocked by a list",
        "postfix: too large",
        "a receipt",
        "an absence at the address for farewells",
    ],
)
def test_what_says_nothing_of_the_address_is_kept_and_changes_nothing(small: Scene, label: str):
    received = small.feedback.receive(sample(label).octets(small.name(small.delivery("2026-12"))))

    assert received.is_proven
    assert small.suppression() is None
    assert [event.did for event in small.feedback.page(limit=9)] == [""]


@pytest.mark.parametrize("label", ["relayed", "a group of which a member is gone"])
def test_what_was_handed_on_is_no_event(small: Scene, label: str):
    received = small.feedback.receive(sample(label).octets(small.name(small.delivery("2026-12"))))

    assert (received.kind, received.is_read) == (None, True)
    assert small.feedback.page(limit=9) == []


def test_what_is_not_understood_says_why(small: Scene):
    received = small.feedback.receive(sample("advertising").octets(small.name(small.delivery("2026-12"))))

    assert not received.is_read
    assert "neither a bounce" in received.why


def test_an_answer_without_proof_is_not_even_kept(small: Scene):
    received = small.feedback.receive(sample("out of office by Exchange").octets("ffff-0123456789abcdef0123"))

    assert (received.kind, received.is_read) == (Kind.AUTO_REPLY, True)
    assert small.feedback.page(limit=9) == []


def test_a_farewell_by_mail_leaves_the_newsletter_and_the_lists_that_brought_it(scene: Scene):
    sent = scene.delivery("2026-12")
    planned = scene.delivery("2027-01", state=DeliveryState.PLANNED)
    octets = sample("a farewell by mail").octets(scene.name(sent))

    received, again = scene.feedback.receive(octets), scene.feedback.receive(octets)

    assert (received.absorbed.left, received.absorbed.stopped, again.absorbed.left) == (1, 1, 0)
    assert scene.membership() is MembershipState.LEFT
    assert scene.consents()[-2:] == [ConsentAction.LEFT_NEWSLETTER, ConsentAction.LEFT]
    assert scene.state(planned) is DeliveryState.SUPPRESSED
    assert scene.suppression() is None


def test_a_farewell_to_the_envelope_s_address_counts_as_well(small: Scene):
    name = small.name(small.delivery("2026-12"))
    message = b"From: Anna <anna@lakes.example>\r\nTo: undisclosed-recipients:;\r\n\r\n"

    received = small.feedback.receive(message, recipients=[f"LEAVE+{name.upper()}@bounce.rivers.example"])

    assert received.absorbed.left == 1


def test_a_farewell_from_a_test_or_from_somebody_who_is_gone_changes_nothing(small: Scene):
    trial = small.delivery("2026-12", mailing="test:rivers/2026-12/1", known=False)
    gone = small.delivery("2026-12", known=False)

    for each in (trial, gone):
        received = small.feedback.receive(sample("a farewell by mail").octets(small.name(each)))
        assert (received.absorbed.new, received.absorbed.left) == (1, 0)
    assert small.suppression() is None


def test_leaving_works_when_the_segment_of_the_run_is_gone(small: Scene):
    sent = small.delivery("2026-12", expression="segment = 'gone'")

    assert small.feedback.receive(sample("a farewell by mail").octets(small.name(sent))).absorbed.left == 1
    assert small.consents()[-1] is ConsentAction.LEFT_NEWSLETTER
    assert small.membership() is MembershipState.CONFIRMED


def test_messages_of_files_are_counted_and_told_of(small: Scene):
    octets = sample("abuse").octets(small.name(small.delivery("2026-12")))
    told = []

    intake = small.feedback.read([octets, octets, b"\n"], progress=lambda done, _total: told.append(done))

    assert (intake.messages, intake.failed, intake.absorbed.new, intake.absorbed.known) == (3, 1, 1, 1)
    assert told == [1, 2, 3]


def test_what_is_not_there_cannot_be_shown(small: Scene):
    for unknown in ("1", "mail:1:hard", "9" * 30, "²"):
        with pytest.raises(NotFound, match="there is no event"):
            small.feedback.show(unknown)


def test_an_address_that_is_none_is_somebody_else_s(small: Scene):
    octets = sample("no recipient that can be read").octets(small.name(small.delivery("2026-12")))

    small.feedback.receive(octets.replace(b"Final-Recipient: unknown;", b"Final-Recipient: rfc822; anna@[192.0.2.1]"))

    assert small.feedback.page(limit=1)[0].cause is Cause.FORWARDED


def test_who_does_not_want_a_single_message_is_left_in_peace(small: Scene):
    asked = small.delivery("2026-12", mailing="confirm:1", known=False)

    assert small.feedback.receive(sample("a farewell by mail").octets(small.name(asked))).absorbed.left == 1
    assert small.suppression() is SuppressionReason.UNSUBSCRIBED


def test_a_mailbox_that_stays_full_is_given_up_at_the_third_issue(scene: Scene):
    for slug, days in (("2026-10", 20), ("2026-11", 10)):
        full(scene, slug, days_ago=days)
        assert scene.suppression() is None
    full(scene, "2026-12", days_ago=0)

    assert scene.suppression() is SuppressionReason.HARD_BOUNCE


def test_a_message_that_arrived_in_between_starts_the_count_anew(scene: Scene):
    full(scene, "2026-09", days_ago=24)
    scene.delivery("2026-10", changed=NOW - 16 * DAY)
    full(scene, "2026-11", days_ago=8)
    full(scene, "2026-12", days_ago=0)

    assert scene.suppression() is None


def test_a_disabled_mailbox_is_given_up_at_the_second_issue_a_week_later(scene: Scene):
    for slug, days in (("2026-11", 8), ("2026-12", 0)):
        delivery = scene.delivery(slug, changed=NOW - days * DAY)
        scene.feedback.receive(sample("gmail: inactive").octets(scene.name(delivery)))

    assert scene.suppression() is SuppressionReason.HARD_BOUNCE


def full(scene: Scene, slug: str, *, days_ago: int):
    delivery = scene.delivery(slug, changed=NOW - days_ago * DAY)
    scene.feedback.receive(sample("dovecot: quota").octets(scene.name(delivery)))


def an_event(delivery: int | None, kind: Kind, **values) -> Event:
    plain = {"id": f"ses:{kind}", "at": NOW, "source": "ses", "proof": Proof.SIGNATURE, "delivery": delivery}
    return Event(**{**plain, "kind": kind, **values})


def test_a_provider_may_know_the_address_alone(scene: Scene):
    scene.delivery("2026-12")
    digest = scene.digest()

    absorbed = scene.feedback.absorb([an_event(None, Kind.HARD, digest=digest, cause=Cause.UNKNOWN)])

    assert absorbed.suppressed == 1
    assert scene.suppression() is SuppressionReason.HARD_BOUNCE


def test_who_leaves_by_way_of_a_provider_wants_nothing_more(small: Scene):
    assert small.feedback.absorb([an_event(None, Kind.UNSUBSCRIBE, digest=small.digest())]).suppressed == 1
    assert small.suppression() is SuppressionReason.UNSUBSCRIBED


def test_an_event_about_nobody_is_only_kept(small: Scene):
    absorbed = small.feedback.absorb([an_event(None, Kind.HARD), an_event(999, Kind.COMPLAINT)])

    assert (absorbed.new, absorbed.suppressed) == (2, 0)


def test_a_refusal_of_the_relay_counts_as_a_bounce(scene: Scene):
    delivery = scene.delivery("2026-12", state=DeliveryState.REFUSED, attempts=1)
    scene.attempt(delivery, verdict=Verdict.REFUSED, code=550, enhanced="5.1.1", text="5.1.1 no such user")

    first, again = scene.feedback.refusals(), scene.feedback.refusals()

    assert (first.new, first.suppressed, again.new) == (1, 1, 0)
    assert scene.suppression() is SuppressionReason.HARD_BOUNCE
    [event] = scene.feedback.page(limit=9)
    assert (event.source, event.proof, event.kind) == ("smtp", Proof.LEDGER, Kind.HARD)


def test_only_what_ended_a_delivery_for_its_recipient_counts(scene: Scene):
    refused, expired = {"state": DeliveryState.REFUSED, "attempts": 1}, {"state": DeliveryState.EXPIRED, "attempts": 2}
    ours = scene.delivery("2026-01", **refused)
    scene.attempt(ours, verdict=Verdict.REFUSED, fault=Fault.SENDER, code=550, enhanced="5.7.1", text="5.7.1 spam")
    later = scene.delivery("2026-02", state=DeliveryState.DEFERRED, attempts=1)
    scene.attempt(later, verdict=Verdict.DEFERRED, code=452, enhanced="4.2.2", text="4.2.2 full")
    unspoken = scene.delivery("2026-03", **refused)
    scene.attempt(unspoken, verdict=Verdict.REFUSED, code=None, enhanced=None, text="5.6.7 not ASCII", phase=Phase.MAIL)
    given_up = scene.delivery("2026-04", **expired)
    for number in (1, 2):
        scene.attempt(given_up, verdict=Verdict.DEFERRED, code=452, enhanced="4.2.2", text="full", number=number)

    assert scene.feedback.refusals().new == 1
    [event] = scene.feedback.page(limit=9)
    assert (event.delivery_id, event.kind, event.cause) == (given_up, Kind.SOFT, Cause.FULL)


def test_refusals_beyond_one_chunk_are_all_absorbed(small: Scene, monkeypatch):
    monkeypatch.setattr(feedback, "CHUNK", 2)
    for number in range(5):
        delivery = small.delivery("2026-12", who=f"r{number}@lakes.example", state=DeliveryState.REFUSED, attempts=1)
        small.attempt(delivery, verdict=Verdict.REFUSED, code=550, enhanced="5.1.1", text="5.1.1 no such user")

    assert small.feedback.refusals().suppressed == 5


def test_events_are_shown_page_by_page_and_counted_by_issue(small: Scene):
    for slug in ("2026-11", "2026-12"):
        small.feedback.receive(sample("dovecot: quota").octets(small.name(small.delivery(slug))))
    newest = small.feedback.page(limit=1)[0]

    assert [event.mailing for event in small.feedback.page(limit=1, before=newest.id)] == ["issue:rivers/2026-11"]
    assert [event.id for event in small.feedback.page(limit=9, slug="2026-12")] == [newest.id]
    assert small.feedback.page(limit=9, kind=Kind.HARD) == []
    assert small.feedback.show(str(newest.id)).key == small.feedback.show(newest.key).key == newest.key
    assert small.feedback.counts("2026-12", newsletter=None) == {Kind.SOFT: 1}


def test_what_was_said_is_kept_without_addresses():
    assert said(f"550 <{ANNA}>\r\n unknown \x00") == "550 <a…@l….example> unknown"
    assert len(said("é" * 900).encode()) == 512
