"""The tables of operators, of their sessions at the desk, and of the audit log."""

import datetime as dt
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field

from newsletter.accounts.operator import Role
from subscribers.columns import Base, enum_column, identity, instant, reference

_FORGOTTEN = text("subscriber_id IS NULL AND digest IS NOT NULL")
_NAMED = text("email <> ''")


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
    #: A list was made.
    LIST_CREATED = "list created"
    #: A segment was saved under a new name; `about` has its expression.
    SEGMENT_CREATED = "segment created"
    #: A segment was given another expression; `about` has both.
    SEGMENT_CHANGED = "segment changed"
    #: A segment was deleted.
    SEGMENT_DELETED = "segment deleted"
    #: A person was asked to confirm another address.
    ADDRESS_ASKED = "address asked for"
    #: People were written into a file; `about` says which.
    EXPORTED = "people exported"
    #: A file of people was imported; `about` says where to and what became of its rows.
    IMPORTED = "people imported"
    #: A file of people was uploaded.
    UPLOADED = "file uploaded"
    #: A file of people was thrown away before it was imported.
    UPLOAD_DISCARDED = "file discarded"
    #: A newsletter was made; `about` names it.
    NEWSLETTER_MADE = "newsletter made"
    #: Its settings were changed; `about` names it, `reason` what was changed, from what to what.
    NEWSLETTER_CHANGED = "newsletter changed"
    #: A draft was made by a newsletter's cadence; `about` names both.
    DRAFT_MADE = "draft made"
    #: An operator asked for the approval of an issue; `about` names it.
    APPROVAL_ASKED = "approval asked"
    #: An operator chose what they are told by mail.
    ALERTS_CHOSEN = "alerts chosen"
    #: An issue was scheduled, or sent at once; `about` names it.
    ISSUE_SCHEDULED = "issue scheduled"
    #: A run that had not started was taken back.
    SCHEDULE_UNDONE = "schedule undone"
    #: A run was paused.
    RUN_PAUSED = "run paused"
    #: A paused run went on.
    RUN_RESUMED = "run resumed"
    #: A run was stopped for good.
    RUN_CANCELLED = "run cancelled"
    #: An operator was added; `about` names them and their role.
    OPERATOR_ADDED = "operator added"
    #: Somebody was invited to the team.
    OPERATOR_INVITED = "operator invited"
    #: An invitation was taken back before it was used.
    INVITATION_WITHDRAWN = "invitation withdrawn"
    #: Name, address, language or time zone of an operator were changed.
    OPERATOR_CHANGED = "operator changed"
    #: An operator got another role.
    ROLE_CHANGED = "role changed"
    #: An operator may not sign in any more.
    OPERATOR_DISABLED = "operator disabled"
    #: They may again.
    OPERATOR_ENABLED = "operator enabled"
    #: A link was made by which an operator chooses a new password.
    PASSWORD_LINK_MADE = "password link made"  # noqa: S105  a deed, no secret
    #: An operator got another password.
    PASSWORD_CHANGED = "password changed"  # noqa: S105  a deed, no secret
    #: An operator signs in with a code as well.
    SECOND_FACTOR_ADDED = "second factor added"
    #: They do not any more.
    SECOND_FACTOR_REMOVED = "second factor removed"
    #: An operator got new recovery codes; the old ones are void.
    RECOVERY_CODES_MADE = "recovery codes made"
    #: One of them was used in place of a device.
    RECOVERY_CODE_USED = "recovery code used"
    #: An operator made a token of the API.
    TOKEN_MADE = "token made"  # noqa: S105  a deed, no secret
    #: A token of the API was revoked.
    TOKEN_REVOKED = "token revoked"  # noqa: S105  a deed, no secret
    #: Sessions of an operator were ended before their time.
    SESSIONS_ENDED = "sessions ended"
    #: An operator signed in.
    SIGNED_IN = "signed in"
    #: Too many wrong passwords or codes: nobody can sign in under a name for some minutes.
    SIGN_IN_LOCKED = "sign-in locked"
    #: An operator's account was tied to what a provider knows them by.
    IDENTITY_TIED = "identity tied"
    #: An issue was planned and assembled; `about` names it.
    ISSUE_MADE = "issue made"
    #: Its items were chosen anew, added, taken out, moved or limited; `reason` says how.
    ISSUE_ARRANGED = "issue arranged"
    #: Its subject, preheader, title or introduction were written; `reason` has them before and after.
    ISSUE_WORDED = "issue worded"
    #: Its number, dates or settings were changed; `reason` has them before and after.
    ISSUE_CHANGED = "issue changed"
    #: The editions of an issue were approved; `about` names it with the digests.
    ISSUE_APPROVED = "issue approved"
    #: An approval holds no more; `reason` says what changed.
    APPROVAL_ENDED = "approval ended"
    #: A warning was accepted as it is; `about` names issue and code.
    FINDING_ACCEPTED = "finding accepted"
    #: Editions were sent as a test; `about` names issue and editions.
    TEST_SENT = "test sent"
    #: Somebody without an account got a link to an edition; `about` names issue, edition and reader.
    REVIEW_ASKED = "review asked"
    #: Such a link was withdrawn.
    REVIEW_WITHDRAWN = "review withdrawn"
    #: What a reviewer asked for is done, or is open again.
    REVIEW_SETTLED = "review settled"
    #: An entry was begun, or copied from another; `about` names it.
    ENTRY_MADE = "entry made"
    #: What an entry says was changed; `reason` has it before and after.
    ENTRY_CHANGED = "entry changed"
    #: Issues may take an entry.
    ENTRY_PUBLISHED = "entry published"
    #: No issue takes it any more.
    ENTRY_WITHDRAWN = "entry withdrawn"
    #: An entry went back to an earlier revision; `reason` has it before and after.
    ENTRY_RESTORED = "entry restored"
    #: An entry that was never published got another key.
    ENTRY_RENAMED = "entry renamed"
    #: An entry that no issue has was deleted.
    ENTRY_DELETED = "entry deleted"
    #: A translation is right for the present original, somebody said; `about` names entry and language.
    TRANSLATION_CONFIRMED = "translation confirmed"
    #: A picture was uploaded; `about` has its name and size.
    PICTURE_STORED = "picture stored"
    #: A topic was made or changed; `about` names it, `reason` has its words before and after.
    TOPIC_CHANGED = "topic changed"
    #: A topic that nothing uses was deleted.
    TOPIC_DELETED = "topic deleted"
    #: A program is called when something happens; `about` has its number and the events.
    WEBHOOK_ADDED = "webhook added"
    #: It is called no more.
    WEBHOOK_REMOVED = "webhook removed"
    #: It is called again after it had failed for long.
    WEBHOOK_ENABLED = "webhook enabled"
    #: A translators' document was taken back; `about` names language and entries.
    TRANSLATION_TAKEN = "translation taken"
    #: A backup of the database and the keys was made; `about` has its size.
    BACKED_UP = "backup made"
    #: The database was put back as a backup had it; `about` says of when.
    RESTORED = "backup restored"
    #: The database was copied from another; `about` names that.
    DATABASE_MOVED = "database moved"
    #: Another key signs links; `about` names it.
    KEY_ROTATED = "key rotated"
    #: Links that a key has signed are taken no more; `about` names it.
    KEY_REVOKED = "key revoked"


