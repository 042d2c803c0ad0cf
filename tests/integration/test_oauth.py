"""Access tokens from a token server, and the relay that takes them instead of a password."""

import asyncio
import contextlib
import socket
import threading

import pytest
from integration.scripted import Authority
from integration.token_server import CLIENT, REFRESH, USER, TokenRelay, TokenServer

from newsletter.dispatch.outcome import Fault, Phase, Verdict
from newsletter.dispatch.relay import Envelope, RelayDown
from newsletter.dispatch.smtp import SmtpRelay
from newsletter.doctor.relay import check_relay, probe
from newsletter.oauth import Oauth, OauthFault
from newsletter.settings import OauthSettings, SmtpSettings, Tls


@pytest.fixture
def tokens():
    server = TokenServer()
    yield server
    server.close()


def account(tokens, **changes):
    return OauthSettings(**{"token_url": tokens.url, **CLIENT, "refresh_token": REFRESH, "scope": "mail", **changes})


class Clock:
    """Stands still until it is put forward."""

    now = 1000.0

    def __call__(self):
        return self.now


# Tokens


def test_a_refresh_token_gives_a_token_that_is_used_as_long_as_it_lasts(tokens):
    clock = Clock()
    oauth = Oauth(account(tokens), clock=clock)
    assert oauth.access_token() == oauth.access_token() == "ya29.token-1"
    assert tokens.asked == [{"grant_type": "refresh_token", "refresh_token": REFRESH, "scope": "mail", **CLIENT}]
    clock.now += 3600 - 60
    assert oauth.access_token() == "ya29.token-2"


def test_a_client_secret_alone_gives_a_token(tokens):
    oauth = Oauth(account(tokens, refresh_token=None, scope=None))
    assert oauth.access_token() == "ya29.token-1"
    assert tokens.asked == [{"grant_type": "client_credentials", **CLIENT}]


def test_a_registration_without_a_secret_has_the_refresh_token_alone(tokens):
    tokens.answers.append((200, {"access_token": "x"}))
    assert Oauth(account(tokens, client_secret=None, scope=None)).access_token() == "x"
    assert tokens.asked == [{"grant_type": "refresh_token", "refresh_token": REFRESH, "client_id": "newsletter"}]


def test_a_refresh_token_that_is_replaced_is_used_from_then_on(tokens):
    tokens.rotates, tokens.lasts = True, 0
    oauth = Oauth(account(tokens))
    assert [oauth.access_token() for _ in range(3)] == ["ya29.token-1", "ya29.token-2", "ya29.token-3"]
    assert [form["refresh_token"] for form in tokens.asked] == [REFRESH, f"{REFRESH}-1", f"{REFRESH}-2"]


def test_a_token_that_a_mail_server_refused_is_not_given_again(tokens):
    oauth = Oauth(account(tokens))
    first = oauth.access_token()
    second = oauth.access_token(refused=first)
    assert (first, second) == ("ya29.token-1", "ya29.token-2")
    assert oauth.access_token(refused=first) == second, "another connection has asked already"


def test_many_connections_ask_for_one_token(tokens):
    oauth = Oauth(account(tokens))
    given = []
    threads = [threading.Thread(target=lambda: given.append(oauth.access_token())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert given == ["ya29.token-1"] * 8
    assert len(tokens.asked) == 1


def test_many_connections_hear_of_one_refusal(tokens):
    clock = Clock()
    oauth = Oauth(account(tokens, refresh_token="taken back"), clock=clock)
    for _ in range(3):
        with pytest.raises(OauthFault):
            oauth.access_token()
    assert len(tokens.asked) == 1
    tokens.refresh = "taken back"
    clock.now += 6
    assert oauth.access_token() == "ya29.token-2"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"refresh_token": "taken back"},
            (
                "127.0.0.1 refuses a token: invalid_grant: Token has been expired or revoked. "
                "(the refresh token has ended or was taken back: make a new one)"
            ),
        ),
        (
            {"client_secret": "guess"},
            (
                "127.0.0.1 refuses a token: invalid_client: The client secret is not valid. "
                "(the client id or secret is wrong, or has ended)"
            ),
        ),
    ],
)
def test_a_refusal_says_what_the_token_server_says_and_no_secret(tokens, changes, words):
    with pytest.raises(OauthFault) as fault:
        Oauth(account(tokens, **changes)).access_token()
    assert str(fault.value) == words


