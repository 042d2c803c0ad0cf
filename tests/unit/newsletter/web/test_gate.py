"""Which requests come in."""

import pytest

from newsletter.web.gate import hosts_of


@pytest.mark.parametrize(
    ("root", "hosts"),
    [
        ("https://news.example", {"news.example"}),
        ("https://news.example:8443/letters", {"news.example"}),
        ("http://[2001:db8::1]:80", {"[2001:db8::1]"}),
        ("https://bücher.example", {"bücher.example", "xn--bcher-kva.example"}),
        ("https://a..example", {"a..example"}),
    ],
)
def test_the_hosts_are_our_own_and_the_machines(root, hosts):
    assert hosts_of(root) == {"localhost", "127.0.0.1", "[::1]"} | hosts


@pytest.fixture
def visitor(visit, routes):
    routes.add_api_route("/health", lambda: "ok")
    routes.add_api_route("/p/{token}", lambda token: token)
    return visit()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("news.example", 200),
        ("NEWS.example:443", 200),
        ("localhost:8000", 200),
        ("127.0.0.1", 200),
        ("[::1]:8000", 200),
        ("other.example", 421),
        ("news.example.other.example", 421),
        ("news.example:443@other.example", 421),
        ("news.example:", 421),
        ("", 421),
    ],
)
def test_requests_for_other_hosts_are_refused(visitor, host, status):
    answer = visitor.get("/p/x", headers={"host": host})
    assert answer.status_code == status
    assert host == "" or "other.example" not in answer.text


def test_what_watches_over_us_may_use_any_name(visitor):
    assert visitor.get("/health", headers={"host": "10.0.0.3:8000"}).status_code == 200


@pytest.mark.parametrize(
    "address", ["/p/%00", "/p/a%0ab", "/p/%7f", "/p/a?lang=%00", "/p/a?lang=x%0D%0Ay", "/p/a?%1F=1"]
)
def test_addresses_with_control_characters_are_refused(visitor, address):
    assert visitor.get(address).status_code == 404


def test_headers_may_be_so_large_and_no_larger(visitor):
    assert visitor.get("/p/a", headers={"x-padding": "x" * 16_000}).status_code == 200
    assert visitor.get("/p/a", headers={"x-padding": "x" * 16_384}).status_code == 431


@pytest.mark.parametrize("address", ["/p/a%20b", "/p/%C3%A9", "/p/a?lang=a%20b%25", "/p/%FF", "/p/%2500"])
def test_other_addresses_come_in(visitor, address):
    assert visitor.get(address).status_code == 200
