"""The bounce mailbox, over real IMAP."""

import socket
import threading

import pytest
import structlog
from integration.dovecot import PASSWORD, Dovecot, dovecot
from integration.feedback_scene import Scene
from integration.token_server import CLIENT, REFRESH, USER, TokenServer
from unit.newsletter.feedback.corpus import CORPUS

from newsletter.errors import ConfigurationFault, MailboxFault
from newsletter.feedback.imap import by_token, visit
from newsletter.oauth import Oauth
from newsletter.settings import BounceSettings, ImapSettings, OauthSettings, Settings, Tls
from subscribers.models import SuppressionReason

MESSAGE = b"From: a@lakes.example\r\nSubject: one\r\n\r\nHello.\r\n"


@pytest.fixture(scope="module")
def running():
    with dovecot() as server:
        yield server


@pytest.fixture
def server(running: Dovecot):
    """The server with an empty mailbox."""
    running.empty()
    return running


def account(server: Dovecot, **values) -> ImapSettings:
    plain = {
        "host": "localhost",
        "port": server.implicit,
        "username": "bounces",
        "password": PASSWORD,
        "ca_file": server.authority,
    }
    return ImapSettings(**{**plain, **values})


@pytest.fixture
def tokens():
    server = TokenServer()
    yield server
    server.close()


def token_account(server: Dovecot, tokens: TokenServer, **values) -> ImapSettings:
    oauth = OauthSettings(token_url=tokens.url, **CLIENT, refresh_token=REFRESH)
    return account(server, username=USER, password=None, oauth=oauth, **values)


def test_a_mailbox_that_takes_no_password_is_read_with_a_token(tokens: TokenServer, chosen_engine):
    with dovecot(introspection=tokens.url.replace("/token", "/introspect")) as server:
        server.put(MESSAGE)
        settings = token_account(server, tokens)
        oauth = Oauth(settings.oauth)
        assert visit(settings, lambda _: True, authenticate=by_token(settings, oauth)) == (1, 0)

        tokens.valid.clear()
        server.put(MESSAGE)
        assert visit(settings, lambda _: True, authenticate=by_token(settings, oauth)) == (1, 0), "by a new token"

        server.put(MESSAGE)
        scene = Scene(chosen_engine, Settings(bounce=BounceSettings(imap=settings)))
        assert scene.feedback.fetch().messages == 1


def test_a_token_that_is_not_to_be_had_is_said(tokens: TokenServer, server: Dovecot):
    tokens.refresh = "revoked"
    settings = token_account(server, tokens)
    with pytest.raises(MailboxFault, match="Token has been expired or revoked"):
        visit(settings, lambda _: True, authenticate=by_token(settings, Oauth(settings.oauth)))


def test_a_password_and_a_token_are_one_too_many(tokens: TokenServer, server: Dovecot):
    oauth = OauthSettings(token_url=tokens.url, **CLIENT)
    with pytest.raises(ValueError, match="takes one of them"):
        account(server, oauth=oauth)
    with pytest.raises(ValueError, match="oauth needs tls"):
        account(server, oauth=oauth, password=None, tls=Tls.NONE)


def test_what_was_understood_and_what_was_not_end_in_folders_of_their_own(server: Dovecot):
    server.put(MESSAGE, MESSAGE.replace(b"one", b"two"), MESSAGE)
    taken = []

    done = visit(account(server), lambda octets: not taken.append(octets) and b"one" in octets)

    assert taken[0] == MESSAGE
    assert done == (2, 1)
    assert (server.count("INBOX"), server.count("Processed"), server.count("Not understood")) == (0, 2, 1)


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.NONE])
def test_other_ways_to_the_server_lead_there_as_well(server: Dovecot, tls: Tls):
    server.put(MESSAGE)

    assert visit(account(server, tls=tls, port=server.plain), lambda _: True) == (1, 0)


def test_a_bounce_in_the_mailbox_ends_the_mail_to_its_address_once(server: Dovecot, chosen_engine):
    scene = Scene(chosen_engine, Settings(bounce=BounceSettings(domain="bounce.rivers.example", imap=account(server))))
    bounce = next(one for one in CORPUS if one.label == "gmail: no account")
    octets = bounce.octets(scene.name(scene.delivery("2026-12")))
    server.put(octets, octets, b"Subject: hello\r\n\r\n")

    intake = scene.feedback.fetch()

    assert (intake.messages, intake.failed, intake.absorbed.new, intake.absorbed.known) == (3, 1, 1, 1)
    assert scene.suppression() is SuppressionReason.HARD_BOUNCE
    assert (server.count("Processed"), server.count("Not understood")) == (2, 1)
    server.put(b"Subject: hello\r\n\r\n")
    scene.feedback.look()
    assert server.count("Not understood") == 2


