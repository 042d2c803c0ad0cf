"""A run can be stopped at every moment of its life, and goes on where it stood."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from databases import databases, url_of
from sqlmodel import Session, select

from newsletter.bootstrap import Pipeline, build
from newsletter.database import migrate
from newsletter.errors import FindingsOpen, WrongState
from newsletter.pipeline.freezing import freezing
from newsletter.planning.models import RunRow, RunState
from newsletter.settings import load

PACK = Path(__file__).parent / "river-cities.yaml"
ISSUE = {"newsletter": None}


def opened(folder: Path) -> Pipeline:
    return build(load(database={"url": url_of(folder / "n.sqlite")}), operator="anne", migrated=False)


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a database with an approved issue for one reader, made once."""
    folder = tmp_path_factory.mktemp("approved")
    made = opened(folder)
    migrate(made.parts.engine)
    made.entries.import_pack(PACK)
    made.people.lists.create("members")
    made.people.add("reader@town.example", list_name="members", given={"language": "fr"})
    made.people.segments.create("all", 'list = "members"')
    made.people.segments.create("nobody", 'tag = "absent"')
    made.editorial.assemble("2026-12", newsletter=None)
    made.approval.approve("2026-12", newsletter=None)
    made.parts.engine.dispose()
    return folder


@pytest.fixture
def pipeline(approved: Path, tmp_path: Path) -> Iterator[Pipeline]:
    """An approved issue for one reader."""
    made = opened(databases().copy_folder(approved, tmp_path / "copy"))
    yield made
    made.parts.engine.dispose()


def queue(pipeline: Pipeline, **given: object) -> None:
    pipeline.sending.queue("2026-12", newsletter=None, **{"segment": "all", "at": None, "zone": None, **given})


def run_of(pipeline: Pipeline) -> RunRow:
    with pipeline.parts.sessions() as session:
        return session.exec(select(RunRow)).one()


def change(pipeline: Pipeline, **values: object) -> None:
    with pipeline.parts.sessions() as session:
        run = session.exec(select(RunRow)).one()
        for name, value in values.items():
            setattr(run, name, value)
        session.add(run)
        session.commit()


def test_a_run_that_is_being_planned_is_paused_and_planned_on(pipeline: Pipeline):
    queue(pipeline)
    change(pipeline, state=RunState.PLANNING, started=pipeline.parts.now(), dated=pipeline.parts.now())
    pipeline.control.pause("2026-12", newsletter=None)
    assert run_of(pipeline).state is RunState.PAUSED
    pipeline.control.resume("2026-12", newsletter=None)
    assert run_of(pipeline).state is RunState.PLANNING
    assert pipeline.sending.start_due() == ["2026-12"]
    assert (run_of(pipeline).state, run_of(pipeline).total) == (RunState.RUNNING, 1)


def test_a_freeze_that_goes_on_is_not_begun_again_and_one_that_was_broken_off_is(pipeline: Pipeline):
    queue(pipeline)
    change(pipeline, state=RunState.PLANNING, started=pipeline.parts.now(), dated=pipeline.parts.now())
    with freezing(pipeline.parts.engine, run_of(pipeline).id or 0) as mine:
        assert mine
        assert pipeline.sending.start_due() == []
    assert run_of(pipeline).state is RunState.PLANNING
    assert pipeline.sending.start_due() == ["2026-12"]


def test_a_run_that_somebody_else_has_started_meanwhile_is_left_alone(pipeline: Pipeline):
    queue(pipeline)
    due = pipeline.parts.now() + dt.timedelta(seconds=1)
    waiting = run_of(pipeline)
    pipeline.sending.start_due(due)
    assert pipeline.sending._start_alone(waiting, due, lambda _done, _total: None) is None
    assert run_of(pipeline).state is RunState.RUNNING


def test_a_run_that_waits_is_paused_and_waits_again(pipeline: Pipeline):
    queue(pipeline, at="2099-01-01 09:00", zone="Europe/Brussels")
    pipeline.control.pause("2026-12", newsletter=None)
    with pytest.raises(WrongState, match="paused already"):
        pipeline.control.pause("2026-12", newsletter=None)
    pipeline.control.resume("2026-12", newsletter=None)
    assert run_of(pipeline).state is RunState.SCHEDULED
    assert run_of(pipeline).due_at == dt.datetime(2099, 1, 1, 8, tzinfo=dt.UTC)


def test_a_run_that_is_under_way_goes_on_with_what_is_left(pipeline: Pipeline):
    queue(pipeline)
    pipeline.sending.start_due()
    assert pipeline.control.halt() == ["2026-12"]
    pipeline.control.resume("2026-12", newsletter=None)
    assert run_of(pipeline).state is RunState.RUNNING


def test_a_run_for_nobody_is_refused(pipeline: Pipeline):
    with pytest.raises(FindingsOpen, match="nobody in 'nobody'"):
        queue(pipeline, segment="nobody")


def test_what_was_never_queued_can_be_neither_stopped_nor_audited(pipeline: Pipeline):
    with pytest.raises(WrongState, match="no run of it is under way"):
        pipeline.control.cancel("2026-12", newsletter=None)
    with pytest.raises(WrongState, match="never queued"):
        pipeline.proof.audit("2026-12", newsletter=None)


def test_an_issue_is_queued_once(pipeline: Pipeline):
    queue(pipeline)
    with pytest.raises(WrongState, match="queued already"):
        queue(pipeline)


def test_a_cancelled_run_takes_back_what_it_published_and_can_be_queued_again(pipeline: Pipeline):
    queue(pipeline)
    pipeline.sending.start_due()
    assert pipeline.control.cancel("2026-12", newsletter=None).beyond_recall == 0
    queue(pipeline)
    pipeline.sending.start_due()
    with pipeline.parts.sessions() as session:
        states = session.exec(select(RunRow.state).order_by(RunRow.id)).all()
    assert states == [RunState.CANCELLED, RunState.RUNNING]
    assert all(check.holds for check in pipeline.proof.audit("2026-12", newsletter=None))


class Told:
    """Notes which runs were handed out, in place of handing them out."""

    def __init__(self) -> None:
        self.runs: list[int] = []

    def hand_out(self, session: Session, run_id: int) -> int:
        self.runs.append(run_id)
        return 1


def test_a_run_is_handed_out_when_it_starts_and_again_when_it_goes_on(pipeline: Pipeline):
    told = Told()
    handing = Pipeline(parts=replace(pipeline.parts, handing=told))
    queue(handing)
    handing.sending.start_due()
    run = run_of(handing).id
    assert told.runs == [run]

    handing.control.pause("2026-12", newsletter=None)
    handing.control.resume("2026-12", newsletter=None)
    assert told.runs == [run, run]
