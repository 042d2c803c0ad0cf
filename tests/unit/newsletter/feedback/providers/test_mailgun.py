"""Mailgun's requests: who may speak, and what its words mean."""

import datetime as dt
import json

import hook_samples as samples
import pytest

from newsletter.dispatch.names import read_name
from newsletter.errors import InvalidInput
from newsletter.feedback.event import Cause, Kind
from newsletter.feedback.providers.mailgun import Mailgun
from newsletter.feedback.providers.report import Post, Refusal


def hear(sample, at=samples.NOW):
    return Mailgun(samples.SIGNING_KEY).hear(Post(headers=sample.headers, body=sample.body, at=at))


def the_report(sample):
    (report,) = hear(sample).reports
    return report


def test_a_signed_failure_is_a_hard_bounce_of_the_delivery_that_its_message_id_names():
    heard = hear(samples.mailgun())
    (report,) = heard.reports

    assert heard.once == "t" * 50
    assert (report.meaning.kind, report.meaning.cause) == (Kind.HARD, Cause.UNKNOWN)
    assert report.names == (read_name(samples.NAME),)
    assert (report.address, report.status, report.text) == (samples.ANNA, "5.1.1", samples.REFUSED)
    assert report.at == samples.NOW


def test_another_signature_is_not_listened_to():
    assert hear(samples.mailgun(key="another key")) is Refusal.FORGED
    told = json.loads(samples.mailgun().body)
    for spoilt in ({}, {"signature": "0" * 64}, {"token": "another"}, {"timestamp": "1"}):
        body = json.dumps(told | {"signature": {**told["signature"], **spoilt} if spoilt else None}).encode()
        assert hear(samples.Sample({}, body)) is Refusal.FORGED, spoilt
    assert hear(samples.mailgun(token="")) is Refusal.FORGED


@pytest.mark.parametrize(("minutes", "fresh"), [(-6, False), (-4, True), (0, True), (4, True), (6, False)])
def test_a_signature_holds_for_five_minutes(minutes, fresh):
    heard = hear(samples.mailgun(), at=samples.NOW + dt.timedelta(minutes=minutes))

    assert (heard is Refusal.STALE) is not fresh


def test_a_request_that_is_no_json_is_refused():
    with pytest.raises(InvalidInput, match="no JSON"):
        hear(samples.Sample({}, b"event=failed"))


@pytest.mark.parametrize(
    ("event", "more", "kind"),
    [
        ("failed", {"severity": "temporary"}, Kind.DELAYED),
        ("failed", {"delivery-status": {"code": 550, "message": "5.7.1 listed as spam source"}}, Kind.BLOCKED),
        ("failed", {"delivery-status": {"code": 552, "message": "5.2.2 mailbox full"}}, Kind.SOFT),
        ("failed", {"delivery-status": {}}, Kind.HARD),
        ("failed", {"reason": "suppress-bounce", "delivery-status": {"code": 605}}, Kind.HARD),
        ("failed", {"reason": "suppress-complaint", "delivery-status": {"code": 607}}, Kind.COMPLAINT),
        ("failed", {"reason": "suppress-unsubscribe", "delivery-status": {"code": 606}}, Kind.UNSUBSCRIBE),
        ("rejected", {}, Kind.BLOCKED),
        ("complained", {"severity": None}, Kind.COMPLAINT),
        ("unsubscribed", {"severity": None}, Kind.UNSUBSCRIBE),
    ],
)
def test_each_word_has_its_meaning(event, more, kind):
    assert the_report(samples.mailgun(event, **more)).meaning.kind is kind


@pytest.mark.parametrize("event", ["accepted", "delivered", "opened", "clicked", "stored", "tomorrow's word"])
def test_what_we_do_not_count_is_passed_over(event):
    assert hear(samples.mailgun(event, severity=None)).reports == ()


def test_a_report_told_twice_has_one_id_and_another_has_another():
    first, again = the_report(samples.mailgun()), the_report(samples.mailgun(token="u" * 50))

    assert first.id == again.id
    assert first.id != the_report(samples.mailgun(recipient="bob@lakes.example")).id
    assert samples.ANNA not in first.id
