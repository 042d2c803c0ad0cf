"""Accounts: who gets in, how often one may try, what ends a session, and what the audit log says of it."""

import datetime as dt

import pyotp
import pytest
from argon2 import PasswordHasher
from integration.signing import BOTH, bare_pipeline
from sqlmodel import col, select

from newsletter.accounts import factors, passwords
from newsletter.accounts.log import DeedFilter
from newsletter.accounts.models import AuditRow, Deed, OperatorRow
from newsletter.accounts.operator import Role
from newsletter.accounts.problems import FieldRefused
from newsletter.accounts.store import note_deed
from newsletter.accounts.tokens import PREFIX, Scope
from newsletter.accounts.totp import STEP_SECONDS, secret_of
from newsletter.errors import NotFound, WrongState
from newsletter.pipeline import attempts
from newsletter.pipeline.deeds import PAGE
from newsletter.pipeline.login import TICKET_SECONDS, CodeAsked, Entered, Refused
from newsletter.pipeline.setup import NewOperator
from subscribers import store

PASSWORD = "seven herons on the weir"
OTHER = "four otters under a bridge"
WRONG = "none of the words that count"
HERE = "203.0.113.7"


@pytest.fixture
def pipeline(chosen_engine, clock):
    made = bare_pipeline(chosen_engine, clock)
    made.operators.add("anna", role=Role.ADMIN, email="Anna@Rivers.example", full_name="Anna Kovács", password=PASSWORD)
    return made


def enter(pipeline, called="anna", password=PASSWORD, origin=HERE):
    return pipeline.operators.login.enter(called, password, origin=origin, agent="Firefox/1")


def confirm(pipeline, ticket, code):
    return pipeline.operators.login.confirm(ticket, code, origin=HERE, agent="")


def seated(pipeline, entered):
    return pipeline.seats.find(entered.token)


def of(pipeline, name="anna"):
    return pipeline.operators.get(name).operator.id


def deeds(pipeline):
    with pipeline.parts.sessions() as session:
        rows = session.exec(select(AuditRow).order_by(col(AuditRow.id)))
        return [(row.operator, row.action, row.about) for row in rows]


def device_of(pipeline, name="anna"):
    """Set up a device for an operator; returns it, and the recovery codes."""
    own = pipeline.operators.own
    own.begin_second(of(pipeline, name))
    device = pyotp.TOTP(own.second_step(of(pipeline, name)).secret)
    return device, own.confirm_second(of(pipeline, name), device.at(pipeline.parts.now()))


@BOTH
def test_somebody_signs_in_by_name_or_address_whatever_the_case(pipeline):
    for called in ("anna", " ANNA ", "anna@rivers.example", "Anna@Rivers.Example"):
        entered = enter(pipeline, called)
        assert isinstance(entered, Entered)
        assert seated(pipeline, entered).operator.name == "anna"
    assert deeds(pipeline)[-1] == ("anna", "signed in", "")


def test_a_hash_by_older_parameters_is_made_again_at_the_next_sign_in(pipeline):
    older = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with pipeline.parts.sessions() as session:
        row = session.exec(select(OperatorRow)).one()
        row.password = older
        session.add(row)
        session.commit()
    first = enter(pipeline)
    with pipeline.parts.sessions() as session:
        assert session.exec(select(OperatorRow)).one().password.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert seated(pipeline, first) is not None


@BOTH
def test_after_a_few_wrong_passwords_each_waits_longer_and_then_nobody_gets_in_for_a_while(pipeline, clock):
    waits = []
    for _ in range(attempts.MOST):
        answer = enter(pipeline, password=WRONG)
        while answer.wait:
            waits.append(answer.wait)
            clock.forward(seconds=answer.wait)
            answer = enter(pipeline, password=WRONG)
    assert waits == [2**number for number in range(attempts.MOST - attempts.FREE)]
    assert enter(pipeline).wait == attempts.WINDOW.total_seconds()
    assert ("anna", "sign-in locked", "anna") in deeds(pipeline)
    clock.forward(minutes=15)
    assert isinstance(enter(pipeline), Entered)
    assert enter(pipeline, password=WRONG) == Refused()


