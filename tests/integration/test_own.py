"""What a person does about themselves, by verbs: look, change, move, leave, undo, export, erase."""

import datetime as dt
import json

import pytest
from integration.signing import ADA, BOB, BOTH, KEYS, a_newsletter, bare_pipeline, states_of
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.compilation.store import get
from newsletter.content.models import NewsletterRow
from newsletter.errors import WrongState
from newsletter.pipeline.own import Changes
from newsletter.pipeline.signup import AskedFor
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from subscribers import store
from subscribers.errors import (
    InvalidAddress,
    InvalidLanguage,
    InvalidValue,
    SubscriberExists,
    TokenRefused,
    UnknownList,
    UnknownSubscriber,
)
from subscribers.models import (
    Asking,
    ConfirmationRequest,
    ConsentAction,
    ConsentEntry,
    FormerAddress,
    MembershipState,
    Subscriber,
    SuppressionReason,
    Wording,
)
from subscribers.replay import UNDO
from subscribers.tokens import sign

NEW = "ada@lake.example"
ISSUE = "issue:rivers/2026-12"


@pytest.fixture
def pipeline(chosen_engine, clock):
    made = bare_pipeline(chosen_engine, clock)
    a_newsletter(made)
    made.people.lists.create("members", public=True)
    made.people.lists.create("press", public=True)
    made.people.lists.create("board")
    made.people.add(ADA, list_name="members", given={"first_name": "Ada", "language": "en"})
    return made


@pytest.fixture
def rows(pipeline):
    def all_of(table):
        with pipeline.parts.sessions() as session:
            return session.scalars(select(table).order_by(table.__table__.primary_key.columns[0])).all()

    return all_of


@pytest.fixture
def mine(rows):
    """A preferences token of somebody's."""

    def of(address=ADA):
        uid = next(person.uid for person in rows(Subscriber) if person.address == address)
        return sign(KEYS, "preferences", uid)

    return of


@pytest.fixture
def link(rows):
    """An unsubscribe token of Ada's."""

    def of(mailing=ISSUE):
        return sign(KEYS, "unsubscribe", f"{rows(Subscriber)[0].uid}/{mailing}")

    return of


@pytest.fixture
def states(pipeline):
    return lambda address=ADA: states_of(pipeline, address)


@pytest.fixture
def sent(pipeline, clock):
    """An issue that goes out to the members, with a planned delivery of Ada's."""

    def run(expression='list = "members"', slug="2026-12"):
        now = clock()
        day = dt.date(2026, 12, 1)
        with pipeline.parts.sessions() as session:
            owner = session.scalars(select(NewsletterRow)).first().id
            dates = {"date": day, "period_from": day, "period_to": day, "created": now, "changed": now}
            issue = IssueRow(newsletter_id=owner, slug=slug, state=IssueState.SENDING, plan={}, **dates)
            session.add(issue)
            session.flush()
            run = RunRow(
                issue_id=issue.id,
                mailing=f"issue:rivers/{slug}",
                segment="s",
                expression=expression,
                state=RunState.RUNNING,
                operator="grace",
                created=now,
                started=now,
                dated=now,
            )
            session.add(run)
            session.flush()
            person = store.get_subscriber(session, ADA)
            delivery = DeliveryRow(
                mailing=run.mailing,
                run_id=run.id,
                subscriber_id=person.id,
                digest=person.digest,
                language="en",
                artifact="a" * 64,
                changed=now,
            )
            session.add(delivery)
            session.commit()

    return run


def test_the_page_shows_what_the_person_may_see(pipeline, mine, link):
    for token in (mine(), link()):
        card = pipeline.own.look(token, language="en")
        assert (card.first_name, card.language, card.masked) == ("Ada", "en", "a…@t….example")
        assert [(choice.offer.name, choice.joined) for choice in card.lists] == [("members", True), ("press", False)]
        assert card.languages == ("en", "fr")
        assert (card.left, card.awaiting, card.barred) == ((), "", False)
        assert card.preferences == mine()


def test_a_private_list_is_shown_to_its_members_alone(pipeline, mine):
    pipeline.people.add(ADA, list_name="board", given={})
    names = [choice.offer.name for choice in pipeline.own.look(mine(), language="en").lists]
    assert names == ["board", "members", "press"]
    pipeline.own.change(mine(), Changes(leave=("board",)))
    assert "board" not in [choice.offer.name for choice in pipeline.own.look(mine(), language="en").lists]
    with pytest.raises(UnknownList):
        pipeline.own.change(mine(), Changes(join=("board",)))
    with pytest.raises(UnknownList):
        pipeline.own.change(mine(), Changes(join=("nowhere",)))


