"""
Topics and the entries that name them.

Takes a session; yields how many entries name each topic, and lets go of one. Never commits. A topic stands in the
snapshot of every issue that was assembled with it, so that deleting it changes no issue.
"""

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from newsletter.content.models import EntryRow, TopicRow
from newsletter.database import changed_rows


def topic_uses(session: Session, newsletter_id: int) -> dict[str, int]:
    """How many entries of a newsletter name each topic, by what they name; also words that are no topic's key."""
    topic = col(EntryRow.document)["topic"].as_string()
    query = select(topic, func.count()).where(col(EntryRow.newsletter_id) == newsletter_id, topic.is_not(None))
    return {str(name): count for name, count in session.execute(query.group_by(topic))}


def delete_topic(session: Session, newsletter_id: int, key: str) -> bool:
    """Delete a topic; returns whether it was there."""
    own = (col(TopicRow.newsletter_id) == newsletter_id, col(TopicRow.key) == key)
    return changed_rows(session, delete(TopicRow).where(*own)) > 0
