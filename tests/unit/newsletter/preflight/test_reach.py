"""Against servers of our own: what the network would answer, without the network."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from threading import Event, Thread
from types import SimpleNamespace

import pytest

from newsletter.preflight import reach
from newsletter.preflight.places import PlacedLink
from newsletter.preflight.reach import MOST_LINKS, Reach, addresses_of, is_public

HERE = ip_address("127.0.0.1")


@contextmanager
def server(*answers: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers one request after another, the last answer again and again, and keeps what it was asked."""
    asked: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))
    over = Event()

    def serve() -> None:
        while not over.is_set():
            connection, _ = listening.accept()
            with connection:
                if over.is_set():
                    return
                request = connection.recv(10_000)
                asked.append(request)
                connection.sendall(answers[min(len(asked), len(answers)) - 1])

    thread = Thread(target=serve)
    thread.start()
    port = listening.getsockname()[1]
    try:
        yield port, asked
    finally:
        over.set()
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join()
        listening.close()


def answer(status: str, *headers: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", *headers, "", "")).encode()


NO_TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Knows no authority; reading those of this machine takes a tenth of a second."""


def asking(**changes) -> Reach:
    known = {"allows": lambda _: True, "resolve": lambda _host, _port: (HERE,), "timeout": 2.0, "tls": NO_TRUST}
    given = {**known, **changes}
    return Reach(**given)


def found_at(port: int, path: str = "/", *, reach: Reach | None = None) -> list[str]:
    link = PlacedLink(place="piers", url=f"http://quay.example:{port}{path}")
    return [finding.code for finding in (reach or asking()).check([link])]


def test_a_page_that_answers_is_none():
    with server(answer("200 OK")) as (port, asked):
        assert found_at(port, "/a b?c=é#part") == []
    (request,) = asked
    assert request.startswith(b"HEAD /a%20b?c=%C3%A9 HTTP/1.1\r\nHost: quay.example:")
    assert b"Cookie" not in request
    assert b"Referer" not in request


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("404 Not Found", "link-dead"),
        ("410 Gone", "link-dead"),
        ("403 Forbidden", "link-refused"),
        ("500 Oh", "link-refused"),
        ("204", None),
    ],
)
def test_the_status_says_what_is_wrong(status, code):
    with server(answer(status)) as (port, _):
        assert found_at(port) == ([code] if code else [])


def test_a_finding_names_place_address_and_status():
    with server(answer("404 Not Found")) as (port, _):
        (finding,) = asking().check([PlacedLink(place="piers", url=f"http://quay.example:{port}/x")])
    assert finding.place == "piers"
    assert finding.message() == f"The page http://quay.example:{port}/x does not exist (status 404)."


def test_a_site_that_does_not_know_head_is_asked_again():
    with server(answer("405 No"), answer("200 OK")) as (port, asked):
        assert found_at(port) == []
    assert [request[:4] for request in asked] == [b"HEAD", b"GET "]


def test_redirects_are_followed():
    with server(answer("302 Found", "Location: /b"), answer("301 Moved", "location: c"), answer("200 OK")) as (
        port,
        asked,
    ):
        assert found_at(port, "/a/") == []
    assert [request.split()[1] for request in asked] == [b"/a/", b"/b", b"/c"]


def test_a_page_that_is_passed_on_for_ever_is_a_warning():
    with server(answer("302 Found", "Location: /b")) as (port, asked):
        assert found_at(port) == ["link-redirects"]
    assert len(asked) == 4


def test_a_redirect_without_an_address_is_its_own_page():
    with server(answer("302 Found")) as (port, _):
        assert found_at(port) == []


@pytest.mark.parametrize(
    "location", ["ftp://quay.example/", "file:///etc/passwd", "http://[", "http://quay.example:99999/"]
)
def test_a_redirect_to_something_else_is_not_followed(location):
    with server(answer("302 Found", f"Location: {location}")) as (port, asked):
        assert found_at(port) == ["link-unanswered"]
    assert len(asked) == 1


def test_a_private_address_is_never_asked():
    with server(answer("200 OK")) as (port, asked):
        assert found_at(port, reach=asking(allows=is_public)) == ["link-inward"]
    assert asked == []


def test_one_private_address_among_public_ones_is_enough():
    resolve = lambda _host, _port: (ip_address("93.184.215.14"), HERE)  # noqa: E731
    assert found_at(80, reach=asking(allows=is_public, resolve=resolve)) == ["link-inward"]


def test_a_redirect_inward_is_refused():
    hosts = {"quay.example": HERE, "inside.example": ip_address("10.0.0.1")}
    resolve = lambda host, _port: (hosts[host],)  # noqa: E731
    with server(answer("302 Found", "Location: http://inside.example/")) as (port, _):
        reaching = asking(allows=lambda address: address == HERE, resolve=resolve)
        assert found_at(port, reach=reaching) == ["link-inward"]


def test_a_host_is_resolved_once_and_that_address_is_asked():
    names = []

    def resolve(host, _port):
        names.append(host)
        return (HERE,)

    with server(answer("405 No"), answer("200 OK")) as (port, _):
        assert found_at(port, reach=asking(resolve=resolve)) == []
    assert names == ["quay.example"]


@pytest.mark.parametrize("error", [socket.gaierror("unknown"), UnicodeError("label too long")])
def test_a_host_that_nobody_knows_is_a_warning(error):
    def resolve(_host, _port):
        raise error

    assert found_at(80, reach=asking(resolve=resolve)) == ["link-host-unknown"]


def test_a_site_that_nobody_knows_is_told_of_once_with_the_first_link_to_it():
    def resolve(_host, _port):
        raise socket.gaierror

    pages = [("piers", "https://quay.example/1"), ("ropes", "https://quay.example/2"), ("ropes", "https://b.example/")]
    found = list(asking(resolve=resolve).check([PlacedLink(place=place, url=url) for place, url in pages]))
    assert [(finding.place, finding.message()) for finding in found] == [
        ("piers", "Nobody knows the site quay.example: no link to it leads anywhere."),
        ("ropes", "Nobody knows the site b.example: no link to it leads anywhere."),
    ]


def test_a_host_without_an_address_is_not_asked():
    assert found_at(80, reach=asking(resolve=lambda _host, _port: ())) == ["link-inward"]


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-quay\r\n\r\n", b"HTTP/1.1 200", b"x" * 20_000])
def test_what_is_no_answer_of_http_is_none(said):
    with server(said) as (port, _):
        assert found_at(port) == ["link-unanswered"]


def test_a_page_that_nobody_serves_is_unanswered():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert found_at(port) == ["link-unanswered"]


def test_a_page_that_says_nothing_is_given_up_in_time():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        start = time.monotonic()
        assert found_at(listening.getsockname()[1], reach=asking(timeout=0.1)) == ["link-unanswered"]
    assert time.monotonic() - start < 2


def test_a_page_that_drips_is_given_up_in_time(monkeypatch):
    clock = iter(range(0, 100, 3))
    monkeypatch.setattr(reach, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    with server(b"HTTP/1.1 200 OK\r\n") as (port, _):
        assert found_at(port) == ["link-unanswered"]


def test_a_certificate_that_is_not_valid_is_a_warning():
    class Distrustful(ssl.SSLContext):
        def wrap_socket(self, *_args, **_kwargs):
            raise ssl.SSLCertVerificationError(1, "self-signed")

    with server(answer("200 OK")) as (port, _):
        link = PlacedLink(place="", url=f"https://quay.example:{port}/")
        findings = asking(tls=Distrustful(ssl.PROTOCOL_TLS_CLIENT)).check([link])
        assert [finding.code for finding in findings] == ["link-certificate"]


def test_an_encrypted_page_is_asked_by_its_own_name():
    names = []

    class Trustful(ssl.SSLContext):
        def wrap_socket(self, sock, *_args, server_hostname=None, **_kwargs):
            names.append(server_hostname)
            return sock

    with server(answer("200 OK")) as (port, _):
        link = PlacedLink(place="", url=f"https://quay.example:{port}/")
        assert list(asking(tls=Trustful(ssl.PROTOCOL_TLS_CLIENT)).check([link])) == []
    assert names == ["quay.example"]


def test_an_address_is_asked_once_and_only_on_the_web():
    urls = ["mailto:a@b.example", "tel:+32", "http://[", "ftp://a.example", "http://", "http://a.example:0/"]
    with server(answer("404 No")) as (port, asked):
        page = f"http://quay.example:{port}/"
        links = [PlacedLink(place=str(number), url=url) for number, url in enumerate([*urls, page, page])]
        assert [finding.place for finding in asking().check(links)] == ["6"]
    assert len(asked) == 1 + 1  # HEAD and GET


def test_an_issue_cannot_make_the_machine_ask_without_end():
    hosts = []

    def resolve(host, _port):
        hosts.append(host)
        raise socket.gaierror

    links = [PlacedLink(place="", url=f"https://{number}.example/") for number in range(MOST_LINKS + 9)]
    assert len(list(asking(resolve=resolve).check(links))) == len(hosts) == MOST_LINKS


def test_an_address_in_brackets_is_asked_as_it_is():
    with server(answer("200 OK")) as (port, asked):
        assert list(asking().check([PlacedLink(place="", url=f"http://[::1]:{port}/")])) == []
    assert f"Host: [::1]:{port}".encode() in asked[0]


def test_a_page_without_a_path_or_port_is_asked_for_the_root():
    assert b"HEAD / HTTP/1.1\r\nHost: xn--quai-lige-63a.example\r\n" in reach._request(
        reach.urlsplit("https://quai-liège.example"), "HEAD"
    )


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "192.168.0.1",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "2001:0:0:0:0:0:80ff:fffe",
    ],
)
def test_what_is_not_public_is_not_asked(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07::1", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"]
)
def test_what_is_public_may_be_asked(address):
    assert is_public(ip_address(address))


def test_the_system_resolves_a_host_to_each_address_once():
    assert addresses_of("127.0.0.1", 80) == (HERE,)


def test_a_check_that_is_told_nothing_asks_public_addresses_only():
    link = PlacedLink(place="", url="http://127.0.0.1:9/")
    assert [finding.code for finding in Reach().check([link])] == ["link-inward"]
