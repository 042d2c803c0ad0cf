"""The webhooks of mail providers: the real routes over the real tables, and Amazon's answers without a network."""

import datetime as dt

import hook_samples as samples
import httpx
import pytest
import structlog
from fastapi import FastAPI
from integration.feedback_scene import ANNA, NOW, Scene
from sqlmodel import col, select
from visitor import Visitor

from newsletter.bootstrap import Pipeline
from newsletter.errors import ConfigurationFault
from newsletter.feedback.event import Kind
from newsletter.feedback.models import EventRow
from newsletter.feedback.providers import seen
from newsletter.planning.models import DeliveryState
from newsletter.settings import Settings
from newsletter.web.hooks.amazon import KEPT, LONGEST, Amazon
from newsletter.web.hooks.providers import LONGEST as LONGEST_BODY
from newsletter.web.hooks.providers import router
from subscribers.models import SuppressionReason

HOOKS = {
    "ses": {"key": samples.KEY, "topics": [samples.TOPIC]},
    "postmark": {"key": samples.KEY, "username": samples.USERNAME, "password": samples.PASSWORD},
    "mailgun": {"key": samples.KEY, "signing_key": samples.SIGNING_KEY},
    "sendgrid": {"key": samples.KEY, "public_key": samples.sendgrid_public_key()},
    "brevo": {"key": samples.KEY, "token": samples.TOKEN},
}


class Net:
    """Amazon SNS as seen from here: what was asked for, and what it answers."""

    def __init__(self):
        self.asked = []
        self.answer = lambda _request: httpx.Response(200, content=samples.certificate())

    def __call__(self, request):
        self.asked.append(str(request.url))
        return self.answer(request)

    @property
    def amazon(self):
        return Amazon(httpx.MockTransport(self))


class Web:
    """An installation that listens to providers."""

    def __init__(self, engine, hooks):
        self.scene = Scene(engine, Settings(hooks=hooks))
        self.net = Net()
        app = FastAPI()
        app.include_router(router(Pipeline(parts=self.scene.parts), amazon=self.net.amazon))
        self.visitor = Visitor(app)

    def post(self, provider, sample, *, key=samples.KEY):
        return self.visitor.post(f"/hooks/{provider}/{key}", content=sample.body, headers=sample.headers).status_code

    def events(self):
        with self.scene.sessions() as session:
            rows = session.exec(select(EventRow).order_by(col(EventRow.id))).all()
            return [(row.source, row.kind, row.delivery_id) for row in rows]


@pytest.fixture
def web(chosen_engine):
    """One that listens to all of them."""
    made = Web(chosen_engine, HOOKS)
    yield made
    made.visitor.close()


def signed(provider, message_id, recipient=ANNA):
    """A hard bounce of a message, as the provider tells it."""
    if provider == "ses":
        person = [{"emailAddress": recipient, "status": "5.1.1", "diagnosticCode": samples.REFUSED}]
        mail = {"headers": [{"name": "Message-ID", "value": message_id}], "source": "news@rivers.example"}
        return samples.sns(samples.ses_message(person=person, mail=mail | {"commonHeaders": {}}))
    if provider == "postmark":
        return samples.postmark(Headers=[{"Name": "Message-ID", "Value": message_id}], Email=recipient)
    if provider == "mailgun":
        return samples.mailgun(message_id=message_id, recipient=recipient)
    if provider == "sendgrid":
        return samples.sendgrid(samples.sendgrid_event(**{"smtp-id": message_id, "email": recipient}))
    return samples.brevo(message_id=message_id, email=recipient)


@pytest.mark.parametrize("provider", HOOKS)
def test_a_proven_bounce_of_a_delivery_suppresses_its_address(web, provider):
    delivery = web.scene.delivery("2026-12")
    planned = web.scene.delivery("2027-01", state=DeliveryState.PLANNED)

    assert web.post(provider, signed(provider, f"<{web.scene.name(delivery)}@rivers.example>")) == 200

    assert web.events() == [(provider, Kind.HARD, delivery)]
    assert web.scene.suppression() is SuppressionReason.HARD_BOUNCE
    assert web.scene.state(planned) is DeliveryState.SUPPRESSED


