"""The cadence on both databases: a draft for every time that comes, once, whoever looks and whatever is killed."""

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from integration.signing import BOTH, a_newsletter, bare_pipeline
from sqlmodel import col, select
from structlog.testing import capture_logs

from newsletter.accounts.alerts import AlertKind, AlertRow
from newsletter.accounts.models import AuditRow, Deed
from newsletter.assembly.due import SlotRow, take
from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.bootstrap import Pipeline
from newsletter.errors import CompilationFailed
from newsletter.pipeline import cadence as module
from newsletter.pipeline.alert_words import WORDS, said
from newsletter.words import catalogue

ZONES = (
    "Europe/Brussels",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Auckland",
)


@pytest.fixture
def pipeline(chosen_engine, clock):
    made = bare_pipeline(chosen_engine, clock)
    a_newsletter(made, cadence={"cron": "0 9 * * mon#1"})
    return made


@pytest.fixture
def rows(pipeline):
    def all_of(table):
        with pipeline.parts.sessions() as session:
            return session.scalars(select(table).order_by(col(table.id))).all()

    return all_of


@BOTH
def test_a_draft_is_made_when_it_is_due_and_nothing_is_sent(pipeline, clock, rows):
    tick = pipeline.cadence.tick
    assert tick() == []
    clock.instant = dt.datetime(2026, 12, 7, 7, 59, 59, tzinfo=dt.UTC)
    assert tick() == []
    clock.forward(seconds=2)
    assert [tick(), tick()] == [["2026-12"], []]
    (issue,) = rows(IssueRow)
    assert (issue.slug, issue.date, issue.state) == ("2026-12", dt.date(2026, 12, 7), IssueState.DRAFT)
    assert issue.plan["texts"]["fr"]["title"] == "Décembre 2026"
    assert issue.assembled is not None
    (alert,) = rows(AlertRow)
    assert (alert.kind, alert.newsletter, alert.facts["issue"]) == (AlertKind.DRAFT, "rivers", "2026-12")
    standing = pipeline.approval.preflight("2026-12", newsletter="rivers", segment=None).report.standing()
    assert int(alert.facts["checks"]) == len(standing) > 0
    (line,) = (row for row in rows(AuditRow) if row.action == Deed.DRAFT_MADE.value)
    assert (line.operator, line.about) == ("cadence", "rivers/2026-12")


@BOTH
def test_the_next_draft_goes_on_where_the_last_one_ended(pipeline, clock, rows):
    pipeline.cadence.tick()
    for day in (dt.date(2026, 12, 7), dt.date(2027, 1, 4)):
        clock.instant = dt.datetime.combine(day, dt.time(12), dt.UTC)
        pipeline.cadence.tick()
    first, second = rows(IssueRow)
    assert second.slug == "2027-01"
    assert second.period_from == first.period_to + dt.timedelta(days=1)


@BOTH
def test_of_several_times_that_were_missed_the_last_one_counts(pipeline, clock, rows):
    pipeline.cadence.tick()
    clock.instant = dt.datetime(2027, 5, 20, tzinfo=dt.UTC)
    assert pipeline.cadence.tick() == ["2027-05"]
    assert [row.at.date() for row in rows(SlotRow)] == [dt.date(2027, 5, 3)]


@BOTH
def test_two_schedulers_make_one_draft(pipeline, clock, rows):
    pipeline.cadence.tick()
    clock.instant = dt.datetime(2026, 12, 7, 9, tzinfo=dt.UTC)
    at = dt.datetime(2026, 12, 7, 8, tzinfo=dt.UTC)
    with pipeline.parts.sessions() as session:
        assert take(session, 1, at=at, issue="2026-12", now=clock())
        session.commit()
    with pipeline.parts.sessions() as session:
        assert not take(session, 1, at=at, issue="2026-12-07", now=clock())
        session.rollback()
    assert Pipeline(parts=pipeline.parts).cadence.tick() == []
    assert rows(IssueRow) == []


@BOTH
def test_who_was_killed_before_the_draft_was_there_is_made_up_for(pipeline, clock, rows, monkeypatch):
    pipeline.cadence.tick()
    clock.instant = dt.datetime(2026, 12, 7, 9, tzinfo=dt.UTC)

    def killed(*_given, **_named):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module.Editorial, "assemble", killed)
        with pytest.raises(KeyboardInterrupt):
            pipeline.cadence.tick()
    assert pipeline.cadence.tick() == []
    clock.forward(minutes=11)
    assert pipeline.cadence.tick() == ["2026-12"]
    assert len(rows(IssueRow)) == len(rows(AlertRow)) == 1
    assert rows(SlotRow)[0].done == clock()


