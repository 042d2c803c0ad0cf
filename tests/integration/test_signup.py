"""Signing up by verbs, on both databases: forms, letters, confirmations, limits."""

import datetime as dt
from dataclasses import replace

import pytest
from integration.signing import ADA, BOB, BOTH, KEYS, a_newsletter, bare_pipeline, states_of
from sqlalchemy import event
from sqlmodel import col, select

from newsletter.compilation.store import get
from newsletter.errors import FormStale, InvalidInput, NotFound, NothingChosen, TooMany, WrongState
from newsletter.pipeline.signup import AskedFor, InvitationState
from newsletter.planning.models import DeliveryRow
from subscribers import consent, store
from subscribers.address import parse_address as parse
from subscribers.errors import InvalidAddress, InvalidValue, TokenRefused, UnknownList
from subscribers.models import (
    Asking,
    ConfirmationRequest,
    ConsentAction,
    ConsentEntry,
    MembershipState,
    Subscriber,
    SuppressionReason,
    Tally,
    Wording,
)
from subscribers.tokens import sign


@pytest.fixture
def pipeline(chosen_engine, clock):
    made = bare_pipeline(chosen_engine, clock)
    a_newsletter(made)
    made.people.lists.create("members", public=True)
    return made


@pytest.fixture
def form(pipeline, clock):
    """Fill in and send a form as a person does, ten seconds after it was shown."""

    def send(address=ADA, *, language="en", answered=True, **fields):
        stamp = pipeline.signup.offer("rivers", language=language).stamp
        clock.forward(seconds=10)
        pipeline.signup.ask(
            AskedFor(newsletter="rivers", address=address, **{"stamp": stamp, "origin": "192.0.2.77", **fields})
        )
        return pipeline.signup.answer() if answered else None

    return send


@pytest.fixture
def rows(pipeline):
    def all_of(table):
        with pipeline.parts.sessions() as session:
            return session.scalars(select(table).order_by(table.__table__.primary_key.columns[0])).all()

    return all_of


@pytest.fixture
def letters(pipeline, rows):
    """What was planned: mailing, language and subject of each letter, in order."""

    def planned():
        with pipeline.parts.sessions() as session:
            return [
                (delivery.mailing.partition(":")[0], delivery.language, get(session, delivery.artifact).subject)
                for delivery in session.scalars(select(DeliveryRow).order_by(col(DeliveryRow.id)))
            ]

    return planned


@pytest.fixture
def token(rows):
    """The token of the newest confirmation link."""

    def newest():
        return sign(KEYS, "confirm", rows(ConfirmationRequest)[-1].key)

    return newest


@pytest.fixture
def states(pipeline):
    return lambda address=ADA: states_of(pipeline, address)


@BOTH
def test_who_asks_and_confirms_is_a_member_with_the_proof_in_the_log(pipeline, form, letters, token, rows):
    clock = pipeline.parts.now
    assert form(first_name="Ada", language="fr") == 1
    subject = "Veuillez confirmer votre abonnement\u00a0: Nouvelles des rivières"
    assert letters() == [("confirm", "fr", subject)]
    assert states_of(pipeline) == {"members": MembershipState.PENDING}
    assert rows(Asking) == []
    clock.forward(hours=2)

    invitation = pipeline.signup.look(token())
    assert (invitation.state, invitation.masked, invitation.preferences) == (InvitationState.OPEN, "a…@t….example", "")
    assert [each.name for each in invitation.lists] == ["members"]
    assert "Nouvelles des rivières" in invitation.consent.text
    assert states_of(pipeline) == {"members": MembershipState.PENDING}

    confirmed = pipeline.signup.confirm(token(), origin="2001:db8:1:2::3")

    assert (confirmed.changed, confirmed.state) == (True, InvitationState.CONFIRMED)
    assert [each.name for each in confirmed.lists] == ["members"]
    assert states_of(pipeline) == {"members": MembershipState.CONFIRMED}
    asked, proof = rows(ConsentEntry)
    assert (asked.action, asked.origin, asked.source) == (ConsentAction.SUBSCRIBED, "192.0.2.0/24", "form")
    assert (proof.action, proof.asked, proof.at) == (ConsentAction.CONFIRMED, asked.at, clock())
    assert proof.mailing == rows(DeliveryRow)[0].mailing
    assert proof.origin == "2001:db8:1::/48"
    (words,) = rows(Wording)
    assert (proof.wording_version, proof.wording_language) == (words.version, "fr")
    assert "Nouvelles des rivières" in words.text
    assert "Réseau des rivières" in words.text
    assert rows(Subscriber)[0].first_name == "Ada"


