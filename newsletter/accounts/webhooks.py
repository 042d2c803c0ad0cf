"""
Webhooks: which programs are called when something happened, and the calls that are to be made.

Takes a session; yields webhooks and calls as rows. Promises that a matter is told to a webhook once, whoever looks for
it how often, that a call is made by one process at a time, and that a body names people by their public id alone.
"""

import base64
import datetime as dt
import secrets
import uuid
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, Column, Integer, Text, UniqueConstraint, delete, select, update
from sqlmodel import Field, Session, col

from newsletter.database import changed_rows
from subscribers.columns import Base, identity, insert_into, instant, reference

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  no secret, but how one begins
"""As Standard Webhooks writes a secret: the prefix, and base64."""

KEPT: Final = dt.timedelta(days=30)
"""How long a call that has ended can be looked at."""


class WebhookEvent(StrEnum):
    """What a program can be called for."""

    #: A run has ended: everybody of its audience got the issue, or will not.
    RUN_FINISHED = "run.finished"
    #: People have become confirmed members of a list.
    SUBSCRIBER_JOINED = "subscriber.joined"
    #: People have left a list or a newsletter.
    SUBSCRIBER_LEFT = "subscriber.left"
    #: Somebody wants to see whether it works.
    TEST = "webhook.test"


class WebhookRow(Base, table=True):
    """
    A program that is called.

    `secret` signs its calls and has to be readable for that; `events` are words with spaces between them;
    `consent_seen` is the last line of the consent log that was looked at, `runs_seen` the end of the last run.
    """

    __tablename__ = "webhook"

    id: int | None = identity()
    url: str = Field(max_length=2000)
    secret: str = Field(max_length=100)
    events: str = Field(max_length=300)
    created: dt.datetime = instant()
    consent_seen: int = Field(sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), nullable=False))
    runs_seen: dt.datetime = instant()
    failing_since: dt.datetime | None = instant(nullable=True)
    disabled: dt.datetime | None = instant(nullable=True)

    @property
    def wants(self) -> tuple[WebhookEvent, ...]:
        """The events it is called for."""
        return tuple(WebhookEvent(word) for word in self.events.split())


class WebhookCallRow(Base, table=True):
    """
    One thing told to one webhook.

    `uid` is the same at every try, for those who are called twice; `matter` what it tells of; `due` when it is tried
    next, None when it has `ended`; `status` what was answered last, 0 where nobody did.
    """

    __tablename__ = "webhook_call"
    __table_args__ = (UniqueConstraint("webhook_id", "event", "matter"),)

    id: int | None = identity()
    uid: str = Field(max_length=40)
    webhook_id: int = reference("webhook.id")
    event: str = Field(max_length=40)
    matter: str = Field(max_length=200)
    body: str = Field(sa_type=Text)
    created: dt.datetime = instant()
    attempts: int = 0
    due: dt.datetime | None = instant(nullable=True, index=True)
    status: int = 0
    ended: dt.datetime | None = instant(nullable=True)


def add(session: Session, url: str, *, events: Sequence[WebhookEvent], seen: int, now: dt.datetime) -> WebhookRow:
    """Store a webhook that is told what happens from now on; `seen` is the newest line of the consent log."""
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    words = " ".join(dict.fromkeys(event.value for event in events))
    row = WebhookRow(url=url, secret=secret, events=words, created=now, consent_seen=seen, runs_seen=now)
    session.add(row)
    session.flush()
    return row


def get(session: Session, webhook_id: int) -> WebhookRow | None:
    """A webhook."""
    return session.get(WebhookRow, webhook_id)


def webhooks(session: Session, *, active: bool = False) -> Sequence[WebhookRow]:
    """All webhooks in the order in which they were made, or those that are not disabled."""
    query = select(WebhookRow).order_by(col(WebhookRow.id))
    return session.scalars(query.where(col(WebhookRow.disabled).is_(None)) if active else query).all()


def remove(session: Session, webhook_id: int) -> bool:
    """Delete a webhook with its calls."""
    changed_rows(session, delete(WebhookCallRow).where(col(WebhookCallRow.webhook_id) == webhook_id))
    return changed_rows(session, delete(WebhookRow).where(col(WebhookRow.id) == webhook_id)) == 1


def tell(session: Session, webhook_id: int, *, event: WebhookEvent, matter: str, body: str, now: dt.datetime) -> bool:
    """Plan a call; False where the webhook was told of the matter before."""
    row = {
        "uid": f"msg_{uuid.uuid4().hex}",
        "webhook_id": webhook_id,
        "event": event.value,
        "matter": matter,
        "body": body,
        "created": now,
        "due": now,
    }
    call = insert_into(session, WebhookCallRow).values(**row, attempts=0, status=0).on_conflict_do_nothing()
    return changed_rows(session, call) == 1


def due_calls(session: Session, now: dt.datetime, *, limit: int) -> Sequence[tuple[WebhookCallRow, WebhookRow]]:
    """Calls whose time has come, the oldest first, with their webhooks."""
    query = (
        select(WebhookCallRow, WebhookRow)
        .join(WebhookRow, col(WebhookRow.id) == col(WebhookCallRow.webhook_id))
        .where(col(WebhookCallRow.due) <= now, col(WebhookRow.disabled).is_(None))
        .order_by(col(WebhookCallRow.due))
        .limit(limit)
    )
    return [(call, webhook) for call, webhook in session.execute(query)]


def take(session: Session, call: WebhookCallRow, *, until: dt.datetime) -> bool:
    """Take a call for this process until an instant; False where another one has it."""
    mine = update(WebhookCallRow).where(col(WebhookCallRow.id) == call.id, col(WebhookCallRow.due) == call.due)
    return changed_rows(session, mine.values(due=until, attempts=call.attempts + 1)) == 1


def note_answer(
    session: Session, call_id: int, *, status: int, due: dt.datetime | None, ended: dt.datetime | None
) -> None:
    """Note what was answered, and when it is tried again, or that it has ended."""
    mine = update(WebhookCallRow).where(col(WebhookCallRow.id) == call_id)
    changed_rows(session, mine.values(status=status, due=due, ended=ended))


def calls_of(session: Session, webhook_id: int, *, limit: int) -> Sequence[WebhookCallRow]:
    """The newest calls of a webhook."""
    query = select(WebhookCallRow).where(col(WebhookCallRow.webhook_id) == webhook_id)
    return session.scalars(query.order_by(col(WebhookCallRow.id).desc()).limit(limit)).all()


def drop_ended(session: Session, before: dt.datetime) -> int:
    """Delete calls that ended before an instant; returns how many."""
    return changed_rows(session, delete(WebhookCallRow).where(col(WebhookCallRow.ended) < before))
