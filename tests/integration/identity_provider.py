"""
A provider of identities that behaves as the documents say (OpenID Connect Core 1.0, Discovery 1.0, RFC 6749, RFC 7636).

It knows one registration and one person; codes work once, for the address and the verifier that they were asked with.
`twist` changes what it is about to say, for tests of what must not be believed.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "the desk", "a secret: with+signs"


class IdentityProvider:
    """Answers on a port of its own, until it is closed."""

    def __init__(self, clock=time.time):
        self.clock = clock
        self.key = RSAKey.generate_key(2048, {"kid": "first", "use": "sig", "alg": "RS256"})
        self.person = {"sub": "person-7", "email": "Anna@Rivers.example", "email_verified": True, "name": "Anna Kovács"}
        self.claims = {}
        self.metadata = {}
        self.header = {}
        self.signed_by = None
        self.in_token = True
        self.codes = {}
        self.asked = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                provider.answer(self)

            def do_POST(self):
                provider.answer(self)

            def log_message(self, *_words):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def issuer(self):
        return f"http://127.0.0.1:{self.server.server_port}/realm"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request):
        """Route a request."""
        parts = urlsplit(request.path)
        length = int(request.headers.get("content-length", 0))
        form = {name: values[-1] for name, values in parse_qs(request.rfile.read(length).decode()).items()}
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.asked.append(parts.path)
        match parts.path:
            case "/realm/.well-known/openid-configuration":
                self._say(request, 200, self._about())
            case "/realm/keys":
                self._say(request, 200, {"keys": [self.key.as_dict(private=False), {"kty": "oct", "k": "c2VjcmV0"}]})
            case "/realm/authorise":
                self._authorise(request, query)
            case "/realm/token":
                self._token(request, form)
            case "/realm/userinfo":
                self._say(request, 200, self.person)
            case _:
                self._say(request, 404, {})

    def _about(self):
        named = ("authorization_endpoint", "authorise"), ("token_endpoint", "token"), ("jwks_uri", "keys")
        about = {name: f"{self.issuer}/{path}" for name, path in (*named, ("userinfo_endpoint", "userinfo"))}
        return {"issuer": self.issuer, **about, "id_token_signing_alg_values_supported": ["RS256"], **self.metadata}

    def _authorise(self, request, query):
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert query["client_id"] == CLIENT
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(12)
        self.codes[code] = query
        self._lead(request, f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}")

    def _token(self, request, form):
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind == "Basic":
            name, secret = (unquote(part) for part in base64.b64decode(given).decode().split(":", 1))
        else:
            name, secret = form.get("client_id"), form.get("client_secret")
        asked = self.codes.pop(form.get("code"), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (name, secret) != (CLIENT, SECRET):
            self._say(request, 401, {"error": "invalid_client"})
            return
        asked_so = asked is not None and (
            challenge.decode().rstrip("=") == asked["code_challenge"] and form["redirect_uri"] == asked["redirect_uri"]
        )
        if not asked_so or form["grant_type"] != "authorization_code":
            self._say(request, 400, {"error": "invalid_grant"})
            return
        tokens = {"access_token": "for-userinfo", "token_type": "Bearer", "id_token": self._signed(asked)}
        self._say(request, 200, tokens)

    def _signed(self, asked):
        now = int(self.clock())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        about = self.person if self.in_token else {"sub": self.person["sub"]}
        claims = {name: value for name, value in {**claims, **about, **self.claims}.items() if value is not None}
        header = {"alg": "RS256", "kid": self.key.kid, **self.header}
        if header["alg"] == "none":
            parts = (json.dumps(part).encode() for part in (header, claims))
            return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."
        return jwt.encode(header, claims, self.signed_by or self.key, algorithms=[header["alg"]])

    def _say(self, request, status, said):
        body = json.dumps(said).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _lead(self, request, address):
        request.send_response(302)
        request.send_header("Location", address)
        request.send_header("Content-Length", "0")
        request.end_headers()