def test_confirming_twice_changes_nothing_more(pipeline, form, token, rows):
    form()
    first, second = (pipeline.signup.confirm(token(), origin="") for _ in range(2))
    assert (first.changed, second.changed) == (True, False)
    assert second.state is InvitationState.CONFIRMED
    assert second.preferences == first.preferences
    assert len(rows(ConsentEntry)) == 2
    assert pipeline.signup.look(token()).preferences == first.preferences


def test_a_french_reader_gets_a_french_letter(pipeline, clock, letters):
    stamp = pipeline.signup.offer("rivers", language="en").stamp
    clock.forward(seconds=5)
    pipeline.signup.ask(AskedFor(newsletter="rivers", address=ADA, language="fr-BE", stamp=stamp))
    pipeline.signup.answer()
    (letter,) = letters()
    assert letter[1:] == ("fr", "Veuillez confirmer votre abonnement\u00a0: Nouvelles des rivières")


def test_who_is_a_member_is_told_so_by_mail_alone(pipeline, form, letters, states):
    pipeline.people.add(ADA, list_name="members", given={"first_name": "Ada"})
    form(first_name="Somebody")
    assert letters() == [("notice", "en", "You are already subscribed: River News")]
    assert pipeline.people.show(ADA).person.fields["first_name"] == "Ada"
    assert states() == {"members": MembershipState.CONFIRMED}


@BOTH
def test_asking_runs_the_same_statements_for_known_and_unknown_addresses(pipeline, form, chosen_engine):
    pipeline.people.add(ADA, list_name="members", given={})
    pipeline.people.suppress("carol@town.example")
    said = []

    @event.listens_for(chosen_engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, _parameters, _context, many):
        said.append((statement, many))

    heard = []
    for address in (ADA, "unknown@town.example", "carol@town.example"):
        said.clear()
        form(address, answered=False)
        heard.append(list(said))
    event.remove(chosen_engine, "before_cursor_execute", note)
    assert heard[0] == heard[1] == heard[2]
    assert len(heard[0]) > 5


@BOTH
def test_an_address_gets_one_letter_a_day_over_all_lists_and_three_a_month(pipeline, form, letters, clock):
    pipeline.people.lists.create("press", public=True)
    form(lists=("members",))
    form(lists=("press",))
    assert len(letters()) == 1
    for _ in range(5):
        clock.forward(days=1)
        form(lists=("press",))
    assert len(letters()) == 3
    clock.forward(days=30)
    form(lists=("press",))
    assert len(letters()) == 4


def test_who_has_confirmed_may_ask_again_the_same_day(pipeline, form, letters, token):
    pipeline.people.lists.create("press", public=True)
    form(lists=("members",))
    pipeline.signup.confirm(token(), origin="")
    form(lists=("press",))
    assert len(letters()) == 2


@BOTH
def test_a_network_can_send_five_forms_an_hour(form, clock):
    for number in range(5):
        form(f"reader{number}@town{number}.example", origin=f"192.0.2.{number}")
    with pytest.raises(TooMany) as refused:
        form("another@town.example", origin="192.0.2.200")
    assert 3500 < refused.value.retry_after <= 3600
    form("another@town.example", origin="198.51.100.1")
    clock.forward(hours=1)
    form("further@town.example", origin="192.0.2.200")


def test_there_are_limits_for_a_domain_and_for_all_together(pipeline, form):
    few = pipeline.parts.settings.model_copy(
        update={"signup": pipeline.parts.settings.signup.model_copy(update={"per_domain": 2, "per_hour": 3})}
    )
    object.__setattr__(pipeline.parts, "settings", few)
    form("a@town.example", origin="")
    form("b@town.example", origin="")
    with pytest.raises(TooMany):
        form("c@town.example", origin="")
    form("c@harbour.example", origin="")
    with pytest.raises(TooMany):
        form("d@lake.example", origin="")


