"""
Tables of clicks: counts by link, and who has clicked or opened an issue, where a newsletter wants to know it.

Neither holds a network address, the name of a program, or which link it was that a person followed.
"""

import datetime as dt
from enum import StrEnum
from typing import Final

from sqlalchemy import Column, ForeignKey, Index, String
from sqlmodel import Field

from subscribers.columns import Base, enum_type, instant, reference
from subscribers.models import CLUSTERED

DOT: Final = 0
"""The number under which opened messages are counted; links begin at 1."""


class Engaged(StrEnum):
    """What a reader has done with an issue."""

    #: Followed a link of the issue.
    CLICKED = "clicked"
    #: Opened the message.
    OPENED = "opened"


class TallyRow(Base, table=True):
    """How often a link of an artifact was followed, by people and by programs; link 0 is the dot."""

    __tablename__ = "click_tally"
    __table_args__ = CLUSTERED

    artifact: str = Field(
        sa_column=Column(
            String(64), ForeignKey("artifact.digest", ondelete="CASCADE"), primary_key=True, nullable=False
        )
    )
    link: int = Field(primary_key=True)
    people: int = 0
    programs: int = 0


class EngagementRow(Base, table=True):
    """That somebody has clicked or opened an issue, and when for the first time; goes with the person."""

    __tablename__ = "engagement"
    __table_args__ = (Index(None, "kind", "first"), CLUSTERED)

    mailing: str = Field(primary_key=True, max_length=200)
    kind: Engaged = Field(sa_column=Column(enum_type(Engaged, "kind"), primary_key=True, nullable=False))
    subscriber_id: int = reference("subscriber.id", primary_key=True, index=True)
    first: dt.datetime = instant()
