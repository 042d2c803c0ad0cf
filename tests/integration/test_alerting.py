"""Alerts: who is told what, once, on both databases, over a real mail server."""

import asyncio
import datetime as dt
import email
import email.policy
import shutil
from types import SimpleNamespace

import pytest
from integration.signing import BOTH, a_newsletter, bare_pipeline
from sqlalchemy import update
from sqlmodel import col, select

from newsletter.accounts import alerts
from newsletter.accounts.alerts import AlertKind
from newsletter.accounts.models import AuditRow, Deed, OperatorRow
from newsletter.accounts.operator import Role
from newsletter.accounts.sessions import operator_of
from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.bootstrap import Pipeline
from newsletter.cli.mailbox import mailbox
from newsletter.compilation.store import get
from newsletter.dispatchers import build_dispatcher
from newsletter.errors import MailboxFault, WrongState
from newsletter.pipeline import alerting as module
from newsletter.pipeline.alerting import Trial
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.settings import load
from subscribers.models import SuppressionReason
from subscribers.suppression import digest_of, suppress_digests


@pytest.fixture
def pipeline(chosen_engine, clock, monkeypatch):
    room = SimpleNamespace(free=10**12)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: room)
    made = bare_pipeline(chosen_engine, clock)
    a_newsletter(made)
    made.parts.settings.__dict__["room"] = room
    return made


@pytest.fixture
def room(pipeline):
    """The disk; a test changes what is free."""
    return pipeline.parts.settings.__dict__["room"]


@pytest.fixture
def operator(pipeline):
    """Stores an operator who wants to be told of some kinds."""

    def stored(name, *kinds, language="en", newsletter="", **values):
        with pipeline.parts.sessions() as session:
            row = OperatorRow(
                name=name,
                role=Role.OFFICER,
                language=language,
                timezone="Europe/Brussels",
                created=pipeline.parts.now(),
                **{"email": f"{name}@desk.example", **values},
            )
            session.add(row)
            session.flush()
            alerts.choose(session, row.id, {(kind, newsletter) for kind in kinds})
            session.commit()
            return operator_of(row)

    return stored


@pytest.fixture
def run(pipeline):
    """Stores a run of a new issue."""

    def stored(slug="2026-12", state=RunState.RUNNING, **values):
        now = pipeline.parts.now()
        with pipeline.parts.sessions() as session:
            day = dt.date(2026, 12, 1)
            issue = IssueRow(
                newsletter_id=1,
                slug=slug,
                state=IssueState.SENDING,
                plan={"slug": slug, "texts": {"en": {"title": "December"}}},
                date=day,
                period_from=day,
                period_to=day,
                created=now,
                changed=now,
            )
            session.add(issue)
            session.flush()
            row = RunRow(
                issue_id=issue.id,
                mailing=f"issue:rivers/{slug}",
                segment="all",
                expression="all",
                state=state,
                operator="anna",
                created=now,
                **values,
            )
            session.add(row)
            session.commit()
            return row.id

    return stored


@pytest.fixture
def change(pipeline):
    def changed(table, key, **values):
        with pipeline.parts.sessions() as session:
            session.execute(update(table).where(col(table.id) == key).values(**values))
            session.commit()

    return changed


@pytest.fixture
def told(pipeline):
    """The notices that are planned: address, language and subject of each, in order."""

    def planned():
        with pipeline.parts.sessions() as session:
            rows = session.scalars(select(DeliveryRow).order_by(col(DeliveryRow.id))).all()
            assert all(row.mailing.startswith("notice:rivers/") for row in rows)
            return [(row.address, row.language, get(session, row.artifact).subject) for row in rows]

    return planned


@BOTH
def test_a_run_that_stands_still_is_told_to_those_who_chose_it_in_their_language(pipeline, operator, run, told):
    operator("anna", AlertKind.PAUSED)
    operator("marie", AlertKind.PAUSED, language="fr", newsletter="rivers")
    operator("otto", AlertKind.PAUSED, newsletter="lakes")
    operator("vera", AlertKind.FINISHED)
    operator("gone", AlertKind.PAUSED, disabled=pipeline.parts.now())
    operator("mute", AlertKind.PAUSED, email="")
    run(state=RunState.PAUSED, held="paused by anna")
    assert pipeline.alerting.watch() == 2
    assert told() == [
        ("anna@desk.example", "en", "Stopped: December · River News"),
        ("marie@desk.example", "fr", "Arrêté\u00a0: December · Nouvelles des rivières"),
    ]


@BOTH
def test_the_same_matter_is_told_once_and_not_twice_within_an_hour(pipeline, clock, operator, run, change):
    operator("anna", AlertKind.PAUSED)
    key = run(state=RunState.PAUSED, held="paused by anna")
    watch = pipeline.alerting.watch
    assert [watch(), watch()] == [1, 0]
    clock.forward(days=2)
    assert watch() == 0  # it still stands: nobody has forgotten that
    change(RunRow, key, state=RunState.RUNNING)
    assert watch() == 0
    change(RunRow, key, state=RunState.PAUSED)
    assert watch() == 1
    clock.forward(minutes=10)
    change(RunRow, key, state=RunState.RUNNING)
    assert watch() == 0
    change(RunRow, key, state=RunState.PAUSED)
    assert watch() == 0
    clock.forward(minutes=49)
    assert watch() == 0
    clock.forward(minutes=2)
    assert watch() == 1


