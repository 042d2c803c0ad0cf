"""
The tables of the people who receive newsletters.

Takes values that have been checked (a table checks none itself, see `store.clean`); yields rows; promises that the
keyed digest of an address is the only trace of it outside `Subscriber`, and that newsletters are opaque keys.
"""

import base64
import secrets
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DDL, Column, Index, Integer, LargeBinary, event, text
from sqlalchemy.ext.mutable import MutableDict
from sqlmodel import Field

from subscribers.columns import Base, enum_column, identity, instant, json_column, json_type, reference

Attribute = str | int | float | bool
"""What an attribute of a subscriber may hold."""

UID_LETTERS = 16
"""Length of a public id: 80 bits in base32, enough that nobody finds another person's by trying."""

_UID_OCTETS = 10


CLUSTERED = {"sqlite_with_rowid": False}
"""For tables whose key is what they are read by: SQLite then keeps one tree of rows instead of two."""

_FORGOTTEN = text("subscriber_id IS NULL")


class MembershipState(StrEnum):
    """How somebody stands to a list."""

    #: Has asked for it and has not confirmed yet.
    PENDING = "pending"
    #: Receives what is sent to the list.
    CONFIRMED = "confirmed"
    #: Has left it; only the person's own new consent brings them back.
    LEFT = "left"
    #: Was taken off it by an operator.
    REMOVED = "removed"


class SuppressionReason(StrEnum):
    """Why an address must never be written to, from the weakest reason to the strongest."""

    #: The person wants nothing more from anybody here.
    UNSUBSCRIBED = "unsubscribed"
    #: The person had everything about them erased.
    ERASED = "erased"
    #: The mailbox does not exist.
    HARD_BOUNCE = "hard_bounce"
    #: The person reported a message as spam.
    COMPLAINT = "complaint"
    #: An operator decided so.
    MANUAL = "manual"


class ConsentAction(StrEnum):
    """What happened to somebody's consent."""

    #: The person asked to receive a list.
    SUBSCRIBED = "subscribed"
    #: The person followed the link in the confirmation mail.
    CONFIRMED = "confirmed"
    #: An operator imported the person.
    IMPORTED = "imported"
    #: The person left a list.
    LEFT = "left"
    #: The person left a newsletter, whatever list brought it.
    LEFT_NEWSLETTER = "left_newsletter"
    #: The person came back after having left.
    RESUBSCRIBED = "resubscribed"
    #: An operator took the person off a list.
    REMOVED = "removed"


class UploadState(StrEnum):
    """Where a file stands that was uploaded for import."""

    #: Its columns are being looked at.
    STAGED = "staged"
    #: Its rows are being counted.
    CHECKING = "checking"
    #: What it would do is known.
    CHECKED = "checked"
    #: Its rows are being stored.
    RUNNING = "running"
    #: All of it is stored.
    FINISHED = "finished"
    #: An officer ended it midway; what was stored stays.
    STOPPED = "stopped"
    #: It cannot be taken, for a reason in words.
    FAILED = "failed"


class RequestKind(StrEnum):
    """What waits for a person's confirmation."""

    #: To receive lists.
    LISTS = "lists"
    #: To get the mail at another address.
    ADDRESS = "address"


def new_uid() -> str:
    """Return a random public id: 16 small letters and digits."""
    return next(new_uids(1))


def new_uids(count: int) -> Iterator[str]:
    """Yield random public ids, with the randomness of all of them fetched at once."""
    letters = base64.b32encode(secrets.token_bytes(count * _UID_OCTETS)).decode().lower()
    return (letters[start : start + UID_LETTERS] for start in range(0, len(letters), UID_LETTERS))


