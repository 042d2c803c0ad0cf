"""
OAuth 2 for mail accounts: large providers take no password over SMTP and IMAP, but an access token.

Takes what an administrator was given for an account (see `docs/oauth2.md`); yields access tokens and the octets in
which SASL bears them. Promises that one token is asked for at a time, whatever the number of connections, that it is
used as long as it lasts, and that no secret and no token stands in a message.
"""

import base64
import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from newsletter.errors import NewsletterError

TIMEOUT: Final = 10.0
"""Seconds for each step of a request: a token server answers at once, or something is in the way."""

MARGIN: Final = 60.0
"""Seconds before its end at which a token is used no more: one that ends on the way would be refused."""

SHORTEST: Final = 300.0
"""Seconds that a token is taken to last where the server does not say (RFC 6749 §5.1)."""

PATIENCE: Final = 5.0
"""Seconds for which a refusal holds: connections that wait for the same token do not ask one after another."""

_LONGEST: Final = 300


class Account(Protocol):
    """
    What the token server knows us by (RFC 6749 §2.3.1).

    With a refresh token it is used (§6), and the client secret where there is one; without, the client secret alone is
    (client credentials, §4.4).
    """

    @property
    def token_url(self) -> str | None:
        """Where tokens are given."""
        ...

    @property
    def client_id(self) -> str | None:
        """The name under which the program is registered."""
        ...

    @property
    def client_secret(self) -> SecretStr | None:
        """The secret of the registration."""
        ...

    @property
    def refresh_token(self) -> SecretStr | None:
        """What the owner of the mailbox has allowed."""
        ...

    @property
    def scope(self) -> str | None:
        """What is asked for."""
        ...


class OauthFault(NewsletterError):  # noqa: N818  reads as what happened
    """The token server gives no access token."""


class Oauth:
    """The access tokens of one account; safe to ask from several threads."""

    def __init__(self, account: Account, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._account = account
        self._clock = clock
        self._lock = threading.Lock()
        self._refresh = account.refresh_token
        self._token = ""
        self._ends = 0.0
        self._fault: OauthFault | None = None
        self._faulty_until = 0.0

    def access_token(self, *, refused: str | None = None) -> str:
        """
        Return an access token that is good for another minute at least; waits for the token server at most seconds.

        `refused` is a token that the mail server did not take: it is not given again.
        Raises OauthFault with what the token server says.
        """
        with self._lock:
            now = self._clock()
            if self._token and self._token != refused and now < self._ends:
                return self._token
            if self._fault is not None and now < self._faulty_until:
                raise self._fault
            try:
                self._take(_asked(self._account, self._refresh), now)
            except OauthFault as fault:
                self._fault, self._faulty_until = fault, self._clock() + PATIENCE
                raise
            self._fault = None
            return self._token

    def _take(self, answer: Mapping[str, Any], now: float) -> None:
        token, kind = answer.get("access_token"), str(answer.get("token_type", "bearer"))
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise OauthFault(f"{self._host} answers without an access token")
        if kind.lower() != "bearer":
            raise OauthFault(
                f"{self._host} gives a token of the kind {_clean(kind)!r}; mail servers take bearer tokens"
            )
        self._token, self._ends = token, now + max(0.0, _seconds(answer.get("expires_in")) - MARGIN)
        if isinstance(renewed := answer.get("refresh_token"), str) and renewed:
            self._refresh = SecretStr(renewed)  # RFC 6749 §6: it may take the place of the one before

    @property
    def _host(self) -> str:
        return host_of(self._account)


def host_of(account: Account) -> str:
    """The name of the server that gives the tokens."""
    return urlsplit(account.token_url or "").hostname or "the token server"


def xoauth2(user: str, token: str) -> bytes:
    """What a client says first in SASL XOAUTH2, before base64 (the providers' own mechanism, in no RFC)."""
    return b"\x01".join((f"user={_plain(user)}".encode(), f"auth=Bearer {token}".encode(), b"", b""))


def oauthbearer(user: str, token: str, *, host: str, port: int) -> bytes:
    """What a client says first in SASL OAUTHBEARER, before base64 (RFC 7628 §3.1, the name as RFC 5801 §4 has it)."""
    name = _plain(user).replace("=", "=3D").replace(",", "=2C")
    parts = (f"n,a={name},", f"host={host}", f"port={port}", f"auth=Bearer {token}", "", "")
    return b"\x01".join(part.encode() for part in parts)


def refusal(challenge: bytes | str) -> str:
    """
    Say in words what a server means by the challenge with which it refuses a token: base64 of a JSON object.

    RFC 7628 §3.2.2 has `status`, `schemes` and `scope`; what cannot be read is "" .
    """
    try:
        said = json.loads(base64.b64decode(challenge, validate=True))
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    return _clean(", ".join(f"{key} {said[key]}" for key in ("status", "scope", "error") if said.get(key)))


def _asked(account: Account, refresh: SecretStr | None) -> Mapping[str, Any]:
    import httpx

    form = {"client_id": account.client_id or ""}
    if account.client_secret is not None:
        form["client_secret"] = account.client_secret.get_secret_value()
    if refresh is not None:
        form |= {"grant_type": "refresh_token", "refresh_token": refresh.get_secret_value()}
    else:
        form["grant_type"] = "client_credentials"
    if account.scope is not None:
        form["scope"] = account.scope
    host = host_of(account)
    try:
        answer = httpx.post(account.token_url or "", data=form, headers={"Accept": "application/json"}, timeout=TIMEOUT)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OauthFault(f"{host} cannot be asked for a token: {_clean(str(error)) or type(error).__name__}") from None
    try:
        said = answer.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise OauthFault(f"{host} answers {answer.status_code} and no JSON: is NEWSLETTER_…__OAUTH__TOKEN_URL right?")
    if answer.status_code != httpx.codes.OK:
        raise OauthFault(f"{host} refuses a token: {_refused(said, answer.status_code)}")
    return said


def _seconds(lasts: object) -> float:
    """How long a token lasts; some servers write the number as text."""
    try:
        seconds = float(str(lasts))
    except ValueError:
        return SHORTEST
    return seconds if math.isfinite(seconds) else SHORTEST


def _refused(said: Mapping[str, Any], status: int) -> str:
    """What a token server says of its refusal (RFC 6749 §5.2), and what to do where that is known."""
    code = str(said.get("error", status))
    words = _clean(f"{code}: {said['error_description']}" if said.get("error_description") else code)
    advice = _ADVICE.get(code)
    return f"{words} ({advice})" if advice else words


_ADVICE: Final = {
    "invalid_grant": "the refresh token has ended or was taken back: make a new one",
    "invalid_client": "the client id or secret is wrong, or has ended",
    "invalid_scope": "correct the scope",
    "unauthorized_client": "the registration may not ask in this way",
}


def _clean(text: str) -> str:
    """Text from outside, on one line and not too long."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:_LONGEST]


def _plain(user: str) -> str:
    if not user.isprintable():
        raise ValueError("the user name contains a control character")
    return user