@BOTH
def test_what_no_limit_looks_at_any_more_is_swept_away(form, rows, clock):
    form()
    assert rows(Tally)
    clock.forward(days=31)
    form(BOB)
    assert all(tally.at > clock() - dt.timedelta(days=1) for tally in rows(Tally))


def test_a_machine_that_fills_the_trap_gets_the_answer_of_everybody_and_no_mail(form, letters, rows):
    assert form(trap="https://pills.example") == 0
    assert letters() == []
    assert rows(Subscriber) == rows(Tally) == []


def test_a_form_is_taken_as_it_was_shown_and_not_too_soon_or_late(pipeline, form, clock):
    stamp = pipeline.signup.offer("rivers", language="en").stamp
    asked = AskedFor(newsletter="rivers", address=ADA, stamp=stamp)
    clock.forward(seconds=2)
    for stale in (asked, replace(asked, stamp=""), replace(asked, stamp=f"{stamp}x")):
        with pytest.raises(FormStale):
            pipeline.signup.ask(stale)
    a_newsletter(pipeline, "lakes")
    clock.forward(seconds=2)
    with pytest.raises(FormStale):
        pipeline.signup.ask(replace(asked, newsletter="lakes"))
    clock.forward(days=1)
    with pytest.raises(FormStale):
        pipeline.signup.ask(asked)


def test_nobody_agrees_to_words_they_have_not_seen(pipeline, clock):
    stamp = pipeline.signup.offer("rivers", language="en").stamp
    a_newsletter(pipeline, name="The Rivers")
    clock.forward(seconds=10)
    with pytest.raises(FormStale):
        pipeline.signup.ask(AskedFor(newsletter="rivers", address=ADA, stamp=stamp))


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"address": "nonsense"}, InvalidAddress),
        ({"address": "é@town.example"}, InvalidAddress),
        ({"lists": ("board",)}, UnknownList),
        ({"lists": ("nowhere",)}, UnknownList),
        ({"first_name": "x" * 501}, InvalidValue),
    ],
    ids=["no address", "no address for our mail", "private list", "no list", "long name"],
)
def test_the_form_says_what_it_can_say_of_anybody(pipeline, form, fields, error, letters):
    pipeline.people.lists.create("board")
    with pytest.raises(error):
        form(**fields)
    assert letters() == []


def test_a_list_has_to_be_chosen_where_there_are_several(pipeline, form):
    pipeline.people.lists.create("press", public=True)
    with pytest.raises(NothingChosen):
        form()


def test_an_offer_names_public_lists_in_the_language_of_the_page(pipeline):
    pipeline.people.lists.create("board")
    pipeline.people.lists.change("members", {"title.fr": "Membres", "description.fr": "Pour les villes membres"})
    offer = pipeline.signup.offer(None, language="fr-BE")
    assert offer.newsletter.name == "Nouvelles des rivières"
    (members,) = offer.lists
    assert (members.title, members.description, members.language) == ("Membres", "Pour les villes membres", "fr")
    assert pipeline.signup.offer("rivers", language="fr", lists=["nowhere"]).lists == ()
    assert [each.slug for each in pipeline.signup.newsletters(language="en")] == ["rivers"]


def test_a_newsletter_has_to_be_named_where_there_are_several(pipeline):
    with pytest.raises(NotFound):
        pipeline.signup.offer("nowhere", language="en")
    a_newsletter(pipeline, "lakes")
    with pytest.raises(InvalidInput):
        pipeline.signup.offer(None, language="en")
    with pytest.raises(InvalidInput):
        pipeline.signup.invite("members", newsletter=None, progress=lambda _done, _total: None)


@pytest.mark.parametrize(
    "reason", [SuppressionReason.MANUAL, SuppressionReason.COMPLAINT, SuppressionReason.HARD_BOUNCE]
)
def test_an_address_that_must_not_be_written_to_gets_nothing(pipeline, form, letters, reason, rows):
    with pipeline.parts.sessions() as session:
        digest = store.add_subscriber(session, KEYS, address=parse(ADA), now=pipeline.parts.now()).digest
        store.put_suppression(session, digest=digest, reason=reason, now=pipeline.parts.now())
        session.commit()
    assert form() == 1
    assert letters() == []
    assert rows(ConsentEntry) == []


