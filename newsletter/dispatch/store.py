"""
What the ledger asks of the rows beside the hot path: which deliveries nobody wants any more, which runs still live.

Takes a session, never commits. The queries are shaped after the index of open deliveries (`planning.models.OPEN`), so
that a claim costs the same in a run of a hundred and of a million.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, and_, func, select, text
from sqlmodel import Session, col

from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Verdict
from newsletter.dispatch.statements import Candidate
from newsletter.planning.models import OPEN_DELIVERY, DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.planning.stage import HELD_BACK, Stage
from subscribers.columns import UTCDateTime
from subscribers.models import Subscriber
from subscribers.store import audience_query
from subscribers.suppression import suppressed_among

AT_ONCE: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
"""What `waits_of` says of deliveries that wait for nothing."""


class Waiting(NamedTuple):
    """A running run, with what is known of its stages."""

    id: int
    stage: Stage | None
    staged: dt.datetime | None
    hold: int | None


def unwanted(session: Session, rows: Collection[Candidate]) -> set[int]:
    """
    Ids of the deliveries that must not go out: to suppressed addresses, and again to somebody who left meanwhile.

    Whoever leaves has what is planned for them stopped at once; but a message that was on the wire at that moment may
    have come back as deferred or uncertain since. Single messages are judged by those who plan them.
    """
    of_runs = [row for row in rows if row.run_id is not None]
    suppressed = suppressed_among(session, [row.digest for row in of_runs])
    again = [row for row in of_runs if row.attempts and row.subscriber_id is not None]
    stay: set[int] = set()
    for mailing in {row.mailing for row in again}:
        people = [row.subscriber_id for row in again if row.mailing == mailing]
        newsletter = mailing.partition(":")[2].partition("/")[0]
        wanted = audience_query(col(Subscriber.id).in_(people), newsletter=newsletter)
        meant = set(session.scalars(wanted.with_only_columns(col(Subscriber.id))))
        stay |= {row.id for row in again if row.mailing == mailing and row.subscriber_id in meant}
    left = {row.id for row in again} - stay
    return left | {row.id for row in of_runs if row.digest in suppressed}


def first_tried(session: Session, rows: Collection[Candidate]) -> Mapping[int, dt.datetime]:
    """When the single messages among these were first tried: they have no run that says since when they wait."""
    singles = [row.id for row in rows if row.run_id is None and row.attempts]
    if not singles:
        return {}
    first = func.min(AttemptRow.at, type_=UTCDateTime())
    tried = select(col(AttemptRow.delivery_id), first).where(col(AttemptRow.delivery_id).in_(singles))
    return dict(session.execute(tried.group_by(col(AttemptRow.delivery_id))).all())


def attempts_of(session: Session, delivery_id: int) -> Sequence[AttemptRow]:
    """All attempts at a delivery, in order."""
    return session.scalars(
        select(AttemptRow).where(col(AttemptRow.delivery_id) == delivery_id).order_by(col(AttemptRow.number))
    ).all()


def taken_since(session: Session, relay: str, since: dt.datetime) -> int:
    """How many messages a relay has taken since then, or may have: accepted and uncertain attempts."""
    taken = select(func.count()).select_from(AttemptRow).where(_is_newer(since), *_has_taken(relay))
    return int(session.scalar(taken) or 0)


def taken_by_workers(session: Session, relay: str, since: dt.datetime) -> Mapping[str, int]:
    """
    The same, worker by worker.

    What a worker had on the wire when it died may have gone over any relay, and counts for each.
    """
    worker = col(AttemptRow.worker)
    taken = select(worker, func.count()).where(_is_newer(since), *_has_taken(relay, "")).group_by(worker)
    return dict(session.execute(taken).all())


def _is_newer(since: dt.datetime) -> ColumnElement[bool]:
    """Attempts are appended in order of time: they are read from the newest back to the first that is too old."""
    older = select(col(AttemptRow.id)).where(col(AttemptRow.at) < since).order_by(col(AttemptRow.id).desc()).limit(1)
    return col(AttemptRow.id) > func.coalesce(older.scalar_subquery(), 0)


def _has_taken(*relays: str) -> tuple[ColumnElement[bool], ...]:
    return col(AttemptRow.relay).in_(relays), col(AttemptRow.verdict).in_([Verdict.ACCEPTED, Verdict.UNCERTAIN])


def live_runs(session: Session) -> list[int | None]:
    """
    Ids of the runs whose deliveries can still go out some day, and None for the single messages.

    Keeps the runs as they are until the transaction ends: what is planned again must not slip past a cancelling.
    """
    live = select(col(RunRow.id)).where(col(RunRow.state).not_in([RunState.FINISHED, RunState.CANCELLED]))
    return [None, *session.scalars(live.order_by(col(RunRow.id)).with_for_update(read=True))]


def of_run(run_id: int | None) -> ColumnElement[bool]:
    """The deliveries of a run, or those of no run."""
    return col(DeliveryRow.run_id).is_(None) if run_id is None else col(DeliveryRow.run_id) == run_id


def in_state(state: DeliveryState, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Open deliveries in one state, in the words of their index; see `is_open`."""
    return is_open(col(DeliveryRow.state) == state, *conditions)


