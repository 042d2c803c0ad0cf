"""
Every query about clicks and opened messages, by name.

Each function takes a session and commits nothing.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from newsletter.compilation.models import ArtifactRow
from newsletter.content.models import NewsletterRow
from newsletter.content.newsletter import Tracking
from newsletter.database import changed_rows
from newsletter.feedback.clicks.models import Engaged, EngagementRow, TallyRow
from newsletter.planning.models import DeliveryRow, DeliveryState
from subscribers.columns import insert_into
from subscribers.models import Subscriber

_ON_ITS_WAY: Final = frozenset(
    {DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.SENDING, DeliveryState.DEFERRED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """An artifact that tokens name: its digest, its newsletter and issue, and where its counted links lead."""

    digest: str
    newsletter: str
    issue: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """That somebody is sent an issue: `at` is when it was, None while it is on its way."""

    subscriber_id: int
    at: dt.datetime | None


def marked(session: Session, beginning: str) -> Marked | None:
    """The artifact whose digest begins like this, if it has links that count."""
    digest = col(ArtifactRow.digest)
    # A range, for which both databases use the index; after the digits comes g.
    found = session.exec(
        select(ArtifactRow.digest, ArtifactRow.facts).where(digest >= beginning, digest < f"{beginning}g").limit(1)
    ).first()
    if found is None:
        return None
    name, facts = found
    return Marked(
        digest=name, newsletter=facts["newsletter"], issue=facts["issue"], targets=tuple(facts.get("tracked", ()))
    )


def sent_to(session: Session, uid: str, mailing: str) -> Sent | None:
    """Whether and when somebody, by public id, was sent an issue."""
    found = session.exec(
        select(col(Subscriber.id), DeliveryRow.state, DeliveryRow.changed)
        .join(DeliveryRow, col(DeliveryRow.subscriber_id) == col(Subscriber.id))
        .where(Subscriber.uid == uid, DeliveryRow.mailing == mailing)
    ).first()
    if found is None:
        return None
    subscriber_id, state, changed = found
    return Sent(subscriber_id=subscriber_id or 0, at=None if state in _ON_ITS_WAY else changed)


def tracking_now(session: Session, newsletter: str) -> Tracking:
    """What a newsletter wants to have counted at present, whatever it wanted when an issue was sent."""
    settings = session.exec(select(NewsletterRow.settings).where(NewsletterRow.slug == newsletter)).first() or {}
    return Tracking(settings.get("tracking", Tracking.OFF))


def count(session: Session, artifact: str, link: int, *, by_program: bool) -> None:
    """Count one more."""
    counted = "programs" if by_program else "people"
    statement = insert_into(session, TallyRow).values(
        artifact=artifact, link=link, people=int(not by_program), programs=int(by_program)
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["artifact", "link"], set_={counted: getattr(TallyRow, counted) + 1}
        )
    )


def recount(session: Session, artifact: str, links: Sequence[int]) -> None:
    """Take back what was counted as a person's, and count it as a program's."""
    for link, times in Counter(links).items():
        session.execute(
            update(TallyRow)
            .where(col(TallyRow.artifact) == artifact, col(TallyRow.link) == link, col(TallyRow.people) >= times)
            .values(people=TallyRow.people - times, programs=TallyRow.programs + times)
        )


def record(session: Session, mailing: str, kind: Engaged, *, subscriber_id: int, now: dt.datetime) -> None:
    """Keep that somebody has done this, unless it is known."""
    first = insert_into(session, EngagementRow).values(
        mailing=mailing, kind=kind, subscriber_id=subscriber_id, first=now
    )
    session.execute(first.on_conflict_do_nothing())


def forget_since(session: Session, mailing: str, *, subscriber_id: int, since: dt.datetime) -> None:
    """Take back that somebody clicked, where the first click is not older: a program was taken for them."""
    session.execute(
        delete(EngagementRow).where(
            col(EngagementRow.mailing) == mailing,
            col(EngagementRow.kind) == Engaged.CLICKED,
            col(EngagementRow.subscriber_id) == subscriber_id,
            col(EngagementRow.first) >= since,
        )
    )


def tallies(session: Session, artifacts: Collection[str]) -> dict[str, dict[int, tuple[int, int]]]:
    """By artifact and link: how often people and how often programs followed it."""
    rows = session.exec(select(TallyRow).where(col(TallyRow.artifact).in_(artifacts)))
    found: dict[str, dict[int, tuple[int, int]]] = {}
    for row in rows:
        found.setdefault(row.artifact, {})[row.link] = (row.people, row.programs)
    return found


def accepted(session: Session, mailing: str) -> dict[str, int]:
    """How many messages of an issue relays took, by language."""
    rows = session.exec(
        select(DeliveryRow.language, func.count())
        .where(DeliveryRow.mailing == mailing, DeliveryRow.state == DeliveryState.ACCEPTED)
        .group_by(col(DeliveryRow.language))
    )
    return dict(rows.all())


def readers(session: Session, mailing: str) -> dict[str, dict[Engaged, int]]:
    """How many people have clicked or opened an issue, by the language of their edition."""
    rows = session.exec(
        select(DeliveryRow.language, EngagementRow.kind, func.count())
        .join(
            DeliveryRow,
            (col(DeliveryRow.mailing) == col(EngagementRow.mailing))
            & (col(DeliveryRow.subscriber_id) == col(EngagementRow.subscriber_id)),
        )
        .where(EngagementRow.mailing == mailing)
        .group_by(col(DeliveryRow.language), col(EngagementRow.kind))
    )
    found: dict[str, dict[Engaged, int]] = {}
    for language, kind, number in rows:
        found.setdefault(language, {})[Engaged(kind)] = number
    return found


def engagement_of(session: Session, subscriber_id: int) -> list[EngagementRow]:
    """Everything that is known of what somebody has clicked and opened, the oldest first."""
    return list(
        session.exec(
            select(EngagementRow)
            .where(EngagementRow.subscriber_id == subscriber_id)
            .order_by(col(EngagementRow.first), col(EngagementRow.mailing), col(EngagementRow.kind))
        )
    )


def drop_engagement(session: Session, before: dt.datetime, limit: int) -> int:
    """Forget up to `limit` of those who clicked or opened before an instant; returns how many. The counts stay."""
    key = (col(EngagementRow.mailing), col(EngagementRow.kind), col(EngagementRow.subscriber_id))
    some = sa.select(*key).where(col(EngagementRow.first) < before).limit(limit)
    return changed_rows(session, delete(EngagementRow).where(sa.tuple_(*key).in_(some)))


def count_engagement(session: Session, before: dt.datetime) -> int:
    """How many `drop_engagement` would forget in all."""
    return session.exec(select(func.count()).select_from(EngagementRow).where(EngagementRow.first < before)).one()


def reacted(kind: str, asked: Collection[str] | dt.datetime) -> sa.Select[int | None]:
    """
    The ids of the subscribers who have `opened` or `clicked` one of some mailings, or anything since an instant.

    An id may stand twice or be NULL. Raises ValueError for another kind.
    """
    ids: sa.Select[int | None] = sa.select(col(EngagementRow.subscriber_id)).where(
        col(EngagementRow.kind) == Engaged(kind)
    )
    if isinstance(asked, dt.datetime):
        return ids.where(col(EngagementRow.first) >= asked)
    return ids.where(col(EngagementRow.mailing).in_(asked))
