"""Pages: the language they are in, and the addresses on them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from starlette.requests import Request

from newsletter.links import Links
from newsletter.web.page import Pages, accepted, language_of


def request(query="", accept="", method="GET"):
    headers = [(b"accept-language", accept.encode())] if accept else []
    return Request({"type": "http", "method": method, "path": "/", "query_string": query.encode(), "headers": headers})


@pytest.mark.parametrize(
    ("query", "person", "accept", "language"),
    [
        ("", None, "", "en"),
        ("", None, "fr", "fr"),
        ("", None, "pt-BR, fr-BE;q=0.8, en;q=0.5", "fr"),
        ("", None, "nl, sv", "en"),
        ("", "de-AT", "fr", "de"),
        ("", "", "fr", "fr"),
        ("lang=el", "de", "fr", "el"),
        ("lang=xx", "de", "fr", "de"),
        ("lang=" + "a-" * 40, None, "es", "es"),
        ("lang=EL", None, "", "el"),
    ],
)
def test_a_page_is_in_the_language_asked_for_then_the_persons_then_the_browsers(query, person, accept, language):
    assert language_of(request(query, accept), person=person) == language


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("", []),
        ("fr", ["fr"]),
        ("en;q=0.5, fr;q=0.9, de", ["de", "fr", "en"]),
        ("fr, de", ["fr", "de"]),
        ("*, fr;q=0.1", ["fr"]),
        ("fr;q=0, en", ["en"]),
        ("fr;q=x, en", ["en"]),
        ("fr;v=1, en", ["en"]),
        ("fr;q=nan, en", ["en"]),
        ("fr; q=0.2, en ; q=0.3", ["en", "fr"]),
        (",,;q=1", []),
    ],
)
def test_what_a_browser_accepts_is_read_best_first(header, languages):
    assert accepted(header) == languages


@given(st.text())
def test_no_header_is_too_strange_to_be_read(header):
    assert len(accepted(header)) <= 20


@pytest.mark.parametrize(
    ("root", "address", "path"),
    [
        ("https://news.example", "https://news.example/p/token", "/p/token"),
        ("https://news.example/letters", "https://news.example/letters/p/token", "/letters/p/token"),
        ("https://news.example", "https://news.example.other.example/p", "https://news.example.other.example/p"),
        ("https://news.example", "https://other.example/p", "https://other.example/p"),
        ("https://news.example", "mailto:anna@lakes.example", "mailto:anna@lakes.example"),
    ],
)
def test_an_address_of_our_own_is_a_path_and_others_stay(root, address, path):
    assert Pages(Links(root)).here(address) == path


def shown(asked=None):
    asked = asked or request("lang=fr&list=a&list=b")
    names = {"heading": "<b>", "advice": "Ada & Bob"}
    return Pages(Links("https://news.example")).show(asked, "error.html.j2", language="fr", **names)


def test_a_page_says_its_language_and_escapes_what_it_is_given():
    page = shown()
    body = page.body.decode()
    assert '<html lang="fr" dir="ltr">' in body
    assert "<h1>&lt;b&gt;</h1>" in body
    assert "Ada &amp; Bob" in body
    assert page.headers["content-language"] == "fr"
    assert page.headers["vary"] == "Accept-Language"


def test_the_switch_of_languages_keeps_the_rest_of_the_address():
    assert 'href="?list=a&amp;list=b&amp;lang=de" lang="de" dir="ltr" hreflang="de">Deutsch' in shown().body.decode()
    assert shown().body.decode().count('aria-current="true"') == 1


def test_the_answer_to_a_form_offers_no_other_language():
    assert "lang=de" not in shown(request(method="POST")).body.decode()


def test_arabic_is_read_from_the_right():
    pages = Pages(Links("https://news.example"))
    body = pages.show(request(), "error.html.j2", language="ar", heading="", advice="").body.decode()
    assert '<html lang="ar" dir="rtl">' in body


def test_an_undefined_name_is_an_error():
    with pytest.raises(UndefinedError, match="advice"):
        Pages(Links("https://news.example")).show(request(), "error.html.j2", language="en", heading="x")
