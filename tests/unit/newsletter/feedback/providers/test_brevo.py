"""Brevo's requests: who may speak, and what its words mean."""

import hook_samples as samples
import pytest

from newsletter.dispatch.names import read_name
from newsletter.feedback.event import Cause, Kind
from newsletter.feedback.providers.brevo import Brevo
from newsletter.feedback.providers.report import Post, Refusal


def hear(sample):
    return Brevo(samples.TOKEN).hear(Post(headers=sample.headers, body=sample.body, at=samples.NOW))


def the_report(sample):
    (report,) = hear(sample).reports
    return report


def test_a_hard_bounce_is_told_with_its_message_id_and_its_time_in_utc():
    report = the_report(samples.brevo())

    assert (report.meaning.kind, report.meaning.cause) == (Kind.HARD, Cause.UNKNOWN)
    assert report.names == (read_name(samples.NAME),)
    assert report.at == samples.NOW
    assert report.address == samples.ANNA


def test_a_message_id_of_brevos_own_names_no_delivery():
    assert the_report(samples.brevo(message_id="<202612010800.42@smtp-relay.example>")).names == ()


def test_the_time_may_stand_in_seconds():
    assert the_report(samples.brevo(ts_epoch=None)).at == samples.NOW
    assert the_report(samples.brevo(ts_epoch=None, ts_event=None)).at is None


def test_another_token_or_none_is_not_listened_to():
    assert hear(samples.brevo(token="another")) is Refusal.FORGED
    assert hear(samples.brevo()._replace(headers={})) is Refusal.FORGED
    assert hear(samples.brevo()._replace(headers={"authorization": f"Basic {samples.TOKEN}"})) is Refusal.FORGED


@pytest.mark.parametrize(
    ("event", "more", "kind"),
    [
        ("hard_bounce", {"reason": "550 5.7.1 message rejected for policy reasons"}, Kind.BLOCKED),
        ("soft_bounce", {"reason": "452 4.2.2 mailbox full"}, Kind.SOFT),
        ("soft_bounce", {}, Kind.SOFT),
        ("invalid_email", {}, Kind.HARD),
        ("deferred", {}, Kind.DELAYED),
        ("blocked", {}, Kind.BLOCKED),
        ("error", {}, Kind.BLOCKED),
        ("spam", {}, Kind.COMPLAINT),
        ("unsubscribed", {}, Kind.UNSUBSCRIBE),
    ],
)
def test_each_word_has_its_meaning(event, more, kind):
    assert the_report(samples.brevo(event, **more)).meaning.kind is kind


def test_happenings_may_come_together_and_those_that_we_do_not_count_are_passed_over():
    told = [samples.brevo(event).body for event in ("request", "spam", "unique_opened", "click")]
    body = b"[" + b",".join(told) + b"]"

    heard = hear(samples.brevo()._replace(body=body))

    assert [report.meaning.kind for report in heard.reports] == [Kind.COMPLAINT]
    assert heard.once == ""
