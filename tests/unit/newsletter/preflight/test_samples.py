"""For every code of preflight an issue that it is found in, and one that only looks like it: both go the whole way."""

import json
import socket
import ssl
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_address
from threading import Thread

import pytest

from newsletter.compilation.slots import Slots, System
from newsletter.preflight.audience import AudienceCounts
from newsletter.preflight.client_facts import CLIENTS, ClientFacts, Feature
from newsletter.preflight.domains import SenderDomains
from newsletter.preflight.outside import Outside, look_outside
from newsletter.preflight.reach import Reach, is_public
from newsletter.preflight.report import RULES, PreflightInput, run

SITE = "https://www.city.example"
PICTURE = {"url": "https://x.example/a.jpg", "alt": {"en": "Two piers", "fr": "Deux jetées"}}
STORED = {"file": "quay.jpg", "alt": "The quay"}
NAME, KEY = "2026._domainkey.harbours.example", "v=DKIM1; p=AAAA"
OPEN, CLOSE = "<!--[if mso]>", "<![endif]-->"
ENGLISH = {"title": "December", "subject": "Two piers", "preheader": "And a crane.", "intro": "Good morning."}


def codes(g, *entries, body=None, head="", language="en", plan=None, newsletter=None, pictures=None, **given):
    """The codes that preflight finds in one edition of an issue."""
    known = {name: given.pop(name) for name in ("topics", "stale", "by_hand") if name in given}
    facts = replace(g.issue(*entries, plan=plan, newsletter=newsletter, **known), pictures=pictures or {})
    checked = {name: given.pop(name) for name in CHECKED if name in given}
    outside = given.pop("outside", None)
    if body is not None:
        given["html"] = g.page(body).replace("</head>", f"<style>{head}</style></head>")
    change = given.pop("change", lambda edition: edition)
    edition = change(g.compiled(facts, language, **given))
    prepared = PreflightInput(issue=facts, editions=(edition,), **checked)
    found = look_outside(prepared, outside, domains=DOMAINS) if outside else ()
    return {finding.code for finding in run(prepared, outside=found).findings}


CHECKED = ("audience", "baseline", "client_facts", "picture_sizes", "signing")
DOMAINS = SenderDomains(
    sender="harbours.example", returns="harbours.example", signing="a.harbours.example", keys={NAME: KEY}
)


def label(g, words, url=f"{SITE}/page", key="piers"):
    return g.news(key, links=[{"label": words, "url": url}])


def french(g, url):
    pages = [{"label": "Les jetées", "url": url}, {"label": "Les ponts", "url": f"{SITE}/fr/ponts"}]
    return g.news(texts={"en": {"title": "Two piers"}, "fr": {"title": "Deux jetées", "links": pages}})


def english(g):
    return g.news("crane", texts={"en": {"title": "The crane"}})


def sittings(g, second):
    first = {"key": "one", "start": "2026-12-10T12:00"}
    return g.event("open-day", first, {"key": "two", "start": second})


def text(**changes):
    return {"texts": {"en": {**ENGLISH, **changes}}}


def people(suppressed=0, previous=None, test_addresses=0, **counts):
    given = {"suppressed": suppressed, "previous": previous, "test_addresses": test_addresses}
    return {"audience": AudienceCounts(segment="members", people=counts, **given)}


def with_slot(html, plain):
    slots = Slots("0123456789")
    way_out, token = slots.url(System.UNSUBSCRIBE), slots.mark("[[city|town]]")
    parts = {"html": f"<p>{way_out} {html.format(token)}</p>", "text": f"{way_out} {plain.format(token)}"}
    return {"nonce": slots.nonce, "slots": slots.used, "subject": "Tides", "preheader": "", **parts}


def written(**pieces):
    """Change pieces of the message's skeleton, or add to them."""

    def change(edition):
        made = json.loads(edition.artifact.skeleton)
        made |= {name: made[name] + more for name, more in pieces.items()}
        return replace(edition, artifact=replace(edition.artifact, skeleton=json.dumps(made).encode()))

    return {"change": change}


def listed(list_id):
    return {"change": lambda edition: replace(edition, edition=replace(edition.edition, list_id=list_id))}


