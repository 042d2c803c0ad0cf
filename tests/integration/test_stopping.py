"""Whoever leaves gets nothing that has not gone out, also while the audience of a run is being frozen."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databases import databases, url_of
from sqlmodel import col, select

from newsletter.bootstrap import Pipeline, build
from newsletter.database import migrate
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState, WithdrawalRow
from newsletter.settings import load
from subscribers.importing.sync import Bound
from subscribers.models import Subscriber

PACK = Path(__file__).parent / "river-cities.yaml"
Leave = Callable[[Pipeline, str, Path], None]
READERS = ("ada@town.example", "bob@town.example", "cyd@town.example")


def opened(folder: Path) -> Pipeline:
    return build(load(database={"url": url_of(folder / "n.sqlite")}), operator="anne", migrated=False)


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a database with an approved issue for three readers, who are on another list too, made once."""
    folder = tmp_path_factory.mktemp("approved")
    made = opened(folder)
    migrate(made.parts.engine)
    made.entries.import_pack(PACK)
    for name in ("members", "press"):
        made.people.lists.create(name)
        for address in READERS:
            made.people.add(address, list_name=name, given={"language": "fr"})
    made.people.segments.create("all", 'list = "members"')
    made.editorial.assemble("2026-12", newsletter=None)
    made.approval.approve("2026-12", newsletter=None)
    made.parts.engine.dispose()
    return folder


@pytest.fixture
def queued(approved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """A run that is due, and is planned person by person."""
    monkeypatch.setattr("newsletter.planning.planner.CHUNK", 1)
    made = opened(databases().copy_folder(approved, tmp_path / "copy"))
    made.sending.queue("2026-12", newsletter=None, segment="all", at=None, zone=None)
    yield made
    made.parts.engine.dispose()


def planned(pipeline: Pipeline) -> dict[str, DeliveryState]:
    """Where the delivery to each address stands."""
    with pipeline.parts.sessions() as session:
        joined = select(Subscriber.address, DeliveryRow.state).join(
            DeliveryRow, col(DeliveryRow.subscriber_id) == Subscriber.id
        )
        return dict(session.execute(joined).all())


def of_list(pipeline: Pipeline, address: str, _folder: Path) -> None:
    pipeline.people.unsubscribe(address, list_name="members")


def of_newsletter(pipeline: Pipeline, address: str, _folder: Path) -> None:
    pipeline.people.unsubscribe(address, newsletter="river-cities")


def to_another_list(pipeline: Pipeline, address: str, _folder: Path) -> None:
    pipeline.people.changes.move([address], source="members", target="press")


def by_sync(pipeline: Pipeline, address: str, folder: Path) -> None:
    others = folder / "others.csv"
    others.write_text("\n".join(["email", *(each for each in READERS if each != address)]) + "\n")
    pipeline.people.imports.sync(others, list_name="members", bound=Bound(share=None, number=1))


@pytest.mark.parametrize("leave", [of_list, of_newsletter, to_another_list, by_sync])
def test_who_leaves_while_the_audience_is_frozen_gets_nothing(queued: Pipeline, tmp_path: Path, leave: Leave):
    gone: list[str] = []

    def tell(_done: int, _total: int) -> None:
        if not gone:
            gone.extend(sorted(set(READERS) - set(planned(queued))))
            leave(queued, gone[0], tmp_path)

    queued.sending.start_due(queued.parts.now(), progress=tell)

    assert planned(queued) == dict.fromkeys(set(READERS) - {gone[0]}, DeliveryState.PLANNED)
    assert all(check.holds for check in queued.proof.audit("2026-12", newsletter=None))


@pytest.mark.parametrize("leave", [of_list, of_newsletter, to_another_list, by_sync])
def test_who_leaves_when_they_are_planned_already_is_stopped(queued: Pipeline, tmp_path: Path, leave: Leave):
    gone: list[str] = []

    def tell(_done: int, _total: int) -> None:
        if not gone:
            gone.extend(planned(queued))
            leave(queued, gone[0], tmp_path)

    queued.sending.start_due(queued.parts.now(), progress=tell)

    assert planned(queued) == dict.fromkeys(READERS, DeliveryState.PLANNED) | {gone[0]: DeliveryState.SUPPRESSED}


def test_who_leaves_a_run_that_is_paused_while_it_is_planned_gets_nothing_once_it_goes_on(
    queued: Pipeline, tmp_path: Path
):
    """It is resumed before its planner has looked again, and so the audience it looked at is the one of before."""
    gone: list[str] = []

    def tell(_done: int, _total: int) -> None:
        if not gone:
            gone.extend(sorted(set(READERS) - set(planned(queued))))
            queued.control.pause("2026-12", newsletter=None)
            of_list(queued, gone[0], tmp_path)
            queued.control.resume("2026-12", newsletter=None)

    queued.sending.start_due(queued.parts.now(), progress=tell)

    assert planned(queued) == dict.fromkeys(set(READERS) - {gone[0]}, DeliveryState.PLANNED)


def test_nothing_of_who_left_is_kept_once_the_run_has_started(queued: Pipeline, tmp_path: Path):
    def tell(_done: int, _total: int) -> None:
        for address in READERS:
            of_list(queued, address, tmp_path)

    queued.sending.start_due(queued.parts.now(), progress=tell)

    with queued.parts.sessions() as session:
        assert session.scalars(select(RunRow.state)).all() == [RunState.RUNNING]
        assert session.scalars(select(WithdrawalRow)).all() == []