@pytest.mark.parametrize(
    ("status", "said", "words"),
    [
        (200, b"<html>Sign in</html>", "answers 200 and no JSON"),
        (200, b"[]", "answers 200 and no JSON"),
        (404, b"not here", "answers 404 and no JSON"),
        (503, {"error": "temporarily_unavailable"}, "refuses a token: temporarily_unavailable$"),
        (500, {}, "refuses a token: 500"),
        (200, {"token_type": "Bearer"}, "without an access token"),
        (200, {"access_token": "a\x01b"}, "without an access token"),
        (200, {"access_token": ""}, "without an access token"),
        (200, {"access_token": "x", "token_type": "mac"}, "a token of the kind 'mac'"),
        (302, {"error": "moved"}, "refuses a token: moved"),
    ],
)
def test_an_answer_that_is_no_token_is_told(tokens, status, said, words):
    tokens.answers.append((status, said))
    with pytest.raises(OauthFault, match=words):
        Oauth(account(tokens)).access_token()


@pytest.mark.parametrize(
    ("lasts", "seconds"), [("3600", 3540), (None, 240), ("soon", 240), (float("inf"), 240), (30, 0)]
)
def test_a_token_lasts_as_long_as_is_said_and_five_minutes_where_nothing_is(tokens, lasts, seconds):
    clock = Clock()
    tokens.answers += [(200, {"access_token": name, "expires_in": lasts}) for name in ("a", "b")]
    oauth = Oauth(account(tokens), clock=clock)
    oauth.access_token()
    if seconds:
        clock.now += seconds - 1
        assert oauth.access_token() == "a"
        clock.now += 1
    assert oauth.access_token() == "b"


def test_a_token_server_that_is_away_is_named():
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/token"
    with pytest.raises(OauthFault, match=r"^127\.0\.0\.1 cannot be asked for a token: .*refused"):
        Oauth(OauthSettings(token_url=url, **CLIENT)).access_token()


# Mail


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))


@contextlib.contextmanager
def relaying(tokens, authority, **options):
    relay = TokenRelay(tokens, authority.context(), **options)
    relay.start()
    try:
        yield relay
    finally:
        relay.stop()


def settings(relay, tokens, authority, **changes):
    return SmtpSettings(
        host="127.0.0.1",
        port=relay.port,
        hello="client.example",
        username=USER,
        oauth=account(tokens, **changes),
        ca_file=authority.file,
        pipelining="off",
    )


AN_ENVELOPE = Envelope(
    sender="news@rivers.example",
    recipient="ada@lakes.example",
    needs_smtputf8=False,
    name="x1",
    pieces=(b"Subject: A\r\n\r\nB\r\n",),
)


def send(smtp, times=1):
    """The verdict of a message over each of so many connections."""

    async def talk():
        verdicts = []
        for _ in range(times):
            connection = await smtp.open()
            assert (await connection.turn(None, AN_ENVELOPE)).is_open
            verdicts.append((await connection.turn(AN_ENVELOPE, None)).content.verdict)
            await connection.close()
        return verdicts

    return asyncio.run(talk())


