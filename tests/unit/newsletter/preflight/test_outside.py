import socket

from newsletter.preflight import deliverability
from newsletter.preflight.domains import SenderDomains
from newsletter.preflight.outside import Outside, look_outside
from newsletter.preflight.reach import Reach
from newsletter.preflight.report import PreflightInput, Verdict, run

BODY = "[The plan](https://plan.harbours.example/) and [the map](https://plan.harbours.example/map)"
DOMAINS = SenderDomains(sender="harbours.example", returns="harbours.example")


def prepared(given):
    facts = given.issue(given.news(body=BODY))
    return PreflightInput(issue=facts, editions=(given.compiled(facts),))


def nowhere(_host, _port):
    raise socket.gaierror


class Nothing:
    """A DNS without records."""

    def texts(self, _name):
        return ()

    def mail_hosts(self, _name):
        return ()


EVERYBODY = Outside(reach=Reach(resolve=nowhere), names=Nothing, judge=lambda _: "")


def test_pages_messages_and_the_senders_domain_are_looked_at(given):
    found = look_outside(prepared(given), EVERYBODY, domains=DOMAINS)
    assert [(finding.code, finding.place) for finding in found] == [
        ("spf-missing", "sender"),
        ("dmarc-missing", "sender"),
        ("link-host-unknown", "piers"),
        ("spam-unknown", ""),
    ]


def test_it_is_told_how_many_pages_have_answered(given):
    heard = []
    look_outside(prepared(given), EVERYBODY, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(1, 2), (2, 2)]


def test_nothing_is_asked_that_nobody_wants_to_know(given, monkeypatch):
    monkeypatch.setattr(deliverability, "which", lambda _: None)
    assert look_outside(prepared(given), Outside(), domains=DOMAINS) == ()


def test_a_report_takes_in_what_was_found_outside_without_standing_in_the_way(given):
    checked = prepared(given)
    report = run(checked, outside=look_outside(checked, EVERYBODY))
    assert given.codes(report.findings) == ["link-host-unknown", "spam-unknown"]
    assert report.standing() == ()
    assert report.verdict() is Verdict.CLEAR
