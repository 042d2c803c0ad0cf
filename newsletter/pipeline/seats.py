"""Who sits at the desk, and getting up from it; how they come in is `login`."""

from collections.abc import Sequence

from newsletter.accounts import sessions
from newsletter.accounts.sessions import Seated
from newsletter.content import store as content
from newsletter.content.localised import chosen
from newsletter.content.newsletter import Newsletter
from newsletter.database import reading
from newsletter.pipeline.parts import Parts


class Seats:
    """The verbs of sessions."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def find(self, token: str, *, newsletter: str | None = None) -> Seated | None:
        """Say who has a session, and note now and then that it is used, and for which newsletter."""
        now = self._parts.now()
        with reading(self._parts.engine) as session:
            found = sessions.find(session, token, now=now)
        if found is None:
            return None
        worked_on = newsletter or found.newsletter
        if found.is_stale or worked_on != found.newsletter:
            with self._parts.sessions() as session:
                sessions.touch(session, found.session_id, newsletter=worked_on, now=now)
                session.commit()
        return found

    def sign_out(self, session_id: int) -> None:
        """End a session."""
        with self._parts.sessions() as session:
            sessions.end(session, session_id)
            session.commit()

    def newsletters(self, language: str) -> Sequence[tuple[str, str]]:
        """Slug and name of every newsletter, in a language where they have it, by slug."""
        with reading(self._parts.engine) as session:
            known = content.list_newsletters(session)
        return [(settings.slug, _name(settings, language)) for _, settings in known]


def _name(newsletter: Newsletter, language: str) -> str:
    found = chosen(newsletter.name, (language, *newsletter.languages))
    return found[0] if found else newsletter.slug