@pytest.mark.parametrize("provider", HOOKS)
def test_a_proven_address_is_enough_where_the_message_has_another_id(web, provider):
    web.scene.delivery("2026-12")

    assert web.post(provider, signed(provider, "<something@relay.example>")) == 200

    assert web.events() == [(provider, Kind.HARD, None)]
    assert web.scene.suppression() is SuppressionReason.HARD_BOUNCE


@pytest.mark.parametrize("provider", HOOKS)
def test_the_same_request_again_changes_nothing(web, provider):
    sample = signed(provider, f"<{web.scene.name(web.scene.delivery('2026-12'))}@rivers.example>")

    assert [web.post(provider, sample) for _ in range(3)] == [200, 200, 200]

    assert len(web.events()) == 1


def test_a_name_without_its_code_names_nobody_and_the_address_stands_in(web):
    delivery = web.scene.delivery("2026-12", who="bob@lakes.example")
    forged = web.scene.name(delivery)[:-4] + "0000"

    assert web.post("mailgun", signed("mailgun", f"<{forged}@rivers.example>")) == 200

    assert web.events() == [("mailgun", Kind.HARD, None)]
    assert web.scene.suppression("bob@lakes.example") is None


FORGED = {
    "ses": samples.sns()._replace(body=samples.sns().body.replace(b"anna@", b"hans@")),
    "postmark": samples.postmark(password="another"),
    "mailgun": samples.mailgun(key="another"),
    "sendgrid": samples.sendgrid()._replace(headers={}),
    "brevo": samples.brevo(token="another"),
}


@pytest.mark.parametrize("provider", HOOKS)
def test_a_forged_request_changes_nothing_and_says_so(web, provider):
    assert web.post(provider, FORGED[provider]) == 403
    assert web.events() == []
    assert web.scene.suppression() is None


def test_who_does_not_know_the_key_learns_nothing(web):
    assert web.post("brevo", samples.brevo(), key="another-key-of-some-length") == 404
    assert web.post("brevo", samples.brevo(), key="é") == 404
    assert web.post("mandrill", samples.brevo()) == 404
    assert web.visitor.get(f"/hooks/brevo/{samples.KEY}").status_code == 405
    assert web.events() == []


def test_a_provider_that_is_not_set_up_has_no_address(chosen_engine):
    bare = Web(chosen_engine, {"brevo": HOOKS["brevo"]})

    assert bare.post("postmark", samples.postmark()) == 404
    assert bare.post("brevo", samples.brevo()) == 200
    bare.visitor.close()


def test_a_stale_request_is_refused(web):
    assert web.post("mailgun", samples.mailgun(at=NOW - dt.timedelta(minutes=6))) == 403


def test_a_body_that_is_too_long_is_refused_unread_and_one_that_cannot_be_read_is_said_to_be(web):
    credentials = samples.brevo().headers

    assert web.post("brevo", samples.Sample(credentials, b" " * (LONGEST_BODY + 1))) == 413
    assert web.post("brevo", samples.Sample(credentials, b"{")) == 400
    assert web.post("brevo", samples.Sample(credentials, b"[]")) == 200


def test_a_batch_is_absorbed_whole_and_once(web):
    people = [f"reader{number}@lakes.example" for number in range(250)]
    events = [samples.sendgrid_event(email=address, sg_event_id=address, **{"smtp-id": ""}) for address in people]

    assert web.post("sendgrid", samples.sendgrid(*events)) == 200
    assert web.post("sendgrid", samples.sendgrid(*events, events[0])) == 200

    assert len(web.events()) == 250
    assert web.scene.suppression(people[-1]) is SuppressionReason.HARD_BOUNCE


