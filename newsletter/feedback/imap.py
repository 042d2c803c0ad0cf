"""
The mailbox that bounces come to, read over IMAP (RFC 9051, RFC 3501).

Takes its settings and what absorbs one message; yields how many were understood. Promises that a message is moved only
after it was absorbed, so that one whose move is lost is absorbed again, which changes nothing; that only what lies in
the one folder is touched; and that nothing is remembered between two visits, so that a server may number its messages
anew (UIDVALIDITY) whenever it likes.
"""

import imaplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxLoginError

from newsletter.errors import ConfigurationFault, MailboxFault
from newsletter.feedback.opened import MOST_OCTETS
from newsletter.oauth import Oauth, OauthFault
from newsletter.settings import ImapSettings, Tls
from subscribers.address import masked

SECONDS: Final = 60
"""How long the server may be silent."""

BATCH: Final = 50
"""Messages that are absorbed before they are moved together."""

MOST: Final = 5_000
"""Messages of one visit: the next one goes on."""

Take = Callable[[bytes], bool]
"""Absorbs one message and says whether it was understood; everything is committed when it returns."""

Authenticate = Callable[[BaseMailBox], object]
"""Logs in to the mailbox, by password or otherwise."""


class Visit(NamedTuple):
    """How many messages were understood and how many were not."""

    done: int = 0
    failed: int = 0


def by_password(settings: ImapSettings) -> Authenticate:
    """Log in with user name and password; the server's own words about a refusal name no password."""
    password = settings.password.get_secret_value() if settings.password else ""
    return lambda mailbox: mailbox.login(settings.username or "", password, initial_folder=None)


def by_token(settings: ImapSettings, oauth: Oauth) -> Authenticate:
    """
    Log in with an access token (SASL XOAUTH2); with a new one where the server does not take the first.

    Raises MailboxFault where none is to be had.
    """
    user = settings.username or ""

    def authenticate(mailbox: BaseMailBox) -> None:
        try:
            token = oauth.access_token()
            try:
                mailbox.xoauth2(user, token, initial_folder=None)
            except imaplib.IMAP4.abort:
                raise
            except (imaplib.IMAP4.error, MailboxLoginError):  # imaplib raises its own for a NO to AUTHENTICATE
                mailbox.xoauth2(user, oauth.access_token(refused=token), initial_folder=None)
        except OauthFault as fault:
            raise MailboxFault(f"the mailbox at {settings.host}:{settings.number}: {fault}") from fault

    return authenticate


def visit(settings: ImapSettings, take: Take, *, authenticate: Authenticate | None = None) -> Visit:
    """
    Absorb what lies in the mailbox and move it: to one folder what was understood, to another what was not.

    Raises MailboxFault where the server cannot be reached, refuses us or breaks off; what was absorbed stays so.
    """
    if settings.host is None:
        raise ConfigurationFault("NEWSLETTER_BOUNCE__IMAP__HOST: no mailbox is set")
    done = failed = 0
    with _opened(settings, authenticate or by_password(settings)) as mailbox:
        waiting = _uids(mailbox)[:MOST]
        for start in range(0, len(waiting), BATCH):
            understood, puzzling = _taken(mailbox, waiting[start : start + BATCH], take)
            _move(mailbox, understood, settings.done)
            _move(mailbox, puzzling, settings.failed)
            done, failed = done + len(understood), failed + len(puzzling)
    return Visit(done, failed)


@contextmanager
def _opened(settings: ImapSettings, authenticate: Authenticate) -> Iterator[BaseMailBox]:
    """The mailbox with its folder selected; logged out in the end, also where that fails."""
    where = f"the mailbox at {settings.host}:{settings.number}"
    try:
        mailbox = _connected(settings)
    except (OSError, imaplib.IMAP4.error, ImapToolsError) as error:
        raise MailboxFault(f"{where} cannot be reached: {_said(error)}") from error
    try:
        authenticate(mailbox)
        _prepare(mailbox, settings)
        yield mailbox
    except MailboxLoginError as error:
        raise MailboxFault(f"{where} refuses the login: {_said(error)}") from error
    except MailboxFolderSelectError as error:
        raise MailboxFault(f"{where} has no folder {settings.folder!r}") from error
    except (OSError, imaplib.IMAP4.error, ImapToolsError) as error:
        raise MailboxFault(f"{where} broke off: {_said(error)}") from error
    finally:
        _part(mailbox)


def _connected(settings: ImapSettings) -> BaseMailBox:
    host = settings.host or ""
    if settings.tls is Tls.NONE:
        return MailBoxUnencrypted(host, settings.number, timeout=SECONDS)
    context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    kind = MailBox if settings.tls is Tls.IMPLICIT else MailBoxStartTls
    return kind(host, settings.number, timeout=SECONDS, ssl_context=context)


def _prepare(mailbox: BaseMailBox, settings: ImapSettings) -> None:
    for folder in (settings.done, settings.failed):
        if not mailbox.folder.exists(folder):
            mailbox.folder.create(folder)
    mailbox.folder.set(settings.folder)
    # Servers say only after the login what they can do, MOVE (RFC 6851) among it.
    _, told = mailbox.client.capability()
    mailbox.client.capabilities = tuple(told[-1].decode("ascii", "replace").upper().split())


def _uids(mailbox: BaseMailBox) -> list[str]:
    return list(mailbox.uids("UNDELETED"))


def _taken(mailbox: BaseMailBox, uids: Sequence[str], take: Take) -> tuple[list[str], list[str]]:
    """Absorb messages; says which were understood and which not. One that has gone meanwhile is neither."""
    understood, puzzling = list[str](), list[str]()
    for uid in uids:
        octets = _octets(mailbox, uid)
        if octets is not None:
            (understood if take(octets) else puzzling).append(uid)
    return understood, puzzling


def _octets(mailbox: BaseMailBox, uid: str) -> bytes | None:
    """One message, cut behind the size that is read; its flags stay as they are."""
    _, answer = mailbox.client.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MOST_OCTETS + 1}>)")
    parts: list[Any] = answer or []
    return next((bytes(part[1]) for part in parts if isinstance(part, tuple)), None)


def _move(mailbox: BaseMailBox, uids: Sequence[str], folder: str) -> None:
    if uids:
        mailbox.move(list(uids), folder)


def _part(mailbox: BaseMailBox) -> None:
    """Log out, which a server that has gone does not answer."""
    try:
        mailbox.logout()
    except (OSError, imaplib.IMAP4.error, ImapToolsError):
        mailbox.client.shutdown()


def _said(error: Exception) -> str:
    """What a server said, on one line; some name the account that they refuse."""
    words = masked(" ".join(str(error).split()))
    return "".join(char for char in words if char.isprintable())[:200] or type(error).__name__