def test_a_message_whose_move_was_lost_is_read_again_and_changes_nothing(server: Dovecot, chosen_engine):
    scene = Scene(chosen_engine, Settings(bounce=BounceSettings(imap=account(server))))
    server.put(CORPUS[0].octets(scene.name(scene.delivery("2026-12"))))

    def absorb_and_die(octets: bytes) -> bool:
        scene.feedback.receive(octets)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        visit(account(server), absorb_and_die)
    assert server.count("INBOX") == 1

    intake = scene.feedback.fetch()

    assert (intake.absorbed.new, intake.absorbed.known) == (0, 1)
    assert (server.count("INBOX"), server.count("Processed")) == (0, 1)


def test_a_server_may_number_its_messages_anew(server: Dovecot):
    server.put(MESSAGE)
    visit(account(server), lambda _: True)
    server.put(MESSAGE)
    server.renumber()

    assert visit(account(server), lambda _: True) == (1, 0)
    assert server.count("INBOX") == 0


def test_reading_leaves_no_mark_on_what_is_left(server: Dovecot):
    server.put(MESSAGE)

    def refuse(_octets: bytes) -> bool:
        raise RuntimeError("the database is away")

    with pytest.raises(RuntimeError):
        visit(account(server), refuse)

    assert b"Seen" not in server.flags("INBOX")[0]


def test_no_more_of_a_message_is_fetched_than_shows_that_it_is_too_big(server: Dovecot):
    server.put(MESSAGE + b"x" * 3_000_000)
    sizes = []

    visit(account(server), lambda octets: bool(sizes.append(len(octets))))

    assert sizes == [1_048_577]
    assert server.count("Not understood") == 1


def test_a_refused_login_says_so_without_the_password(server: Dovecot):
    with pytest.raises(MailboxFault, match="refuses the login") as caught:
        visit(account(server, password="wrong and secret"), lambda _: True)

    assert "secret" not in str(caught.value)


def test_a_server_that_nobody_vouches_for_is_told_nothing(server: Dovecot):
    with pytest.raises(MailboxFault, match=r"cannot be reached.*certificate"):
        visit(account(server, ca_file=None), lambda _: True)


def test_a_folder_that_is_not_there_is_named(server: Dovecot):
    with pytest.raises(MailboxFault, match="has no folder 'Bounces'"):
        visit(account(server, folder="Bounces"), lambda _: True)


def test_another_way_to_log_in_can_be_given(server: Dovecot):
    server.put(MESSAGE)

    done = visit(
        account(server, password=None), lambda _: True, authenticate=lambda box: box.login("bounces", PASSWORD, None)
    )

    assert done == (1, 0)


def test_a_server_that_is_not_there_is_a_fault_with_a_name():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    with pytest.raises(MailboxFault, match=f"127.0.0.1:{port} cannot be reached"):
        visit(ImapSettings(host="127.0.0.1", port=port, username="bounces", tls=Tls.NONE), lambda _: True)


def test_a_server_that_breaks_off_is_a_fault_with_a_name():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def serve():
            client, _ = listening.accept()
            with client:
                client.sendall(b"* OK here\r\n")
                tag = client.recv(999).split()[0]
                client.sendall(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n")
                client.recv(999)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(MailboxFault, match="broke off"):
            visit(ImapSettings(host="127.0.0.1", port=port, username="bounces", tls=Tls.NONE), lambda _: True)
        thread.join()


def test_without_a_mailbox_fetching_says_what_to_set(chosen_engine):
    scene = Scene(chosen_engine)

    scene.feedback.look()  # the scheduler looks whether there is one or not
    with pytest.raises(ConfigurationFault, match="NEWSLETTER_BOUNCE__IMAP__HOST"):
        scene.feedback.fetch()


def test_a_mailbox_that_is_away_does_not_stop_the_scheduler(chosen_engine):
    away = ImapSettings(host="127.0.0.1", port=1, username="bounces", tls=Tls.NONE)

    with structlog.testing.capture_logs() as told:
        Scene(chosen_engine, Settings(bounce=BounceSettings(imap=away))).feedback.look()
    assert [entry["event"] for entry in told] == ["mailbox not read"]