class Subscriber(Base, table=True):
    """A person or office that receives newsletters. Text that is not known is empty; a language or zone is null."""

    __tablename__ = "subscriber"
    # An id is never given out again: ledgers outlive the person they name.
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = identity()
    #: Public id, for links and exports; tells nothing about the person.
    uid: str = Field(default_factory=new_uid, max_length=UID_LETTERS, unique=True)
    #: As shown, see `Address.text`.
    address: str = Field(max_length=254)
    #: As compared, see `Address.key`.
    address_key: str = Field(max_length=254, unique=True)
    #: Keyed digest of the key, see `tokens.address_digest`.
    digest: str = Field(max_length=64, unique=True)
    first_name: str = ""
    last_name: str = ""
    organisation: str = ""
    city: str = ""
    #: ISO 3166-1 alpha-2.
    country: str = Field(default="", max_length=2)
    #: Canonical BCP 47 tag.
    language: str | None = Field(default=None, max_length=35, index=True)
    #: IANA time zone.
    timezone: str | None = Field(default=None, max_length=64)
    #: Everything else that is known, by identifier.
    attributes: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(MutableDict.as_mutable(json_type()), nullable=False)
    )
    created: datetime = instant()
    updated: datetime = instant()


class SubscriberTag(Base, table=True):
    """A label that operators put on a subscriber."""

    __tablename__ = "subscriber_tag"
    __table_args__ = (Index(None, "tag", "subscriber_id"), CLUSTERED)

    subscriber_id: int = reference("subscriber.id", primary_key=True)
    tag: str = Field(primary_key=True, max_length=100)


class MailingList(Base, table=True):
    """What a person subscribes to."""

    __tablename__ = "mailing_list"

    id: int | None = identity()
    name: str = Field(max_length=100, unique=True)
    #: Offered on the public pages.
    public: bool = False
    #: A new member must confirm by mail.
    double_opt_in: bool = True
    #: Why an administrator did without confirmation.
    opt_in_reason: str = ""
    description: str = ""
    #: What readers call it, by language.
    titles: dict[str, str] = json_column(dict)
    #: What it is for, by language, for readers.
    descriptions: dict[str, str] = json_column(dict)
    created: datetime = instant()


class Membership(Base, table=True):
    """How a subscriber stands to a list; somebody who left keeps the row."""

    __tablename__ = "membership"
    __table_args__ = (Index(None, "list_id", "state", "subscriber_id"), CLUSTERED)

    subscriber_id: int = reference("subscriber.id", primary_key=True)
    list_id: int = reference("mailing_list.id", primary_key=True)
    state: MembershipState = enum_column(MembershipState, "state")
    changed: datetime = instant()


class Departure(Base, table=True):
    """Somebody left a newsletter, whatever lists they are still on."""

    __tablename__ = "departure"
    __table_args__ = CLUSTERED

    subscriber_id: int = reference("subscriber.id", primary_key=True)
    #: The newsletter's key, opaque here.
    newsletter: str = Field(primary_key=True, max_length=100)
    at: datetime = instant()


class FormerAddress(Base, table=True):
    """An address that a subscriber had, by its digest alone."""

    __tablename__ = "former_address"

    id: int | None = identity()
    subscriber_id: int = reference("subscriber.id", index=True)
    digest: str = Field(max_length=64)
    until: datetime = instant()


class Segment(Base, table=True):
    """A saved expression, see `subscribers.segments`."""

    __tablename__ = "segment"

    id: int | None = identity()
    name: str = Field(max_length=100, unique=True)
    expression: str
    created: datetime = instant()
    updated: datetime = instant()


class Suppression(Base, table=True):
    """An address that must never be written to. Outlives the subscriber, so it holds no address."""

    __tablename__ = "suppression"
    __table_args__ = CLUSTERED

    digest: str = Field(primary_key=True, max_length=64)
    reason: SuppressionReason = enum_column(SuppressionReason, "reason")
    note: str = ""
    since: datetime = instant()


class Wording(Base, table=True):
    """The words that people agreed to, kept as they were shown; the version is their digest."""

    __tablename__ = "wording"
    __table_args__ = CLUSTERED

    version: str = Field(primary_key=True, max_length=64)
    language: str = Field(max_length=35)
    text: str
    since: datetime = instant()


class Asking(Base, table=True):
    """A form that was sent and not answered yet: it lasts for moments, and holds an address in clear."""

    __tablename__ = "asking"

    id: int | None = identity()
    kind: RequestKind = enum_column(RequestKind, "kind", default=RequestKind.LISTS)
    #: Whose address it is to be; for lists that is not known yet.
    subscriber_id: int | None = reference("subscriber.id", nullable=True)
    #: The newsletter's key.
    newsletter: str = Field(max_length=100)
    address: str = Field(max_length=254)
    digest: str = Field(max_length=64)
    #: Lists by name.
    lists: list[str] = json_column(list)
    first_name: str = ""
    last_name: str = ""
    language: str = Field(default="", max_length=35)
    wording_version: str = ""
    wording_language: str = ""
    origin: str = ""
    at: datetime = instant()


