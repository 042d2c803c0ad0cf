"""/metrics tells how the installation stands, the same on both databases, and nobody but who may read it."""

import datetime as dt
import re
import time

import pytest
from databases import CHOSEN
from integration.sent_scene import ISSUE, NEWSLETTER, READERS, copied, pipeline_over, tried
from logged import ROOT as SOURCE
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import col, select
from visitor import visiting

from newsletter.accounts.alerts import AlertKind
from newsletter.database import reading
from newsletter.dispatch import gauges
from newsletter.dispatch.outcome import Fault, Verdict
from newsletter.dispatch.workers import register
from newsletter.errors import TooSlow
from newsletter.pipeline import vitals
from newsletter.pipeline.election import seat_of
from newsletter.planning.models import DeliveryRow, DeliveryState
from newsletter.planning.store import ENDED_STATES
from newsletter.web.app import create_app
from newsletter.web.metrics import class_of, metrics_of

PAGE = (SOURCE / "docs" / "operations.md").read_text()
ROW = re.compile(r"^\| `((?:newsletter|process)_\w+)` \| (gauge|counter|histogram) \| ([^|]+) \|", re.MULTILINE)
TOKEN = "a-token-of-some-length"
OPEN = set(DeliveryState) - ENDED_STATES


@pytest.fixture
def either(engine):
    made = pipeline_over(engine)
    yield made
    made.parts.engine.dispose()


@pytest.fixture
def sent(approved, tmp_path):
    made = copied(approved, tmp_path / "copy", metrics={"token": TOKEN})
    yield made
    made.parts.engine.dispose()


def figures(pipeline):
    """What a program on this machine reads: families by name."""
    with visiting(create_app(pipeline), address="127.0.0.1") as visitor:
        visitor.get("/health")
        answer = visitor.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def value(families, name, **labels):
    """One sample by its name and labels."""
    family = families[name.removesuffix("_total")]
    found = [each.value for each in family.samples if each.name == name and each.labels == labels]
    assert len(found) == 1, (name, labels, family.samples)
    return found[0]


def test_a_run_its_attempts_and_who_works_on_it_are_told(either):
    either.sending.queue(ISSUE, segment="all", at=None, zone=None, newsletter=NEWSLETTER)
    either.sending.start_due()
    tried(either, "anna@lakes.example", Verdict.ACCEPTED)
    tried(either, "bela@lakes.example", Verdict.REFUSED, fault=Fault.RECIPIENT, code=550, text="no such user")
    tried(either, "cora@lakes.example", Verdict.DEFERRED, code=450, text="busy")
    either.alerting.relays(["a"])
    with either.parts.sessions() as session:
        register(session, "here:1", connections=8, now=either.parts.now())
        session.commit()
    seat = seat_of(either.parts.engine)
    assert seat.take()
    told = figures(either)
    seat.leave()
    of_run = {"newsletter": NEWSLETTER, "issue": ISSUE}
    assert value(told, "newsletter_deliveries", **of_run, state="planned") == 3
    assert value(told, "newsletter_deliveries", **of_run, state="deferred") == 1
    assert value(told, "newsletter_attempts_total", relay="a", outcome="accepted", fault="") == 1
    assert value(told, "newsletter_attempts_total", relay="a", outcome="refused", fault="recipient") == 1
    assert value(told, "newsletter_runs", state="running") == 1
    assert value(told, "newsletter_workers", state="alive") == 1
    assert value(told, "newsletter_worker_connections") == 8
    assert value(told, "newsletter_scheduler_acts") == 1
    assert value(told, "newsletter_relay_silent", relay="a") == 1
    assert value(told, "newsletter_alerts", kind=AlertKind.RELAY.value) == 1
    assert value(told, "newsletter_http_requests_total", route="probe", status="2xx") == 1
    assert 0 <= value(told, "newsletter_last_attempt_seconds") < 60
    assert value(told, "newsletter_database_up") == 1


def test_what_is_overdue_is_told_by_what_has_waited_longest_and_single_messages_by_their_state(either):
    either.sending.queue(ISSUE, segment="all", at=None, zone=None, newsletter=NEWSLETTER)
    either.sending.start_due()
    now = either.parts.now()
    with reading(either.parts.engine) as session:
        assert gauges.oldest_due(session, now) == 0
        assert set(gauges.open_singles(session).values()) == {0}
    tried(either, "anna@lakes.example", Verdict.DEFERRED, code=450, text="busy")
    tried(either, "bela@lakes.example", Verdict.DEFERRED, code=450, text="busy")
    with either.parts.sessions() as session:
        for minutes, row in zip(
            (1, 5, -5), session.scalars(select(DeliveryRow).order_by(DeliveryRow.state)), strict=False
        ):
            row.state, row.next_at = DeliveryState.DEFERRED, now - dt.timedelta(minutes=minutes)
        session.commit()
    with reading(either.parts.engine) as session:
        assert gauges.oldest_due(session, now) == 300
        assert gauges.oldest_due(session, now - dt.timedelta(minutes=6)) == 0
    with either.parts.sessions() as session:
        row = session.scalars(select(DeliveryRow).where(col(DeliveryRow.next_at) < now).limit(1)).one()
        row.run_id, row.next_at = None, now - dt.timedelta(minutes=9)
        session.commit()
    with reading(either.parts.engine) as session:
        assert gauges.oldest_due(session, now) == 540
        assert gauges.open_singles(session) == dict.fromkeys(OPEN, 0) | {DeliveryState.DEFERRED: 1}


