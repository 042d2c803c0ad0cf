"""Amazon's requests: who may speak, which addresses are called, and what its words mean."""

import datetime as dt

import hook_samples as samples
import pytest

from newsletter.dispatch.names import read_name
from newsletter.errors import InvalidInput
from newsletter.feedback.event import Cause, Kind
from newsletter.feedback.providers.report import Post, Refusal
from newsletter.feedback.providers.ses import Ses


class Shelf:
    """Certificates, and which were asked for."""

    def __init__(self, **made):
        self.asked = []
        self._made = made

    def __call__(self, url):
        self.asked.append(url)
        return samples.certificate(**self._made)


def hear(sample, *, at=samples.NOW, shelf=None, topics=(samples.TOPIC,)):
    provider = Ses(topics=topics, certificate=shelf or Shelf())
    return provider.hear(Post(headers=sample.headers, body=sample.body, at=at))


def meaning(message):
    (report,) = hear(samples.sns(message)).reports
    return report.meaning.kind, report.meaning.cause


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_signed_bounce_names_its_delivery_by_return_path_and_message_id(version):
    heard = hear(samples.sns(version=version))
    (report,) = heard.reports

    assert heard.once == "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"
    assert report.names == (read_name(samples.NAME),)
    assert (report.meaning.kind, report.meaning.cause) == (Kind.HARD, Cause.UNKNOWN)
    assert (report.address, report.status) == (samples.ANNA, "5.1.1")
    assert samples.REFUSED in report.text
    assert report.at == samples.NOW


def test_a_subject_is_signed_where_there_is_one():
    assert hear(samples.sns(Subject="Amazon SES Email Event Notification")).reports


def test_nothing_is_fetched_for_a_topic_that_is_not_ours():
    shelf = Shelf()

    assert hear(samples.sns(TopicArn=f"{samples.TOPIC}-of-others"), shelf=shelf) is Refusal.FORGED
    assert shelf.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0.pem",
        "https://evil.example/SimpleNotificationService-0.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0.pem",
        "https://sns.eu-west-1.amazonaws.com/bucket/SimpleNotificationService-0.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem?x=1",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem\n",
        "https://s3.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns..amazonaws.com/SimpleNotificationService-0.pem",
        "",
    ],
)
def test_a_certificate_is_fetched_from_amazon_sns_alone(url):
    shelf = Shelf()

    assert hear(samples.sns(SigningCertURL=url), shelf=shelf) is Refusal.FORGED
    assert shelf.asked == []


def test_what_was_changed_after_signing_is_not_listened_to():
    sample = samples.sns()
    for before, after in (
        (b"anna@lakes", b"hans@lakes"),
        (b"22b80b92", b"22b80b93"),
        (b'"Type": "Notification"', b'"Type": "SubscriptionConfirmation"'),
        (b'"SignatureVersion": "2"', b'"SignatureVersion": "1"'),
        (b'"SignatureVersion": "2"', b'"SignatureVersion": "3"'),
        (b'"Type": "Notification"', b'"Type": "Other"'),
    ):
        assert before in sample.body
        assert hear(sample._replace(body=sample.body.replace(before, after))) is Refusal.FORGED, after


def test_a_message_keeps_its_time_while_amazon_tries_again():
    assert hear(samples.sns(), at=samples.NOW + dt.timedelta(hours=1)).reports
    assert hear(samples.sns(), at=samples.NOW + dt.timedelta(hours=2)) is Refusal.STALE
    assert hear(samples.sns(), at=samples.NOW - dt.timedelta(minutes=6)) is Refusal.STALE
    assert hear(samples.sns(Timestamp="yesterday")) is Refusal.STALE


def test_a_subscription_to_our_topic_is_confirmed():
    heard = hear(samples.subscription())

    assert heard.confirm == samples.SUBSCRIBE_URL
    assert heard.reports == ()


@pytest.mark.parametrize(
    "url",
    [
        samples.SUBSCRIBE_URL.replace("https", "http"),
        samples.SUBSCRIBE_URL.replace("amazonaws.com", "amazonaws.com.evil.example"),
        samples.SUBSCRIBE_URL.replace("ConfirmSubscription", "DeleteTopic"),
        samples.SUBSCRIBE_URL.replace(":bounces", ":others"),
        samples.SUBSCRIBE_URL + "&Action=DeleteTopic",
        samples.SUBSCRIBE_URL.replace("&TopicArn", "#&TopicArn"),
        samples.SUBSCRIBE_URL.replace("/?", "/x?"),
    ],
)
def test_nothing_is_called_but_what_confirms_our_topic(url):
    assert hear(samples.subscription(SubscribeURL=url)) is Refusal.FORGED