class AuditRow(Base, table=True):
    """
    One line of the audit log: who did what, when, about whom or what, and why.

    About a person it holds the tie and the keyed digest of the address; erasure cuts the tie and empties `about` and
    `reason`. `action` is a `Deed`, as text, so that a later version may have more of them.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_forgotten", "digest", sqlite_where=_FORGOTTEN, postgresql_where=_FORGOTTEN),
        Index("ix_audit_entry_of_operator", "operator", "id"),
        Index("ix_audit_entry_of_action", "action", "id"),
        Index("ix_audit_entry_of_both", "operator", "action", "id"),
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


class OperatorRow(Base, table=True):
    """
    Somebody with a login.

    `name` is small letters, digits and `.-_`; `email` is in small letters, and two operators never share one;
    `password` an argon2id string, None for who has none yet or signs in elsewhere; `disabled` since when they may not
    sign in.
    """

    __tablename__ = "operator"
    __table_args__ = (Index("ix_operator_email", "email", unique=True, sqlite_where=_NAMED, postgresql_where=_NAMED),)

    id: int | None = identity()
    name: str = Field(max_length=80, unique=True)
    full_name: str = Field(default="", max_length=200)
    email: str = Field(default="", max_length=320)
    role: Role = enum_column(Role, "role")
    language: str = Field(default="en", max_length=35)
    timezone: str = Field(default="UTC", max_length=64)
    password: str | None = Field(default=None, max_length=300)
    disabled: dt.datetime | None = instant(nullable=True)
    created: dt.datetime = instant()


class OperatorSessionRow(Base, table=True):
    """
    A browser that an operator has signed in with.

    `digest` is that of the token in its cookie; `newsletter` the slug of the one last worked on; `provider` the host
    that vouched for them (OpenID Connect), "" where they gave their password.
    """

    __tablename__ = "operator_session"

    id: int | None = identity()
    digest: str = Field(max_length=64, unique=True)
    operator_id: int = reference("operator.id", index=True)
    created: dt.datetime = instant()
    seen: dt.datetime = instant()
    agent: str = Field(default="", max_length=200)
    newsletter: str | None = Field(default=None, max_length=80)
    provider: str = Field(default="", max_length=200, sa_column_kwargs={"server_default": ""})
