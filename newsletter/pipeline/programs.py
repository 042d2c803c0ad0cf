"""
The verbs behind requests of programs that come twice.

Takes a key that a program chose for its request; promises that a request with a key is done once.
"""

from newsletter.accounts import replies
from newsletter.accounts.replies import Reply
from newsletter.pipeline.parts import Parts


class Programs:
    """The verbs of requests with a key."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def claim(self, *, caller: str, key: str, fingerprint: str) -> Reply | None:
        """Claim a key for a request; returns what became of it where it was claimed before."""
        with self._parts.sessions() as session:
            known = replies.claim(session, caller=caller, key=key, fingerprint=fingerprint, now=self._parts.now())
            session.commit()
        return known

    def answered(self, reply: Reply, *, caller: str, key: str) -> None:
        """Keep what was answered."""
        with self._parts.sessions() as session:
            replies.answer(session, reply, caller=caller, key=key)
            session.commit()

    def release(self, *, caller: str, key: str) -> None:
        """Give a key back."""
        with self._parts.sessions() as session:
            replies.release(session, caller=caller, key=key)
            session.commit()
