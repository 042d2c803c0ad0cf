"""Whoever leaves gets nothing that has not gone out, also while the audience of a run is being frozen."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from integration.sent_scene import ISSUE, NEWSLETTER, READERS, copied
from sqlmodel import col, select

from newsletter.bootstrap import Pipeline
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState, WithdrawalRow
from subscribers.importing.sync import Bound
from subscribers.models import Subscriber

Leave = Callable[[Pipeline, str, Path], object]


@pytest.fixture
def queued(approved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """A run that is due, and is planned person by person."""
    monkeypatch.setattr("newsletter.planning.planner.CHUNK", 1)
    made = copied(approved, tmp_path / "copy")
    made.sending.queue(ISSUE, newsletter=None, segment="all", at=None, zone=None)
    yield made
    made.parts.engine.dispose()


def planned(pipeline: Pipeline) -> dict[str, DeliveryState]:
    """Where the delivery to each address stands."""
    with pipeline.parts.sessions() as session:
        joined = select(Subscriber.address, DeliveryRow.state).join(
            DeliveryRow, col(DeliveryRow.subscriber_id) == Subscriber.id
        )
        return dict(session.execute(joined).all())


def unplanned(pipeline: Pipeline) -> list[str]:
    """Who has no delivery yet."""
    return sorted(READERS.keys() - planned(pipeline).keys())


def started(pipeline: Pipeline, leave: Callable[[str], object], *, whom: Callable[[Pipeline], list[str]]) -> str:
    """Start the run; as soon as one person is planned the first of `whom` leaves, who is returned."""
    gone: list[str] = []

    def tell(_done: int, _total: int) -> None:
        if not gone:
            gone.append(whom(pipeline)[0])
            leave(gone[0])

    pipeline.sending.start_due(pipeline.parts.now(), progress=tell)
    return gone[0]


def of_list(pipeline: Pipeline, address: str, _folder: Path) -> None:
    pipeline.people.unsubscribe(address, list_name="members")


def of_newsletter(pipeline: Pipeline, address: str, _folder: Path) -> None:
    pipeline.people.unsubscribe(address, newsletter=NEWSLETTER)


def to_another_list(pipeline: Pipeline, address: str, _folder: Path) -> None:
    pipeline.people.lists.create("press")
    pipeline.people.changes.move([address], source="members", target="press")


def by_sync(pipeline: Pipeline, address: str, folder: Path) -> None:
    others = folder / "others.csv"
    others.write_text("\n".join(["email", *sorted(READERS.keys() - {address})]) + "\n")
    pipeline.people.imports.sync(others, list_name="members", bound=Bound(share=None, number=1))


WAYS = (of_list, of_newsletter, to_another_list, by_sync)


@pytest.mark.parametrize("leave", WAYS)
def test_who_leaves_while_the_audience_is_frozen_gets_nothing(queued: Pipeline, tmp_path: Path, leave: Leave):
    gone = started(queued, lambda address: leave(queued, address, tmp_path), whom=unplanned)

    assert planned(queued) == dict.fromkeys(READERS.keys() - {gone}, DeliveryState.PLANNED)
    assert all(check.holds for check in queued.proof.audit(ISSUE, newsletter=None))


@pytest.mark.parametrize("leave", WAYS)
def test_who_leaves_when_they_are_planned_already_is_stopped(queued: Pipeline, tmp_path: Path, leave: Leave):
    gone = started(queued, lambda address: leave(queued, address, tmp_path), whom=lambda made: [*planned(made)])

    assert planned(queued) == dict.fromkeys(READERS, DeliveryState.PLANNED) | {gone: DeliveryState.SUPPRESSED}


def test_who_leaves_a_run_that_is_paused_while_it_is_planned_gets_nothing_once_it_goes_on(
    queued: Pipeline, tmp_path: Path
):
    """It is resumed before its planner has looked again, and so the audience it looked at is the one of before."""

    def leave(address: str) -> None:
        queued.control.pause(ISSUE, newsletter=None)
        of_list(queued, address, tmp_path)
        queued.control.resume(ISSUE, newsletter=None)

    gone = started(queued, leave, whom=unplanned)

    assert planned(queued) == dict.fromkeys(READERS.keys() - {gone}, DeliveryState.PLANNED)


def test_nothing_of_who_left_is_kept_once_the_run_has_started(queued: Pipeline, tmp_path: Path):
    def tell(_done: int, _total: int) -> None:
        for address in READERS:
            of_list(queued, address, tmp_path)

    queued.sending.start_due(queued.parts.now(), progress=tell)

    with queued.parts.sessions() as session:
        assert session.scalars(select(RunRow.state)).all() == [RunState.RUNNING]
        assert session.scalars(select(WithdrawalRow)).all() == []