def refused(smtp):
    async def talk():
        with pytest.raises(RelayDown) as down:
            await smtp.open()
        return down.value.outcome

    return asyncio.run(talk())


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_relay_takes_a_message_from_whoever_bears_a_token(tokens, authority, mechanism):
    with relaying(tokens, authority, mechanisms=(mechanism,)) as relay:
        assert send(SmtpRelay(settings(relay, tokens, authority)), times=2) == [Verdict.ACCEPTED] * 2
    assert relay.tried == [(mechanism, "ya29.token-1")] * 2
    assert relay.taken == [["ada@lakes.example"]] * 2


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_token_that_was_taken_back_is_replaced_once(tokens, authority, mechanism):
    with relaying(tokens, authority, mechanisms=(mechanism,)) as relay:
        smtp = SmtpRelay(settings(relay, tokens, authority))
        send(smtp)
        tokens.valid.clear()
        assert send(smtp) == [Verdict.ACCEPTED]
    assert [token for _, token in relay.tried] == ["ya29.token-1", "ya29.token-1", "ya29.token-2"]
    assert relay.last_words == [True]


def test_a_relay_that_refuses_the_new_token_too_is_away_and_blames_no_recipient(tokens, authority):
    with relaying(tokens, authority) as relay:
        tokens.answers += [(200, {"access_token": name}) for name in ("not", "ours")]
        outcome = refused(SmtpRelay(settings(relay, tokens, authority)))
    assert (outcome.verdict, outcome.phase, outcome.fault) == (Verdict.NOT_SENT, Phase.AUTH, Fault.RELAY)
    assert outcome.reply.code == 535
    assert outcome.reply.text.endswith("Username and Password not accepted (status 401, scope https://mail.example/)")
    assert [token for _, token in relay.tried] == ["not", "ours"]
    assert relay.last_words == [True, True]


def test_without_a_token_the_relay_is_away_and_hears_nothing(tokens, authority):
    with relaying(tokens, authority) as relay:
        outcome = refused(SmtpRelay(settings(relay, tokens, authority, client_secret="guess")))
    assert (outcome.verdict, outcome.phase, outcome.fault) == (Verdict.NOT_SENT, Phase.AUTH, Fault.RELAY)
    assert "OauthFault: 127.0.0.1 refuses a token: invalid_client" in outcome.note
    assert "guess" not in outcome.note
    assert relay.tried == []


def test_a_relay_without_tokens_is_not_shown_one(tokens, authority):
    with relaying(tokens, authority, mechanisms=()) as relay:
        outcome = refused(SmtpRelay(settings(relay, tokens, authority)))
    assert "offers neither XOAUTH2 nor OAUTHBEARER" in outcome.note


# The doctor


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_the_doctor_says_that_a_token_can_be_had_and_is_taken(tokens, authority, mechanism):
    with relaying(tokens, authority, mechanisms=(mechanism,)) as relay:
        known = settings(relay, tokens, authority)
        checks = {check.code: check for check in check_relay(known, probe(known))}
    assert checks["relay-oauth"].words == "127.0.0.1 gives access tokens"
    assert checks["relay-auth"].words == f"the relay lets {USER} in"
    assert relay.tried == [(mechanism, "ya29.token-1")]


def test_the_doctor_says_why_there_is_no_token(tokens, authority):
    with relaying(tokens, authority) as relay:
        known = settings(relay, tokens, authority, refresh_token="taken back")
        *_, check = check_relay(known, probe(known))
    assert (check.code, check.status) == ("relay-oauth", "error")
    assert check.words.startswith("no access token can be had: 127.0.0.1 refuses a token: invalid_grant")


def test_the_doctor_says_that_a_token_is_refused(tokens, authority):
    with relaying(tokens, authority) as relay:
        tokens.answers.append((200, {"access_token": "not-ours"}))
        known = settings(relay, tokens, authority)
        checks = list(check_relay(known, probe(known)))
    assert [(check.code, check.status.value) for check in checks[-2:]] == [
        ("relay-oauth", "ok"),
        ("relay-auth", "error"),
    ]
    assert checks[-1].advice == "Correct NEWSLETTER_SMTP__USERNAME and __OAUTH."
    assert relay.last_words == [True]


def test_tls_is_what_a_name_and_a_token_come_with(tokens):
    assert SmtpSettings(username=USER, oauth=account(tokens)).security is Tls.STARTTLS
