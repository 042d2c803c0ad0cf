"""
Table of preflight: the waivers.

Takes checked values; yields rows; promises that a finding is waived at most once for an issue. Findings themselves are
not stored: they follow from what is.
"""

import datetime as dt

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from newsletter.preflight.finding import Waiver
from subscribers.columns import Base, identity, instant, reference


class WaiverRow(Base, table=True):
    """
    A warning that an operator accepted, and why.

    `fingerprint` is that of the finding as it was: when the finding changes, the waiver holds no more.
    """

    __tablename__ = "waiver"
    __table_args__ = (UniqueConstraint("issue_id", "fingerprint"),)

    id: int | None = identity()
    issue_id: int = reference("issue.id")
    code: str = Field(max_length=80)
    fingerprint: str = Field(max_length=32)
    reason: str = Field(max_length=1000)
    operator: str = Field(max_length=80)
    at: dt.datetime = instant()

    @property
    def waiver(self) -> Waiver:
        """The row as a value."""
        return Waiver(operator=self.operator, at=self.at, reason=self.reason)