def test_nobody_is_shown_for_a_test_message_or_somebody_erased(pipeline, mine):
    token = mine()
    assert pipeline.own.look(sign(KEYS, "preferences", "test"), language="en") is None
    pipeline.people.erase(ADA)
    assert pipeline.own.look(token, language="en") is None
    assert not pipeline.own.owns(token, ADA)
    assert not pipeline.own.erase(token)
    for verb in (
        lambda: pipeline.own.change(token, Changes()),
        lambda: pipeline.own.export(token),
        lambda: pipeline.own.ask_for_address(token, NEW, origin=""),
        lambda: pipeline.own.keep_address(token),
    ):
        with pytest.raises(UnknownSubscriber):
            verb()


def test_a_token_opens_what_it_was_made_for(pipeline, mine, link):
    with pytest.raises(TokenRefused):
        pipeline.own.change(link(), Changes())
    for verb in (pipeline.own.farewell, pipeline.own.look):
        with pytest.raises(TokenRefused):
            verb("nonsense", language="en")
    with pytest.raises(TokenRefused):
        pipeline.own.leave(mine(), one_click=True, origin="")
    with pytest.raises(TokenRefused):
        pipeline.own.undo(mine(), origin="")


def test_a_person_changes_what_is_said_about_them(pipeline, mine):
    changed = pipeline.own.change(
        mine(), Changes(first_name="Ada B.", last_name="", language="fr-BE", timezone="Europe/Athens")
    )
    assert changed == {"first_name", "language", "timezone"}
    card = pipeline.own.look(mine(), language="fr")
    assert (card.first_name, card.language, card.timezone) == ("Ada B.", "fr-BE", "Europe/Athens")
    assert card.consent.language == "fr"
    for wrong, error in ((Changes(language="xx-nonsense"), InvalidLanguage), (Changes(timezone="Mars"), InvalidValue)):
        with pytest.raises(error):
            pipeline.own.change(mine(), wrong)


@BOTH
def test_a_list_is_joined_at_once_with_the_words_of_the_page(pipeline, mine, states, rows):
    assert pipeline.own.change(mine(), Changes(join=("press",), shown_in="fr", origin="192.0.2.9")) == {"join"}
    assert states() == {"members": MembershipState.CONFIRMED, "press": MembershipState.CONFIRMED}
    line = rows(ConsentEntry)[-1]
    assert (line.action, line.source, line.origin) == (ConsentAction.SUBSCRIBED, "preferences", "192.0.2.0/24")
    assert rows(Wording)[0].version == line.wording_version
    assert line.wording_language == "fr"
    assert pipeline.own.change(mine(), Changes(join=("press",))) == frozenset()
    assert pipeline.own.change(mine(), Changes(leave=("press", "members"))) == {"leave"}
    assert set(states().values()) == {MembershipState.LEFT}


def test_who_leaves_a_list_gets_nothing_that_was_planned_for_it(pipeline, mine, sent, rows):
    sent()
    pipeline.own.change(mine(), Changes(leave=("members",)))
    assert rows(DeliveryRow)[0].state is DeliveryState.SUPPRESSED


def test_a_newsletter_is_received_again_where_the_page_says_so(pipeline, mine, states):
    pipeline.people.unsubscribe(ADA, newsletter="rivers")
    assert [offer.slug for offer in pipeline.own.look(mine(), language="en").left] == ["rivers"]
    assert pipeline.own.change(mine(), Changes(rejoin=("rivers", "lakes"))) == {"rejoin"}
    assert pipeline.own.look(mine(), language="en").left == ()
    states()


