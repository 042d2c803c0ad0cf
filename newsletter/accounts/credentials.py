"""
The tables of what proves who somebody is, beside the password: second factors, API tokens, links, identities.

No row holds anything that could be used as it is: of tokens, codes and links there is the digest, and the secret of a
second factor is reckoned from a nonce and a key that is not in the database.
"""

import datetime as dt

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from newsletter.accounts.operator import Role
from subscribers.columns import Base, enum_column, identity, instant, reference


class SecondFactorRow(Base, table=True):
    """
    That an operator signs in with a code as well (RFC 6238).

    It counts from `confirmed` on, when a first code was right; `last_step` is the time step of the code that was taken
    last, so that none is taken twice.
    """

    __tablename__ = "second_factor"

    operator_id: int = reference("operator.id", primary_key=True)
    nonce: str = Field(max_length=64)
    confirmed: dt.datetime | None = instant(nullable=True)
    last_step: int | None = Field(default=None)


class RecoveryCodeRow(Base, table=True):
    """A code that stands in once for the device; its row goes with its use."""

    __tablename__ = "recovery_code"

    id: int | None = identity()
    operator_id: int = reference("operator.id", index=True)
    digest: str = Field(max_length=64, unique=True)


class ApiTokenRow(Base, table=True):
    """What a program of an operator's signs in with; `scopes` are words, in order, with spaces between them."""

    __tablename__ = "api_token"

    id: int | None = identity()
    operator_id: int = reference("operator.id", index=True)
    name: str = Field(max_length=80)
    digest: str = Field(max_length=64, unique=True)
    scopes: str = Field(max_length=80)
    created: dt.datetime = instant()
    expires: dt.datetime | None = instant(nullable=True)
    seen: dt.datetime | None = instant(nullable=True)


class SetupLinkRow(Base, table=True):
    """
    A link that makes an account, once; or, where it names an operator, gives them a new password.

    `made_by` is who invited; "" is the program itself, at its first run. The row goes with its use.
    """

    __tablename__ = "setup_link"

    id: int | None = identity()
    operator_id: int | None = reference("operator.id", nullable=True, index=True)
    digest: str = Field(max_length=64, unique=True)
    email: str = Field(default="", max_length=320)
    role: Role = enum_column(Role, "role")
    made_by: str = Field(default="", max_length=80)
    created: dt.datetime = instant()
    expires: dt.datetime = instant()


class IdentityRow(Base, table=True):
    """Whom a provider means (OpenID Connect Core §2: issuer and subject together never change)."""

    __tablename__ = "operator_identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: int | None = identity()
    operator_id: int = reference("operator.id", index=True)
    issuer: str = Field(max_length=500)
    subject: str = Field(max_length=255)
