"""
What an operator wants to be told by mail, and what there is to tell: kinds, tables, and every query about them.

Takes a session, never commits. A matter (one run, one relay, the disk) has one row for each kind, whoever raises it and
however often: promises that it is told to nobody twice within `QUIET`, by a guarded update that holds once.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import JSON, Column, ColumnElement, UniqueConstraint, delete, or_, select, update
from sqlmodel import Field, Session, col

from newsletter.accounts.models import OperatorRow
from newsletter.accounts.operator import Operator
from newsletter.accounts.sessions import operator_of
from newsletter.database import changed_rows
from subscribers.columns import Base, enum_column, enum_type, identity, insert_into, instant, reference

QUIET: Final = dt.timedelta(hours=1)
"""Between two messages about one matter, also where it ended and came back."""

AGAIN: Final = dt.timedelta(days=1)
"""After which what has not ended is told again, where it does harm as long as it lasts."""


class AlertKind(StrEnum):
    """What is told."""

    #: A draft was made by a newsletter's cadence.
    DRAFT = "draft"
    #: Somebody asks for an issue to be approved.
    APPROVAL = "approval"
    #: A run is paused, or could not start.
    PAUSED = "paused"
    #: The last delivery of a run has ended.
    FINISHED = "finished"
    #: The mailbox for what comes back cannot be read.
    MAILBOX = "mailbox"
    #: There is little room left for the database.
    DISK = "disk"
    #: A relay takes nothing from us.
    RELAY = "relay"

    @property
    def is_of_newsletter(self) -> bool:
        """Whether it is about one newsletter; the others are about the installation."""
        return self in _OF_NEWSLETTER

    @property
    def patience(self) -> dt.timedelta:
        """How long it has to last before anybody is told: servers are away for a moment every day."""
        return _PATIENCE.get(self, dt.timedelta())


_OF_NEWSLETTER: Final = frozenset({AlertKind.DRAFT, AlertKind.APPROVAL, AlertKind.PAUSED, AlertKind.FINISHED})
_MOMENTARY: Final = frozenset({AlertKind.DRAFT, AlertKind.FINISHED})
_PATIENCE: Final = {AlertKind.MAILBOX: dt.timedelta(minutes=30), AlertKind.RELAY: dt.timedelta(minutes=5)}

EVERY_NEWSLETTER: Final = ""
"""Stands for the slug where a choice holds for all newsletters, or a matter is the installation's."""


class AlertRow(Base, table=True):
    """
    A matter that may concern somebody.

    `matter` names it within its kind and newsletter; `facts` are the values of its words. `since` is when it began,
    `told` when somebody was last told, `ended` when it was over; it may begin again.
    """

    __tablename__ = "alert"
    __table_args__ = (UniqueConstraint("kind", "newsletter", "matter"),)

    id: int | None = identity()
    kind: AlertKind = enum_column(AlertKind, "kind")
    newsletter: str = Field(default=EVERY_NEWSLETTER, max_length=80)
    matter: str = Field(max_length=200)
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON(), nullable=False))
    since: dt.datetime = instant()
    told: dt.datetime | None = instant(nullable=True)
    ended: dt.datetime | None = instant(nullable=True, index=True)


class AlertChoiceRow(Base, table=True):
    """That an operator wants to be told of a kind: of one newsletter by its slug, or of all."""

    __tablename__ = "alert_choice"

    operator_id: int = reference("operator.id", primary_key=True)
    kind: AlertKind = Field(sa_column=Column(enum_type(AlertKind, "kind"), primary_key=True))
    newsletter: str = Field(default=EVERY_NEWSLETTER, primary_key=True, max_length=80)


def notice(
    session: Session,
    kind: AlertKind,
    *,
    matter: str,
    facts: Mapping[str, str],
    now: dt.datetime,
    newsletter: str = EVERY_NEWSLETTER,
) -> AlertRow:
    """Note that something is the matter: it is new, or goes on, or begins again after it had ended."""
    row = {"kind": kind, "newsletter": newsletter, "matter": matter[:200], "facts": dict(facts), "since": now}
    session.execute(insert_into(session, AlertRow).values(row).on_conflict_do_nothing())
    this = (
        col(AlertRow.kind) == kind,
        col(AlertRow.newsletter) == newsletter,
        col(AlertRow.matter) == matter[:200],
    )
    back = update(AlertRow).where(*this, col(AlertRow.ended).is_not(None))
    changed_rows(session, back.values(since=now, ended=None, facts=dict(facts)))
    return session.scalars(select(AlertRow).where(*this).execution_options(populate_existing=True)).one()


