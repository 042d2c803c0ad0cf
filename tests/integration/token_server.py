"""
A token server and mail servers that behave as the documents say (RFC 6749, RFC 7628, the providers' own XOAUTH2).

The token server knows one registration and gives tokens that end; the relay takes only what it gave and what has not
ended, and says why it refuses in the challenge that the mechanism has for it.
"""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

USER = "news@rivers.example"
CLIENT = {"client_id": "newsletter", "client_secret": "a client's secret"}
REFRESH = "1//what-the-owner-allowed"


class TokenServer:
    """Gives tokens at `url`; `asked` has the form of every request, `valid` the tokens that are good."""

    def __init__(self):
        self.asked = []
        self.valid = []
        self.refresh = REFRESH
        self.answers = []
        self.lasts = 3600
        self.rotates = False
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, said = server.answer(self.path, self.headers["Content-Type"], body)
                data = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json;charset=UTF-8")
                self.send_header("Cache-Control", "no-store")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                """Say nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._http.server_port}/token"

    def close(self):
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def answer(self, path, kind, body):
        """Status and answer to a request."""
        with self._lock:
            form = {name: values[0] for name, values in parse_qs(body, strict_parsing=True).items()}
            self.asked.append(form)
            if self.answers:
                return self.answers.pop(0)
            if path == "/introspect":
                return 200, {"active": form["token"] in self.valid, "username": USER}
            if path != "/token" or kind != "application/x-www-form-urlencoded":
                return 400, {"error": "invalid_request"}
            if {name: form.get(name) for name in CLIENT} != CLIENT:
                return 401, {"error": "invalid_client", "error_description": "The client secret is not\nvalid."}
            return self._granted(form)

    def _granted(self, form):
        if form["grant_type"] == "refresh_token" and form.get("refresh_token") != self.refresh:
            return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        if form["grant_type"] not in {"refresh_token", "client_credentials"}:
            return 400, {"error": "unsupported_grant_type"}
        token = f"ya29.token-{len(self.asked)}"
        self.valid.append(token)
        said = {"access_token": token, "token_type": "Bearer", "expires_in": self.lasts, "scope": "mail"}
        if self.rotates and form["grant_type"] == "refresh_token":
            self.refresh = said["refresh_token"] = f"{REFRESH}-{len(self.asked)}"
        return 200, said


class TokenRelay(Controller):
    """A relay that takes tokens only; `tried` has the mechanism and token of every AUTH, `taken` the messages."""

    def __init__(self, tokens, context, *, mechanisms=("XOAUTH2",)):
        self.tokens = tokens
        self.tried = []
        self.taken = []
        self.last_words = []
        handler = self
        for name, judge in (("XOAUTH2", self._xoauth2), ("OAUTHBEARER", self._oauthbearer)):
            if name in mechanisms:
                setattr(self, f"auth_{name}", judge)
        super().__init__(
            handler,
            hostname="127.0.0.1",
            port=0,
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            auth_exclude_mechanism=["LOGIN", "PLAIN"],
        )

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802  aiosmtpd's name
        self.taken.append(envelope.rcpt_tos)
        return "250 2.0.0 Ok"

    async def _xoauth2(self, server, args):
        fields = base64.b64decode(args[1], validate=True).split(b"\x01")
        if len(fields) != 4 or fields[0] != f"user={USER}".encode() or fields[2:] != [b"", b""]:
            return AuthResult(success=False, handled=False)
        return await self._judged(server, "XOAUTH2", fields[1], last=b"")

    async def _oauthbearer(self, server, args):
        fields = base64.b64decode(args[1], validate=True).split(b"\x01")
        named = [f"n,a={USER},".encode(), b"host=127.0.0.1", f"port={self.port}".encode()]
        if fields[:3] != named or fields[4:] != [b"", b""]:
            return AuthResult(success=False, handled=False)
        return await self._judged(server, "OAUTHBEARER", fields[3], last=b"\x01")

    async def _judged(self, server, mechanism, bearer, *, last):
        kind, _, token = bearer.decode().partition(" ")
        self.tried.append((mechanism, token))
        if kind == "auth=Bearer" and token in self.tokens.valid:
            return AuthResult(success=True)
        why = {"status": "401", "schemes": "bearer", "scope": "https://mail.example/"}
        self.last_words.append(await server.challenge_auth(json.dumps(why)) == last)
        return AuthResult(success=False, handled=False, message="535 5.7.8 Username and Password not accepted")
