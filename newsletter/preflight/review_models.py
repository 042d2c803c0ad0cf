"""
Tables of reviews: who looks at an edition without an account, and what they answered.

Takes checked values; yields rows. What a reviewer wrote is never changed; it is settled or not.
"""

import datetime as dt

from sqlmodel import Field

from subscribers.columns import Base, identity, instant, reference

LONGEST_WORDS = 4000
"""Characters of one answer."""


class ReviewRow(Base, table=True):
    """
    A link by which one reader looks at one edition.

    `uid` is what its token bears; `edition` is `LANG` or `LANG.VARIANT`. It is over at `expires`, or once it is
    `revoked`.
    """

    __tablename__ = "review"

    id: int | None = identity()
    issue_id: int = reference("issue.id", index=True)
    uid: str = Field(max_length=40, unique=True)
    edition: str = Field(max_length=300)
    reader: str = Field(max_length=120)
    operator: str = Field(max_length=80)
    created: dt.datetime = instant()
    expires: dt.datetime = instant()
    revoked: dt.datetime | None = instant(nullable=True)


class AnswerRow(Base, table=True):
    """
    One answer of a reader to the bytes of `artifact`.

    Without a `place` the edition is right as it is. With one it is what to change there: an entry's key or a part of
    the issue as in a finding, "" for the edition as a whole; `passage` is how it read.
    """

    __tablename__ = "review_answer"

    id: int | None = identity()
    review_id: int = reference("review.id", index=True)
    at: dt.datetime = instant()
    artifact: str = Field(max_length=64)
    place: str | None = Field(default=None, max_length=170)
    passage: str = Field(default="", max_length=500)
    words: str = Field(default="", max_length=LONGEST_WORDS)
    done: dt.datetime | None = instant(nullable=True)
    done_by: str = Field(default="", max_length=80)