@BOTH
def test_an_address_changes_once_it_is_confirmed_from_there(pipeline, mine, rows, states):
    with pipeline.parts.sessions() as session:
        before = store.get_subscriber(session, ADA).digest
    token = mine()
    pipeline.own.ask_for_address(token, NEW, origin="192.0.2.9")
    assert pipeline.signup.answer() == 1
    new, old = rows(DeliveryRow)
    assert (new.address, new.subscriber_id) == (NEW, None)
    assert (old.digest, old.address) == (before, None)
    with pipeline.parts.sessions() as session:
        assert "confirm your new address" in get(session, new.artifact).subject
        assert "about to change" in get(session, old.artifact).subject
    assert pipeline.own.look(token, language="en").awaiting == "a…@l….example"
    link = sign(KEYS, "confirm", rows(ConfirmationRequest)[0].key)
    assert pipeline.signup.look(link).masked == "a…@l….example"

    confirmed = pipeline.signup.confirm(link, origin="")

    assert (confirmed.kind, confirmed.changed) == ("address", True)
    assert [person.address for person in rows(Subscriber)] == [NEW]
    assert [former.digest for former in rows(FormerAddress)] == [before]
    assert rows(ConfirmationRequest)[0].address is None
    assert states(NEW) == {"members": MembershipState.CONFIRMED}
    assert pipeline.own.look(token, language="en").awaiting == ""
    told = pipeline.own.export(token)
    assert [each["digest"] for each in told["Addresses before"]] == [before]
    assert [each["what"] for each in told["Asked to confirm"]] == ["to get the mail at another address"]
    pipeline.own.erase(token)
    with pipeline.parts.sessions() as session:
        assert store.find_suppression(session, before).reason is SuppressionReason.ERASED
    assert rows(FormerAddress) == rows(ConfirmationRequest) == []


def test_the_present_address_is_warned_whatever_it_got_before(pipeline, mine, rows):
    stamp = pipeline.signup.offer("rivers", language="en").stamp
    pipeline.parts.now.forward(seconds=9)
    pipeline.signup.ask(AskedFor(newsletter="rivers", address=ADA, lists=("press",), stamp=stamp))
    for address in (NEW, BOB):
        pipeline.own.ask_for_address(mine(), address, origin="")
        pipeline.signup.answer()
    kinds = [delivery.mailing.partition(":")[0] for delivery in rows(DeliveryRow)]
    assert kinds == ["confirm", "confirm", "notice", "confirm"]


def test_erasure_spares_who_has_the_former_address_now(pipeline, mine, rows):
    pipeline.own.ask_for_address(mine(), NEW, origin="")
    pipeline.signup.answer()
    pipeline.signup.confirm(sign(KEYS, "confirm", rows(ConfirmationRequest)[0].key), origin="")
    pipeline.people.add(ADA, list_name="members", given={})
    assert pipeline.own.erase(mine(NEW))
    assert pipeline.people.show(ADA).barred is None


def test_a_change_of_address_can_be_withdrawn(pipeline, mine, rows):
    pipeline.own.ask_for_address(mine(), NEW, origin="")
    pipeline.signup.answer()
    link = sign(KEYS, "confirm", rows(ConfirmationRequest)[0].key)
    assert pipeline.own.keep_address(mine())
    assert not pipeline.own.keep_address(mine())
    assert pipeline.signup.confirm(link, origin="") is None
    assert pipeline.own.look(mine(), language="en").awaiting == ""


def test_an_address_that_is_known_is_told_so_itself(pipeline, mine, rows):
    pipeline.people.add(BOB, list_name="members", given={})
    pipeline.own.ask_for_address(mine(), BOB, origin="")
    pipeline.signup.answer()
    (notice,) = rows(DeliveryRow)
    with pipeline.parts.sessions() as session:
        assert "already subscribed" in get(session, notice.artifact).subject
        assert notice.subscriber_id == store.get_subscriber(session, BOB).id
    assert pipeline.own.look(mine(), language="en").awaiting == ""


def test_an_address_that_must_not_be_written_to_is_not(pipeline, mine, rows):
    pipeline.people.suppress(NEW)
    pipeline.own.ask_for_address(mine(), NEW, origin="")
    assert pipeline.signup.answer() == 1
    assert rows(DeliveryRow) == rows(ConfirmationRequest) == []


def test_who_moves_away_from_a_dead_mailbox_is_not_written_to_there(pipeline, mine, rows):
    pipeline.people.suppress(ADA)
    pipeline.people.add(BOB, list_name="members", given={})
    pipeline.people.erase(BOB)
    assert pipeline.own.look(mine(), language="en").barred
    pipeline.own.ask_for_address(mine(), BOB, origin="")
    pipeline.signup.answer()
    assert [delivery.address for delivery in rows(DeliveryRow)] == [BOB]
    pipeline.signup.confirm(sign(KEYS, "confirm", rows(ConfirmationRequest)[0].key), origin="")
    assert not pipeline.own.look(mine(BOB), language="en").barred


