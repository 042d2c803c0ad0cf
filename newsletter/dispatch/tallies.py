"""
Queries that count what became of the deliveries of a run, or of a whole mailing, for those who watch and report.

Takes a session, reads deliveries and attempts, never commits. While a run goes out nothing is read twice: what is open
is counted within the index of open deliveries, and of the attempts, which are only ever added, the newest ones.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, String, and_, func, select
from sqlmodel import Session, col

from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Fault, Verdict
from newsletter.dispatch.store import in_state, is_open, of_run
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow
from subscribers.models import Subscriber

MOST_REASONS: Final = 50
"""Kinds of refusal that are told apart; relays have fewer."""

GIVEN_UP: Final = (DeliveryState.REFUSED, DeliveryState.EXPIRED, DeliveryState.DEFERRED)
"""Deliveries of which a relay has said why it does not take them, or not yet."""


class Outcomes(NamedTuple):
    """How many attempts over a relay came to one verdict, by whose fault."""

    verdict: Verdict
    fault: Fault | None
    relay: str
    number: int


class Reason(NamedTuple):
    """Why relays did not take messages: whose fault, their codes, what one of them said (masked), and how many."""

    state: DeliveryState
    fault: Fault | None
    code: int | None
    enhanced: str | None
    said: str
    number: int


class Doubtful(NamedTuple):
    """A delivery of which nobody knows whether it arrived: whose, since when, and how often it was repeated."""

    subscriber: str | None
    address: str | None
    since: dt.datetime
    repeats: int


def newest_attempt(session: Session) -> int:
    """The id of the newest attempt, of whatever delivery; 0 where there is none."""
    return session.scalar(select(func.max(AttemptRow.id))) or 0


def outcomes_until(session: Session, run: RunRow, last: int) -> list[Outcomes]:
    """What all attempts at deliveries of a run came to, up to the id `last`; reads each delivery of its mailing."""
    mine = (col(DeliveryRow.mailing) == run.mailing, col(DeliveryRow.run_id) == run.id)
    return _outcomes(session, *mine, col(AttemptRow.id) <= last, *_since(run))


def outcomes_after(session: Session, run: RunRow, seen: int, *, until: int | None = None) -> list[Outcomes]:
    """What attempts came to that are newer than the id `seen`, to `until` at most; costs as much as these are many."""
    newer = [col(AttemptRow.id) > seen, *([] if until is None else [col(AttemptRow.id) <= until])]
    return _outcomes(session, col(DeliveryRow.run_id) == run.id, *newer)


def _since(run: RunRow) -> tuple[ColumnElement[bool], ...]:
    # A delivery that an earlier run left has its attempts from there.
    return (col(AttemptRow.at) >= run.started,) if run.started else ()


def _outcomes(session: Session, *conditions: ColumnElement[bool]) -> list[Outcomes]:
    kinds = (col(AttemptRow.verdict), col(AttemptRow.fault), col(AttemptRow.relay))
    counted = (
        select(*kinds, func.count())
        .join(DeliveryRow, col(DeliveryRow.id) == AttemptRow.delivery_id)
        .where(*conditions)
        .group_by(*kinds)
    )
    return [Outcomes(*row) for row in session.execute(counted)]


def open_states(session: Session, run_id: int | None) -> dict[DeliveryState, int]:
    """How many deliveries of a run, or of none, stand in each open state, counted within their index."""
    state = col(DeliveryRow.state)
    counted = select(state, func.count()).where(is_open(of_run(run_id))).group_by(state)
    return dict(session.execute(counted).all())


def states_of_run(session: Session, run: RunRow) -> dict[DeliveryState, int]:
    """How many deliveries of a run stand in each state; reads each delivery of its mailing."""
    state, mine = col(DeliveryRow.state), col(DeliveryRow.run_id) == run.id
    counted = select(state, func.count()).where(col(DeliveryRow.mailing) == run.mailing, mine).group_by(state)
    return dict(session.execute(counted).all())


def states_by_language(session: Session, mailing: str) -> list[tuple[str, DeliveryState, int]]:
    """How many deliveries of a mailing stand in each state, by the language of their edition."""
    kinds = (col(DeliveryRow.language), col(DeliveryRow.state))
    counted = select(*kinds, func.count()).where(col(DeliveryRow.mailing) == mailing).group_by(*kinds)
    return [(language, state, number) for language, state, number in session.execute(counted)]


def states_by_domain(session: Session, mailing: str) -> list[tuple[str, DeliveryState, int]]:
    """
    How many deliveries of a mailing stand in each state, by the domain of their reader's present address.

    Those whose reader is not known any more are not among them.
    """
    key, state = col(Subscriber.address_key), col(DeliveryRow.state)
    if session.get_bind().dialect.name == "sqlite":
        domain = func.substr(key, func.instr(key, "@") + 1)
    else:
        domain = func.substr(key, func.strpos(key, "@") + 1)
    counted = (
        select(domain, state, func.count())
        .select_from(DeliveryRow)
        .join(Subscriber, col(Subscriber.id) == DeliveryRow.subscriber_id)
        .where(col(DeliveryRow.mailing) == mailing)
        .group_by(domain, state)
    )
    # A quoted local part may hold an @ of its own (RFC 5321 §4.1.2).
    return [(name.rpartition("@")[2], found, number) for name, found, number in session.execute(counted)]


def reasons(session: Session, mailing: str, *, run_id: int | None = None) -> list[Reason]:
    """Why relays did not take messages of a mailing, or of one run of it, the most frequent reason first."""
    last = and_(col(AttemptRow.delivery_id) == DeliveryRow.id, col(AttemptRow.number) == DeliveryRow.attempts)
    kinds = (
        col(DeliveryRow.state),
        col(AttemptRow.fault),
        col(AttemptRow.code),
        col(AttemptRow.enhanced),
    )
    mine = [col(DeliveryRow.mailing) == mailing, col(DeliveryRow.state).in_(GIVEN_UP)]
    number = func.count()
    counted = (
        select(*kinds, func.min(AttemptRow.text), number)
        .select_from(DeliveryRow)
        .join(AttemptRow, last)
        .where(*mine, *([] if run_id is None else [col(DeliveryRow.run_id) == run_id]))
        .group_by(*kinds)
        .order_by(number.desc(), *(kind.asc() for kind in kinds))
        .limit(MOST_REASONS)
    )
    return [Reason(*row) for row in session.execute(counted)]


def accepted_over_time(session: Session, mailing: str, *, fine: bool) -> list[tuple[dt.datetime, int]]:
    """How many messages of a mailing relays took in each minute, or each second where it is to be `fine`, in order."""
    at = col(AttemptRow.at)
    if session.get_bind().dialect.name == "sqlite":
        # Instants are written day, hour, minute, second, fraction.
        moment = func.substr(at, 1, 19 if fine else 16, type_=String())
    else:
        moment = func.date_trunc("second" if fine else "minute", at)
    counted = (
        select(moment, func.count())
        .select_from(DeliveryRow)
        .join(AttemptRow, col(AttemptRow.delivery_id) == DeliveryRow.id)
        .where(col(DeliveryRow.mailing) == mailing, col(AttemptRow.verdict) == Verdict.ACCEPTED)
        .group_by(moment)
        .order_by(moment)
    )
    return [(_instant(found), number) for found, number in session.execute(counted)]


def _instant(found: str | dt.datetime) -> dt.datetime:
    if isinstance(found, dt.datetime):
        return found.astimezone(dt.UTC)
    return dt.datetime.fromisoformat(found).replace(tzinfo=dt.UTC)


def doubtful(session: Session, run_id: int, *, limit: int) -> Sequence[Doubtful]:
    """Those of a run of whom nobody knows whether they got it, at most `limit`, those first who wait longest."""
    uncertain = in_state(DeliveryState.UNCERTAIN, of_run(run_id))
    found = (
        select(col(Subscriber.uid), col(Subscriber.address), col(DeliveryRow.changed), col(DeliveryRow.repeats))
        .select_from(DeliveryRow)
        .outerjoin(Subscriber, col(Subscriber.id) == DeliveryRow.subscriber_id)
        .where(uncertain)
        .order_by(col(DeliveryRow.changed), col(DeliveryRow.id))
        .limit(limit)
    )
    return [Doubtful(*row) for row in session.execute(found)]
