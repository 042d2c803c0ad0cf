"""
Inviting people whom an operator put on a list as pending: each is asked for their own word.

Takes a newsletter and a list; yields requests and planned letters, chunk by chunk, each chunk committed. Broken off and
begun again it goes on where it stopped: who has been sent a link is passed over.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from sqlmodel import Session

from newsletter.compilation.single import LetterKind
from newsletter.content.newsletter import Newsletter
from newsletter.pipeline import limits
from newsletter.pipeline.answering import write
from newsletter.pipeline.letters import Post
from newsletter.pipeline.offering import consent_words
from newsletter.pipeline.parts import Parts
from subscribers import store
from subscribers.models import ConfirmationRequest, MailingList, RequestKind, Subscriber, new_uid
from subscribers.suppression import suppressed_among

CHUNK = 50
"""People a transaction: dispatchers write too, and wait for no longer than a quarter of a second."""

SOURCE = "invitation"
"""How the request calls what an operator asked for."""


class Chunk(NamedTuple):
    """What one transaction did: of so many people, so many were sent a letter."""

    people: int
    sent: int

    def __bool__(self) -> bool:
        return self.people > 0


@dataclass(slots=True, kw_only=True)
class Inviting:
    """Invites the pending people of one list."""

    parts: Parts
    settings: Newsletter
    mailing_list: MailingList
    _after: int = field(default=0, init=False)

    def invite_some(self) -> Chunk:
        """Invite the next people and commit; an empty chunk means that there are no more."""
        now = self.parts.now()
        with self.parts.sessions() as session:
            list_id = store.list_id_of(self.mailing_list)
            people = store.pending_people(session, list_id=list_id, after=self._after, limit=CHUNK)
            ids = [store.id_of(person) for person in people]
            asked = store.invited(session, ids, list_name=self.mailing_list.name, since=now - limits.VALID)
            barred = suppressed_among(session, [person.digest for person in people])
            free = [person for person in people if person.digest not in barred and person.id not in asked]
            sent = sum(self._invite(session, person) for person in free)
            session.commit()
        self._after = ids[-1] if ids else self._after
        return Chunk(len(people), sent)

    def _invite(self, session: Session, subscriber: Subscriber) -> bool:
        now = self.parts.now()
        if not limits.may_write(session, subscriber.digest, now=now):
            return False
        language = subscriber.language or self.settings.default_language
        words = consent_words(self.settings, language)
        store.put_wording(session, version=words.version, language=words.language, text=words.text, now=now)
        request = ConfirmationRequest(
            key=new_uid(),
            kind=RequestKind.LISTS,
            subscriber_id=store.id_of(subscriber),
            newsletter=self.settings.slug,
            mailing="",
            lists=[self.mailing_list.name],
            language=language,
            wording_version=words.version,
            wording_language=words.language,
            source=SOURCE,
            asked=now,
        )
        post = Post(session=session, links=self.parts.links, settings=self.settings, now=now)
        write(post, LetterKind.INVITE, subscriber=subscriber, request=request, lists=[self.mailing_list])
        return True