def test_what_could_not_be_absorbed_is_taken_when_it_comes_again(web, monkeypatch):
    from newsletter.pipeline.feedback import Feedback

    with monkeypatch.context() as broken:
        broken.setattr(Feedback, "absorb", lambda *_: 1 / 0)
        assert web.post("mailgun", samples.mailgun(recipient=ANNA)) == 500
    assert web.post("mailgun", samples.mailgun(recipient=ANNA)) == 200

    assert len(web.events()) == 1


def test_a_report_about_no_address_is_passed_over(web):
    assert web.post("brevo", samples.brevo(email="nobody at all", message_id="")) == 200
    assert web.events() == []


def test_a_subscription_of_our_topic_is_confirmed_by_one_call(web):
    assert web.post("ses", samples.subscription()) == 200

    assert web.net.asked == [samples.CERTIFICATE_URL, samples.SUBSCRIBE_URL]


def test_a_certificate_is_fetched_once(web):
    for number in range(3):
        assert web.post("ses", samples.sns(MessageId=f"message {number}")) == 200

    assert web.net.asked == [samples.CERTIFICATE_URL]


@pytest.mark.parametrize(
    "answer",
    [
        lambda _request: httpx.Response(404),
        lambda _request: httpx.Response(302, headers={"location": "https://evil.example/"}),
        lambda _request: httpx.Response(200, content=b"x" * (LONGEST + 1)),
        lambda request: (_ for _ in ()).throw(httpx.ConnectTimeout("too late", request=request)),
    ],
    ids=["not found", "elsewhere", "too long", "no answer"],
)
def test_what_amazon_does_not_give_is_asked_for_again(web, answer):
    good, web.net.answer = web.net.answer, answer

    assert web.post("ses", samples.sns()) == 503
    web.net.answer = good
    assert web.post("ses", samples.sns()) == 200
    assert len(web.events()) == 1
    assert set(web.net.asked) == {samples.CERTIFICATE_URL}


def test_amazon_holds_few_certificates():
    net = Net()
    amazon = net.amazon
    for number in range(KEPT + 1):
        amazon.certificate(f"https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{number}.pem")
    amazon.certificate(f"https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{KEPT}.pem")

    assert len(net.asked) == KEPT + 1


def test_a_key_of_sendgrids_that_is_none_is_said_at_the_start(chosen_engine):
    with pytest.raises(ConfigurationFault, match="copy it from SendGrid's page"):
        Web(chosen_engine, {"sendgrid": {"key": samples.KEY, "public_key": "nothing"}})


def test_neither_addresses_nor_keys_are_logged(web):
    structlog.reset_defaults()  # as it was before a command has set how much is told
    with structlog.testing.capture_logs() as told:
        web.post("brevo", samples.brevo())
        web.post("brevo", samples.brevo(token="another"))
        web.post("postmark", samples.postmark()._replace(body=b"{"))
        web.post("ses", samples.subscription())

    assert {entry["event"] for entry in told} >= {"webhook heard", "webhook refused", "webhook confirmed"}
    for secret in (samples.ANNA, "anna", samples.KEY, samples.TOKEN, samples.PASSWORD, "abc123"):
        assert secret not in str(told)


def test_no_address_is_kept_of_what_was_said(web):
    web.post("sendgrid", samples.sendgrid(samples.sendgrid_event(reason=f"550 5.1.1 <{samples.ANNA}> unknown")))

    with web.scene.sessions() as session:
        (row,) = session.exec(select(EventRow)).all()
    assert samples.ANNA not in str(row)
    assert "unknown" in row.text


def test_requests_are_remembered_for_a_week(engine):
    with Scene(engine).sessions() as session:
        seen.remember(session, "mailgun", "one", now=NOW)
        seen.remember(session, "mailgun", "one", now=NOW)
        seen.remember(session, "mailgun", "two", now=NOW + dt.timedelta(days=1))
        assert seen.has_heard(session, "mailgun", "one")
        assert not seen.has_heard(session, "ses", "one")

        assert seen.forget(session, now=NOW + dt.timedelta(days=7, hours=1)) == 1
        assert not seen.has_heard(session, "mailgun", "one")
        assert seen.has_heard(session, "mailgun", "two")
