"""Tables of keeping: the backups that were made, and the keys that this database's links and digests were made with."""

import datetime as dt

from sqlalchemy import BigInteger, Column, Integer
from sqlmodel import Field

from subscribers.columns import Base, identity, instant


class BackupRow(Base, table=True):
    """
    A backup that was made: when it was begun, how large its file is in octets, how many rows it holds, and by whom.

    Written after the file, so that a backup never holds the line about itself.
    """

    __tablename__ = "backup_entry"

    id: int | None = identity()
    at: dt.datetime = instant(index=True)
    octets: int = Field(sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), nullable=False))
    rows: int = Field(sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), nullable=False))
    operator: str = Field(max_length=80)


class KnownKeyRow(Base, table=True):
    """
    A key that was used with this database, by its fingerprint; the key itself never stands here.

    `name` is the id of a signing key, or `suppression`.
    """

    __tablename__ = "known_key"

    name: str = Field(primary_key=True, max_length=20)
    fingerprint: str = Field(max_length=64)
    since: dt.datetime = instant()