@BOTH
def test_two_rounds_at_the_same_moment_tell_it_once(pipeline, clock, operator, run, told):
    operator("anna", AlertKind.PAUSED)
    run(state=RunState.PAUSED, held="the relay refuses this mailing: 554 5.7.1 no")
    other = Pipeline(parts=pipeline.parts)
    with pipeline.parts.sessions() as session:
        alerts.notice(
            session, AlertKind.PAUSED, newsletter="rivers", matter="run 1", facts={"issue": "2026-12"}, now=clock()
        )
        session.commit()
    with pipeline.parts.sessions() as session:
        (row,) = alerts.due(session, clock())
        session.expunge_all()
    assert other.alerting.watch() == 1
    with pipeline.parts.sessions() as session:
        assert not alerts.take(session, row, now=clock())
        session.rollback()
    assert len(told()) == 1


@BOTH
def test_a_run_that_is_over_is_told_once_with_its_figures_unless_it_is_long_over(
    pipeline, clock, operator, run, change
):
    operator("anna", AlertKind.FINISHED)
    key = run(state=RunState.RUNNING)
    run("2026-06", state=RunState.FINISHED, ended=clock() - dt.timedelta(days=100))
    now = clock()
    with pipeline.parts.sessions() as session:
        for number, state in enumerate([*[DeliveryState.ACCEPTED] * 3, DeliveryState.REFUSED, DeliveryState.UNCERTAIN]):
            session.add(
                DeliveryRow(
                    mailing="issue:rivers/2026-12",
                    run_id=key,
                    digest=f"d{number}",
                    language="en",
                    artifact="a" * 64,
                    state=state,
                    changed=now,
                )
            )
        session.commit()
    assert pipeline.alerting.watch() == 0
    change(RunRow, key, state=RunState.FINISHED, ended=now)
    assert [pipeline.alerting.watch(), pipeline.alerting.watch()] == [1, 0]
    clock.forward(days=3)
    assert pipeline.alerting.watch() == 0
    with pipeline.parts.sessions() as session:
        notice = session.scalars(select(DeliveryRow).order_by(col(DeliveryRow.id).desc())).first()
        text = get(session, notice.artifact).text
    assert "3 accepted, 1 refused, 1 uncertain" in " ".join(text.split())
    assert "/desk/n/rivers/issues/2026-12/report" in text


@BOTH
def test_a_mailbox_is_told_of_after_half_an_hour_and_again_once_a_day_while_it_lasts(pipeline, clock, operator, told):
    operator("anna", AlertKind.MAILBOX)
    alerting = pipeline.alerting
    alerting.mailbox_failed("mail.example does not let anna@desk.example in")
    assert alerting.watch() == 0
    clock.forward(minutes=31)
    alerting.mailbox_failed("mail.example does not answer")
    assert [alerting.watch(), alerting.watch()] == [1, 0]
    (current,) = alerting.current()
    assert current.kind is AlertKind.MAILBOX
    assert "anna@" not in current.facts["reason"]
    clock.forward(hours=25)
    assert [alerting.watch(), alerting.watch()] == [1, 0]
    alerting.mailbox_read()
    assert alerting.current() == []
    clock.forward(minutes=90)
    alerting.mailbox_failed("away")
    assert alerting.watch() == 0
    assert len(told()) == 2


def test_a_round_over_the_mailbox_that_fails_is_noticed(pipeline, clock, operator, monkeypatch):
    operator("anna", AlertKind.MAILBOX)
    feedback = pipeline.feedback
    settings = load(bounce={"imap": {"host": "mail.example", "username": "bounces"}})
    object.__setattr__(pipeline.parts, "settings", settings)

    def fail():
        raise MailboxFault("mail.example does not answer")

    monkeypatch.setattr(feedback, "fetch", fail)
    feedback.look()
    clock.forward(minutes=40)
    assert [current.kind for current in pipeline.alerting.current()] == [AlertKind.MAILBOX]
    monkeypatch.setattr(feedback, "fetch", lambda: SimpleNamespace(failed=0))
    feedback.look()
    assert pipeline.alerting.current() == []


@pytest.mark.parametrize("chosen_engine", ["sqlite"], indirect=True)
def test_a_full_disk_and_a_silent_relay_are_told_of(pipeline, clock, room, operator, told):
    operator("anna", AlertKind.DISK, AlertKind.RELAY)
    room.free = module.LITTLE_SPACE - 1
    pipeline.alerting.relays(["mail.example:25"])
    assert pipeline.alerting.watch() == 1
    clock.forward(minutes=6)
    assert pipeline.alerting.watch() == 1
    assert [subject for _, _, subject in told()] == [
        "There is little room left on the disk · River News",
        "mail.example:25 takes no mail from us · River News",
    ]
    room.free = module.LITTLE_SPACE
    pipeline.alerting.relays([])
    pipeline.alerting.watch()
    assert pipeline.alerting.current() == []


