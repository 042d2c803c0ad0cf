"""Calling programs of others: which addresses are called, and what comes back."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from newsletter import callbacks
from newsletter.callbacks import NotAllowed, ensure_callable, post


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def program():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.heard, server.status = [], 204
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def url_of(program, host="127.0.0.1"):
    return f"http://{host}:{program.server_port}/hooks?a=1"


def test_a_call_reaches_the_program_under_its_own_name(program):
    assert post(url_of(program, "localhost"), b"{}", headers={"X-A": "b"}, private=True) == 204
    (path, headers, body) = program.heard[0]
    assert (path, headers["Host"], headers["X-A"], body) == (
        "/hooks?a=1",
        f"localhost:{program.server_port}",
        "b",
        b"{}",
    )


def test_no_redirect_is_followed(program):
    program.status = 302
    assert post(url_of(program), b"{}", headers={}, private=True) == 302
    assert len(program.heard) == 1


def test_nobody_answers_with_0(program):
    port = program.server_port
    program.shutdown()
    program.server_close()
    assert post(f"http://127.0.0.1:{port}/", b"", headers={}, private=True) == 0
    assert post("http://nobody.invalid/", b"", headers={}) == 0


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "192.168.0.9", "169.254.169.254", "[fe80::1]", "0.0.0.0"]
)
def test_nothing_in_our_own_network_is_called(host):
    with pytest.raises(NotAllowed, match="NEWSLETTER_WEBHOOKS__PRIVATE"):
        post(f"http://{host}:9/", b"", headers={})


def test_a_name_that_leads_into_our_own_network_by_one_of_its_addresses_is_not_called(monkeypatch):
    found = [(2, 1, 6, "", ("203.0.113.9", 80)), (2, 1, 6, "", ("10.0.0.7", 80))]
    monkeypatch.setattr(callbacks.socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(NotAllowed):
        post("http://both.example/", b"", headers={})


@pytest.mark.parametrize(
    "url",
    [
        "ftp://crm.example/",
        "https:///hooks",
        "crm.example/hooks",
        "https://user:word@crm.example/",
        "https://crm.example/#part",
        "https://crm.example:99999/",
        "https://crm.example/a b",
        "https://[::1/",
    ],
)
def test_what_is_no_address_of_a_program_is_refused(url):
    with pytest.raises(NotAllowed):
        ensure_callable(url)


@pytest.mark.parametrize("url", ["https://crm.example:8443/hooks?key=1", "http://crm.example"])
def test_an_ordinary_address_is_taken(url):
    assert ensure_callable(url) is None, "nothing is said against it"