class ConfirmationRequest(Base, table=True):
    """What waits for a person's confirmation by mail, and the proof of it afterwards."""

    __tablename__ = "confirmation_request"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = identity()
    #: What the link bears, and the end of its mailing's name.
    key: str = Field(default_factory=new_uid, max_length=UID_LETTERS, unique=True)
    kind: RequestKind = enum_column(RequestKind, "kind")
    subscriber_id: int = reference("subscriber.id", index=True)
    #: The newsletter's key.
    newsletter: str = Field(max_length=100)
    mailing: str = Field(max_length=200)
    #: Lists by name.
    lists: list[str] = json_column(list)
    #: Fields that were given along, to be stored when it is confirmed.
    given: dict[str, str] = json_column(dict)
    #: The new address, until it is confirmed, withdrawn or too old.
    address: str | None = Field(default=None, max_length=254)
    language: str = Field(max_length=35)
    wording_version: str = ""
    wording_language: str = ""
    #: How it came, as in the consent log.
    source: str = ""
    asked: datetime = instant()
    confirmed: datetime | None = instant(nullable=True)


class ImportRun(Base, table=True):
    """A file of people that was uploaded; the file itself is kept by its key or its id until it is imported."""

    __tablename__ = "import_run"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = identity()
    #: What its address and its file are called by.
    key: str = Field(default_factory=new_uid, max_length=UID_LETTERS, unique=True)
    #: As the file was called; an address in it is masked.
    name: str = Field(max_length=200)
    #: The list by name.
    list_name: str = Field(max_length=100)
    state: UploadState = enum_column(UploadState, "state", default=UploadState.STAGED)
    #: How it is to be imported.
    plan: dict[str, Any] = json_column(dict)
    #: What became of its rows, or would; it holds no address.
    report: dict[str, Any] = json_column(dict)
    #: Rows that are done, and all there are.
    done: int = 0
    total: int = 0
    #: Why it cannot be taken.
    problem: str = Field(default="", max_length=1000)
    operator: str = Field(max_length=80)
    created: datetime = instant()
    #: When somebody last worked on it: one that is under way and was left alone is broken off.
    changed: datetime = instant()
    #: Who works on it: whoever does not find themselves here any more has been taken over, and stops.
    taken_by: str = Field(default="", max_length=40, sa_column_kwargs={"server_default": ""})


class UploadPart(Base, table=True):
    """A piece of an upload, where several machines share no folder; `refused` are its rows that were not taken."""

    __tablename__ = "upload_part"

    upload_id: int = reference("import_run.id", primary_key=True)
    refused: bool = Field(primary_key=True)
    number: int = Field(sa_column=Column(Integer(), primary_key=True, autoincrement=False))
    octets: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))


class Tally(Base, table=True):
    """That something happened once, for limits that hold over processes and restarts; old rows are swept away."""

    __tablename__ = "tally"
    __table_args__ = (Index(None, "key", "at"),)

    id: int | None = identity()
    #: What is counted: a kind and a network or a digest, never an address.
    key: str = Field(max_length=120)
    at: datetime = instant()


class ConsentEntry(Base, table=True):
    """One line of the consent log. Lines are added and never changed; erasure only cuts the tie to the person."""

    __tablename__ = "consent_entry"
    # Lines of known people are found by their id; only the others are looked up by digest, see `store.consent_of`.
    # An index over all digests, which are random, would double the time of an import.
    __table_args__ = (
        Index("ix_consent_entry_forgotten", "digest", sqlite_where=_FORGOTTEN, postgresql_where=_FORGOTTEN),
        {"sqlite_autoincrement": True},
    )

    id: int | None = identity()
    subscriber_id: int | None = reference("subscriber.id", ondelete="SET NULL", nullable=True, index=True)
    digest: str = Field(max_length=64)
    action: ConsentAction = enum_column(ConsentAction, "action")
    #: The list by name, since the log outlives it; empty where a newsletter is meant.
    list_name: str = ""
    #: The newsletter's key where one is meant, else empty.
    newsletter: str = ""
    #: Version of the words the person agreed to.
    wording_version: str = ""
    #: Language of these words.
    wording_language: str = ""
    #: How it came: a form, a file, the command line.
    source: str = ""
    #: Who acted, where it was not the person.
    operator: str = ""
    #: Network the request came from, shortened so that it names no device.
    origin: str = ""
    #: What an administrator gave as proof of the consent, or the file they imported; never an address.
    proof: str = ""
    at: datetime = instant()
    #: How the person stands to the list since; None where the action alone says it.
    state: str | None = Field(default=None, max_length=32)
    #: Of a confirmation: when it was asked for.
    asked: datetime | None = instant(nullable=True)
    #: Of a confirmation: the mailing whose message carried the link.
    mailing: str | None = Field(default=None, max_length=200)