@BOTH
def test_asking_for_approval_tells_once_and_is_over_when_it_is_given(pipeline, operator, run, change, told):
    operator("anna", AlertKind.APPROVAL)
    run(state=RunState.CANCELLED)
    with pytest.raises(WrongState, match="only a draft"):
        pipeline.alerting.ask("2026-12", newsletter="rivers")
    change(IssueRow, 1, state=IssueState.DRAFT)
    assert pipeline.alerting.ask("2026-12", newsletter="rivers") == 1
    assert pipeline.alerting.ask("2026-12", newsletter="rivers") == 1
    assert [pipeline.alerting.watch(), pipeline.alerting.watch()] == [1, 0]
    assert pipeline.alerting.asked()["rivers", "2026-12"].facts["person"] == "grace"
    change(IssueRow, 1, state=IssueState.APPROVED)
    pipeline.alerting.watch()
    assert pipeline.alerting.asked() == {}
    assert [subject for _, _, subject in told()] == ["Please approve December · River News"]


@BOTH
def test_choices_are_kept_replaced_and_noted(pipeline, operator):
    anna = operator("anna", AlertKind.DISK)
    wanted = {(AlertKind.DRAFT, "rivers"), (AlertKind.RELAY, "")}
    pipeline.alerting.choose(anna.id, wanted)
    pipeline.alerting.choose(anna.id, wanted)
    assert pipeline.alerting.choices(anna.id) == wanted
    with pipeline.parts.sessions() as session:
        (line,) = session.scalars(select(AuditRow).where(col(AuditRow.action) == Deed.ALERTS_CHOSEN.value))
        assert (line.operator, line.about) == ("grace", "disk → draft rivers, relay")


def test_who_must_not_be_written_to_gets_no_alert(pipeline, operator, run, told):
    anna = operator("anna", AlertKind.PAUSED)
    with pipeline.parts.sessions() as session:
        digest = digest_of(pipeline.parts.keys, anna.email)
        suppress_digests(session, {digest: ""}, reason=SuppressionReason.HARD_BOUNCE, now=pipeline.parts.now())
        session.commit()
    run(state=RunState.PAUSED)
    assert pipeline.alerting.watch() == 0
    assert pipeline.alerting.test(anna) is Trial.NO_ADDRESS
    assert told() == []


def test_a_trial_says_what_is_missing(chosen_engine, clock):
    bare = bare_pipeline(chosen_engine, clock)
    operator = SimpleNamespace(id=1, email="anna@desk.example", language="en", timezone="UTC")
    assert bare.alerting.test(operator) is Trial.NO_NEWSLETTER


def test_an_alert_arrives_over_a_real_mail_server_at_somebody_who_is_no_subscriber(pipeline, operator, run, tmp_path):
    operator("anna", AlertKind.PAUSED)
    run(state=RunState.PAUSED, held="the relay refuses this mailing: 554 5.7.1 no")
    pipeline.alerting.watch()
    with mailbox(tmp_path / "letters") as port:
        settings = load(smtp={"host": "127.0.0.1", "port": port, "tls": "none", "connections": 1})
        object.__setattr__(pipeline.parts, "settings", settings)
        asyncio.run(build_dispatcher(pipeline).run(until_done=True, patience=5))
    (file,) = (tmp_path / "letters" / "anna@desk.example" / "new").glob("*.eml")
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert message["Subject"] == "Stopped: December · River News"
    assert message["From"] == "River network <news@rivers.example>"
    assert "List-Unsubscribe" not in message
    text = message.get_body(("plain",)).get_content()
    assert "The mail server refuses these messages: 554 5.7.1 no" in text
    assert "https://news.example/desk/n/rivers/issues/2026-12/run" in text
    with pipeline.parts.sessions() as session:
        (delivery,) = session.scalars(select(DeliveryRow))
        assert (delivery.state, delivery.address) == (DeliveryState.ACCEPTED, None)


def test_a_dispatcher_tells_which_relay_it_leaves_alone(pipeline, operator, run, clock):
    operator("anna", AlertKind.PAUSED)
    run(state=RunState.PAUSED)
    pipeline.alerting.watch()
    settings = load(smtp={"host": "127.0.0.1", "port": 1, "tls": "none", "connections": 1})
    object.__setattr__(pipeline.parts, "settings", settings)
    dispatcher = build_dispatcher(pipeline)
    for _ in range(5):
        dispatcher.routes[0].breaker.fault(object(), now=0.0, first=1.0, longest=9.0)
    dispatcher.wake()
    clock.forward(minutes=6)
    assert [current.facts["relay"] for current in pipeline.alerting.current()] == ["127.0.0.1:1"]
    dispatcher.routes[0].breaker.heard()
    dispatcher.wake()
    assert pipeline.alerting.current() == []
