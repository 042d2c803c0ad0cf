"""Topics of a newsletter: their names, addresses, logos and the lines that funders ask for."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.content import store as content
from newsletter.content.difference import Difference, Effect
from newsletter.content.newsletter import Newsletter, Topic
from newsletter.content.topics import delete_topic, topic_uses
from newsletter.database import reading
from newsletter.errors import InvalidInput, NotFound, WrongState
from newsletter.pipeline.parts import Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTopics:
    """The topics of a newsletter by key, in their order, and how many entries name each."""

    newsletter: Newsletter
    topics: Mapping[str, Topic]
    uses: Mapping[str, int]


class Topics:
    """The verbs of topics."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def shown(self, newsletter: str) -> ShownTopics:
        """The topics of a newsletter. Raises NotFound."""
        with reading(self._parts.engine) as session:
            newsletter_id, settings = content.get_newsletter(session, newsletter)
            topics = content.topics(session, newsletter_id)
            return ShownTopics(newsletter=settings, topics=topics, uses=topic_uses(session, newsletter_id))

    def save(self, newsletter: str, topic: Topic, *, new: bool = False) -> Difference:
        """
        Store a topic under its key; returns what is different.

        Raises InvalidInput where a new one takes the key of another, NotFound where a known one is gone.
        """
        with self._parts.sessions() as session:
            newsletter_id, _ = content.get_newsletter(session, newsletter)
            known = content.topics(session, newsletter_id)
            if new and topic.key in known:
                raise InvalidInput(f"there is a topic {topic.key!r} already")
            if not new and topic.key not in known:
                raise NotFound("topic", topic.key, near=list(known))
            difference = content.save_topics(session, newsletter_id, topics=[topic])[topic.key]
            if difference.effect is not Effect.UNCHANGED:
                self._note(session, Deed.TOPIC_CHANGED, newsletter, key=topic.key, reason="; ".join(difference.lines))
            session.commit()
        return difference

    def delete(self, newsletter: str, key: str) -> None:
        """Delete a topic. Raises NotFound, or WrongState while entries name it."""
        with self._parts.sessions() as session:
            newsletter_id, _ = content.get_newsletter(session, newsletter)
            if uses := topic_uses(session, newsletter_id).get(key):
                raise WrongState(f"the topic {key!r} stands above {uses} entries: give them another one first")
            if not delete_topic(session, newsletter_id, key):
                raise NotFound("topic", key, near=list(content.topics(session, newsletter_id)))
            self._note(session, Deed.TOPIC_DELETED, newsletter, key=key)
            session.commit()

    def _note(self, session: Session, deed: Deed, newsletter: str, *, key: str, reason: str = "") -> None:
        note_deed(
            session,
            deed,
            operator=self._parts.operator,
            at=self._parts.now(),
            about=f"{newsletter}: {key}",
            reason=reason,
        )