APPEND_ONLY = {
    "sqlite": (
        """
        CREATE TRIGGER consent_entry_stays BEFORE DELETE ON consent_entry WHEN OLD.subscriber_id IS NOT NULL
        BEGIN SELECT RAISE(ABORT, 'the consent log is never shortened'); END
        """,
        """
        CREATE TRIGGER consent_entry_holds BEFORE UPDATE OF id, digest, action, list_name, newsletter, wording_version,
            wording_language, source, operator, origin, proof, at, state, asked, mailing ON consent_entry
        BEGIN SELECT RAISE(ABORT, 'the consent log is never changed'); END
        """,
        """
        CREATE TRIGGER consent_entry_lets_go BEFORE UPDATE OF subscriber_id ON consent_entry
            WHEN NEW.subscriber_id IS NOT NULL AND NEW.subscriber_id IS NOT OLD.subscriber_id
        BEGIN SELECT RAISE(ABORT, 'the consent log is never changed'); END
        """,
    ),
    "postgresql": (
        """
        CREATE OR REPLACE FUNCTION consent_entry_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF TG_OP = 'DELETE' AND OLD.subscriber_id IS NULL THEN RETURN OLD; END IF;
            IF TG_OP = 'UPDATE'
                AND (NEW.subscriber_id IS NULL OR NEW.subscriber_id IS NOT DISTINCT FROM OLD.subscriber_id)
                AND to_jsonb(NEW) - 'subscriber_id' = to_jsonb(OLD) - 'subscriber_id' THEN RETURN NEW;
            END IF;
            RAISE EXCEPTION 'the consent log is never changed';
        END $$
        """,
        """
        CREATE TRIGGER consent_entry_is_kept BEFORE UPDATE OR DELETE ON consent_entry
        FOR EACH ROW EXECUTE FUNCTION consent_entry_is_kept()
        """,
    ),
}
"""
By dialect, what keeps the consent log append-only against every program: only the tie to a person can be cut, and only
what nobody is tied to any more can go, when its time is over.

They fire on changes and deletions alone, so that an import takes no longer.
"""

BY_BEGINNING = {
    "sqlite": (
        "CREATE INDEX ix_subscriber_last_name ON subscriber (lower(last_name))",
        "CREATE INDEX ix_subscriber_first_name ON subscriber (lower(first_name))",
    ),
    "postgresql": (
        'CREATE INDEX ix_subscriber_last_name ON subscriber (lower(last_name) COLLATE "C")',
        'CREATE INDEX ix_subscriber_first_name ON subscriber (lower(first_name) COLLATE "C")',
        'CREATE INDEX ix_subscriber_beginning ON subscriber (address_key COLLATE "C")',
    ),
}
"""By dialect, the indexes by which people are found whose name or address begins like this: by code points."""

for _dialect, _statements in BY_BEGINNING.items():
    for _statement in _statements:
        event.listen(
            Subscriber.metadata.tables[Subscriber.__tablename__],
            "after_create",
            DDL(_statement).execute_if(dialect=_dialect),  # type: ignore[no-untyped-call]  # SQLAlchemy's has none
        )

for _dialect, _statements in APPEND_ONLY.items():
    for _statement in _statements:
        event.listen(
            ConsentEntry.metadata.tables[ConsentEntry.__tablename__],
            "after_create",
            DDL(_statement).execute_if(dialect=_dialect),  # type: ignore[no-untyped-call]  # SQLAlchemy's has none
        )
