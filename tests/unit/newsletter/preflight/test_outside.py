import socket

from newsletter.preflight import deliverability
from newsletter.preflight.outside import look_outside
from newsletter.preflight.reach import Reach
from newsletter.preflight.report import PreflightInput, run


def prepared(given):
    facts = given.issue(given.news(body="[The plan](https://plan.harbours.example/)"))
    return PreflightInput(issue=facts, editions=(given.compiled(facts),))


def nowhere(_host, _port):
    raise socket.gaierror


def test_pages_and_messages_are_looked_at(given):
    found = look_outside(prepared(given), reach=Reach(resolve=nowhere), judge=lambda _: "")
    assert [(finding.code, finding.place) for finding in found] == [
        ("link-host-unknown", "piers"),
        ("spam-unknown", ""),
    ]


def test_nothing_is_asked_that_nobody_wants_to_know(given, monkeypatch):
    monkeypatch.setattr(deliverability, "which", lambda _: None)
    assert look_outside(prepared(given)) == ()


def test_a_report_takes_in_what_was_found_outside(given):
    checked = prepared(given)
    report = run(checked, outside=look_outside(checked, reach=Reach(resolve=nowhere), judge=lambda _: ""))
    assert given.codes(report.findings) == ["link-host-unknown", "spam-unknown"]
