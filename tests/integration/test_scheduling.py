"""Who gets what when is said before an issue is queued, and what has not started is taken back whole."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import databases, url_of
from integration.sent_scene import ISSUE, NEWSLETTER, PACK, copied, pipeline_over, tried
from sqlmodel import Session, col, select

from newsletter.accounts.models import AuditRow, Deed
from newsletter.assembly.facts import IssueState
from newsletter.bootstrap import Pipeline, build
from newsletter.dispatch.outcome import Verdict
from newsletter.errors import ApprovalVoid, WrongState
from newsletter.pipeline.proposal import Objection, Proposal, Wish, confirms
from newsletter.pipeline.sending import Queued, Sending
from newsletter.planning.manner import Manner
from newsletter.planning.models import RunRow, RunState
from newsletter.planning.stage import Stage
from newsletter.settings import load

LATER = "2099-12-01 09:00"


@pytest.fixture(scope="module")
def same(approved: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """For tests that change nothing."""
    made = copied(approved, tmp_path_factory.mktemp("same") / "copy")
    yield made
    made.parts.engine.dispose()


@pytest.fixture
def pipeline(approved: Path, tmp_path: Path) -> Iterator[Pipeline]:
    made = copied(approved, tmp_path / "copy")
    yield made
    made.parts.engine.dispose()


def propose(pipeline: Pipeline, **wish: object) -> Proposal:
    return pipeline.scheduling.propose(ISSUE, Wish(**{"segment": "all", **wish}), newsletter=NEWSLETTER)


def schedule(pipeline: Pipeline, typed: str = "", **wish: object) -> Queued | Proposal:
    return pipeline.scheduling.schedule(ISSUE, Wish(**{"segment": "all", **wish}), newsletter=NEWSLETTER, typed=typed)


def state_of(pipeline: Pipeline) -> IssueState:
    return pipeline.scheduling.standing(ISSUE, newsletter=NEWSLETTER).state


def runs(pipeline: Pipeline) -> list[RunRow]:
    with pipeline.parts.sessions() as session:
        return list(session.exec(select(RunRow).order_by(col(RunRow.id))))


def deeds(session: Session) -> list[str]:
    """What was done about the issue since it was approved."""
    about = select(AuditRow.action).where(col(AuditRow.about) == f"issue {NEWSLETTER}/{ISSUE}")
    return list(session.exec(about.where(AuditRow.action != Deed.ISSUE_APPROVED).order_by(col(AuditRow.id))))


def test_a_proposal_says_who_gets_which_edition(same: Pipeline):
    proposal = propose(same, at=LATER)
    assert proposal.audience.people == 6
    assert proposal.audience.editions == {"en": 4, "fr": 2}
    assert proposal.audience.told == ((3, "en", None), (2, "fr", None), (1, "en", "hu"))
    assert proposal.due == dt.datetime(2099, 12, 1, 8, tzinfo=dt.UTC)
    assert proposal.is_sound
    assert not proposal.is_large
    assert (proposal.has_relay, proposal.is_local, proposal.neighbours) == (True, False, ())


def test_those_who_left_are_counted_among_the_others(pipeline: Pipeline):
    pipeline.people.suppress("anna@lakes.example")
    audience = propose(pipeline).audience
    assert (audience.people, audience.others) == (5, 1)


def test_a_count_is_believed_for_a_moment(pipeline: Pipeline):
    before = propose(pipeline).audience.people
    pipeline.people.suppress("anna@lakes.example")
    assert propose(pipeline).audience.people == before


@pytest.mark.parametrize(
    ("wish", "objection"),
    [
        ({"segment": ""}, Objection.NO_SEGMENT),
        ({"segment": "gone"}, Objection.UNUSABLE_SEGMENT),
        ({"segment": "nobody"}, Objection.NOBODY),
        ({"at": "soon"}, Objection.NO_TIME),
        ({"at": ""}, Objection.NO_TIME),
        ({"at": "2001-01-01 09:00"}, Objection.PAST),
        ({"at": "2001-01-01 09:00", "manner": Manner(local=True)}, Objection.PAST_SOMEWHERE),
        ({"manner": Manner(local=True)}, Objection.NO_TIME),
        ({"manner": Manner(missed=True)}, Objection.NOT_MISSED),
        ({"manner": Manner(first=3)}, Objection.UNUSABLE_STAGE),
        ({"at": LATER, "manner": Manner(local=True, first=3, hold=dt.timedelta(hours=1))}, Objection.STAGED_LOCALLY),
    ],
)
def test_what_cannot_be_is_objected_to_and_not_queued(same: Pipeline, wish: dict[str, object], objection: Objection):
    assert objection in propose(same, **wish).objections
    assert isinstance(schedule(same, **wish), Proposal)
    assert runs(same) == []


def test_an_issue_is_queued_once(pipeline: Pipeline):
    assert isinstance(schedule(pipeline, at=LATER), Queued)
    again = schedule(pipeline, at=LATER)
    assert isinstance(again, Proposal)
    assert again.objections == (Objection.UNDER_WAY,)
    assert len(runs(pipeline)) == 1
    with pipeline.parts.sessions() as session:
        assert deeds(session) == [Deed.ISSUE_SCHEDULED]


def test_everybodys_own_hour_says_the_first_and_the_last(pipeline: Pipeline):
    pipeline.people.change("anna@lakes.example", {"timezone": "Asia/Tokyo"})
    proposal = propose(pipeline, at=LATER, manner=Manner(local=True))
    assert proposal.due == dt.datetime(2099, 12, 1, 0, tzinfo=dt.UTC)
    assert proposal.last == dt.datetime(2099, 12, 1, 8, tzinfo=dt.UTC)
    assert isinstance(schedule(pipeline, at=LATER, zone="Europe/Lisbon", manner=Manner(local=True)), Queued)


def test_taking_back_leaves_the_issue_as_it_was(pipeline: Pipeline):
    schedule(pipeline, at=LATER)
    assert pipeline.scheduling.undo(ISSUE, newsletter=NEWSLETTER) is IssueState.APPROVED
    assert [run.state for run in runs(pipeline)] == [RunState.CANCELLED]
    with pytest.raises(WrongState):
        pipeline.scheduling.undo(ISSUE, newsletter=NEWSLETTER)
    assert isinstance(schedule(pipeline, at=LATER), Queued)
    with pipeline.parts.sessions() as session:
        assert deeds(session) == [Deed.ISSUE_SCHEDULED, Deed.SCHEDULE_UNDONE, Deed.ISSUE_SCHEDULED]


def test_what_was_paused_before_its_time_can_be_taken_back(pipeline: Pipeline):
    schedule(pipeline, at=LATER)
    pipeline.control.pause(ISSUE, newsletter=NEWSLETTER)
    assert pipeline.scheduling.undo(ISSUE, newsletter=NEWSLETTER) is IssueState.APPROVED


def test_what_has_started_cannot_be_taken_back(pipeline: Pipeline):
    schedule(pipeline)
    pipeline.sending.start_due()
    with pytest.raises(WrongState):
        pipeline.scheduling.undo(ISSUE, newsletter=NEWSLETTER)
    assert runs(pipeline)[0].state is RunState.RUNNING


def test_an_issue_that_changed_while_it_was_queued_has_to_be_approved_again(pipeline: Pipeline, tmp_path: Path):
    schedule(pipeline, at=LATER)
    changed = tmp_path / "pack.yaml"
    changed.write_text(PACK.read_text().replace("Living with water", "Living beside water"))
    pipeline.entries.import_pack(changed)
    pipeline.scheduling.undo(ISSUE, newsletter=NEWSLETTER)
    with pytest.raises(ApprovalVoid):
        schedule(pipeline, at=LATER)


def test_a_large_audience_is_confirmed_by_typing(pipeline: Pipeline):
    settings = pipeline.parts.settings
    strict = settings.model_copy(update={"desk": settings.desk.model_copy(update={"confirm_above": 5})})
    made = build(strict, operator="anne", migrated=False)
    asked = schedule(made, at=LATER)
    assert isinstance(asked, Proposal)
    assert (asked.is_sound, asked.is_large) == (True, True)
    assert isinstance(schedule(made, at=LATER, typed="7"), Proposal)
    assert isinstance(schedule(made, at=LATER, typed="6"), Queued)
    made.parts.engine.dispose()


@pytest.mark.parametrize("typed", ["12345", "12,345", "12 345", "12.345", "12’345", " 2026-12 "])
def test_a_number_may_be_grouped_as_people_do(typed: str):
    assert confirms(typed, 12345, "2026-12")


@pytest.mark.parametrize("typed", ["", "1234", "12345 people", "2026-11", "-12345", "12345a"])
def test_anything_else_confirms_nothing(typed: str):
    assert not confirms(typed, 12345, "2026-12")


def test_another_issue_on_the_same_day_is_told(pipeline: Pipeline):
    schedule(pipeline, at=LATER)
    pipeline.editorial.copy(ISSUE, "2027-01", newsletter=NEWSLETTER)
    pipeline.editorial.assemble("2027-01", newsletter=NEWSLETTER)
    wish = Wish(segment="all", at="2099-12-01 18:00")
    (near,) = pipeline.scheduling.propose("2027-01", wish, newsletter=NEWSLETTER).neighbours
    assert (near.slug, near.people, near.more) == (ISSUE, 6, False)
    week_after = Wish(segment="all", at="2099-12-08 18:00")
    assert pipeline.scheduling.propose("2027-01", week_after, newsletter=NEWSLETTER).neighbours == ()


def test_a_draft_cannot_be_queued(pipeline: Pipeline):
    pipeline.editorial.copy(ISSUE, "2027-01", newsletter=NEWSLETTER)
    wish = Wish(segment="all", at=LATER)
    assert Objection.NOT_APPROVED in pipeline.scheduling.propose("2027-01", wish, newsletter=NEWSLETTER).objections


def test_a_program_that_is_not_set_up_says_so(tmp_path: Path, approved: Path):
    copy = databases().copy_folder(approved, tmp_path / "bare")
    made = build(load(database={"url": url_of(copy / "n.sqlite")}), operator="anne", migrated=False)
    proposal = propose(made, at=LATER)
    assert (proposal.has_relay, proposal.is_local) == (False, True)
    made.parts.engine.dispose()


def test_those_who_missed_a_sent_issue_get_it(pipeline: Pipeline):
    schedule(pipeline)
    pipeline.sending.start_due()
    for address in ("anna@lakes.example", "bela@lakes.example"):
        tried(pipeline, address, Verdict.ACCEPTED)
    pipeline.control.cancel(ISSUE, newsletter=NEWSLETTER)
    topped_up = propose(pipeline, manner=Manner(missed=True))
    assert topped_up.audience.people == 4
    assert topped_up.is_sound


def test_the_others_of_a_staged_run_can_be_let_go(pipeline: Pipeline):
    schedule(pipeline, manner=Manner(first=2, hold=dt.timedelta(days=1)))
    pipeline.sending.start_due()
    with pytest.raises(WrongState):
        pipeline.control.go_on(ISSUE, newsletter=NEWSLETTER)
    with pipeline.parts.sessions() as session:
        run = session.exec(select(RunRow)).one()
        run.stage, run.staged = Stage.HOLDING, pipeline.parts.now()
        session.add(run)
        session.commit()
    staged = pipeline.control.go_on(ISSUE, newsletter=NEWSLETTER).staged
    assert staged is not None
    assert staged.stage is Stage.PASSED


def test_two_processes_cannot_queue_the_same_issue(engine):
    pipeline = pipeline_over(engine)
    wish = Wish(segment="all", at=LATER)

    class Late:
        """Queues between another's look and its own word."""

        def __call__(self, slug: str, *, newsletter: str | None) -> None:
            if not runs(pipeline):
                pipeline.sending.queue(slug, newsletter=newsletter, segment="all", at=LATER, zone=None)

    slow = Sending(pipeline.parts, gate=Late())
    with pytest.raises(WrongState):
        slow.queue(ISSUE, newsletter=NEWSLETTER, segment="all", at=wish.at, zone=None)
    assert len(runs(pipeline)) == 1
    pipeline.parts.engine.dispose()