@BOTH
def test_a_name_that_does_not_exist_is_treated_like_one_that_does(pipeline, clock):
    known, unknown = [], []
    for answers, called in ((known, "anna"), (unknown, "nobody")):
        for _ in range(2 * attempts.MOST):
            answer = enter(pipeline, called, WRONG, origin="")
            answers.append(answer)
            clock.forward(seconds=answer.wait if answer.wait < 900 else 0)
        clock.forward(minutes=30)
    assert known == unknown
    assert ("", "sign-in locked", "") in deeds(pipeline)


@pytest.mark.parametrize("called", ["anna", "nobody", "gone", "linked", ""])
def test_every_attempt_costs_one_hash_whoever_it_is_about(pipeline, monkeypatch, called):
    pipeline.operators.add("gone", role=Role.VIEWER, password=OTHER)
    pipeline.operators.disable("gone")
    pipeline.operators.add("linked", role=Role.VIEWER)
    verified = []

    class Counting(PasswordHasher):
        def verify(self, known, password):
            verified.append(known.split("$")[3])
            return super().verify(known, password)

    monkeypatch.setattr(passwords, "_HASHER", Counting(time_cost=2, memory_cost=19 * 1024, parallelism=1))
    assert enter(pipeline, called, WRONG) == Refused()
    assert verified == ["m=19456,t=2,p=1"]


def test_a_network_that_tries_many_names_waits(pipeline, clock):
    with pipeline.parts.sessions() as session:
        store.add_tallies(session, ["desk-network:203.0.113.0/24"] * (attempts.MOST_OF_NETWORK - 1), now=clock())
        session.commit()
    assert enter(pipeline, "somebody", WRONG) == Refused()
    assert enter(pipeline).wait == attempts.WINDOW.total_seconds()
    assert isinstance(enter(pipeline, origin="198.51.100.9"), Entered)
    clock.forward(minutes=15)
    assert isinstance(enter(pipeline), Entered)


def test_a_disabled_operator_is_told_what_a_stranger_is_told(pipeline):
    pipeline.operators.add("bela", role=Role.OFFICER, password=PASSWORD)
    entered = enter(pipeline, "bela")
    pipeline.operators.disable("bela")
    assert enter(pipeline, "bela") == Refused()
    assert seated(pipeline, entered) is None
    pipeline.operators.enable("bela")
    assert isinstance(enter(pipeline, "bela"), Entered)


@BOTH
def test_with_a_device_the_password_leads_to_the_code_and_a_code_is_good_once(pipeline, clock):
    device, _ = device_of(pipeline)
    clock.forward(seconds=STEP_SECONDS)
    asked = enter(pipeline)
    assert isinstance(asked, CodeAsked)
    code = device.at(clock())
    assert isinstance(confirm(pipeline, asked.ticket, code), Entered)
    assert confirm(pipeline, enter(pipeline).ticket, code) == Refused()
    clock.forward(seconds=STEP_SECONDS)
    assert isinstance(confirm(pipeline, enter(pipeline).ticket, device.at(clock())), Entered)


def test_the_code_that_set_a_device_up_signs_nobody_in(pipeline, clock):
    device, _ = device_of(pipeline)
    assert confirm(pipeline, enter(pipeline).ticket, device.at(clock())) == Refused()


def test_codes_cannot_be_guessed(pipeline, clock):
    device, _ = device_of(pipeline)
    clock.forward(minutes=1)
    ticket = enter(pipeline).ticket
    for _ in range(attempts.FREE):
        assert confirm(pipeline, ticket, "000000") == Refused()
    assert confirm(pipeline, ticket, device.at(clock())).wait == 1
    clock.forward(seconds=1)
    assert isinstance(confirm(pipeline, ticket, device.at(clock())), Entered)


def test_a_ticket_ends_after_minutes_and_with_the_password(pipeline, clock):
    device, _ = device_of(pipeline)
    ticket = enter(pipeline).ticket
    pipeline.operators.set_password("anna", OTHER)
    assert confirm(pipeline, ticket, device.at(clock())) is None
    ticket = enter(pipeline, password=OTHER).ticket
    clock.forward(seconds=TICKET_SECONDS)
    assert confirm(pipeline, ticket, device.at(clock())) is None
    assert confirm(pipeline, "k1.forged.ticket", device.at(clock())) is None