def due(session: Session, now: dt.datetime) -> Sequence[AlertRow]:
    """The matters that are to be told now, the oldest first."""
    return [
        alert
        for kind in AlertKind
        for alert in session.scalars(select(AlertRow).where(*_is_due(kind, now)).order_by(col(AlertRow.id)))
    ]


def take(session: Session, alert: AlertRow, *, now: dt.datetime) -> bool:
    """Whether somebody may be told now, and by us: holds once. What happens in a moment is over when it is told."""
    guard = (col(AlertRow.id) == alert.id, *_is_due(alert.kind, now))
    values = {"told": now, **({"ended": now} if alert.kind in _MOMENTARY else {})}
    return changed_rows(session, update(AlertRow).where(*guard).values(values)) == 1


def _is_due(kind: AlertKind, now: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    told = col(AlertRow.told)
    is_due = or_(told.is_(None), (told < col(AlertRow.since)) & (told <= now - QUIET))
    if not kind.is_of_newsletter:
        is_due = or_(is_due, told <= now - AGAIN)
    has_lasted = col(AlertRow.since) <= now - kind.patience
    return col(AlertRow.kind) == kind, col(AlertRow.ended).is_(None), has_lasted, is_due


def end_others(session: Session, kind: AlertKind, *, holding: Collection[str], now: dt.datetime) -> int:
    """Note that every matter of a kind is over but those that are `holding`; returns how many ended."""
    open_ones = (col(AlertRow.kind) == kind, col(AlertRow.ended).is_(None), col(AlertRow.matter).not_in(holding))
    return changed_rows(session, update(AlertRow).where(*open_ones).values(ended=now))


def open_alerts(session: Session, kinds: Collection[AlertKind] = tuple(AlertKind)) -> Sequence[AlertRow]:
    """The matters of some kinds that are not over, the oldest first."""
    mine = (col(AlertRow.ended).is_(None), col(AlertRow.kind).in_(kinds))
    return session.scalars(select(AlertRow).where(*mine).order_by(col(AlertRow.since), col(AlertRow.id))).all()


def matters_since(session: Session, kind: AlertKind, since: dt.datetime) -> frozenset[str]:
    """The matters of a kind that began since then, over or not."""
    mine = (col(AlertRow.kind) == kind, col(AlertRow.since) >= since)
    return frozenset(session.scalars(select(col(AlertRow.matter)).where(*mine)))


def drop_ended(session: Session, before: dt.datetime) -> int:
    """Delete matters that ended before then; returns how many."""
    return changed_rows(session, delete(AlertRow).where(col(AlertRow.ended) < before))


def choices(session: Session, operator_id: int) -> frozenset[tuple[AlertKind, str]]:
    """What an operator wants to be told: pairs of a kind and a newsletter's slug, or `EVERY_NEWSLETTER`."""
    mine = select(AlertChoiceRow).where(col(AlertChoiceRow.operator_id) == operator_id)
    return frozenset((row.kind, row.newsletter) for row in session.scalars(mine))


def choose(session: Session, operator_id: int, wanted: Collection[tuple[AlertKind, str]]) -> None:
    """Replace what an operator wants to be told."""
    session.execute(delete(AlertChoiceRow).where(col(AlertChoiceRow.operator_id) == operator_id))
    session.add_all(
        AlertChoiceRow(operator_id=operator_id, kind=kind, newsletter=newsletter)
        for kind, newsletter in sorted(set(wanted))
    )
    session.flush()


def who_chose(session: Session, kind: AlertKind, newsletter: str) -> list[Operator]:
    """Operators with an address who may sign in and want to be told of a kind, by name."""
    wanted = (
        col(AlertChoiceRow.kind) == kind,
        col(AlertChoiceRow.newsletter).in_({EVERY_NEWSLETTER, newsletter}),
        col(OperatorRow.disabled).is_(None),
        col(OperatorRow.email) != "",
    )
    query = select(OperatorRow).join(AlertChoiceRow).where(*wanted).distinct().order_by(col(OperatorRow.name))
    return [operator_of(row) for row in session.scalars(query)]
