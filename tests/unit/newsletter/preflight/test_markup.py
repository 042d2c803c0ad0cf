import pytest

from newsletter.preflight.markup import check


def found_in(given, body):
    facts = given.issue()
    return list(check(given.compiled(facts, html=given.page(body)), facts))


OPEN, CLOSE = "<!--[if mso | IE]>", "<![endif]-->"


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (f"{OPEN}<p>x</p>", "[endif]"),
        (f"<p>x</p>{CLOSE}", "[if]"),
        (f"{OPEN}{OPEN}{CLOSE}{CLOSE}", "[endif]"),
        (f"{OPEN}<table><tr><td>{CLOSE}x{OPEN}</td></tr>{CLOSE}", "<table>"),
        (f"{OPEN}<table><tr><td>{CLOSE}x{OPEN}</table>{CLOSE}", "<tr>"),
    ],
)
def test_what_is_for_outlook_must_be_closed_as_it_was_opened(given, body, what):
    finding = found_in(given, body)[0]
    assert (finding.code, finding.severity) == ("mso-unbalanced", "error")
    assert dict(finding.facts)["what"] == what


@pytest.mark.parametrize(
    "body",
    [
        f"{OPEN}<table><tr><td>{CLOSE}<p>x</p>{OPEN}</td></tr></table>{CLOSE}",
        "<!--[if !mso]><!--><table><!--<![endif]--><!--[if !mso]><!--></table><!--<![endif]-->",
        "<!-- <table> --><table><tr><td>x</td></tr></table>",
        f"{OPEN}{CLOSE}<!--[if lte mso 11]><style></style>{CLOSE}",
    ],
)
def test_what_is_closed_as_it_was_opened_is_none(given, body):
    assert found_in(given, body) == []


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("<script>x()</script>", "<script>"),
        ('<script src="https://x.example/a.js"></script>', "https://x.example/a.js"),
        ('<link rel="stylesheet" href="https://x.example/a.css">', "https://x.example/a.css"),
        ('<iframe src="https://x.example/"></iframe>', "https://x.example/"),
        ('<style>@import url("https://x.example/a.css");</style>', '@import url("https://x.example/a.css")'),
        ("<style>@font-face{src:url(https://x.example/a.woff)}</style>", "https://x.example/a.woff"),
    ],
)
def test_a_message_asks_for_pictures_and_nothing_else(given, body, what):
    (finding,) = found_in(given, body)
    assert (finding.code, dict(finding.facts)["what"]) == ("external-resource", what)


@pytest.mark.parametrize(
    "body",
    [
        '<img src="https://x.example/a.png" alt="x">',
        "<style>p{background-image:url(https://x.example/a.png)}</style>",
        "<style>@font-face{src:url(data:font/woff;base64,AA)}</style>",
        "<video></video>",
        '<a href="https://x.example/a.js">x</a>',
        '<!--[if mso]><link href="https://x.example/a.css"><![endif]-->',
    ],
)
def test_pictures_links_and_what_is_inside_the_message_are_fetched_by_nobody(given, body):
    assert found_in(given, body) == []


def test_what_is_asked_for_twice_is_one_finding(given):
    assert len(found_in(given, "<script></script><script></script>")) == 1