@BOTH
def test_a_recovery_code_stands_in_once(pipeline):
    _, codes = device_of(pipeline)
    assert isinstance(confirm(pipeline, enter(pipeline).ticket, codes[3].upper()), Entered)
    assert confirm(pipeline, enter(pipeline).ticket, codes[3]) == Refused()
    assert pipeline.operators.own.second_step(of(pipeline)).codes_left == 9
    assert ("anna", "recovery code used", "anna: 9 left") in deeds(pipeline)
    newer = pipeline.operators.own.new_codes(of(pipeline), present=PASSWORD)
    assert confirm(pipeline, enter(pipeline).ticket, codes[4]) == Refused()
    assert isinstance(confirm(pipeline, enter(pipeline).ticket, newer[0]), Entered)


def test_the_database_alone_tells_no_secret_of_a_device(pipeline):
    device, _ = device_of(pipeline)
    with pipeline.parts.sessions() as session:
        row = factors.factor_of(session, of(pipeline))
        assert device.secret not in repr(row)
        assert device.secret == secret_of(pipeline.parts.keys.suppression, row.nonce)
        assert not factors.use_step(session, of(pipeline), row.last_step)


def test_a_device_is_removed_only_by_who_knows_the_password(pipeline):
    device_of(pipeline)
    own = pipeline.operators.own
    with pytest.raises(WrongState, match="already"):
        own.begin_second(of(pipeline))
    with pytest.raises(FieldRefused, match="present password"):
        own.remove_second(of(pipeline), present=WRONG)
    own.remove_second(of(pipeline), present=PASSWORD)
    assert isinstance(enter(pipeline), Entered)
    with pytest.raises(NotFound):
        own.second_picture(of(pipeline), site="news.example")


def test_the_present_password_cannot_be_guessed_either(pipeline, clock):
    own = pipeline.operators.own
    for _ in range(attempts.FREE):
        with pytest.raises(FieldRefused, match="present password"):
            own.change_password(of(pipeline), present=WRONG, new=OTHER, agent="")
    with pytest.raises(FieldRefused, match="Too many"):
        own.change_password(of(pipeline), present=PASSWORD, new=OTHER, agent="")
    clock.forward(seconds=1)
    own.change_password(of(pipeline), present=PASSWORD, new=OTHER, agent="")


def test_a_new_password_ends_every_session_and_link_but_the_one_it_is_changed_in(pipeline):
    elsewhere, link = enter(pipeline), pipeline.operators.password_link("anna")
    token = pipeline.operators.own.change_password(of(pipeline), present=PASSWORD, new=OTHER, agent="")
    assert seated(pipeline, elsewhere) is None
    assert pipeline.seats.find(token).operator.name == "anna"
    assert pipeline.operators.setup.look(link) is None
    assert enter(pipeline) == Refused()
    assert isinstance(enter(pipeline, password=OTHER), Entered)


def test_another_role_ends_every_session(pipeline):
    pipeline.operators.add("bela", role=Role.OFFICER, password=PASSWORD)
    entered = enter(pipeline, "bela")
    pipeline.operators.change("bela", role=Role.OFFICER, full_name="Béla")
    assert seated(pipeline, entered) is not None
    pipeline.operators.change("bela", role=Role.ADMIN)
    assert seated(pipeline, entered) is None
    assert ("grace", "role changed", "bela: officer → admin") in deeds(pipeline)


@BOTH
def test_there_is_always_an_administrator_who_can_sign_in(pipeline):
    pipeline.operators.add("bela", role=Role.ADMIN, password=PASSWORD)
    pipeline.operators.disable("bela")
    for end in (
        lambda: pipeline.operators.disable("anna"),
        lambda: pipeline.operators.change("anna", role=Role.VIEWER),
    ):
        with pytest.raises(FieldRefused, match="last administrator"):
            end()
    pipeline.operators.enable("bela")
    pipeline.operators.change("anna", role=Role.VIEWER)
    assert pipeline.operators.get("anna").operator.role is Role.VIEWER


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "x"}, "name"),
        ({"name": "ANNA"}, "name"),
        ({"name": "béla"}, "name"),
        ({"email": "anna@rivers.EXAMPLE"}, "email"),
        ({"email": "no address"}, "email"),
        ({"full_name": "x" * 201}, "full_name"),
        ({"language": "not a language"}, "language"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"password": "short"}, "password"),
    ],
)
def test_what_cannot_be_taken_is_named_by_its_field(pipeline, given, field):
    values = {"name": "bela", "email": "bela@rivers.example", "password": PASSWORD, **given}
    with pytest.raises(FieldRefused) as refused:
        pipeline.operators.add(values.pop("name"), role=Role.VIEWER, **values)
    assert refused.value.field == field
    assert len(pipeline.operators.all()) == 1