def test_who_is_erased_before_the_answer_is_not_written_to(pipeline, mine, rows):
    pipeline.own.ask_for_address(mine(), NEW, origin="")
    pipeline.people.erase(ADA)
    pipeline.signup.answer()
    assert rows(Asking) == rows(DeliveryRow) == []


def test_an_address_that_was_taken_since_cannot_be_confirmed(pipeline, mine, rows):
    pipeline.own.ask_for_address(mine(), NEW, origin="")
    pipeline.signup.answer()
    pipeline.people.add(NEW, list_name="members", given={})
    link = sign(KEYS, "confirm", rows(ConfirmationRequest)[0].key)
    with pytest.raises(SubscriberExists):
        pipeline.signup.confirm(link, origin="")


def test_what_is_no_address_is_said_at_once(pipeline, mine, rows):
    with pytest.raises(InvalidAddress):
        pipeline.own.ask_for_address(mine(), "nonsense", origin="")
    assert rows(Asking) == []


def test_nobody_can_be_written_to_without_a_newsletter(pipeline, mine, chosen_engine):
    with chosen_engine.begin() as connection:
        connection.execute(text("DELETE FROM newsletter"))
    with pytest.raises(WrongState):
        pipeline.own.ask_for_address(mine(), NEW, origin="")


def test_a_person_proves_that_an_address_is_theirs_and_nobody_guesses_it(pipeline, mine, clock):
    assert pipeline.own.owns(mine(), ADA.upper())
    assert not pipeline.own.owns(mine(), "nonsense")
    for number in range(9):
        assert not pipeline.own.owns(mine(), f"ada{number}@town.example")
    assert not pipeline.own.owns(mine(), ADA)
    clock.forward(hours=1, seconds=1)
    assert pipeline.own.owns(mine(), ADA)


@BOTH
def test_leaving_ends_the_newsletter_and_the_lists_that_brought_it(pipeline, link, sent, states, rows):
    pipeline.people.add(ADA, list_name="press", given={})
    sent()
    farewell = pipeline.own.farewell(link(), language="fr")
    assert (farewell.newsletter.name, farewell.masked) == ("Nouvelles des rivières", "a…@t….example")
    assert (farewell.known, farewell.left) == (True, False)
    assert rows(DeliveryRow)[0].state is DeliveryState.PLANNED

    left = pipeline.own.leave(link(), one_click=True, origin="198.51.100.7")

    assert left.changed
    assert left.undo
    assert states() == {"members": MembershipState.LEFT, "press": MembershipState.CONFIRMED}
    assert rows(DeliveryRow)[0].state is DeliveryState.SUPPRESSED
    lines = rows(ConsentEntry)[-2:]
    assert [line.action for line in lines] == [ConsentAction.LEFT_NEWSLETTER, ConsentAction.LEFT]
    assert {(line.source, line.newsletter, line.origin) for line in lines} == {
        ("one-click", "rivers", "198.51.100.0/24")
    }
    assert pipeline.own.farewell(link(), language="en").left
    again = pipeline.own.leave(link(), one_click=False, origin="")
    assert (again.changed, again.undo) == (False, left.undo)


def test_leaving_works_for_people_who_are_gone_and_for_nobody(pipeline, link):
    token = link()
    pipeline.people.erase(ADA)
    for gone in (token, sign(KEYS, "unsubscribe", "test/test:rivers/2026-12/1")):
        left = pipeline.own.leave(gone, one_click=True, origin="")
        assert (left.newsletter.name, left.changed, left.undo) == ("River News", False, "")
        assert not pipeline.own.farewell(gone, language="en").known


def test_leaving_works_where_newsletter_segment_and_list_are_gone(pipeline, link, sent, rows):
    sent('segment = "gone" and list = "members"')
    assert pipeline.own.leave(link(), one_click=True, origin="").changed
    left = pipeline.own.leave(link("issue:lakes/1"), one_click=True, origin="")
    assert (left.newsletter.name, left.changed) == ("lakes", True)


