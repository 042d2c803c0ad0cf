"""
The organisation's own provider of identities (OpenID Connect Core 1.0, authorization code flow with PKCE, RFC 7636).

Takes the registration and what the browser brings back; yields what the provider vouches for. Promises that nothing is
believed but a token that one of the provider's own keys has signed, with an asymmetric algorithm, for us, for this very
attempt and not long ago (OpenID Connect Core §3.1.3.7); and that an address counts only where it was verified.
"""

import datetime as dt
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken, UserInfo
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from newsletter.errors import NewsletterError
from newsletter.pipeline.login import Vouched
from newsletter.settings import OidcSettings

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")
"""Of signatures (RFC 7518 §3.1, RFC 9864): never `none`, and none whose key is a secret that we would share."""

TIMEOUT: Final = 10.0
"""Seconds for each step of a request."""

KEPT: Final = dt.timedelta(hours=1)
"""How long what the provider says about itself is believed without asking again."""

PATIENCE: Final = dt.timedelta(seconds=30)
"""Between two looks for a key that was not among the known ones: forged tokens name any."""

LEEWAY_SECONDS: Final = 60
"""By which the provider's clock may differ from ours."""

MOST_OCTETS: Final = 1_000_000
"""Of any answer."""


class ProviderFault(NewsletterError):  # noqa: N818  reads as what happened
    """The provider cannot be asked, or what it says cannot be believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What has to be remembered of an attempt while its owner is at the provider's, in their own browser."""

    state: str
    nonce: str
    verifier: str

    def packed(self) -> str:
        """The attempt as text."""
        return json.dumps(asdict(self), separators=(",", ":"))


def unpacked(text: str) -> Attempt:
    """An attempt from its text."""
    return Attempt(**json.loads(text))


