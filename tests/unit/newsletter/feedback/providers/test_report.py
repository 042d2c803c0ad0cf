"""What all providers have in common: names, freshness, secrets, JSON from outside, bounces judged again."""

import datetime as dt
import json

import hook_samples as samples
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.dispatch.names import Name, read_name
from newsletter.errors import InvalidInput
from newsletter.feedback.event import Cause, Kind
from newsletter.feedback.providers import reading
from newsletter.feedback.providers.bounce import came_back
from newsletter.feedback.providers.brevo import Brevo
from newsletter.feedback.providers.mailgun import Mailgun
from newsletter.feedback.providers.postmark import Postmark
from newsletter.feedback.providers.report import Meaning, Post, is_fresh, names_in
from newsletter.feedback.providers.secrets import agrees, is_basic, is_bearer
from newsletter.feedback.providers.ses import Ses

HARD = Meaning(kind=Kind.HARD, cause=Cause.UNKNOWN)
SOFT = Meaning(kind=Kind.SOFT, cause=Cause.OTHER)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=6),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "text",
    [
        samples.NAME,
        samples.MESSAGE_ID,
        samples.MESSAGE_ID.strip("<>").upper(),
        samples.RETURN_PATH,
        f" <{samples.RETURN_PATH}> ",
    ],
)
def test_a_delivery_is_named_by_message_id_and_return_path(text):
    assert names_in([text]) == (read_name(samples.NAME),)


def test_names_stand_once_and_in_order_and_what_is_none_is_passed_over():
    other = samples.NAME.replace("1f-", "20-")
    texts = ["", "<x@y.example>", samples.RETURN_PATH, other, samples.MESSAGE_ID, f"no {samples.NAME}", "a" * 10_000]

    assert names_in(texts) == (Name(0x1F, samples.NAME[3:]), Name(0x20, samples.NAME[3:]))


@given(st.lists(st.text()))
def test_whatever_stands_there_is_read(texts):
    assert all(isinstance(name, Name) for name in names_in(texts))


def test_fresh_is_what_was_signed_within_five_minutes():
    assert is_fresh(samples.NOW, samples.NOW)
    assert not is_fresh(None, samples.NOW)
    assert not is_fresh(samples.NOW, samples.NOW + dt.timedelta(minutes=5, seconds=1))
    assert is_fresh(samples.NOW, samples.NOW + dt.timedelta(minutes=30), past=dt.timedelta(hours=1))


@given(st.text(), st.text(alphabet=st.characters(codec="utf-8")))
def test_secrets_agree_when_they_are_the_same(given_, expected):
    assert agrees(given_, expected) is (given_ == expected)


@given(st.text())
def test_no_header_is_taken_for_a_secret(header):
    assert not is_basic(header, username="postmark", password="a-long-password")
    assert not is_bearer(header, "a-long-token")


@given(JSON)
def test_whatever_json_stands_there_is_read_as_what_was_expected_or_as_nothing(value):
    body = json.dumps({"a": value, "b": [value]}).encode()
    told = reading.parsed(body)

    assert isinstance(reading.text(told, "a"), str)
    assert isinstance(reading.text(told, "a", "b"), str)
    assert isinstance(reading.items(told, "a"), list)
    assert reading.items(told, "b") != []
    for read in (reading.epoch, reading.instant):
        found = read(told, "a")
        assert found is None or found.utcoffset() == dt.timedelta(0)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"[" * 200_000, b"nul", b"{'a': 1}"], ids=lambda body: str(body[:9])
)
def test_what_is_no_json_is_said_to_be_none(body):
    with pytest.raises(InvalidInput, match="the body is no JSON"):
        reading.parsed(body)


def test_instants_are_read_in_seconds_milliseconds_and_words():
    assert reading.epoch({"t": 1796112000}, "t") == reading.epoch({"t": "1796112000"}, "t") == samples.NOW
    assert reading.epoch({"t": 1796112000000}, "t") == samples.NOW
    assert reading.epoch({"t": True}, "t") is None
    assert reading.epoch({"t": "1e300"}, "t") is None
    assert reading.instant({"t": "2026-12-01T09:00:00+01:00"}, "t") == samples.NOW
    assert reading.instant({"t": "2026-12-01T08:00:00"}, "t") == samples.NOW
    assert reading.instant({"t": "0001-01-01T00:00:00+14:00"}, "t") is None


def test_an_enhanced_code_is_read_only_as_one():
    assert reading.enhanced({"s": " 5.1.1 "}, "s") == "5.1.1"
    for wrong in ("", "5.1", "5.1.1 no such user", "x", 511, "3.1.1"):
        assert reading.enhanced({"s": wrong}, "s") == ""


@pytest.mark.parametrize(
    ("meaning", "status", "words", "expected"),
    [
        (HARD, "", "", HARD),
        (HARD, "5.1.1", "", HARD),
        (HARD, "", "550 no such user here", HARD),
        (HARD, "", "550 cannot say why", HARD),
        (HARD, "5.7.1", "", Meaning(kind=Kind.BLOCKED, cause=Cause.SENDER)),
        (HARD, "5.2.2", "", Meaning(kind=Kind.SOFT, cause=Cause.FULL)),
        (SOFT, "5.1.1", "550 5.1.1 no such user", SOFT),
        (SOFT, "", "554 5.7.1 on a blocklist", Meaning(kind=Kind.BLOCKED, cause=Cause.SENDER)),
        (Meaning(kind=Kind.COMPLAINT), "5.7.1", "spam", Meaning(kind=Kind.COMPLAINT)),
        (Meaning(kind=Kind.SOFT, cause=Cause.FULL), "5.7.1", "", Meaning(kind=Kind.SOFT, cause=Cause.FULL)),
    ],
)
def test_our_table_decides_where_the_server_explained_itself(meaning, status, words, expected):
    assert came_back(meaning, status=status, words=words) == expected


@given(JSON)
def test_no_request_that_is_proven_does_harm(value):
    body = json.dumps(value).encode()
    basic = samples.postmark().headers
    for provider, headers in (
        (Brevo(samples.TOKEN), {"authorization": f"Bearer {samples.TOKEN}"}),
        (Postmark(username=samples.USERNAME, password=samples.PASSWORD), basic),
    ):
        heard = provider.hear(Post(headers=headers, body=body, at=samples.NOW))
        assert all(report.id for report in heard.reports)
    mailgun = samples.mailgun(**{"message": value, "delivery-status": value, "recipient": value})
    assert len(Mailgun(samples.SIGNING_KEY).hear(Post(headers={}, body=mailgun.body, at=samples.NOW)).reports) == 1
    told = samples.sns({"notificationType": "Bounce", "bounce": {"bouncedRecipients": [value]}, "mail": value})
    ses = Ses(topics=[samples.TOPIC], certificate=lambda _url: samples.certificate())
    assert len(ses.hear(Post(headers={}, body=told.body, at=samples.NOW)).reports) == 1
