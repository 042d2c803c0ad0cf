"""Webhooks: what happened is told once, signed, and again until it is taken."""

import base64
import datetime as dt
import hashlib
import hmac
import json

import pytest
from integration.signing import BOTH, bare_pipeline
from sqlmodel import select

from newsletter.accounts import webhooks as store
from newsletter.accounts.models import AuditRow
from newsletter.accounts.webhooks import WebhookCallRow, WebhookEvent, WebhookRow
from newsletter.assembly.models import IssueRow
from newsletter.callbacks import NotAllowed
from newsletter.content.models import NewsletterRow
from newsletter.errors import InvalidInput, NotFound
from newsletter.pipeline.webhooks import GIVEN_UP, RETRIES, SETTLED, Webhooks
from newsletter.planning.models import RunRow, RunState
from subscribers import consent
from subscribers.consent import Circumstances
from subscribers.models import ConsentAction, MembershipState
from subscribers.store import get_subscriber

JOINED, LEFT, FINISHED = WebhookEvent.SUBSCRIBER_JOINED, WebhookEvent.SUBSCRIBER_LEFT, WebhookEvent.RUN_FINISHED
URL = "https://crm.example/hooks"


class Listener:
    """Keeps what it was called with, and answers as it is told."""

    def __init__(self):
        self.calls, self.status = [], 200

    def __call__(self, url, body, *, headers, private):
        self.calls.append((url, json.loads(body), headers, body, private))
        if isinstance(self.status, Exception):
            raise self.status
        return self.status

    @property
    def told(self):
        return [(body["type"], body["data"]) for _, body, *_ in self.calls]


@pytest.fixture
def pipeline(chosen_engine, clock):
    made = bare_pipeline(chosen_engine, clock)
    made.people.lists.create("members")
    return made


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def verbs(pipeline, listener):
    return Webhooks(pipeline.parts, post=listener)


def settle(clock):
    clock.instant += SETTLED + dt.timedelta(seconds=1)


def join(pipeline, *names):
    for name in names:
        pipeline.people.add(f"{name}@pier.example", list_name="members", given={})


@BOTH
def test_who_joins_and_leaves_is_told_by_public_id_alone(pipeline, verbs, listener, clock):
    join(pipeline, "before")
    verbs.add(URL, [JOINED, LEFT])
    join(pipeline, "ada", "bo")
    assert verbs.tick() == 0
    settle(clock)
    assert verbs.tick() == 1
    pipeline.people.unsubscribe("ada@pier.example", list_name="members")
    settle(clock)
    verbs.tick()
    (first, joined), (second, left) = listener.told
    assert (first, second) == ("subscriber.joined", "subscriber.left")
    ids = [pipeline.people.show(f"{name}@pier.example").person.uid for name in ("ada", "bo")]
    assert [each["id"] for each in joined["subscribers"]] == ids
    assert {each["list"] for each in joined["subscribers"]} == {"members"}
    assert [each["id"] for each in left["subscribers"]] == ids[:1]
    assert "pier.example" not in "".join(body.decode() for *_, body, _ in listener.calls)
    assert verbs.tick() == 0


def test_who_asks_for_a_list_has_not_joined_before_they_confirm(pipeline, verbs, listener, clock):
    join(pipeline, "ada")
    verbs.add(URL, [JOINED])
    with pipeline.parts.sessions() as session:
        ada, circumstances = get_subscriber(session, "ada@pier.example"), Circumstances(at=clock(), source="form")
        asked = {"circumstances": circumstances, "list_name": "members", "state": MembershipState.PENDING}
        consent.record(session, subscriber=ada, action=ConsentAction.RESUBSCRIBED, **asked)
        session.commit()
    settle(clock)
    assert verbs.tick() == 0


def test_who_leaves_a_newsletter_and_comes_back_is_told_as_both(pipeline, verbs, listener, clock):
    join(pipeline, "ada")
    verbs.add(URL, [JOINED, LEFT])
    with pipeline.parts.sessions() as session:
        ada, circumstances = get_subscriber(session, "ada@pier.example"), Circumstances(at=clock(), source="form")
        consent.leave_newsletter(session, subscriber=ada, newsletter="rivers", lists=(), circumstances=circumstances)
        consent.come_back(session, subscriber=ada, newsletter="rivers", circumstances=circumstances)
        session.commit()
    settle(clock)
    verbs.tick()
    assert {event for event, _ in listener.told} == {"subscriber.left", "subscriber.joined"}


