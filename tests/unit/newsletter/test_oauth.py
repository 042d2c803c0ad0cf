"""What SASL says with a token; `tests/integration/test_oauth.py` gets tokens from a server."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import ConfigurationFault
from newsletter.oauth import host_of, oauthbearer, refusal, xoauth2
from newsletter.settings import OauthSettings, SmtpSettings, load

WHOLE = {"token_url": "https://login.example/token", "client_id": "x", "client_secret": "hush"}


def test_xoauth2_is_what_the_providers_show():
    # The example of Google's page on the XOAUTH2 mechanism.
    said = xoauth2("someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg")
    assert base64.b64encode(said) == (
        b"dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
    )


def test_oauthbearer_is_what_the_rfc_shows():
    # RFC 7628 §4.1.
    said = oauthbearer(
        "user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", host="server.example.com", port=143
    )
    assert base64.b64encode(said) == (
        b"bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
    )


def test_commas_and_equals_signs_in_a_name_are_written_as_rfc_5801_has_it():
    assert oauthbearer("a=b,c", "t", host="h", port=1).startswith(b"n,a=a=3Db=2Cc,\x01")


@pytest.mark.parametrize("say", [xoauth2, lambda user, token: oauthbearer(user, token, host="h", port=1)])
def test_a_name_cannot_say_more_than_a_name(say):
    with pytest.raises(ValueError, match="control character"):
        say("a\x01auth=Bearer other", "t")


def test_a_challenge_says_why_a_token_is_refused():
    # RFC 7628 §4.3.
    challenge = b"eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3Njb3BlIiwib3BlbmlkLWNvbmZpZ3VyYXRpb24iOiJodHRwczovL2V4YW1wbGUuY29tLy53ZWxsLWtub3duL29wZW5pZC1jb25maWd1cmF0aW9uIn0="
    assert refusal(challenge) == "status invalid_token, scope example_scope"
    assert refusal(base64.b64encode(json.dumps({"status": "401", "schemes": "bearer"}).encode())) == "status 401"


@given(
    st.binary()
    | st.text()
    | st.recursive(st.none() | st.text(), st.lists).map(lambda x: base64.b64encode(json.dumps(x).encode()))
)
def test_a_challenge_that_cannot_be_read_says_nothing_and_breaks_nothing(challenge):
    assert refusal(challenge).isprintable()


def test_the_host_is_that_of_the_token_server():
    assert host_of(OauthSettings(**WHOLE)) == "login.example"
    assert host_of(OauthSettings()) == "the token server"


def test_no_oauth_is_the_default():
    assert not SmtpSettings().oauth.is_set


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"CLIENT_ID": "x"}, "NEWSLETTER_SMTP__OAUTH: token_url is missing"),
        ({"TOKEN_URL": "https://login.example/t"}, "NEWSLETTER_SMTP__OAUTH: client_id is missing"),
        (
            {"TOKEN_URL": "https://login.example/t", "CLIENT_ID": "x"},
            "NEWSLETTER_SMTP__OAUTH: set client_secret or refresh_token, or both",
        ),
        ({"TOKEN_URL": "http://login.example/t"}, "NEWSLETTER_SMTP__OAUTH__TOKEN_URL: .*match pattern"),
        ({"TOKEN_URL": "http://localhost.example/t"}, "NEWSLETTER_SMTP__OAUTH__TOKEN_URL: .*match pattern"),
    ],
)
def test_half_of_oauth_is_an_error_that_says_what_is_missing(monkeypatch, given, words):
    for name, value in given.items():
        monkeypatch.setenv(f"NEWSLETTER_SMTP__OAUTH__{name}", value)
    with pytest.raises(ConfigurationFault, match=f"^{words}"):
        load()


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({}, "oauth needs a username"),
        ({"username": "a", "password": "b"}, "both password and oauth are set"),
        ({"username": "a", "tls": "none"}, "oauth needs tls"),
    ],
)
def test_what_does_not_go_with_oauth_is_an_error(others, words):
    with pytest.raises(ConfigurationFault, match=f"^NEWSLETTER_SMTP: {words}"):
        load(smtp={"oauth": WHOLE, **others})


def test_every_relay_may_have_its_own_and_no_secret_shows():
    settings = load(
        relays=[
            {"name": "north", "username": "a", "oauth": WHOLE},
            {"name": "south", "username": "b", "oauth": {**WHOLE, "refresh_token": "hushed"}},
        ]
    )
    assert [relay.oauth.is_set for relay in settings.outlets] == [True, True]
    assert "hush" not in f"{settings!r} {settings.model_dump(mode='json')}"
