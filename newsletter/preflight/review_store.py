"""Every query about reviews. Takes a session, never commits."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from newsletter.database import changed_rows
from newsletter.errors import NotFound
from newsletter.preflight.review_models import AnswerRow, ReviewRow


def add_review(session: Session, review: ReviewRow) -> None:
    """Store a review."""
    session.add(review)
    session.flush()


def review_named(session: Session, uid: str) -> ReviewRow | None:
    """The review whose token bears this."""
    return session.exec(select(ReviewRow).where(col(ReviewRow.uid) == uid)).one_or_none()


def review_of(session: Session, issue_id: int, review_id: int) -> ReviewRow:
    """A review of an issue. Raises NotFound."""
    own = (col(ReviewRow.issue_id) == issue_id, col(ReviewRow.id) == review_id)
    row = session.exec(select(ReviewRow).where(*own)).one_or_none()
    if row is None:
        raise NotFound("review", str(review_id))
    return row


def reviews_of(session: Session, issue_id: int) -> Sequence[ReviewRow]:
    """The reviews of an issue, oldest first."""
    return session.exec(select(ReviewRow).where(col(ReviewRow.issue_id) == issue_id).order_by(col(ReviewRow.id))).all()


def answers_of(session: Session, issue_id: int) -> Sequence[AnswerRow]:
    """What the readers of an issue's editions answered, oldest first."""
    mine = select(col(ReviewRow.id)).where(col(ReviewRow.issue_id) == issue_id)
    return session.exec(select(AnswerRow).where(col(AnswerRow.review_id).in_(mine)).order_by(col(AnswerRow.id))).all()


def answers_to(session: Session, review_id: int) -> Sequence[AnswerRow]:
    """What one reader answered, oldest first."""
    own = select(AnswerRow).where(col(AnswerRow.review_id) == review_id)
    return session.exec(own.order_by(col(AnswerRow.id))).all()


def count_answers(session: Session, review_id: int) -> int:
    """How many answers one reader gave."""
    own = select(func.count()).select_from(AnswerRow).where(col(AnswerRow.review_id) == review_id)
    return session.scalar(own) or 0


def count_reviews(session: Session, issue_id: int) -> int:
    """How many reviews an issue has had."""
    own = select(func.count()).select_from(ReviewRow).where(col(ReviewRow.issue_id) == issue_id)
    return session.scalar(own) or 0


def add_answer(session: Session, answer: AnswerRow) -> None:
    """Store an answer."""
    session.add(answer)
    session.flush()


def revoke(session: Session, review_id: int, *, now: dt.datetime) -> bool:
    """Withdraw a review; returns whether it still held."""
    held = (col(ReviewRow.id) == review_id, col(ReviewRow.revoked).is_(None))
    return changed_rows(session, update(ReviewRow).where(*held).values(revoked=now)) == 1


def settle(session: Session, issue_id: int, answer_id: int, *, operator: str, at: dt.datetime | None) -> bool:
    """Mark what a reader of an issue asked for as done `at`, or as open again (None); returns whether that is new."""
    mine = select(col(ReviewRow.id)).where(col(ReviewRow.issue_id) == issue_id)
    was = col(AnswerRow.done).is_(None) if at else col(AnswerRow.done).is_not(None)
    guard = (col(AnswerRow.id) == answer_id, col(AnswerRow.review_id).in_(mine), col(AnswerRow.place).is_not(None), was)
    who = operator[:80] if at else ""
    return changed_rows(session, update(AnswerRow).where(*guard).values(done=at, done_by=who)) == 1