def links(*words):
    return "".join(f'<p><a href="https://x.example/{number}">{each}</a></p>' for number, each in enumerate(words))


def lacking(**letters):
    support = "".join(letters.get(client.name.replace(" ", "_"), "y") for client in CLIENTS)
    grid = Feature(slug="grid", title="display: grid", signs=("display:grid",), support=support, breaks=True)
    facts = ClientFacts(as_of="2026-11-01", features=(grid,))
    return {"body": '<p style="display:grid">x</p>', "baseline": frozenset(), "client_facts": facts}


class Names:
    """A DNS of records that stand still; a name with None does not answer."""

    def __init__(self, spf=("v=spf1 -all",), key=(KEY,), dmarc=("v=DMARC1; p=none",)):
        self.records = {"harbours.example": spf, NAME: key, "_dmarc.harbours.example": dmarc}

    def texts(self, name):
        return self.records.get(name, ())

    def mail_hosts(self, _name):
        return ()


def dns(**records):
    return {"outside": Outside(names=lambda: Names(**records), judge=lambda _: "X-Spam-Status: No, score=0.0")}


def spam(said):
    def judge(_message):
        if said is None:
            raise subprocess.TimeoutExpired("spamassassin", 60)
        return f"X-Spam-Status: No, score={said}\n\n {said} HTML_TIDE  BODY: x\n"

    return {"outside": Outside(judge=judge)}