@BOTH
def test_who_was_erased_can_come_back_by_their_own_word_alone(pipeline, form, letters, token, states):
    pipeline.people.add(ADA, list_name="members", given={})
    pipeline.people.erase(ADA)
    form()
    assert states() == {"members": MembershipState.PENDING}
    assert pipeline.people.show(ADA).barred is not None
    pipeline.signup.confirm(token(), origin="")
    assert states() == {"members": MembershipState.CONFIRMED}
    assert pipeline.people.show(ADA).barred is None


def test_who_left_stays_so_until_they_confirm(pipeline, form, token, states, clock):
    pipeline.people.add(ADA, list_name="members", given={})
    pipeline.people.unsubscribe(ADA, list_name="members")
    form()
    assert states() == {"members": MembershipState.LEFT}
    assert pipeline.signup.confirm(token(), origin="").changed
    assert states() == {"members": MembershipState.CONFIRMED}


def test_an_old_link_does_not_bring_back_who_left_since(pipeline, form, token, states, clock):
    form()
    clock.forward(minutes=1)
    pipeline.people.unsubscribe(ADA, list_name="members")
    confirmed = pipeline.signup.confirm(token(), origin="")
    assert confirmed.lists == ()
    assert states() == {"members": MembershipState.LEFT}


@BOTH
def test_who_left_the_newsletter_confirms_to_receive_it_again(pipeline, form, letters, token, states):
    pipeline.people.add(ADA, list_name="members", given={})
    pipeline.people.unsubscribe(ADA, newsletter="rivers")
    form()
    assert [kind for kind, _, _ in letters()] == ["confirm"]
    assert pipeline.people.show(ADA).departures
    pipeline.signup.confirm(token(), origin="")
    assert not pipeline.people.show(ADA).departures
    assert states() == {"members": MembershipState.CONFIRMED}


def test_a_member_who_wants_nothing_any_more_confirms_to_be_written_to_again(pipeline, form, letters, token):
    pipeline.people.add(ADA, list_name="members", given={})
    with pipeline.parts.sessions() as session:
        digest = store.get_subscriber(session, ADA).digest
        wish = SuppressionReason.UNSUBSCRIBED
        store.put_suppression(session, digest=digest, reason=wish, now=pipeline.parts.now())
        session.commit()
    form()
    assert [kind for kind, _, _ in letters()] == ["confirm"]
    assert pipeline.signup.confirm(token(), origin="").changed
    assert pipeline.people.show(ADA).barred is None


def test_a_list_of_single_opt_in_takes_newcomers_at_once_and_nobody_who_left(pipeline, form, letters, states):
    pipeline.people.lists.create("press", public=True, double_opt_in=False, opt_in_reason="journalists ask for it")
    form(lists=("press",), first_name="Ada")
    assert states() == {"press": MembershipState.CONFIRMED}
    assert pipeline.people.show(ADA).person.fields["first_name"] == "Ada"
    assert [subject for _, _, subject in letters()] == ["You are subscribed: River News"]

    pipeline.people.add(BOB, list_name="press", given={})
    pipeline.people.unsubscribe(BOB)
    form(BOB, lists=("press",))
    assert states(BOB) == {"press": MembershipState.LEFT}
    assert pipeline.people.show(BOB).barred is not None
    assert letters()[-1][0] == "confirm"


def test_a_link_that_is_too_old_confirms_nothing(pipeline, form, token, states, clock):
    form()
    clock.forward(days=30, seconds=1)
    assert pipeline.signup.look(token()).state is InvitationState.EXPIRED
    confirmed = pipeline.signup.confirm(token(), origin="")
    assert (confirmed.state, confirmed.changed) == (InvitationState.EXPIRED, False)
    assert states() == {"members": MembershipState.PENDING}


def test_a_link_of_somebody_who_was_erased_says_nothing(pipeline, form, token):
    form()
    link = token()
    pipeline.people.erase(ADA)
    assert pipeline.signup.look(link) is None
    assert pipeline.signup.confirm(link, origin="") is None