@BOTH
def test_an_undo_restores_exactly_what_leaving_ended(pipeline, link, sent, states, rows):
    pipeline.people.add(ADA, list_name="press", given={})
    pipeline.people.unsubscribe(ADA, list_name="press")
    a_newsletter(pipeline, "lakes")
    pipeline.people.unsubscribe(ADA, newsletter="lakes")
    sent('list in ("members", "press")')
    before = states()
    left = pipeline.own.leave(link(), one_click=False, origin="")

    restored = pipeline.own.undo(left.undo, origin="192.0.2.1")

    assert (restored.changed, restored.newsletter.slug) == (True, "rivers")
    assert [each.name for each in restored.lists] == ["members"]
    assert states() == before
    assert set(pipeline.people.show(ADA).departures) == {"lakes"}
    assert {line.source for line in rows(ConsentEntry)[-2:]} == {UNDO}
    assert rows(DeliveryRow)[0].state is DeliveryState.SUPPRESSED
    assert not pipeline.own.undo(left.undo, origin="").changed
    assert states() == before


def test_an_undo_holds_for_a_day_and_for_people_who_are_there(pipeline, link, sent, clock):
    sent()
    left = pipeline.own.leave(link(), one_click=True, origin="")
    clock.forward(days=1, seconds=1)
    assert pipeline.own.undo(left.undo, origin="") is None
    assert pipeline.own.leave(link(), one_click=True, origin="").undo == ""
    pipeline.people.erase(ADA)
    assert pipeline.own.undo(left.undo, origin="") is None


def test_an_undo_leaves_alone_what_changed_since(pipeline, link, sent, mine, states):
    sent()
    left = pipeline.own.leave(link(), one_click=True, origin="")
    pipeline.parts.now.forward(minutes=1)
    pipeline.own.change(mine(), Changes(join=("members",)))
    assert not pipeline.own.undo(left.undo, origin="").changed
    assert states()["members"] is MembershipState.CONFIRMED


def test_an_undo_passes_over_a_list_that_is_gone(pipeline, link, sent):
    sent()
    left = pipeline.own.leave(link(), one_click=True, origin="")
    pipeline.people.lists.delete("press")
    with pipeline.parts.sessions() as session:
        store.delete_list(session, "members")
        session.commit()
    restored = pipeline.own.undo(left.undo, origin="")
    assert (restored.changed, restored.lists) == (True, ())


def test_the_link_in_a_welcome_leaves_the_lists_it_is_about(pipeline, rows, states, clock, link):
    pipeline.people.lists.create("open", public=True, double_opt_in=False)
    stamp = pipeline.signup.offer("rivers", language="en").stamp
    clock.forward(seconds=9)
    pipeline.signup.ask(AskedFor(newsletter="rivers", address=ADA, lists=("open",), stamp=stamp))
    pipeline.signup.answer()
    assert states()["open"] is MembershipState.CONFIRMED
    pipeline.own.leave(link(rows(DeliveryRow)[0].mailing), one_click=False, origin="")
    assert states() == {"members": MembershipState.CONFIRMED, "open": MembershipState.LEFT}


def test_everything_that_is_stored_is_told_with_the_words_that_were_agreed_to(pipeline, mine):
    pipeline.own.change(mine(), Changes(join=("press",)))
    told = json.loads(json.dumps(pipeline.own.export(mine()), default=str))
    assert told["Person"]["address"] == ADA
    assert "press" in [each["list"] for each in told["Lists"]]
    assert "I would like to receive" in told["Consent log"][-1]["words agreed to"]


def test_a_person_erases_themselves(pipeline, mine, rows):
    token = mine()
    assert pipeline.own.erase(token)
    assert rows(Subscriber) == []
    assert {line.subscriber_id for line in rows(ConsentEntry)} == {None}


@BOTH
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_entry SET source = 'forged'",
        "UPDATE consent_entry SET subscriber_id = (SELECT max(id) FROM subscriber)",
        "DELETE FROM consent_entry",
    ],
    ids=["change", "hand over", "shorten"],
)
def test_nothing_can_change_the_consent_log(pipeline, chosen_engine, statement):
    pipeline.people.add(BOB, list_name="press", given={})
    with pytest.raises(DBAPIError, match="the consent log is never"), chosen_engine.begin() as connection:
        connection.execute(text(statement))


@BOTH
def test_the_log_of_somebody_who_is_gone_can_expire(pipeline, chosen_engine, rows):
    pipeline.people.erase(ADA)
    with chosen_engine.begin() as connection:
        connection.execute(text("DELETE FROM consent_entry"))
    assert rows(ConsentEntry) == []
