"""Postmark's requests: who may speak, and what its words mean."""

import hook_samples as samples
import pytest

from newsletter.dispatch.names import read_name
from newsletter.feedback.event import Cause, Kind
from newsletter.feedback.providers.postmark import BOUNCES, Postmark
from newsletter.feedback.providers.report import Post, Refusal


def hear(sample):
    provider = Postmark(username=samples.USERNAME, password=samples.PASSWORD)
    return provider.hear(Post(headers=sample.headers, body=sample.body, at=samples.NOW))


def the_report(sample):
    (report,) = hear(sample).reports
    return report


def test_a_hard_bounce_is_told_of_an_address():
    report = the_report(samples.postmark())

    assert (report.meaning.kind, report.meaning.cause) == (Kind.HARD, Cause.UNKNOWN)
    assert (report.address, report.names, report.text) == (samples.ANNA, (), samples.REFUSED)
    assert report.at.isoformat() == "2026-12-01T07:59:00.123456+00:00"


def test_the_delivery_is_known_where_the_message_kept_its_id():
    headers = [{"Name": "Subject", "Value": "News"}, {"Name": "Message-ID", "Value": samples.MESSAGE_ID}]

    assert the_report(samples.postmark(Headers=headers)).names == (read_name(samples.NAME),)


@pytest.mark.parametrize(
    "sample",
    [
        samples.postmark(password="another"),
        samples.postmark(username="another"),
        samples.postmark()._replace(headers={}),
        samples.postmark()._replace(headers={"authorization": "Basic %%%"}),
        samples.postmark()._replace(headers={"authorization": f"Bearer {samples.PASSWORD}"}),
    ],
    ids=["password", "username", "none", "no base64", "bearer"],
)
def test_who_does_not_know_name_and_password_is_not_listened_to(sample):
    assert hear(sample) is Refusal.FORGED


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("BadEmailAddress", Kind.HARD),
        ("SoftBounce", Kind.SOFT),
        ("Transient", Kind.DELAYED),
        ("SpamNotification", Kind.BLOCKED),
        ("DMARCPolicy", Kind.BLOCKED),
        ("ManuallyDeactivated", Kind.BLOCKED),
        ("SpamComplaint", Kind.COMPLAINT),
        ("Unsubscribe", Kind.UNSUBSCRIBE),
        ("AutoResponder", Kind.AUTO_REPLY),
    ],
)
def test_each_type_of_bounce_has_its_meaning(word, kind):
    assert the_report(samples.postmark(word)).meaning.kind is kind


def test_a_type_that_we_have_no_word_for_is_passed_over():
    assert hear(samples.postmark("OpenRelayTest")).reports == ()
    assert hear(samples.postmark("tomorrow's word")).reports == ()
    assert "InboundError" not in BOUNCES


def test_what_is_permanent_to_postmark_for_our_sake_is_no_hard_bounce():
    assert the_report(samples.postmark(Details="550 5.7.1 blocked, see our list")).meaning.kind is Kind.BLOCKED
    assert the_report(samples.postmark(Details="")).meaning.kind is Kind.HARD


def test_a_complaint_is_a_record_of_its_own():
    assert the_report(samples.postmark(RecordType="SpamComplaint", Type="SpamComplaint")).meaning.kind is Kind.COMPLAINT


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"SuppressSending": True, "SuppressionReason": "ManualSuppression", "Origin": "Recipient"}, Kind.UNSUBSCRIBE),
        ({"SuppressSending": True, "SuppressionReason": "ManualSuppression", "Origin": "Customer"}, None),
        ({"SuppressSending": True, "SuppressionReason": "HardBounce", "Origin": "Recipient"}, None),
        ({"SuppressSending": False, "SuppressionReason": "ManualSuppression", "Origin": "Recipient"}, None),
        ({"SuppressSending": "true", "SuppressionReason": "ManualSuppression", "Origin": "Recipient"}, None),
    ],
)
def test_only_the_person_leaves_by_a_subscription_change(more, kind):
    told = {"Recipient": samples.ANNA, "ChangedAt": "2026-12-01T08:00:00Z", "Email": None, **more}
    reports = hear(samples.postmark(RecordType="SubscriptionChange", **told)).reports

    assert [report.meaning.kind for report in reports] == ([kind] if kind else [])
    assert all(report.address == samples.ANNA for report in reports)


def test_other_records_are_passed_over():
    for record in ("Delivery", "Open", "Click", "", None):
        assert hear(samples.postmark(RecordType=record)).reports == ()