@contextmanager
def site(*heads):
    """A site that answers one request after another, with what it says or, for None, by hanging up."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        for head in heads:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                if head is not None:
                    connection.sendall(f"HTTP/1.1 {head}\r\n\r\n".encode())

    thread = Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        thread.join()
        listening.close()


class Told(ssl.SSLContext):
    """Finds this fault with every certificate, or "" for none, and encrypts nothing."""

    def __new__(cls, fault):
        made = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        made.fault = fault
        return made

    def wrap_socket(self, sock, *_args, **_kwargs):
        if self.fault:
            raise ssl.SSLCertVerificationError(1, self.fault)
        return sock


def page(g, *heads, scheme="http", **reach):
    """What is found of one link to a site that answers so."""
    known = {
        "tls": Told(""),
        "allows": lambda _: True,
        "resolve": lambda _host, _port: (ip_address("127.0.0.1"),),
        **reach,
    }
    with site(*heads) as port:
        outside = Outside(reach=Reach(**known, timeout=2.0), judge=lambda _: "X-Spam-Status: No, score=0.0")
        return codes(g, label(g, "The plan", f"{scheme}://www.city.example:{port}/"), outside=outside)


def nowhere(_host, _port):
    raise socket.gaierror


MOVED = "302 Found\r\nLocation: /on"
TOPIC = {"key": "cranes", "name": "Cranes", "credit": "Co-funded by the Fund."}
LAST_WEEK = {"key": "main", "date": "2026-11-24"}
NOTHING_DARK = "@media (prefers-color-scheme:dark){body{background:#222}p{color:%s}}"
LINK = '<p style="background:#fff"><a href="https://x.example" style="color:%s">The tide tables</a></p>'
YELLOW = {"theme": {"accent": "#FFD200"}}

SAMPLES = {
    "link-empty": (
        lambda g: codes(g, g.news(body=f"Piers [ ]({SITE}/)")),
        lambda g: codes(g, g.news(body=f"Piers [A]({SITE}/)")),
    ),
    "link-targetless": (
        lambda g: codes(g, g.news(body="[The plan]()")),
        lambda g: codes(g, g.news(body="\\[The plan]()")),
    ),
    "link-malformed": (
        lambda g: codes(g, g.news(body="[The plan](www.city.example/page)")),
        lambda g: codes(g, g.news(body="[The plan](mailto:office@city.example)")),
    ),
    "link-label-vague": (
        lambda g: codes(g, label(g, "Here")),
        lambda g: codes(g, label(g, "Here are the plans")),
    ),
    "link-http": (
        lambda g: codes(g, label(g, "The plan", "http://www.city.example/")),
        lambda g: codes(g, label(g, "The plan", "https://www.city.example/?from=http://")),
    ),
    "link-staging": (
        lambda g: codes(g, label(g, "The plan", "https://staging.city.example/")),
        lambda g: codes(g, label(g, "The plan", "https://backstage.city.example/")),
    ),
    "link-same-words": (
        lambda g: codes(g, label(g, "The plan"), label(g, "the plan!", f"{SITE}/2", key="crane")),
        lambda g: codes(g, label(g, "The plan"), label(g, "the plan!", key="crane")),
    ),
    "link-other-language": (
        lambda g: codes(g, french(g, f"{SITE}/en/piers"), language="fr"),
        lambda g: codes(g, french(g, f"{SITE}/enter/piers"), language="fr"),
    ),
    "date-over": (
        lambda g: codes(g, g.event("open-day", LAST_WEEK), by_hand=True),
        lambda g: codes(g, g.event("open-day", {**LAST_WEEK, "until": "2026-12-01"}), by_hand=True),
    ),
    "date-outside-window": (
        lambda g: codes(g, g.event("open-day", {"key": "main", "date": "2027-01-31"}), by_hand=True),
        lambda g: codes(g, g.event("open-day", {"key": "main", "date": "2027-01-30"}), by_hand=True),
    ),
    "date-weekday": (
        lambda g: codes(g, g.news(body="On Monday 1 December 2026.")),
        lambda g: codes(g, g.news(body="On Tuesday 1 December 2026.")),
    ),
    "date-clash": (
        lambda g: codes(g, sittings(g, "2026-12-10T12:00")),
        lambda g: codes(g, sittings(g, "2026-12-10T12:01")),
    ),
    "language-missing": (
        lambda g: codes(g, english(g), g.news(), language="fr", newsletter={"fallback": "omit"}),
        lambda g: codes(g, english(g), g.news(), language="en", newsletter={"fallback": "omit"}),
    ),
    "fallback-shown": (
        lambda g: codes(g, english(g), language="fr"),
        lambda g: codes(g, g.news(), language="fr"),
    ),
    "fallback-blocked": (
        lambda g: codes(g, english(g), language="fr", newsletter={"fallback": "block"}),
        lambda g: codes(g, g.news(), language="fr", newsletter={"fallback": "block"}),
    ),
    "language-stale": (
        lambda g: codes(g, language="fr", stale={"piers": ["fr"]}),
        lambda g: codes(g, language="en", stale={"piers": ["fr"]}),
    ),
    "words-other-language": (
        lambda g: codes(g, language="hu", newsletter={"languages": ["en", "hu"]}),
        lambda g: codes(g, language="fr-BE", newsletter={"languages": ["en", "fr-BE"]}),
    ),
    "subject-missing": (
        lambda g: codes(g, plan=text(subject="")),
        lambda g: codes(g, plan=text(subject="P")),
    ),
    "subject-other-language": (
        lambda g: codes(g, language="fr", plan=text()),
        lambda g: codes(g, language="en-GB", plan=text(), newsletter={"languages": ["en-GB"]}),
    ),
    "subject-long": (
        lambda g: codes(g, plan=text(subject="p" * 79)),
        lambda g: codes(g, plan=text(subject="p" * 78)),
    ),
    "preheader-missing": (
        lambda g: codes(g, plan=text(preheader=" ")),
        lambda g: codes(g, plan=text(preheader="A")),
    ),
    "edition-empty": (
        lambda g: codes(g, g.news(languages=["fr"])),
        lambda g: codes(g, g.event(section="agenda")),
    ),
    "slot-unknown": (
        lambda g: codes(g, plan=text(subject="Dear [[nobody]]")),
        lambda g: codes(g, plan=text(subject="Dear [[email]]")),
    ),
    "slot-without-default": (
        lambda g: codes(g, plan=text(subject="Dear [[first_name]]")),
        lambda g: codes(g, plan=text(subject="Dear [[first_name|reader]]")),
    ),
    "slot-unused": (
        lambda g: codes(g, **with_slot("{}", "")),
        lambda g: codes(g, **with_slot("{}", "{}")),
    ),
    "decoration-signs": (
        lambda g: codes(g, g.news(body=">>> Programme")),
        lambda g: codes(g, g.news(body="> Who pays?")),
    ),
    "credit-missing": (
        lambda g: codes(g, g.news(topic="cranes"), topics=[TOPIC], text="Nothing of it"),
        lambda g: codes(g, g.news(topic="cranes"), topics=[TOPIC]),
    ),
    "unsubscribe-missing": (
        lambda g: codes(g, text="News\n"),
        lambda g: codes(g, text_lacks=()),
    ),
    "text-lacks-link": (
        lambda g: codes(g, text_lacks=(f"{SITE}/",)),
        lambda g: codes(g, text_lacks=()),
    ),
    "message-unreadable": (
        lambda g: codes(g, change=lambda edition: replace(edition, artifact=replace(edition.artifact, text="Other"))),
        lambda g: codes(g, plan=text(subject="Grüße, Ålesund")),
    ),
    "message-line": (
        lambda g: codes(g, **written(replies=f"X-Tide: {'x' * 991}\r\n")),
        lambda g: codes(g, **written(replies=f"X-Tide: {'x' * 990}\r\n")),
    ),
    "header-encoded": (
        lambda g: codes(g, **written(replies="Feedback-ID: =?utf-8?q?a?=\r\n")),
        lambda g: codes(g, plan=text(subject="Grüße")),
    ),
    "unsubscribe-header": (
        lambda g: codes(g, **written(replies="List-Unsubscribe: <https://other.example/>\r\n")),
        lambda g: codes(g, **written(replies="List-Help: <https://other.example/>\r\n")),
    ),
    "list-id-malformed": (
        lambda g: codes(g, **listed("news at harbours.example")),
        lambda g: codes(g, **listed("news-at.harbours.example")),
    ),
    "list-id-foreign": (
        lambda g: codes(g, **listed("news.quays.example")),
        lambda g: codes(g, **listed("quays.harbours.example")),
    ),
    "sender-foreign": (
        lambda g: codes(g, newsletter={"website": "https://quays.example/", "list_id": "news.quays.example"}),
        lambda g: codes(g, newsletter={"website": "https://quays.example/"}),
    ),
    "sender-public": (
        lambda g: codes(g, newsletter={"sender": {"name": "Harbours", "address": "harbours@gmail.com"}}),
        lambda g: codes(g, newsletter={"sender": {"name": "Harbours", "address": "gmail.com@harbours.example"}}),
    ),
    "mso-unbalanced": (
        lambda g: codes(g, body=f"{OPEN}<table><tr><td>{CLOSE}x{OPEN}</td></tr>{CLOSE}"),
        lambda g: codes(g, body=f"{OPEN}<table><tr><td>{CLOSE}x{OPEN}</td></tr></table>{CLOSE}"),
    ),
    "external-resource": (
        lambda g: codes(g, body='<link rel="stylesheet" href="https://x.example/a.css">'),
        lambda g: codes(g, body='<a href="https://x.example/a.css">The sheet</a>'),
    ),
    "html-language": (
        lambda g: codes(g, html=g.page("<p>x</p>", language="fr")),
        lambda g: codes(g, html=g.page("<p>x</p>", language="en")),
    ),
    "html-title": (
        lambda g: codes(g, html=g.page("<p>x</p>", title=" ")),
        lambda g: codes(g, html=g.page("<p>x</p>", title="H")),
    ),
    "alt-missing": (
        lambda g: codes(g, body='<img src="https://x.example/a.png">'),
        lambda g: codes(g, body='<img src="https://x.example/a.png" alt="">'),
    ),
    "heading-order": (
        lambda g: codes(g, body="<h1>News</h1><h3>Piers</h3>"),
        lambda g: codes(g, body="<h1>News</h1><h2>Piers</h2>"),
    ),
    "link-silent": (
        lambda g: codes(g, body='<a href="https://x.example/"><img src="a.png" alt=""></a>'),
        lambda g: codes(g, body='<a href="https://x.example/"><img src="a.png" alt="The city"></a>'),
    ),
    "alt-other-language": (
        lambda g: codes(g, g.news(image={**PICTURE, "alt": {"fr": "Deux jetées"}})),
        lambda g: codes(g, g.news(image=PICTURE)),
    ),
    "table-role": (
        lambda g: codes(g, body="<table><tr><td>One</td></tr></table>"),
        lambda g: codes(g, body="<table><tr><th>Tide</th></tr><tr><td>Low</td></tr></table>"),
    ),
    "link-spoken-vague": (
        lambda g: codes(g, body=links("Read more")),
        lambda g: codes(g, body=links("Read more of the piers")),
    ),
    "link-spoken-alike": (
        lambda g: codes(g, body=links("Tide tables", "tide tables")),
        lambda g: codes(g, body=links("Tide tables", "Ship tables")),
    ),
    "contrast-low": (
        lambda g: codes(g, body='<p style="background:#fff;color:#777">Low tide</p>'),
        lambda g: codes(g, body='<p style="background:#fff;color:#767676">Low tide</p>'),
    ),
    "contrast-low-dark": (
        lambda g: codes(g, body="<p>Low tide</p>", head=NOTHING_DARK % "#444"),
        lambda g: codes(g, body="<p>Low tide</p>", head=NOTHING_DARK % "#eee"),
    ),
    "accent-unreadable": (
        lambda g: codes(g, body=LINK % "#FFD200", newsletter=YELLOW),
        lambda g: codes(g, body=LINK % "#7a6500", newsletter=YELLOW),
    ),
    "accent-shaded": (
        lambda g: codes(g, body=LINK % "#7a6500", newsletter=YELLOW),
        lambda g: codes(g, body=LINK % "#0b5c8a", newsletter={"theme": {"accent": "#0b5c8a"}}),
    ),
    "text-small": (
        lambda g: codes(g, body='<p style="font-size:12.9px">One</p>'),
        lambda g: codes(g, body='<p style="font-size:13px">One</p>'),
    ),
    "weight-warning": (
        lambda g: codes(g, size=80_000),
        lambda g: codes(g, size=79_999),
    ),
    "weight-error": (
        lambda g: codes(g, size=95_000),
        lambda g: codes(g, size=94_999),
    ),
    "entry-unpublished": (
        lambda g: codes(g, g.news(status="withdrawn"), by_hand=True),
        lambda g: codes(g, g.news(status="published"), by_hand=True),
    ),
    "sender-unsigned": (
        lambda g: codes(g, signing=("rivers.example",)),
        lambda g: codes(g, signing=("rivers.example", "news.harbours.example")),
    ),
    "client-breaks": (
        lambda g: codes(g, **lacking(**{"Gmail_(web)": "n"})),
        lambda g: codes(g, **lacking(Orange="n")),
    ),
    "client-lacks": (
        lambda g: codes(g, **lacking(Orange="n")),
        lambda g: codes(g, **lacking(Orange="u")),
    ),
    "client-partly": (
        lambda g: codes(g, **lacking(Orange="a")),
        lambda g: codes(g, **lacking()),
    ),
    "picture-missing": (
        lambda g: codes(g, g.news(image=STORED)),
        lambda g: codes(g, g.news(image=STORED), pictures={"quay.jpg": (9, 9)}),
    ),
    "picture-heavy": (
        lambda g: codes(g, g.news(image=STORED), pictures={"quay.jpg": (9, 9)}, picture_sizes={"quay.jpg": 1_000_000}),
        lambda g: codes(g, g.news(image=STORED), pictures={"quay.jpg": (9, 9)}, picture_sizes={"quay.jpg": 999_999}),
    ),
    "picture-dimensions": (
        lambda g: codes(g, body='<img src="https://x.example/a.jpg" alt="x">'),
        lambda g: codes(g, body='<img src="https://x.example/a.jpg" alt="x" height="9">'),
    ),
    "audience-empty": (
        lambda g: codes(g, **people(suppressed=9, en=0)),
        lambda g: codes(g, **people(suppressed=9, en=1)),
    ),
    "audience-language-empty": (
        lambda g: codes(g, **people(en=9)),
        lambda g: codes(g, **people(en=9, fr=1)),
    ),
    "audience-suppressed-share": (
        lambda g: codes(g, **people(suppressed=10, en=90, fr=0)),
        lambda g: codes(g, **people(suppressed=10, en=90, fr=1)),
    ),
    "audience-size": (
        lambda g: codes(g, **people(previous=100, en=131)),
        lambda g: codes(g, **people(previous=100, en=130)),
    ),
    "audience-test-domains": (
        lambda g: codes(g, **people(test_addresses=1, en=9)),
        lambda g: codes(g, **people(test_addresses=0, en=9)),
    ),
    "link-dead": (
        lambda g: page(g, "404 Not Found", "404 Not Found"),
        lambda g: page(g, "404 Not Found", "200 OK"),
    ),
    "link-host-unknown": (
        lambda g: page(g, resolve=nowhere),
        lambda g: page(g, "200 OK"),
    ),
    "link-inward": (
        lambda g: page(g, allows=is_public),
        lambda g: page(g, "200 OK"),
    ),
    "link-redirects": (
        lambda g: page(g, *[MOVED] * 4),
        lambda g: page(g, *[MOVED] * 3, "200 OK"),
    ),
    "link-certificate": (
        lambda g: page(g, None, scheme="https", tls=Told("self-signed")),
        lambda g: page(g, "200 OK", scheme="https", tls=Told("")),
    ),
    "link-unanswered": (
        lambda g: page(g, None),
        lambda g: page(g, "204 No Content"),
    ),
    "link-refused": (
        lambda g: page(g, "500 Oh"),
        lambda g: page(g, "399 Nearly"),
    ),
    "spam-score": (
        lambda g: codes(g, **spam("1.0")),
        lambda g: codes(g, **spam("0.9")),
    ),
    "spam-rules": (
        lambda g: codes(g, **spam("0.9")),
        lambda g: codes(g, **spam("0.0")),
    ),
    "spam-unknown": (
        lambda g: codes(g, **spam(None)),
        lambda g: codes(g, **spam("0.0")),
    ),
    "spf-missing": (
        lambda g: codes(g, **dns(spf=("v=spf10 -all",))),
        lambda g: codes(g, **dns()),
    ),
    "spf-several": (
        lambda g: codes(g, **dns(spf=("v=spf1 -all", "v=spf1 mx -all"))),
        lambda g: codes(g, **dns(spf=("v=spf1 -all", "site=v=spf1"))),
    ),
    "spf-open": (
        lambda g: codes(g, **dns(spf=("v=spf1 mx +all",))),
        lambda g: codes(g, **dns(spf=("v=spf1 mx ~all",))),
    ),
    "dkim-unpublished": (
        lambda g: codes(g, **dns(key=())),
        lambda g: codes(g, **dns()),
    ),
    "dkim-other-key": (
        lambda g: codes(g, **dns(key=("v=DKIM1; p=AAAB",))),
        lambda g: codes(g, **dns(key=("v=DKIM1; p=AA AA",))),
    ),
    "dmarc-missing": (
        lambda g: codes(g, **dns(dmarc=("v=DMARC2; p=none",))),
        lambda g: codes(g, **dns()),
    ),
    "dmarc-unreadable": (
        lambda g: codes(g, **dns(dmarc=("v=DMARC1; p=perhaps",))),
        lambda g: codes(g, **dns(dmarc=("v=DMARC1; p=Reject",))),
    ),
    "dmarc-strict": (
        lambda g: codes(g, **dns(dmarc=("v=DMARC1; p=none; adkim=s",))),
        lambda g: codes(g, **dns(dmarc=("v=DMARC1; p=none; aspf=s",))),
    ),
    "dns-unanswered": (
        lambda g: codes(g, **dns(spf=None)),
        lambda g: codes(g, **dns(spf=())),
    ),
}
"""By code: an issue in which it is found, and one in which it is not, though not much is different."""


def test_every_code_has_a_sample_and_a_near_miss():
    assert [rule.code for rule in RULES] == list(SAMPLES)


@pytest.mark.parametrize("code", SAMPLES)
def test_a_code_is_found_in_its_sample_and_not_in_what_looks_like_it(given, code):
    sample, near_miss = SAMPLES[code]
    assert code in sample(given)
    assert code not in near_miss(given)
