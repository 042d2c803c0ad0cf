"""Every query of planning. Takes a session, never commits."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, not_, or_, select, update
from sqlmodel import Session, col

from newsletter.database import changed_rows
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from subscribers.columns import UTCDateTime, insert_into
from subscribers.models import Membership, MembershipState, Subscriber, Suppression
from subscribers.segments import Condition

ENDED_STATES = frozenset(
    {
        DeliveryState.ACCEPTED,
        DeliveryState.REFUSED,
        DeliveryState.SUPPRESSED,
        DeliveryState.CANCELLED,
        DeliveryState.EXPIRED,
    }
)
"""States in which a delivery stays, whatever the policy for uncertain outcomes."""

REOPENED_STATES = frozenset({DeliveryState.CANCELLED, DeliveryState.SUPPRESSED, DeliveryState.EXPIRED})
"""What a later run of the same issue may open again: never accepted, and no verdict on the address."""

OUR_FAULTS = ("sender:", "content:", "relay:")
"""How the reason of a delivery begins that was refused for what we are, say or use: no verdict on the address."""

GOT_STATES = (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN, DeliveryState.SENDING)
"""Deliveries whose reader has the mail or may have it."""

AFTER_RUN = dt.timedelta(days=1)
"""How long after a run has ended its last deliveries may: what was on the wire when it was cancelled."""

People = Select[int | None, str, str, str, dt.datetime | None]
"""
Subscriber id and digest of each person, the language of their edition, the digest of its artifact, and as `at` when it
goes out at the earliest (None: at once).
"""


def add_run(session: Session, run: RunRow) -> RunRow:
    """Store a run and give it its id."""
    session.add(run)
    session.flush()
    return run


def get_run(session: Session, run_id: int) -> RunRow | None:
    """The run with that id."""
    return session.get(RunRow, run_id)


def runs_ended(session: Session, *, after: dt.datetime, until: dt.datetime) -> Sequence[RunRow]:
    """Runs that ended after an instant, up to another, in the order in which they did."""
    within = (col(RunRow.ended) > after, col(RunRow.ended) <= until)
    return session.scalars(select(RunRow).where(*within).order_by(col(RunRow.ended), col(RunRow.id))).all()


def latest_run(session: Session, issue_id: int) -> RunRow | None:
    """The newest run of an issue."""
    newest = select(RunRow).where(col(RunRow.issue_id) == issue_id).order_by(col(RunRow.id).desc())
    return session.scalars(newest.limit(1)).first()


def runs_of(session: Session, issue_id: int) -> Sequence[RunRow]:
    """All runs of an issue, oldest first."""
    return session.scalars(select(RunRow).where(col(RunRow.issue_id) == issue_id).order_by(col(RunRow.id))).all()


def runs(session: Session, *, states: Collection[RunState]) -> Sequence[RunRow]:
    """All runs in one of `states`, oldest first."""
    return session.scalars(select(RunRow).where(col(RunRow.state).in_(states)).order_by(col(RunRow.id))).all()


def due_runs(session: Session, now: dt.datetime) -> Sequence[RunRow]:
    """Runs whose time has come, and those whose planning was broken off, oldest first."""
    due = (col(RunRow.state) == RunState.SCHEDULED) & (col(RunRow.due_at) <= now) & col(RunRow.held).is_(None)
    return session.scalars(
        select(RunRow).where(due | (col(RunRow.state) == RunState.PLANNING)).order_by(col(RunRow.id))
    ).all()


def ended_since(session: Session, since: dt.datetime) -> Sequence[RunRow]:
    """Runs that went to their end since then, oldest first."""
    done = (col(RunRow.state) == RunState.FINISHED, col(RunRow.ended) >= since)
    return session.scalars(select(RunRow).where(*done).order_by(col(RunRow.id))).all()


def is_planning(session: Session, run_id: int) -> bool:
    """Whether the audience of a run is being frozen still; nobody can cancel the run before the transaction ends."""
    state = select(col(RunRow.state)).where(col(RunRow.id) == run_id).with_for_update()
    return session.scalar(state) is RunState.PLANNING


def change_run(
    session: Session, run_id: int, *, expected: Collection[RunState], state: RunState, **values: object
) -> bool:
    """Move a run to `state` if it stands in one of `expected`; says whether this call did it."""
    guarded = update(RunRow).where(col(RunRow.id) == run_id, col(RunRow.state).in_(expected))
    return changed_rows(session, guarded.values(state=state, **values)) == 1


def has_ended_before(session: Session, run: RunRow) -> bool:
    """Whether an earlier run of this mailing has left deliveries that `reopen` would open again."""
    return session.scalar(select(select(col(DeliveryRow.id)).where(*_left_by_others(run)).exists())) or False


def plan_chunk(session: Session, people: People, *, run: RunRow, now: dt.datetime) -> int:
    """
    Add a planned delivery for each of `people`, in their order; returns how many were new.

    Somebody who has a delivery of this mailing already is passed over, so that planning again adds nobody twice.
    """
    each = people.subquery()
    rows = select(
        literal(run.mailing),
        literal(run.id),
        each.c.id,
        each.c.digest,
        each.c.edition,
        each.c.artifact,
        literal(DeliveryState.PLANNED.value),
        literal(0),
        literal(0),
        literal(0),
        literal(now, type_=UTCDateTime()),
        each.c.at,
        _dated(run, each.c.at),
    ).where(each.c.id.is_not(None))
    numbers = ("epoch", "attempts", "repeats")
    columns = ["mailing", "run_id", "subscriber_id", "digest", "language", "artifact", "state", *numbers]
    columns += ["changed", "next_at", "dated"]
    insert = insert_into(session, DeliveryRow).from_select(columns, rows, include_defaults=False)
    statement = insert.on_conflict_do_nothing()
    # Without being asked SQLAlchemy does not say how many rows an INSERT made on PostgreSQL.
    return changed_rows(session, statement.execution_options(preserve_rowcount=True))


def reopen(session: Session, people: People, *, run: RunRow, now: dt.datetime) -> int:
    """
    Open again the ended, never accepted deliveries of this mailing that an earlier run left; returns how many.

    They go out as this run's: with its artifact, and counted with it. One that was uncertain counts as repeated.
    """
    each = people.subquery()
    mine = each.c.digest == DeliveryRow.digest
    at = select(each.c.at).where(mine).scalar_subquery()
    repeated = case((col(DeliveryRow.state) == DeliveryState.UNCERTAIN, 1), else_=0)
    moved = (
        update(DeliveryRow)
        .where(*_left_by_others(run), col(DeliveryRow.digest).in_(select(each.c.digest)))
        .values(
            state=DeliveryState.PLANNED,
            run_id=run.id,
            language=select(each.c.edition).where(mine).scalar_subquery(),
            artifact=select(each.c.artifact).where(mine).scalar_subquery(),
            worker=None,
            next_at=at,
            dated=_dated(run, at),
            repeats=DeliveryRow.repeats + repeated,
            reason=None,
            changed=now,
        )
    )
    return changed_rows(session, moved)


def _left_by_others(run: RunRow) -> tuple[ColumnElement[bool], ...]:
    return (
        col(DeliveryRow.mailing) == run.mailing,
        _may_be_reopened(missed=run.missed, doubtful=run.doubtful),
        col(DeliveryRow.run_id) != run.id,
    )


def _may_be_reopened(*, missed: bool, doubtful: bool) -> ColumnElement[bool]:
    state, reason = col(DeliveryRow.state), func.coalesce(DeliveryRow.reason, "")
    refused = or_(*(reason.startswith(fault) for fault in OUR_FAULTS))
    return or_(
        state.in_(REOPENED_STATES),
        *([and_(state == DeliveryState.REFUSED, refused)] if missed else []),
        *([state == DeliveryState.UNCERTAIN] if doubtful else []),
    )


def _dated(run: RunRow, at: ColumnElement[dt.datetime | None]) -> ColumnElement[dt.datetime | None]:
    """The Date of what goes out at its reader's own hour is that hour; all else has another's, or none yet."""
    return at if run.local else literal(None, type_=UTCDateTime())


def has_missed(mailing: str, *, doubtful: bool) -> Condition:
    """
    Whether somebody got no message of a mailing and was not refused for their own address.

    With `doubtful`, whoever may have got it counts as well. A new address does not make anybody miss what the old got.
    """
    had = (col(DeliveryRow.mailing) == mailing, not_(_may_be_reopened(missed=True, doubtful=doubtful)))
    here = select(col(DeliveryRow.id)).where(*had, col(DeliveryRow.digest) == Subscriber.digest)
    before = select(col(DeliveryRow.id)).where(*had, col(DeliveryRow.subscriber_id) == Subscriber.id)
    return and_(~here.correlate(Subscriber).exists(), ~before.correlate(Subscriber).exists())


def add_single(session: Session, delivery: DeliveryRow) -> DeliveryRow:
    """Store one delivery of a mailing of its own (a test, a confirmation)."""
    session.add(delivery)
    session.flush()
    return delivery


def states_of(session: Session, mailing: str) -> Mapping[DeliveryState, int]:
    """How many deliveries of a mailing stand in each state; every state occurs."""
    counted = session.execute(
        select(col(DeliveryRow.state), func.count())
        .where(col(DeliveryRow.mailing) == mailing)
        .group_by(DeliveryRow.state)
    )
    found = {DeliveryState(state): count for state, count in counted}
    return {state: found.get(state, 0) for state in DeliveryState}


def languages_of(session: Session, mailing: str) -> Mapping[str, int]:
    """How many deliveries of a mailing there are in each language."""
    counted = session.execute(
        select(col(DeliveryRow.language), func.count())
        .where(col(DeliveryRow.mailing) == mailing)
        .group_by(col(DeliveryRow.language))
        .order_by(func.count().desc(), col(DeliveryRow.language))
    )
    return {language: count for language, count in counted}  # noqa: C416  a Row is no pair for dict()


def count_run(session: Session, run_id: int) -> int:
    """How many deliveries a run has."""
    return int(session.scalar(select(func.count()).where(col(DeliveryRow.run_id) == run_id)) or 0)


def open_deliveries(session: Session, run_id: int, *, uncertain_is_open: bool) -> int:
    """How many deliveries of a run have not ended."""
    ended = ENDED_STATES if uncertain_is_open else ENDED_STATES | {DeliveryState.UNCERTAIN}
    return int(
        session.scalar(
            select(func.count()).where(col(DeliveryRow.run_id) == run_id, col(DeliveryRow.state).not_in(ended))
        )
        or 0
    )


def move_deliveries(
    session: Session,
    condition: ColumnElement[bool],
    *,
    expected: Collection[DeliveryState],
    state: DeliveryState,
    now: dt.datetime,
    reason: str | None = None,
) -> int:
    """
    Move the deliveries of `condition` that stand in `expected` to `state`; returns how many.

    The dispatcher's own writes are guarded by state, worker and epoch, so a row moved here is lost to it at once. One
    that ends has no more use for the address of a single message.
    """
    moved = update(DeliveryRow).where(condition, col(DeliveryRow.state).in_(expected))
    values = {"state": state, "worker": None, "epoch": DeliveryRow.epoch + 1, "reason": reason, "changed": now}
    if state in ENDED_STATES:
        values |= {"address": None, "next_at": None}
    return changed_rows(session, moved.values(**values))


def of_run(run_id: int) -> ColumnElement[bool]:
    """The deliveries of a run."""
    return col(DeliveryRow.run_id) == run_id


def of_mailing(mailing: str) -> ColumnElement[bool]:
    """
    Deliveries of a mailing.

    With `of_digest` it names one row, and finds it by its key: by the run alone all that is open would be read.
    """
    return col(DeliveryRow.mailing) == mailing


def of_digest(digest: str) -> ColumnElement[bool]:
    """
    The deliveries to an address, whatever the mailing.

    No index begins with the digest: those of runs are looked up mailing by mailing, single ones among themselves.
    """
    run, single = (DeliveryRow.metadata.tables["delivery"].alias(name) for name in ("of_run", "single"))
    mailings = select(col(RunRow.mailing)).distinct().subquery()
    of_runs = select(run.c.id).join(mailings, mailings.c.mailing == run.c.mailing).where(run.c.digest == digest)
    singles = select(single.c.id).where(single.c.digest == digest, single.c.run_id.is_(None))
    return col(DeliveryRow.id).in_(of_runs.union_all(singles))


def only_delivery(session: Session, mailing: str) -> DeliveryRow:
    """The delivery of a mailing that has just one."""
    return session.scalars(select(DeliveryRow).where(col(DeliveryRow.mailing) == mailing)).one()


def find_delivery(session: Session, mailing: str) -> DeliveryRow | None:
    """The delivery of a single message, or None."""
    return session.scalars(select(DeliveryRow).where(col(DeliveryRow.mailing) == mailing)).one_or_none()


def expressions_that_reached(session: Session, mailing: str, *, subscriber_id: int) -> Sequence[str]:
    """The segments of the run by which somebody got a mailing; those of all its runs where that is not known."""
    runs_of_it = select(col(RunRow.expression)).where(col(RunRow.mailing) == mailing).distinct()
    theirs = select(col(DeliveryRow.run_id)).where(
        col(DeliveryRow.subscriber_id) == subscriber_id, col(DeliveryRow.mailing) == mailing
    )
    return session.scalars(runs_of_it.where(col(RunRow.id).in_(theirs))).all() or session.scalars(runs_of_it).all()


def has_got(mailing: str, language: str | None) -> Condition:
    """Whether somebody got a mailing (in one language) or may have got it: see `GOT_STATES`."""
    got = select(col(DeliveryRow.subscriber_id)).where(
        *_got(mailing, language), col(DeliveryRow.subscriber_id).is_not(None)
    )
    return col(Subscriber.id).in_(got)


def received(asked: Collection[str] | dt.datetime) -> Select[int | None]:
    """The ids of who got one of some mailings, or any issue since an instant, or may have: see `GOT_STATES`."""
    got = select(col(DeliveryRow.subscriber_id)).where(col(DeliveryRow.state).in_(GOT_STATES))
    if isinstance(asked, dt.datetime):
        # Deliveries are found by their mailing, not by their time, so only those of late runs are looked at.
        ended = col(RunRow.ended)
        late = select(col(RunRow.mailing)).where(or_(ended.is_(None), ended >= asked - AFTER_RUN))
        return got.where(col(DeliveryRow.mailing).in_(late), col(DeliveryRow.changed) >= asked)
    return got.where(col(DeliveryRow.mailing).in_(asked))


def was_got(session: Session, mailing: str) -> bool:
    """Whether anybody got a mailing or may have got it."""
    return bool(session.scalar(select(exists().where(*_got(mailing, None)))))


def count_readers(session: Session, mailing: str, language: str | None) -> Mapping[DeliveryState, int]:
    """How many deliveries of a mailing (in one language) were made or may have been, by state."""
    counted = session.execute(
        select(col(DeliveryRow.state), func.count()).where(*_got(mailing, language)).group_by(DeliveryRow.state)
    )
    found = {DeliveryState(state): count for state, count in counted}
    return {state: found.get(state, 0) for state in GOT_STATES}


def _got(mailing: str, language: str | None) -> tuple[ColumnElement[bool], ...]:
    edition = (col(DeliveryRow.language) == language,) if language else ()
    return col(DeliveryRow.mailing) == mailing, col(DeliveryRow.state).in_(GOT_STATES), *edition


def suppressed_in(session: Session, condition: Condition) -> int:
    """How many confirmed members of a segment get nothing because their address is suppressed."""
    confirmed = select(col(Membership.list_id)).where(
        col(Membership.subscriber_id) == Subscriber.id, col(Membership.state) == MembershipState.CONFIRMED
    )
    suppressed = select(col(Suppression.since)).where(col(Suppression.digest) == Subscriber.digest)
    everybody = select(func.count()).select_from(Subscriber).where(condition, confirmed.exists(), suppressed.exists())
    return int(session.scalar(everybody) or 0)


def deliveries_to(
    session: Session, subscriber_id: int, *, limit: int, before: int | None = None
) -> Sequence[DeliveryRow]:
    """The next deliveries to a subscriber, the newest first; `before` is the id of the last one of the page before."""
    theirs = select(DeliveryRow).where(col(DeliveryRow.subscriber_id) == subscriber_id)
    if before is not None:
        theirs = theirs.where(col(DeliveryRow.id) < before)
    return session.scalars(theirs.order_by(col(DeliveryRow.id).desc()).limit(limit)).all()


def delivery_of(session: Session, mailing: str, digest: str) -> DeliveryRow | None:
    """The delivery of a mailing to an address."""
    return session.scalars(
        select(DeliveryRow).where(col(DeliveryRow.mailing) == mailing, col(DeliveryRow.digest) == digest)
    ).first()