def test_deliveries_are_counted_anew_behind_the_back_of_who_asks(either, monkeypatch):
    monkeypatch.setattr(vitals, "FRESH", 0)
    monkeypatch.setattr(vitals, "SHARE", 0)
    either.sending.queue(ISSUE, segment="all", at=None, zone=None, newsletter=NEWSLETTER)
    either.sending.start_due()
    assert either.watch.read().going[0].states == {DeliveryState.PLANNED: 6}
    tried(either, "anna@lakes.example", Verdict.DEFERRED, code=450, text="busy")
    deadline = time.monotonic() + 30
    while either.watch.read().going[0].states == {DeliveryState.PLANNED: 6}:
        assert time.monotonic() < deadline
    assert either.watch.read().going[0].states == {DeliveryState.PLANNED: 5, DeliveryState.DEFERRED: 1}


def test_the_page_lists_each_metric_with_its_kind_and_labels_and_none_besides(sent):
    page = {name: (kind, labels.strip()) for name, kind, labels in ROW.findall(PAGE)}
    sent.sending.queue(ISSUE, segment="all", at=None, zone=None, newsletter=NEWSLETTER)
    sent.sending.start_due()
    tried(sent, "anna@lakes.example", Verdict.ACCEPTED)
    sent.alerting.relays(["a"])
    of_either = vitals.Vitals(answers=True, jobs={"todo": 1}, free=1)
    served = {**{each.name: each for each in metrics_of(of_either)}, **figures(sent)}
    assert {_full(family) for family in served.values()} == page.keys()
    for family in served.values():
        kind, labels = page[_full(family)]
        assert family.type == kind, family.name
        named = {name for sample in family.samples for name in sample.labels} - {"le"}
        if family.samples:
            assert set(re.findall(r"`(\w+)`", labels)) == named, family.name


def _full(family):
    return f"{family.name}_total" if family.type == "counter" else family.name


def test_strangers_learn_nothing_and_who_bears_the_token_all(sent, approved, tmp_path):
    app = create_app(sent)
    with visiting(app) as stranger:
        refused = stranger.get("/metrics")
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert stranger.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}x"}).status_code == 401
        assert stranger.get("/metrics", headers={"Authorization": f"Basic {TOKEN}"}).status_code == 401
        assert stranger.get("/metrics", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200
        assert stranger.get("/metrics", headers={"Host": "10.0.0.7:8000"}).status_code == 401, "whatever the host"
    with visiting(app, address="127.0.0.1") as neighbour:
        assert neighbour.get("/metrics").status_code == 200
        assert neighbour.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 401, "it is a proxy"
    without = copied(approved, tmp_path / "without")
    with visiting(create_app(without)) as stranger:
        assert stranger.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    without.parts.engine.dispose()


def test_no_figure_names_a_person_or_what_strangers_ask_for(sent):
    app = create_app(sent)
    with visiting(app, address="127.0.0.1") as visitor:
        for path in ("/u/secret-token", "/anna@lakes.example", "/desk/nothing/anna", "/a/b/c"):
            visitor.get(path)
        told = visitor.get("/metrics").text
    assert 'route="public"' in told
    for word in (*READERS, "secret-token", "anna"):
        assert word not in told
    assert {class_of("/desk"), class_of("/desk/x"), class_of("/deskx"), class_of("")} == {"desk", "public"}


def test_a_database_that_is_away_is_told_soon_with_what_needs_none(sent, monkeypatch):
    monkeypatch.setattr(vitals, "reading_within", _too_slow)
    told = figures(sent)
    assert value(told, "newsletter_database_up") == 0
    assert value(told, "newsletter_http_requests_total", route="probe", status="2xx") == 1
    assert ("newsletter_disk_free_bytes" in told) is (CHOSEN == "sqlite"), "a server's disk is not ours"
    assert "newsletter_runs" not in told


def _too_slow(*_given):
    raise TooSlow


def test_figures_are_read_once_for_all_who_ask_at_the_same_time(sent, monkeypatch):
    read, watch = [], sent.watch
    monkeypatch.setattr(watch, "_read", lambda: read.append(time.monotonic()) or vitals.Vitals(answers=True))
    for _ in range(5):
        watch.read()
    assert len(read) == 1
    assert sent.acting_as("anne").watch is watch
