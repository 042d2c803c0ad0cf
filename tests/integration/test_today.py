"""What needs somebody today, on both databases: issues, gaps, what came back, first steps."""

import datetime as dt

import pytest
from integration.signing import BOTH, bare_pipeline
from sqlalchemy import update
from sqlmodel import col
from subscribing import PACK

from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.bootstrap import Pipeline
from newsletter.feedback.event import Kind, Proof
from newsletter.feedback.models import EventRow
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.web.desk.today import TALL, bars_of, step_of


@pytest.fixture
def pipeline(chosen_engine, clock, tmp_path):
    made = bare_pipeline(chosen_engine, clock)
    pack = tmp_path / "pack.yaml"
    entry = PACK["entries"][0]
    english = {**entry, "key": "english", "texts": {"en": entry["texts"]["en"]}}
    pack.write_text(repr({**PACK, "entries": [entry, english]}))
    made.entries.import_pack(pack)
    made.editorial.assemble("one", newsletter="harbour")
    return made


@pytest.fixture
def add(pipeline):
    """Stores rows."""

    def stored(*rows):
        with pipeline.parts.sessions() as session:
            session.add_all(rows)
            session.commit()
            return rows[0].id

    return stored


def test_an_empty_database_is_at_its_first_step(chosen_engine, clock):
    today = bare_pipeline(chosen_engine, clock).today.look()
    assert step_of(today.steps) == 0
    assert (today.issues, today.gaps) == ((), ())
    assert bars_of(today.back) == []


@BOTH
def test_a_draft_says_what_it_lacks_and_so_does_each_entry(pipeline):
    today = pipeline.today.look()
    (draft,) = today.issues
    assert (draft.head.slug, draft.head.state) == ("one", IssueState.DRAFT)
    assert (draft.gaps.missing, draft.gaps.stale, draft.gaps.subjects, draft.gaps.items) == ({"fr": 1}, {}, (), 2)
    assert [(gap.key, gap.missing) for gap in today.gaps] == [("english", ("fr",))]
    assert step_of(today.steps) == 1


def test_a_text_that_was_written_is_missed_no_more_at_once(pipeline, clock, tmp_path):
    assert len(pipeline.today.look().gaps) == 1
    clock.forward(minutes=1)
    pack = tmp_path / "again.yaml"
    pack.write_text(repr({"newsletter": PACK["newsletter"], "entries": [{**PACK["entries"][0], "key": "english"}]}))
    pipeline.entries.import_pack(pack)
    assert pipeline.today.look().gaps == ()


@BOTH
def test_an_issue_that_goes_out_says_how_far_it_has_come(pipeline, add, clock):
    with pipeline.parts.sessions() as session:
        session.execute(update(IssueRow).values(state=IssueState.SENDING))
        session.commit()
    run = RunRow(
        issue_id=1,
        mailing="issue:harbour/one",
        segment="all",
        expression="all",
        state=RunState.RUNNING,
        operator="anna",
        created=clock(),
        started=clock(),
        total=4,
    )
    key = add(run)
    states = (DeliveryState.ACCEPTED, DeliveryState.PLANNED, DeliveryState.DEFERRED, DeliveryState.UNCERTAIN)
    plain = {"mailing": "issue:harbour/one", "run_id": key, "language": "en", "artifact": "a", "changed": clock()}
    add(*(DeliveryRow(digest=f"d{number}", state=state, **plain) for number, state in enumerate(states)))
    (sending,) = pipeline.today.look().issues
    assert (sending.sent, sending.total, sending.gaps) == (2, 4, None)
    assert not pipeline.today.look().steps.has_sent
    with pipeline.parts.sessions() as session:
        session.execute(update(RunRow).where(col(RunRow.id) == key).values(state=RunState.FINISHED))
        session.execute(update(IssueRow).values(state=IssueState.SENT))
        session.commit()
    today = Pipeline(parts=pipeline.parts).today.look()
    assert (today.issues, today.steps.are_done) == ((), True)


@BOTH
def test_what_came_back_is_counted_by_day(pipeline, add, clock):
    kinds = [(Kind.HARD, 0), (Kind.SOFT, 0), (Kind.SOFT, 1), (Kind.COMPLAINT, 13), (Kind.HARD, 14), (Kind.CLICK, 0)]
    rows = [
        EventRow(
            key=f"k{number}",
            kind=kind,
            proof=next(iter(Proof)),
            source="mail",
            at=clock(),
            received=clock() - dt.timedelta(days=ago),
        )
        for number, (kind, ago) in enumerate(kinds)
    ]
    add(*rows)
    back = pipeline.today.look().back
    assert [(day.day.isoformat(), day.hard, day.soft, day.complaints) for day in back if day.total] == [
        ("2026-11-18", 0, 0, 1),
        ("2026-11-30", 0, 1, 0),
        ("2026-12-01", 1, 1, 0),
    ]
    bars = bars_of(back)
    assert (len(bars), max(bar.height for bar in bars), bars[-1].hard) == (14, TALL, TALL // 2)
