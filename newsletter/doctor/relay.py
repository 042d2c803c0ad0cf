"""
The relay, as far as it can be known without sending a message.

Takes the relay's settings; yields `RelayFacts` by greeting it, securing the connection and logging in, and checks by
judging them. Sends no message. It uses the standard library's client: nothing here has to be fast, and a second opinion
about a relay is worth more than the same one twice.
"""

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from newsletter.doctor.check import Check, error, ok, warning
from newsletter.oauth import Oauth, OauthFault, host_of, oauthbearer, xoauth2
from newsletter.settings import SmtpSettings, Tls

TIMEOUT: Final = 10.0
"""Seconds for each answer: a relay that takes longer to greet is down, or keeps us waiting on purpose."""

SMALLEST: Final = 200_000
"""Octets that a relay has to take: an edition may have 95 kB, and its headers."""

WANTED: Final = {
    "pipelining": "without PIPELINING a message takes four round trips instead of one",
    "size": "without SIZE a message that is too large is refused only when it has been sent",
    "8bitmime": "without 8BITMIME nothing is lost: what is sent has seven bits",
    "smtputf8": "without SMTPUTF8 addresses whose part before the @ is not ASCII cannot be written to",
}
"""Extensions of SMTP that are made use of, and what their lack means."""

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayFacts:
    """
    What was seen of a relay.

    `failed` says in words what went wrong at which step ("connect", "tls", "token", "auth"), both "" where nothing did.
    `extensions` has the parameters of each extension by its name in small letters, as announced on the secured
    connection; `tls` the version in use, "" for none; `has_authenticated` is True where a login was asked for and done.
    """

    step: str = ""
    failed: str = ""
    extensions: Mapping[str, str] = field(default_factory=dict)
    tls: str = ""
    has_authenticated: bool = False


Probe = Callable[[SmtpSettings], RelayFacts]
"""Looks at a relay."""


def probe(settings: SmtpSettings) -> RelayFacts:
    """Look at a relay; never raises for what it or the network does."""
    step, client = "connect", None
    try:
        client = _connected(settings)
        step = "tls"
        if settings.security is Tls.STARTTLS:
            client.starttls(context=_context(settings))
        client.ehlo()
        step = "auth"
        if settings.oauth.is_set:
            _bear_token(client, settings)
        elif settings.username:
            client.login(settings.username, settings.password.get_secret_value() if settings.password else "")
        return _seen(client, settings)
    except OauthFault as fault:
        return RelayFacts(step="token", failed=str(fault))
    except (smtplib.SMTPException, OSError, ValueError) as fault:
        step = "tls" if isinstance(fault, ssl.SSLError) else step
        return RelayFacts(step=step, failed=" ".join(_words(fault).split()))
    finally:
        if client is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.quit()


def check_relay(settings: SmtpSettings, facts: RelayFacts) -> Iterator[Check]:
    """Judge a relay."""
    name = f"{settings.host}:{settings.port}"
    if facts.step == "connect":
        yield error(
            "relay", f"{name} does not answer: {facts.failed}", "Correct NEWSLETTER_SMTP__HOST and __PORT, or start it."
        )
        return
    yield ok("relay", f"{name} answers")
    yield _secured(settings, facts)
    if settings.oauth.is_set and facts.step != "tls":
        yield _allowed(settings, facts)
    if facts.step not in {"tls", "token"}:
        yield _authenticated(settings, facts)
    if not facts.step:
        yield from _announced(facts)


def is_local(host: str) -> bool:
    """Whether a host is this machine."""
    return host.lower() in LOOPBACK


def _connected(settings: SmtpSettings) -> smtplib.SMTP:
    # Without a name of our own smtplib asks the DNS for one, which may take long.
    hello = settings.hello or socket.gethostname()
    if settings.security is Tls.IMPLICIT:
        return smtplib.SMTP_SSL(settings.host, settings.port, hello, timeout=TIMEOUT, context=_context(settings))
    return smtplib.SMTP(settings.host, settings.port, hello, timeout=TIMEOUT)


def _context(settings: SmtpSettings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=settings.ca_file)


def _bear_token(client: smtplib.SMTP, settings: SmtpSettings) -> None:
    token, user = Oauth(settings.oauth).access_token(), settings.username or ""
    if "XOAUTH2" in client.esmtp_features.get("auth", "").upper().split():
        first, last = xoauth2(user, token).decode(), ""
        mechanism = "XOAUTH2"
    else:
        first, last = oauthbearer(user, token, host=settings.host, port=settings.port).decode(), "\x01"
        mechanism = "OAUTHBEARER"
    client.auth(mechanism, lambda challenge=None: first if challenge is None else last)


def _seen(client: smtplib.SMTP, settings: SmtpSettings) -> RelayFacts:
    version = client.sock.version() if isinstance(client.sock, ssl.SSLSocket) else None
    return RelayFacts(
        extensions={name.lower(): value for name, value in client.esmtp_features.items()},
        tls=version or "",
        has_authenticated=bool(settings.username),
    )


def _words(fault: Exception) -> str:
    if isinstance(fault, smtplib.SMTPResponseException):
        said = fault.smtp_error
        return f"{fault.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    return str(fault) or type(fault).__name__


def _secured(settings: SmtpSettings, facts: RelayFacts) -> Check:
    if facts.step == "tls":
        return error(
            "relay-tls",
            f"the connection cannot be secured: {facts.failed}",
            "Look at NEWSLETTER_SMTP__TLS and __CA_FILE: port 465 wants implicit, port 587 starttls.",
        )
    if facts.tls:
        return ok("relay-tls", f"the connection is secured by {facts.tls}")
    if settings.security is Tls.NONE and not is_local(settings.host):
        return warning(
            "relay-tls",
            "the connection is not secured: whoever is on the way can read addresses and messages",
            "Set NEWSLETTER_SMTP__TLS to starttls or implicit.",
        )
    return ok("relay-tls", "the connection does not leave this machine" if not facts.step else "not secured")


def _allowed(settings: SmtpSettings, facts: RelayFacts) -> Check:
    if facts.step == "token":
        return error(
            "relay-oauth",
            f"no access token can be had: {facts.failed}",
            "Look at NEWSLETTER_SMTP__OAUTH; docs/oauth2.md says where its values come from.",
        )
    return ok("relay-oauth", f"{host_of(settings.oauth)} gives access tokens")


def _authenticated(settings: SmtpSettings, facts: RelayFacts) -> Check:
    if facts.step == "auth":
        return error(
            "relay-auth",
            f"the relay does not let {settings.username} in: {facts.failed}",
            f"Correct NEWSLETTER_SMTP__USERNAME and {'__OAUTH' if settings.oauth.is_set else '__PASSWORD'}.",
        )
    if facts.has_authenticated:
        return ok("relay-auth", f"the relay lets {settings.username} in")
    return ok("relay-auth", "no user name is set: the relay has to know this machine")


def _announced(facts: RelayFacts) -> Iterator[Check]:
    announced = [name.upper() for name in WANTED if name in facts.extensions]
    lacking = [use for name, use in WANTED.items() if name not in facts.extensions]
    advice = f"Know that {'; '.join(lacking)}." if lacking else ""
    yield ok("relay-extensions", f"the relay announces {', '.join(announced) or 'none that is made use of'}", advice)
    size = facts.extensions.get("size", "").strip()
    if size.isdigit() and 0 < int(size) < SMALLEST:
        yield error(
            "relay-size",
            f"the relay takes no message larger than {int(size) / 1000:,.0f} kB",
            f"Ask for a limit of {SMALLEST // 1000} kB at least.",
        )
