"""A run is told as it stands, and its report afterwards, the same on both databases and with every number adding up."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from integration.sent_scene import ISSUE, NEWSLETTER, copied, pipeline_over, tried
from sqlalchemy import Engine
from sqlmodel import col, select

from newsletter.assembly.facts import IssueState
from newsletter.bootstrap import Pipeline
from newsletter.database import reading
from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Fault, Verdict
from newsletter.dispatch.tallies import open_states
from newsletter.errors import NotFound
from newsletter.feedback.event import Kind
from newsletter.pipeline import watching
from newsletter.pipeline.watching import Sight, Watching
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.settings import Uncertain
from newsletter.web.desk.sending.sheet import sheet_of
from subscribers.errors import InvalidAddress

HERE = {"newsletter": NEWSLETTER}
NO_SUCH_USER = {"fault": Fault.RECIPIENT, "code": 550, "enhanced": "5.1.1", "text": "5.1.1 no such user"}


@pytest.fixture
def pipeline(approved: Path, tmp_path: Path) -> Iterator[Pipeline]:
    """An approved issue for six people."""
    made = copied(approved, tmp_path / "copy")
    yield made
    made.parts.engine.dispose()


@pytest.fixture
def either(engine: Engine) -> Iterator[Pipeline]:
    """The same in either database."""
    made = pipeline_over(engine)
    yield made
    made.parts.engine.dispose()


def started(pipeline: Pipeline) -> Pipeline:
    pipeline.sending.queue(ISSUE, segment="all", at=None, zone=None, **HERE)
    pipeline.sending.start_due()
    return pipeline


def seen(pipeline: Pipeline, by: Watching | None = None) -> Sight:
    sight = (by or pipeline.watching).look(ISSUE, **HERE)
    assert sight is not None
    return sight


def finish(pipeline: Pipeline) -> None:
    """End the run as the dispatcher does when its last delivery has ended."""
    with pipeline.parts.sessions() as session:
        run = session.exec(select(RunRow)).one()
        run.state, run.ended = RunState.FINISHED, pipeline.parts.now()
        session.add(run)
        session.commit()
    pipeline.sending.finished([1])


def test_a_run_is_watched_to_its_end_and_reported(either: Pipeline):
    pipeline = either
    assert pipeline.watching.look(ISSUE, **HERE) is None
    assert pipeline.reporting.report(ISSUE, **HERE) is None
    started(pipeline)
    before = seen(pipeline)
    assert (before.total, before.waiting, before.accepted, before.done) == (6, 6, 0, 0)
    tried(pipeline, "anna@lakes.example", Verdict.ACCEPTED)
    tried(pipeline, "bela@lakes.example", Verdict.REFUSED, **NO_SUCH_USER)
    tried(pipeline, "cora@lakes.example", Verdict.DEFERRED, relay="b", fault=Fault.RELAY, code=451, text="later")
    tried(pipeline, "dana@lakes.example", Verdict.UNCERTAIN, fault=Fault.RELAY)
    now = seen(pipeline)
    assert (now.accepted, now.refused, now.deferred, now.uncertain, now.waiting) == (1, 1, 1, 1, 2)
    assert (now.unsent, now.beyond_recall, now.stoppable) == (0, 2, 3)
    assert [(relay.name, relay.accepted, relay.refused, relay.deferred) for relay in now.relays] == [
        ("a", 1, 1, 0),
        ("b", 0, 0, 1),
    ]
    assert [(cause.state, cause.code, cause.number) for cause in pipeline.watching.refusals(ISSUE, **HERE)] == [
        (DeliveryState.DEFERRED, 451, 1),
        (DeliveryState.REFUSED, 550, 1),
    ]
    doubts = pipeline.watching.doubts(ISSUE, **HERE)
    assert (doubts.number, doubts.policy) == (1, Uncertain.REPEAT)
    assert [each.address for each in doubts.some] == ["dana@lakes.example"]
    for address in ("cora@lakes.example", "dana@lakes.example", "emil@lakes.example", "fina@office.example"):
        tried(pipeline, address, Verdict.ACCEPTED, relay="b")
    finish(pipeline)
    end = seen(pipeline)
    assert (end.is_over, end.issue_state, end.accepted, end.refused, end.waiting) == (True, IssueState.SENT, 5, 1, 0)
    report = pipeline.reporting.report(ISSUE, **HERE)
    assert report is not None
    figures = report.figures
    assert (figures.total, figures.count(DeliveryState.ACCEPTED)) == (6, 5)
    assert [(part.name, part.total) for part in figures.languages] == [("en", 4), ("fr", 2)]
    assert [(part.name, part.total) for part in figures.providers] == [("lakes.example", 5)]
    assert (figures.others.total, figures.unknown) == (1, 0)
    assert sum(moment.number for moment in figures.moments) == 5
    assert (report.is_final, report.line.back, report.engaged, report.earlier) == (True, {Kind.HARD: 1}, None, ())


def test_the_report_of_a_run_that_has_ended_is_counted_once(pipeline: Pipeline):
    started(pipeline)
    finish(pipeline)
    assert pipeline.reporting.keep_up() == 1
    assert pipeline.reporting.keep_up() == 0
    first = pipeline.reporting.report(ISSUE, **HERE)
    with pipeline.parts.sessions() as session:
        for row in session.exec(select(DeliveryRow)):
            row.state = DeliveryState.ACCEPTED
            session.add(row)
        session.commit()
    again = pipeline.reporting.report(ISSUE, **HERE)
    assert first is not None
    assert again is not None
    assert (again.figures, again.made) == (first.figures, first.made)
    assert again.proof is not None
    assert {check.code for check in again.proof} >= {"I1", "I2", "I9"}


def test_a_run_after_a_report_makes_it_anew(pipeline: Pipeline):
    started(pipeline)
    tried(pipeline, "anna@lakes.example", Verdict.ACCEPTED)
    pipeline.control.cancel(ISSUE, **HERE)
    report = pipeline.reporting.report(ISSUE, **HERE)
    assert report is not None
    assert report.figures.count(DeliveryState.CANCELLED) == 5
    started(pipeline)
    report = pipeline.reporting.report(ISSUE, **HERE)
    assert report is not None
    assert report.figures.states == {DeliveryState.ACCEPTED: 1, DeliveryState.PLANNED: 5}
    assert (report.is_final, len(report.runs)) == (False, 2)
    assert seen(pipeline).accepted == 0


def test_attempts_are_counted_the_same_however_often_somebody_looks(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(watching, "SLACK", 1)
    started(pipeline)
    often = Watching(pipeline.parts)
    for address in ("anna@lakes.example", "bela@lakes.example", "cora@lakes.example", "dana@lakes.example"):
        seen(pipeline, often)
        tried(pipeline, address, Verdict.ACCEPTED)
        seen(pipeline, often)
    assert seen(pipeline, often).accepted == 4
    assert seen(pipeline, Watching(pipeline.parts)).accepted == 4


def test_an_attempt_that_is_committed_late_is_counted_all_the_same(either: Pipeline):
    pipeline = either
    started(pipeline)
    tried(pipeline, "anna@lakes.example", Verdict.ACCEPTED)
    with pipeline.parts.sessions() as session:  # PostgreSQL gives out ids before their transactions are committed
        first = session.exec(select(AttemptRow)).one()
        first.id = 9
        session.add(first)
        session.commit()
    assert seen(pipeline).accepted == 1
    with pipeline.parts.sessions() as session:
        delivery = session.exec(select(DeliveryRow).where(col(DeliveryRow.attempts) == 0).limit(1)).one()
        given = first.model_dump(exclude={"id", "delivery_id"})
        session.add(AttemptRow(id=5, delivery_id=delivery.id or 0, **given))
        session.commit()
    assert seen(pipeline).accepted == 2


def test_the_rate_and_the_time_left_follow_the_last_seconds(pipeline: Pipeline):
    started(pipeline)
    clock = [pipeline.parts.now()]
    watch = Watching(replace(pipeline.parts, now=lambda: clock[0]))
    assert seen(pipeline, watch).rate is None
    for address in ("anna@lakes.example", "bela@lakes.example"):
        tried(pipeline, address, Verdict.ACCEPTED)
    clock[0] += dt.timedelta(seconds=2)
    now = seen(pipeline, watch)
    assert (now.rate, now.left) == (1.0, dt.timedelta(seconds=4))


def test_one_person_is_found_by_address_and_nobody_else(pipeline: Pipeline):
    started(pipeline)
    tried(pipeline, "bela@lakes.example", Verdict.REFUSED, **NO_SUCH_USER)
    found = pipeline.watching.person("Bela@Lakes.example ", ISSUE, **HERE)
    assert found.delivery is not None
    assert (found.delivery.state, [attempt.code for attempt in found.attempts]) == (DeliveryState.REFUSED, [550])
    nobody = pipeline.watching.person("nobody@lakes.example", ISSUE, **HERE)
    assert (nobody.delivery, nobody.attempts, nobody.run) == (None, (), None)
    with pytest.raises(InvalidAddress):
        pipeline.watching.person("bela", ISSUE, **HERE)
    with pytest.raises(NotFound):
        pipeline.watching.person("bela@lakes.example", "2001-01", **HERE)


def test_a_sheet_has_every_figure_and_no_formula(pipeline: Pipeline):
    started(pipeline)
    tried(pipeline, "bela@lakes.example", Verdict.REFUSED, fault=Fault.RECIPIENT, text="=HYPERLINK(1)")
    finish(pipeline)
    report = pipeline.reporting.report(ISSUE, **HERE)
    assert report is not None
    lines = sheet_of(report).decode("utf-8-sig").splitlines()
    assert f"{NEWSLETTER},{ISSUE},issue,,refused,1" in lines
    assert f"{NEWSLETTER},{ISSUE},language,fr,planned,2" in lines
    assert any("'=HYPERLINK(1)" in line for line in lines)
    assert "lakes.example" in "".join(lines)
    assert "office.example" not in "".join(lines)


def test_a_list_of_reports_begins_behind_the_last_of_the_page_before(pipeline: Pipeline):
    started(pipeline)
    (line,) = pipeline.reporting.lines(NEWSLETTER, limit=5)
    assert (line.slug, line.total, line.figures) == (ISSUE, 6, None)
    assert pipeline.reporting.lines(NEWSLETTER, limit=5, before=(line.date, line.slug)) == []


def test_nobody_starts_a_run_that_is_due(pipeline: Pipeline):
    pipeline.sending.queue(ISSUE, segment="all", at=None, zone=None, **HERE)
    assert not seen(pipeline).is_late
    with pipeline.parts.sessions() as session:
        run = session.exec(select(RunRow)).one()
        run.due_at = pipeline.parts.now() - dt.timedelta(minutes=5)
        session.add(run)
        session.commit()
    assert seen(pipeline).is_late


def test_counts_of_a_run_use_the_index_of_open_deliveries(sqlite_engine: Engine):
    asked: list[str] = []
    with reading(sqlite_engine) as session:
        connection = session.connection().connection.driver_connection
        assert connection is not None
        connection.set_trace_callback(asked.append)
        open_states(session, 1)
        connection.set_trace_callback(None)
        (query,) = [text for text in asked if text.startswith("SELECT")]
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert any("COVERING INDEX ix_delivery_open" in step for step in plan)