def test_a_draft_that_cannot_be_compiled_is_there_all_the_same(pipeline, clock, rows, monkeypatch):
    pipeline.cadence.tick()
    clock.instant = dt.datetime(2026, 12, 7, 9, tzinfo=dt.UTC)

    def spoilt(*_given, **_named):
        raise CompilationFailed("the theme is wrong")

    monkeypatch.setattr(module.Approval, "preflight", spoilt)
    with capture_logs() as logs:
        assert pipeline.cadence.tick() == ["2026-12"]
    assert ("draft not compiled", "the theme is wrong") in [(line["event"], line.get("reason")) for line in logs]
    assert rows(AlertRow)[0].facts["checks"] == "0"


@pytest.mark.parametrize(
    ("language", "checks", "words"),
    [
        ("en", 1, "1 check stands in the way of its approval."),
        ("fr", 2, "2 contrôles s’opposent à son approbation."),
    ],
)
def test_the_notice_says_how_many_checks_stand_in_the_way(language, checks, words):
    facts = {"issue": "2026-12", "title": "December", "items": "3", "checks": str(checks)}
    for given, told in ((facts, True), ({**facts, "checks": "0"}, False)):
        lines = said(
            AlertKind.DRAFT, given, catalogue(language, WORDS), newsletter="rivers", zone="Europe/Brussels"
        ).lines
        assert (words in lines) is told


def test_a_changed_cadence_counts_from_now_on(pipeline, clock, rows):
    pipeline.cadence.tick()
    clock.instant = dt.datetime(2026, 12, 20, tzinfo=dt.UTC)
    pipeline.entries.change_newsletter("rivers", {"cadence.cron": "0 9 1 * *"})
    assert pipeline.cadence.tick() == []
    pipeline.entries.change_newsletter("rivers", {"cadence.cron": None})
    assert pipeline.cadence.tick() == []
    clock.instant = dt.datetime(2027, 2, 2, tzinfo=dt.UTC)
    assert pipeline.cadence.tick() == []
    pipeline.entries.change_newsletter("rivers", {"cadence.cron": "0 9 1 * *"})
    assert pipeline.cadence.tick() == []
    assert rows(SlotRow) == []


def test_a_name_that_is_taken_is_not_taken_twice(pipeline, clock, rows):
    pipeline.cadence.tick()
    clock.instant = dt.datetime(2026, 12, 7, 9, tzinfo=dt.UTC)
    pipeline.editorial.assemble("2026-12", newsletter="rivers")
    assert pipeline.cadence.tick() == ["2026-12-07"]


@pytest.mark.parametrize("zone", ZONES)
def test_every_day_of_a_change_of_clocks_is_due_once(chosen_engine, clock, zone, monkeypatch):
    monkeypatch.setattr(module.Cadences, "_checked", lambda *_given: None)  # it takes a second, and changes no time
    pipeline = bare_pipeline(chosen_engine, clock)
    a_newsletter(pipeline, timezone=zone, cadence={"cron": "30 2 * * *"})
    changes = [day for day in _days(2027) if _offset(day, zone) != _offset(day + dt.timedelta(days=1), zone)]
    assert len(changes) == 2 if zone != "Africa/Casablanca" else changes
    for change in changes:
        clock.instant = dt.datetime.combine(change - dt.timedelta(days=2), dt.time(12), dt.UTC)
        pipeline.entries.change_newsletter("rivers", {"cadence.cron": f"30 2 {change.day} * *"})
        pipeline.cadence.tick()
        made = []
        for _ in range(30):
            clock.forward(hours=4)
            made += pipeline.cadence.tick()
        assert len(made) == 1, change
    with pipeline.parts.sessions() as session:
        due = session.scalars(select(SlotRow).order_by(col(SlotRow.at))).all()
    assert [row.at.astimezone(ZoneInfo(zone)).date() for row in due] == changes
    assert all(later.at > earlier.at for earlier, later in pairwise(due))


def _days(year):
    return [dt.date(year, 1, 1) + dt.timedelta(days=ahead) for ahead in range(364)]


def _offset(day, zone):
    return dt.datetime.combine(day, dt.time(), ZoneInfo(zone)).utcoffset()