def test_a_link_that_is_not_ours_is_refused(pipeline, form, rows):
    form()
    key = rows(ConfirmationRequest)[0].key
    for link in ("nonsense", sign(KEYS, "preferences", key)):
        with pytest.raises(TokenRefused):
            pipeline.signup.look(link)
        with pytest.raises(TokenRefused):
            pipeline.signup.confirm(link, origin="")


@BOTH
def test_a_form_that_cannot_be_answered_keeps_back_no_other_and_is_dropped_after_a_day(pipeline, form, rows, clock):
    form("bad@town.example", answered=False)
    with pipeline.parts.sessions() as session:
        session.scalars(select(Asking)).one().newsletter = "gone"
        session.commit()
    assert form() == 1
    assert [asking.newsletter for asking in rows(Asking)] == ["gone"]
    assert pipeline.signup.answer() == 0
    clock.forward(days=1, seconds=1)
    pipeline.wake()
    assert rows(Asking) == []


def test_nothing_is_answered_twice(pipeline, form, letters):
    form(answered=False)
    assert pipeline.signup.answer() == 1
    assert pipeline.signup.answer() == 0
    assert len(letters()) == 1


@BOTH
def test_pending_people_are_invited_once_in_their_language(pipeline, letters, rows, token):
    told, clock = [], pipeline.parts.now
    with pipeline.parts.sessions() as session:
        mailing_list = store.get_list(session, "members")
        for number, language in enumerate(["fr", "en", "hu", ""]):
            values = {"language": language} if language else {}
            person = store.add_subscriber(
                session, KEYS, address=parse(f"r{number}@town.example"), now=clock(), values=values
            )
            consent.subscribe(
                session,
                subscriber=person,
                mailing_list=mailing_list,
                circumstances=consent.Circumstances(at=clock(), source="import", operator="grace"),
            )
        store.put_suppression(session, digest=person.digest, reason=SuppressionReason.MANUAL, now=clock())
        session.commit()

    def invite():
        return pipeline.signup.invite("members", newsletter=None, progress=lambda *counts: told.append(counts))

    assert invite() == 3
    assert told == [(4, 4)]
    assert [(kind, language) for kind, language, _ in letters()] == [
        ("confirm", "fr"),
        ("confirm", "en"),
        ("confirm", "en"),
    ]
    assert invite() == 0
    pipeline.signup.confirm(token(), origin="")
    assert states_of(pipeline, "r2@town.example") == {"members": MembershipState.CONFIRMED}
    proof = rows(ConsentEntry)[-1]
    assert (proof.action, proof.wording_language) == (ConsentAction.CONFIRMED, "en")
    clock.forward(days=31)
    assert invite() == 2


def test_whoever_got_a_letter_today_is_not_invited_on_top(pipeline, form, letters):
    pipeline.people.lists.create("press", public=True)
    form(lists=("press",))
    with pipeline.parts.sessions() as session:
        person, board = store.get_subscriber(session, ADA), store.get_list(session, "members")
        circumstances = consent.Circumstances(at=pipeline.parts.now(), source="import", operator="grace")
        consent.subscribe(session, subscriber=person, mailing_list=board, circumstances=circumstances)
        session.commit()
    assert pipeline.signup.invite("members", newsletter="rivers", progress=lambda _done, _total: None) == 0
    assert len(letters()) == 1
    pipeline.parts.now.forward(days=1)
    assert pipeline.signup.invite("members", newsletter="rivers", progress=lambda _done, _total: None) == 1


def test_a_person_is_confirmed_on_a_new_mail_after_the_newsletter_is_gone(pipeline, form, token, rows):
    form()
    with pipeline.parts.sessions() as session:
        session.scalars(select(ConfirmationRequest)).one().newsletter = "gone"
        session.commit()
    assert pipeline.signup.look(token()).newsletter.name == "gone"


def test_nobody_can_sign_up_before_there_is_a_newsletter(chosen_engine, clock):
    empty = bare_pipeline(chosen_engine, clock)
    assert empty.signup.newsletters(language="en") == ()
    with pytest.raises(WrongState):
        empty.signup.offer(None, language="en")
