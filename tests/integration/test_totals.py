"""Counters of attempts never go back, count every attempt once, and cost the same however many there are."""

import pytest
from integration.sent_scene import ISSUE, NEWSLETTER, pipeline_over, tried
from sqlalchemy import delete
from sqlmodel import col, select

from newsletter.database import reading
from newsletter.dispatch import totals as module
from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Fault, Verdict
from newsletter.dispatch.totals import SETTLED, Total, TotalsRow, keep, totals

NO_SUCH_USER = {"fault": Fault.RECIPIENT, "code": 550, "text": "5.1.1 no such user"}


@pytest.fixture
def pipeline(engine):
    made = pipeline_over(engine)
    made.sending.queue(ISSUE, segment="all", at=None, zone=None, newsletter=NEWSLETTER)
    made.sending.start_due()
    yield made
    made.parts.engine.dispose()


def told(pipeline):
    with reading(pipeline.parts.engine) as session:
        return totals(session)


def kept(pipeline):
    with reading(pipeline.parts.engine) as session:
        row = session.scalars(select(TotalsRow)).one()
        session.expunge(row)
        return row


def test_each_attempt_is_counted_once_before_and_after_it_is_kept(pipeline):
    sessions, now = pipeline.parts.sessions, pipeline.parts.now()
    assert told(pipeline) == []
    tried(pipeline, "anna@lakes.example", Verdict.ACCEPTED)
    tried(pipeline, "bela@lakes.example", Verdict.REFUSED, relay="b", **NO_SUCH_USER)
    first = [Total("a", Verdict.ACCEPTED, None, 1), Total("b", Verdict.REFUSED, Fault.RECIPIENT, 1)]
    assert told(pipeline) == first
    assert keep(sessions, now) == 0, "nothing has settled yet"
    tried(pipeline, "cora@lakes.example", Verdict.ACCEPTED)
    assert keep(sessions, now + SETTLED) == 2, "the third is too young"
    assert kept(pipeline).seen == 2
    second = [Total("a", Verdict.ACCEPTED, None, 2), first[1]]
    assert told(pipeline) == second
    assert keep(sessions, now + 2 * SETTLED) == 1
    assert keep(sessions, now + 9 * SETTLED) == 0
    assert told(pipeline) == second


def test_what_retention_deletes_stays_counted(pipeline):
    tried(pipeline, "anna@lakes.example", Verdict.ACCEPTED)
    now = pipeline.parts.now()
    for round_ in range(2):
        keep(pipeline.parts.sessions, now + round_ * SETTLED)
    with pipeline.parts.sessions() as session:
        session.execute(delete(AttemptRow).where(col(AttemptRow.id) > 0))
        session.commit()
    assert told(pipeline) == [Total("a", Verdict.ACCEPTED, None, 1)]
    assert keep(pipeline.parts.sessions, now + 9 * SETTLED) == 0, "the newest id that there was is not forgotten"
    assert kept(pipeline).newest == 1


def test_many_attempts_are_kept_a_chunk_at_a_time(pipeline, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 2)
    for name in ("anna", "bela", "cora", "dana", "emil"):
        tried(pipeline, f"{name}@lakes.example", Verdict.ACCEPTED)
    now = pipeline.parts.now()
    keep(pipeline.parts.sessions, now)
    assert told(pipeline)[0].number == 2, "whoever reads counts one chunk at most"
    assert keep(pipeline.parts.sessions, now + SETTLED) == 5
    assert told(pipeline) == [Total("a", Verdict.ACCEPTED, None, 5)]


def test_two_that_keep_at_once_count_nothing_twice(pipeline):
    tried(pipeline, "anna@lakes.example", Verdict.ACCEPTED)
    now = pipeline.parts.now()
    keep(pipeline.parts.sessions, now)
    stale = kept(pipeline)
    assert keep(pipeline.parts.sessions, now + SETTLED) == 1
    with pipeline.parts.sessions() as session:
        assert not module._change(session, stale, {"seen": 1, "counts": []})
        session.rollback()
    assert told(pipeline) == [Total("a", Verdict.ACCEPTED, None, 1)]