def test_the_log_says_what_stood_there_before_and_no_address(pipeline):
    pipeline.operators.own.change(
        of(pipeline), full_name="Anna Nagy", email="nagy@rivers.example", language="fr", timezone="Europe/Budapest"
    )
    [told] = [about for _, action, about in deeds(pipeline) if action == "operator changed"]
    assert "full name: Anna Kovács → Anna Nagy" in told
    assert "language: en → fr" in told
    assert "@rivers" not in told


@BOTH
def test_the_first_link_works_once_and_only_while_there_is_nobody(chosen_engine, clock):
    empty = bare_pipeline(chosen_engine, clock)
    older, token = empty.operators.setup.first(), empty.operators.setup.first()
    assert empty.operators.setup.look(older) is None
    given = NewOperator(name="Anna", full_name="Anna", email="", password=PASSWORD, timezone="Europe/Brussels")
    with pytest.raises(FieldRefused):
        empty.operators.setup.accept(token, NewOperator(name="anna", password="short"), agent="")
    held = empty.operators.setup.accept(token, given, agent="")
    assert empty.seats.find(held).operator.role is Role.ADMIN
    with pytest.raises(FieldRefused, match="used already"):
        empty.operators.setup.accept(token, NewOperator(name="eve", password=PASSWORD), agent="")
    assert empty.operators.setup.first() is None


def test_an_invitation_gives_its_role_and_ends_after_three_days_or_when_it_is_withdrawn(pipeline, clock):
    setup = pipeline.operators.setup
    token = pipeline.operators.invite("bela@rivers.example", role=Role.OFFICER)
    offered = setup.look(token)
    assert (offered.link.email, offered.link.role, offered.link.made_by) == ("bela@rivers.example", "officer", "grace")
    again = pipeline.operators.invite("bela@rivers.example", role=Role.VIEWER)
    assert setup.look(token) is None
    [waiting] = pipeline.operators.invitations()
    pipeline.operators.withdraw(waiting.id)
    assert setup.look(again) is None
    with pytest.raises(NotFound):
        pipeline.operators.withdraw(waiting.id)
    late = pipeline.operators.invite("bela@rivers.example", role=Role.OFFICER)
    clock.forward(hours=71)
    assert setup.look(late) is not None
    clock.forward(hours=1)
    assert setup.look(late) is None
    assert pipeline.operators.invitations() == []
    with pytest.raises(FieldRefused, match="already"):
        pipeline.operators.invite("anna@rivers.example", role=Role.OFFICER)
    assert not [about for _, _, about in deeds(pipeline) if "@rivers" in about]


def test_a_link_for_a_new_password_signs_nobody_in_by_itself(pipeline):
    device_of(pipeline)
    entered = pipeline.operators.login
    token = pipeline.operators.password_link("anna")
    pipeline.operators.setup.renew(token, OTHER)
    assert pipeline.operators.setup.look(token) is None
    assert isinstance(entered.enter("anna", OTHER, origin=HERE, agent=""), CodeAsked)
    pipeline.operators.add("bela", role=Role.VIEWER)
    link = pipeline.operators.password_link("bela")
    pipeline.operators.disable("bela")
    assert pipeline.operators.setup.look(link) is None
    with pytest.raises(WrongState, match="may not sign in"):
        pipeline.operators.password_link("bela")


