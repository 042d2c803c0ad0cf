"""The table of the audit log."""

import datetime as dt
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field

from subscribers.columns import Base, identity, instant, reference

_FORGOTTEN = text("subscriber_id IS NULL AND digest IS NOT NULL")


class Deed(StrEnum):
    """What an operator did. What changes somebody's consent stands in the consent log, with the operator, instead."""

    #: Fields, attributes or tags of a person were changed; `about` names them.
    CHANGED = "changed"
    #: A person got another address.
    ADDRESS_CHANGED = "address changed"
    #: An address must never be written to.
    SUPPRESSED = "suppressed"
    #: It may be written to again.
    UNSUPPRESSED = "unsuppressed"
    #: A person was erased.
    ERASED = "erased"
    #: Everything about a person was read out.
    DATA_READ = "data read"
    #: A list was changed, renamed or deleted; `about` names it.
    LIST_CHANGED = "list changed"
    #: A list got another name.
    LIST_RENAMED = "list renamed"
    #: A list was deleted with its memberships.
    LIST_DELETED = "list deleted"
    #: A tag got another name with everybody who had it.
    TAG_RENAMED = "tag renamed"
    #: A tag was taken off everybody.
    TAG_DELETED = "tag deleted"


class AuditRow(Base, table=True):
    """
    One line of the audit log: who did what, when, about whom or what, and why.

    About a person it holds the tie and the keyed digest of the address; erasure cuts the tie and empties `about` and
    `reason`. `action` is a `Deed`, as text, so that a later version may have more of them.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_forgotten", "digest", sqlite_where=_FORGOTTEN, postgresql_where=_FORGOTTEN),
        {"sqlite_autoincrement": True},
    )

    id: int | None = identity()
    at: dt.datetime = instant(index=True)
    operator: str = Field(max_length=80)
    action: str = Field(max_length=40)
    subscriber_id: int | None = reference("subscriber.id", ondelete="SET NULL", nullable=True, index=True)
    digest: str | None = Field(default=None, max_length=64)
    about: str = Field(default="", max_length=500)
    reason: str = Field(default="", max_length=500)