class Provider:
    """Speaks with the provider; `back` is the address of ours to which it leads people back. Safe for threads."""

    def __init__(
        self,
        settings: OidcSettings,
        *,
        back: str,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._settings = settings
        self._back = back
        self._now = now
        self._lock = threading.Lock()
        self._about: Mapping[str, Any] = {}
        self._keys: KeySet | None = None
        self._asked: dt.datetime | None = None

    @property
    def host(self) -> str:
        """The provider's host, by which the audit log and the list of sessions call it."""
        return urlsplit(self._settings.issuer or "").hostname or ""

    def begin(self) -> tuple[str, Attempt]:
        """Begin an attempt: the address to lead its owner to, and what to remember meanwhile."""
        attempt = Attempt(
            state=secrets.token_urlsafe(32), nonce=secrets.token_urlsafe(32), verifier=secrets.token_urlsafe(48)
        )
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id or "",
            "redirect_uri": self._back,
            "scope": self._settings.scope,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": create_s256_code_challenge(attempt.verifier),
            "code_challenge_method": "S256",
        }
        address = self._told("authorization_endpoint")
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", attempt

    def finish(self, answer: Mapping[str, str], attempt: Attempt) -> Vouched:
        """Take the answer that a browser brings back; return whom the provider vouches for. Raises ProviderFault."""
        if not secrets.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise ProviderFault("the answer belongs to another attempt")
        if answer.get("iss", self._settings.issuer) != self._settings.issuer:  # RFC 9207
            raise ProviderFault("the answer comes from another provider")
        if "code" not in answer:
            raise ProviderFault(f"the provider refuses: {_plain(answer.get('error', 'no code'))}")
        told = self._exchange(answer["code"], attempt)
        claims = self._believed(str(told.get("id_token", "")), attempt, access_token=str(told.get("access_token", "")))
        about = claims if "email" in claims else {**claims, **self._userinfo(str(told.get("access_token", "")), claims)}
        return Vouched(
            issuer=str(claims["iss"]),
            subject=str(claims["sub"])[:255],
            email=_verified(about),
            full_name=_plain(str(about.get("name", ""))),
            host=self.host,
        )

    def _exchange(self, code: str, attempt: Attempt) -> Mapping[str, Any]:
        """Change the code for tokens (OpenID Connect Core §3.1.3)."""
        client_id = self._settings.client_id or ""
        secret = self._settings.client_secret.get_secret_value() if self._settings.client_secret else ""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back,
            "code_verifier": attempt.verifier,
        }
        known = self._metadata().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" in known:  # RFC 6749 §2.3.1: both are written as in a form first
            given = httpx.BasicAuth(quote(client_id, safe=""), quote(secret, safe=""))
            return self._ask("POST", self._told("token_endpoint"), data=form, auth=given)
        form |= {"client_id": client_id, "client_secret": secret}
        return self._ask("POST", self._told("token_endpoint"), data=form)

    def _believed(self, token: str, attempt: Attempt, *, access_token: str) -> CodeIDToken:
        """The claims of an ID token that holds (OpenID Connect Core §3.1.3.7)."""
        client_id, issuer = self._settings.client_id or "", self._settings.issuer or ""
        try:
            found = self._decoded(token)
            claims = CodeIDToken(
                found.claims,
                found.header,
                options={
                    "iss": {"essential": True, "value": issuer},
                    "aud": {"essential": True, "value": client_id},
                    "sub": {"essential": True},
                    "exp": {"essential": True},
                },
                params={"nonce": attempt.nonce, "client_id": client_id, "access_token": access_token},
            )
            claims.validate(now=int(self._now().timestamp()), leeway=LEEWAY_SECONDS)
        except (JoseError, AuthlibBaseError, ValueError, TypeError, KeyError) as error:
            raise ProviderFault(f"the token cannot be believed: {type(error).__name__}") from error
        return claims

    def _decoded(self, token: str) -> jwt.Token:
        keys = self._keyset()
        try:
            return jwt.decode(token, keys, algorithms=list(ALGORITHMS))
        except JoseError:
            newer = self._keyset(fresh=True)  # the provider may have changed its keys meanwhile
            if newer is keys:
                raise
            return jwt.decode(token, newer, algorithms=list(ALGORITHMS))

    def _userinfo(self, access_token: str, claims: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the provider says about the person where the token does not (OpenID Connect Core §5.3)."""
        if "userinfo_endpoint" not in self._metadata() or not access_token:
            return {}
        bearer = {"Authorization": f"Bearer {access_token}"}
        about = UserInfo(self._ask("GET", self._told("userinfo_endpoint"), headers=bearer))
        if about.get("sub") != claims["sub"]:  # §5.3.2: it could be about somebody else
            raise ProviderFault("the provider speaks about somebody else")
        return {name: about[name] for name in ("email", "email_verified", "name") if name in about}

    def _told(self, name: str) -> str:
        """An address that the provider says is its own; over TLS, but on this machine."""
        found = str(self._metadata().get(name, ""))
        if not found.startswith(("https://", f"{urlsplit(self._settings.issuer or '').scheme}://")):
            raise ProviderFault(f"the provider says no {name} that can be used")
        return found

    def _metadata(self) -> Mapping[str, Any]:
        """What the provider says about itself (OpenID Connect Discovery 1.0 §4)."""
        with self._lock:
            if self._about and self._asked is not None and self._now() - self._asked < KEPT:
                return self._about
        issuer = self._settings.issuer or ""
        about = self._ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if about.get("issuer") != issuer:  # §4.3: it must be the same, letter by letter
            raise ProviderFault("the provider calls itself by another address: correct NEWSLETTER_OIDC__ISSUER")
        with self._lock:
            self._about, self._asked, self._keys = about, self._now(), None
        return about

    def _keyset(self, *, fresh: bool = False) -> KeySet:
        """The provider's keys; `fresh` asks for them anew, now and then."""
        address = self._told("jwks_uri")
        with self._lock:
            is_recent = self._asked is not None and self._now() - self._asked < PATIENCE
            if self._keys is not None and (not fresh or is_recent):
                return self._keys
        try:
            found = KeySet.import_key_set({"keys": [key for key in self._ask("GET", address)["keys"] if _signs(key)]})
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ProviderFault("the provider's keys cannot be read") from error
        with self._lock:
            self._keys, self._asked = found, self._now()
        return found

    @cached_property
    def _client(self) -> httpx.Client:
        """One for all threads, made when it is first needed: it reads this machine's authorities."""
        return httpx.Client(timeout=TIMEOUT, follow_redirects=False)

    def _ask(self, method: str, address: str, **given: Any) -> Mapping[str, Any]:
        try:
            answer = self._client.request(method, address, **given)
            if answer.status_code != httpx.codes.OK or len(answer.content) > MOST_OCTETS:
                raise ProviderFault(f"{self.host} answers {answer.status_code}{_said(answer)}")
            found = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ProviderFault(f"{self.host} cannot be asked: {type(error).__name__}") from error
        if not isinstance(found, dict):
            raise ProviderFault(f"{self.host} answers what is no object")
        return found


def _signs(key: Mapping[str, Any]) -> bool:
    """Tell whether a key is one that verifies: neither a secret, nor one for encryption (RFC 7517 §4.2)."""
    return key.get("kty") in {"RSA", "EC", "OKP"} and key.get("use", "sig") == "sig"


def _verified(about: Mapping[str, Any]) -> str:
    """The address in small letters, if the provider has verified it; some write the truth as text."""
    is_verified = about.get("email_verified") in {True, "true"}
    return str(about.get("email", "")).strip().lower()[:320] if is_verified else ""


def _said(answer: httpx.Response) -> str:
    """The code of an OAuth error (RFC 6749 §5.2)."""
    try:
        return f" {_plain(str(answer.json()['error']))}"
    except (ValueError, KeyError, TypeError):
        return ""


def _plain(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:200]