@BOTH
def test_a_token_stands_for_its_operator_within_its_scopes_role_and_term(pipeline, clock):
    tokens = pipeline.operators.tokens
    token = tokens.make(of(pipeline), " nightly  export ", scopes=set(Scope), expires=clock() + dt.timedelta(days=30))
    assert token.startswith(PREFIX)
    assert len(token) == len(PREFIX) + 43
    holder = tokens.find(token)
    assert (holder.operator.name, holder.scopes, holder.is_stale) == ("anna", frozenset(Scope), True)
    assert not tokens.find(token).is_stale
    [shown] = tokens.all(of(pipeline))
    assert (shown.name, shown.seen, shown.scopes) == ("nightly export", clock(), tuple(Scope))
    pipeline.operators.add("bela", role=Role.ADMIN, password=PASSWORD)
    pipeline.operators.change("anna", role=Role.OFFICER)
    assert tokens.find(token).scopes == frozenset(Scope) - {Scope.ADMIN}
    pipeline.operators.disable("anna")
    assert tokens.find(token) is None
    pipeline.operators.enable("anna")
    clock.forward(days=30)
    assert tokens.find(token) is None


def test_a_token_cannot_be_made_for_more_than_the_role_allows(pipeline):
    pipeline.operators.add("bela", role=Role.VIEWER)
    tokens = pipeline.operators.tokens
    for name, scopes, words in (
        ("x", {Scope.CONTENT}, "role lets"),
        ("x", set(), "at least one"),
        (" ", {Scope.READ}, "what the token"),
        ("x" * 81, {Scope.READ}, "what the token"),
    ):
        with pytest.raises(FieldRefused, match=words):
            tokens.make(of(pipeline, "bela"), name, scopes=scopes, expires=None)
    token = tokens.make(of(pipeline, "bela"), "x", scopes={Scope.READ}, expires=None)
    [held] = tokens.all(of(pipeline, "bela"))
    with pytest.raises(NotFound):
        tokens.revoke(of(pipeline), held.id)
    tokens.revoke(of(pipeline, "bela"), held.id)
    assert tokens.find(token) is None
    assert tokens.find("nl_guessed") is None
    assert tokens.find(token.removeprefix(PREFIX)) is None


def test_no_row_tells_a_token_a_code_or_a_link(pipeline):
    link = pipeline.operators.invite("", role=Role.VIEWER)
    token = pipeline.operators.tokens.make(of(pipeline), "x", scopes={Scope.READ}, expires=None)
    _, codes = device_of(pipeline)
    cookie = enter(pipeline)
    stored = []
    with pipeline.parts.engine.connect() as connection:
        for table in ("setup_link", "api_token", "recovery_code", "operator_session", "second_factor", "audit_entry"):
            stored += [repr(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table}")]
    secrets = (link, token, token.removeprefix(PREFIX), codes[0], codes[0].replace("-", ""), cookie.ticket)
    assert not [secret for secret in secrets for row in stored if secret in row]


def test_the_log_is_read_by_pages_and_by_who_what_and_when(pipeline, clock):
    with pipeline.parts.sessions() as session:
        for number in range(120):
            at = clock() + dt.timedelta(hours=number)
            who, deed = ("bela", Deed.CHANGED) if number % 3 else ("chloe", Deed.TAG_DELETED)
            note_deed(session, deed, operator=who, at=at, about=f"n{number}")
        session.commit()
    log = pipeline.operators.deeds
    first = log.page(DeedFilter())
    assert (len(first.lines), first.lines[0].about, first.newer) == (PAGE, "n119", None)
    second = log.page(DeedFilter(), below=first.older)
    assert second.lines[0].about == f"n{119 - PAGE}"
    assert log.page(DeedFilter(), above=second.newer).lines == first.lines
    last = log.page(DeedFilter(), below=second.older)
    assert (last.lines[-1].about, last.older) == ("anna, admin", None)
    assert log.operators() == ["bela", "chloe", "grace"]
    chloes = list(log.all(DeedFilter(operator="chloe", action="tag deleted")))
    assert [line.about for line in chloes] == [f"n{number}" for number in range(117, -1, -3)]
    day = DeedFilter(since=clock() + dt.timedelta(hours=24), before=clock() + dt.timedelta(hours=48))
    assert [line.about for line in log.all(day)] == [f"n{number}" for number in range(47, 23, -1)]
    later = DeedFilter(since=clock() + dt.timedelta(days=90))
    assert log.page(later).lines == ()
    assert len(list(log.all(DeedFilter(before=clock() + dt.timedelta(days=90))))) == 121
