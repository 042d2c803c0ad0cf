"""SendGrid's requests: who may speak, and what its words mean."""

import datetime as dt

import hook_samples as samples
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from newsletter.dispatch.names import read_name
from newsletter.feedback.event import Cause, Kind
from newsletter.feedback.providers.report import Post, Refusal
from newsletter.feedback.providers.sendgrid import SendGrid


def hear(sample, at=samples.NOW):
    return SendGrid(samples.sendgrid_public_key()).hear(Post(headers=sample.headers, body=sample.body, at=at))


def meaning(event="bounce", **more):
    (report,) = hear(samples.sendgrid(samples.sendgrid_event(event, **more))).reports
    return report.meaning.kind, report.meaning.cause


def test_a_batch_is_read_happening_by_happening():
    events = (
        samples.sendgrid_event(),
        samples.sendgrid_event("delivered"),
        samples.sendgrid_event("spamreport", sg_event_id="another", email="bob@lakes.example"),
    )
    heard = hear(samples.sendgrid(*events))

    assert [(report.address, report.meaning.kind) for report in heard.reports] == [
        (samples.ANNA, Kind.HARD),
        ("bob@lakes.example", Kind.COMPLAINT),
    ]
    assert heard.reports[0].names == (read_name(samples.NAME),)
    assert heard.reports[0].status == "5.1.1"
    assert heard.once


def test_a_changed_body_another_key_or_no_signature_is_not_listened_to():
    sample = samples.sendgrid()
    other = ec.generate_private_key(ec.SECP256R1())

    assert hear(sample._replace(body=sample.body.replace(b"anna", b"hans"))) is Refusal.FORGED
    assert hear(samples.sendgrid(key=other)) is Refusal.FORGED
    assert hear(sample._replace(headers={})) is Refusal.FORGED
    assert hear(sample._replace(headers={**sample.headers, "x-twilio-email-event-webhook-timestamp": "1"})) is (
        Refusal.FORGED
    )


def test_a_signature_holds_for_five_minutes():
    assert hear(samples.sendgrid(), at=samples.NOW + dt.timedelta(minutes=6)) is Refusal.STALE
    assert hear(samples.sendgrid(), at=samples.NOW + dt.timedelta(minutes=4)).reports


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, (Kind.HARD, Cause.UNKNOWN)),
        ({"type": "blocked"}, (Kind.SOFT, Cause.OTHER)),
        ({"type": "blocked", "status": "5.7.1", "reason": "550 5.7.1 poor reputation"}, (Kind.BLOCKED, Cause.SENDER)),
        ({"bounce_classification": "Reputation"}, (Kind.BLOCKED, Cause.SENDER)),
        ({"bounce_classification": "Content"}, (Kind.BLOCKED, Cause.CONTENT)),
        ({"bounce_classification": "Mailbox Unavailable"}, (Kind.SOFT, Cause.DISABLED)),
        ({"bounce_classification": "Invalid Address"}, (Kind.HARD, Cause.UNKNOWN)),
        ({"type": "tomorrow's word"}, (Kind.HARD, Cause.UNKNOWN)),
    ],
)
def test_a_bounce_is_judged_by_its_class_its_type_and_its_words(more, expected):
    assert meaning(**more) == expected


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("Bounced Address", Kind.HARD),
        ("Spam Reporting Address", Kind.COMPLAINT),
        ("Unsubscribed Address", Kind.UNSUBSCRIBE),
        ("Spam Content (if Spam Checker app enabled)", Kind.BLOCKED),
        ("Recipient List over Package Quota", Kind.BLOCKED),
    ],
)
def test_what_was_dropped_is_judged_by_its_reason(reason, kind):
    assert meaning("dropped", reason=reason)[0] is kind


@pytest.mark.parametrize(
    ("event", "kind"),
    [("deferred", Kind.DELAYED), ("unsubscribe", Kind.UNSUBSCRIBE), ("group_unsubscribe", Kind.UNSUBSCRIBE)],
)
def test_each_word_has_its_meaning(event, kind):
    assert meaning(event)[0] is kind


def test_a_single_happening_outside_a_list_and_a_list_of_nonsense_do_no_harm():
    assert hear(samples.sendgrid(1, None, "bounce", [])).reports == ()
    assert len(hear(samples.sendgrid(alone=True)).reports) == 1