def test_the_end_of_a_subscription_is_heard_and_changes_nothing():
    heard = hear(samples.subscription(Type="UnsubscribeConfirmation"))

    assert (heard.confirm, heard.reports) == ("", ())


def test_a_notification_that_holds_no_json_is_refused():
    with pytest.raises(InvalidInput, match="no JSON"):
        hear(samples.sns(Message="Hello from the console"))


@pytest.mark.parametrize(
    ("words", "person", "expected"),
    [
        (("Permanent", "NoEmail"), None, (Kind.HARD, Cause.UNKNOWN)),
        (("Permanent", "Suppressed"), [{"emailAddress": samples.ANNA}], (Kind.HARD, Cause.UNKNOWN)),
        (("Permanent", "OnAccountSuppressionList"), [{"emailAddress": samples.ANNA}], (Kind.SOFT, Cause.OTHER)),
        (("Permanent", "UnsubscribedRecipient"), [{"emailAddress": samples.ANNA}], (Kind.UNSUBSCRIBE, None)),
        (("Transient", "MailboxFull"), None, (Kind.SOFT, Cause.FULL)),
        (("Transient", "MessageTooLarge"), None, (Kind.BLOCKED, Cause.CONTENT)),
        (("Undetermined", "Undetermined"), [{"emailAddress": samples.ANNA}], (Kind.SOFT, Cause.OTHER)),
        (("Transient", "General"), [{"emailAddress": samples.ANNA}], (Kind.AUTO_REPLY, None)),
        (
            ("Transient", "General"),
            [{"emailAddress": samples.ANNA, "status": "4.4.7", "diagnosticCode": "smtp; 421 4.4.7 expired"}],
            (Kind.SOFT, Cause.RELAY),
        ),
        (
            ("Permanent", "General"),
            [{"emailAddress": samples.ANNA, "status": "5.7.1", "diagnosticCode": "smtp; 554 5.7.1 spam"}],
            (Kind.BLOCKED, Cause.SENDER),
        ),
    ],
)
def test_each_kind_of_bounce_has_its_meaning(words, person, expected):
    assert meaning(samples.ses_message(words=words, person=person)) == expected


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("abuse", Kind.COMPLAINT),
        (None, Kind.COMPLAINT),
        ("other", Kind.COMPLAINT),
        ("not-spam", Kind.NOT_SPAM),
        ("auth-failure", Kind.BLOCKED),
    ],
)
def test_a_complaint_is_one_unless_its_type_says_otherwise(type_, expected):
    message = samples.ses_message("complaint", kind="Complaint", complaintFeedbackType=type_)

    assert meaning(message)[0] is expected


def test_what_is_published_as_events_is_read_as_well():
    published = samples.ses_message("deliveryDelay", kind="DeliveryDelay")
    published["eventType"] = published.pop("notificationType")

    assert meaning(published) == (Kind.DELAYED, None)


def test_a_message_that_amazon_does_not_send_is_told_of_everybody_it_was_for():
    message = samples.ses_message("reject", kind="Reject", mail={"destination": [samples.ANNA, "bob@lakes.example"]})
    reports = hear(samples.sns(message)).reports

    assert [(report.address, report.meaning.kind) for report in reports] == [
        (samples.ANNA, Kind.BLOCKED),
        ("bob@lakes.example", Kind.BLOCKED),
    ]
    assert len({report.id for report in reports}) == 2


def test_what_we_do_not_count_is_passed_over():
    for kind in ("Delivery", "Send", "Open", "Click", "Subscription", ""):
        assert hear(samples.sns(samples.ses_message(kind=kind))).reports == (), kind


def test_a_message_without_the_headers_is_known_by_its_return_path():
    bare = samples.ses_message()
    del bare["mail"]["headers"], bare["mail"]["commonHeaders"]
    (report,) = hear(samples.sns(bare)).reports

    assert report.names == (read_name(samples.NAME),)