def test_a_call_is_signed_as_standard_webhooks_has_it(pipeline, verbs, listener, clock):
    row = verbs.add(URL, [JOINED])
    join(pipeline, "ada")
    settle(clock)
    verbs.tick()
    url, _, headers, body, private = listener.calls[0]
    assert (url, private) == (URL, False)
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(row.secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert int(headers["webhook-timestamp"]) == int(clock.instant.timestamp())


@BOTH
def test_the_end_of_a_run_is_told_once(pipeline, verbs, listener, clock):
    verbs.add(URL, [FINISHED])
    now = clock.instant
    with pipeline.parts.sessions() as session:
        newsletter = NewsletterRow(slug="rivers", settings={}, created=now, changed=now)
        session.add(newsletter)
        session.flush()
        plan = {"slug": "one", "date": "2026-12-01"}
        days = {"date": now.date(), "period_from": now.date(), "period_to": now.date()}
        issue = IssueRow(newsletter_id=newsletter.id, slug="one", **days, plan=plan, created=now, changed=now)
        session.add(issue)
        session.flush()
        session.add(
            RunRow(
                issue_id=issue.id,
                mailing="issue:rivers/one",
                segment="all",
                expression="",
                state=RunState.FINISHED,
                operator="tests",
                created=now,
                ended=now + dt.timedelta(seconds=5),
                total=412,
            )
        )
        session.commit()
    settle(clock)
    assert verbs.tick() == 0
    clock.instant += dt.timedelta(seconds=5)
    assert verbs.tick() == 1
    assert verbs.tick() == 0
    told = {"newsletter": "rivers", "issue": "one", "state": "finished", "audience": 412}
    assert listener.told == [("run.finished", told)]


def test_what_is_not_taken_is_tried_again_with_the_same_id_and_then_given_up(pipeline, verbs, listener, clock):
    listener.status = 500
    webhook = verbs.add(URL, [JOINED])
    join(pipeline, "ada")
    settle(clock)
    for wait in RETRIES:
        assert verbs.tick() == 1
        assert verbs.tick() == 0
        clock.instant += wait
    listener.status = 0
    assert verbs.tick() == 1
    clock.instant += dt.timedelta(days=3)
    assert verbs.tick() == 0
    assert len({headers["webhook-id"] for _, _, headers, *_ in listener.calls}) == 1
    call = verbs.calls(webhook.id, limit=5)[0]
    assert (call.attempts, call.status, call.due) == (len(RETRIES) + 1, 0, None)
    assert call.ended


def test_one_success_makes_up_for_what_failed(pipeline, verbs, listener, clock):
    listener.status = NotAllowed("in our own network")
    webhook = verbs.add(URL, [JOINED])
    verbs.test(webhook.id)
    assert verbs.tick() == 1
    assert verbs.get(webhook.id).failing_since
    listener.status = 204
    clock.instant += RETRIES[0]
    assert verbs.tick() == 1
    assert verbs.get(webhook.id).failing_since is None
    assert listener.told[-1] == ("webhook.test", {})


def test_a_program_that_fails_for_days_or_says_that_it_is_gone_is_called_no_more(pipeline, verbs, listener, clock):
    webhook = verbs.add(URL, [JOINED])
    listener.status = 500
    verbs.test(webhook.id)
    verbs.tick()
    clock.instant += GIVEN_UP + dt.timedelta(hours=1)
    verbs.tick()
    assert verbs.get(webhook.id).disabled
    verbs.test(webhook.id)
    assert verbs.tick() == 0
    listener.status = 410
    verbs.enable(webhook.id)
    verbs.tick()
    assert verbs.get(webhook.id).disabled


def test_two_processes_make_a_call_once(pipeline, verbs, listener, clock):
    webhook = verbs.add(URL, [JOINED])
    verbs.test(webhook.id)
    with pipeline.parts.sessions() as session:
        (call, _), *_ = store.due_calls(session, clock.instant, limit=5)
        assert store.take(session, call, until=clock.instant + dt.timedelta(minutes=1))
        session.commit()
        assert not store.take(session, call, until=clock.instant + dt.timedelta(minutes=2))
    assert verbs.tick() == 0
    assert listener.calls == []


def test_who_is_erased_is_not_told_of_any_more(pipeline, verbs, listener, clock):
    verbs.add(URL, [JOINED])
    join(pipeline, "ada")
    pipeline.people.erase("ada@pier.example")
    settle(clock)
    verbs.tick()
    assert listener.calls == []


def test_webhooks_are_added_and_removed_with_a_line_in_the_audit_log(pipeline, verbs):
    for url, events in (("ftp://x", [JOINED]), (URL, []), (URL, [WebhookEvent.TEST])):
        with pytest.raises(InvalidInput):
            verbs.add(url, events)
    webhook = verbs.add(URL, [JOINED])
    assert [row.id for row in verbs.all()] == [webhook.id]
    verbs.test(webhook.id)
    verbs.remove(webhook.id)
    for verb in (verbs.remove, verbs.test, verbs.enable, verbs.get):
        with pytest.raises(NotFound):
            verb(webhook.id)
    with pipeline.parts.sessions() as session:
        assert session.exec(select(WebhookRow)).all() == []
        assert session.exec(select(WebhookCallRow)).all() == []
        assert {"webhook added", "webhook removed"} <= {row.action for row in session.exec(select(AuditRow))}