def is_open(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """
    Open deliveries, in the words of their index, see `planning.models.OPEN`.

    These come last: SQLite looks up the first condition on the state, and reads one state where that names one.
    """
    return and_(*conditions, text(OPEN_DELIVERY))


def running_runs(session: Session) -> list[Waiting]:
    """The running runs."""
    columns = (col(RunRow.id), col(RunRow.stage), col(RunRow.staged), col(RunRow.hold))
    running = select(*columns).where(col(RunRow.state) == RunState.RUNNING).order_by(col(RunRow.id))
    return [Waiting(id_ or 0, stage, staged, hold) for id_, stage, staged, hold in session.execute(running)]


def waits_of(session: Session, run: Waiting | None, *, hold: dt.timedelta | None) -> Iterator[dt.datetime]:
    """
    When something is to be done for a run (None: for the single messages), as instants: the soonest of each kind.

    `hold` is after how long an uncertain delivery is repeated, None where it stays. Each kind costs one look into the
    index, however many deliveries wait.
    """
    mine = of_run(run.id if run else None)
    at, changed = col(DeliveryRow.next_at), col(DeliveryRow.changed)
    planned = in_state(DeliveryState.PLANNED, mine)
    for now in (
        in_state(DeliveryState.CLAIMED, mine),
        in_state(DeliveryState.SENDING, mine),
        and_(planned, at.is_(None)),
    ):
        if session.scalar(select(col(DeliveryRow.id)).where(now).limit(1)) is not None:
            yield AT_ONCE
    for later in (in_state(DeliveryState.DEFERRED, mine), and_(planned, at.is_not(None), at < HELD_BACK)):
        if (soonest := session.scalar(select(at).where(later).order_by(at).limit(1))) is not None:
            yield soonest
    if hold is not None:
        once = in_state(DeliveryState.UNCERTAIN, mine, col(DeliveryRow.repeats) == 0)
        if (oldest := session.scalar(select(func.min(changed, type_=UTCDateTime())).where(once))) is not None:
            yield oldest + hold
    if run is not None and run.stage is not None:
        held = select(col(DeliveryRow.id)).where(planned, at >= HELD_BACK).order_by(at).limit(1)
        if session.scalar(held) is not None:
            yield _others_go(run)


def _others_go(run: Waiting) -> dt.datetime:
    """When the others of a staged run go; while the first ones go out, there is always something to look after."""
    if run.stage is Stage.HOLDING and run.staged is not None and run.hold is not None:
        return run.staged + dt.timedelta(seconds=run.hold)
    return AT_ONCE
