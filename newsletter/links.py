"""
Every public address of the program, in one place, shared by the mail and the web.

Neutral addresses name a newsletter, an issue, an edition; personal ones carry a signed token and never an address. All
are absolute, because a mail has no base.
"""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Links:
    """
    The addresses under one public root such as https://news.example.

    `media` is the root of stored pictures where another server has them, else None.
    """

    root: str
    media: str | None = None

    def _at(self, *parts: str) -> str:
        return "/".join((self.root.rstrip("/"), *(quote(part, safe="") for part in parts)))

    def web_view(self, newsletter: str, issue: str, language: str) -> str:
        """An edition in the archive."""
        return self._at("archive", newsletter, issue, language)

    def as_sent(self, newsletter: str, issue: str, language: str) -> str:
        """The email as it was sent, where the edition in the archive was corrected since."""
        return self._at("archive", newsletter, issue, language, "sent")

    def archive(self, newsletter: str) -> str:
        """The list of a newsletter's issues."""
        return self._at("archive", newsletter)

    def rss(self, newsletter: str, language: str) -> str:
        """The newsletter's issues in a language, as RSS."""
        return self._at("archive", newsletter, f"feed.{language}.xml")

    def json_feed(self, newsletter: str, language: str) -> str:
        """The newsletter's issues in a language, as a JSON Feed."""
        return self._at("archive", newsletter, f"feed.{language}.json")

    def issue_calendar(self, newsletter: str, issue: str, language: str) -> str:
        """All sittings of an issue as one calendar file."""
        return self._at("archive", newsletter, issue, language, "issue.ics")

    def sitting_calendar(self, newsletter: str, issue: str, language: str, *, entry: str, sitting: str) -> str:
        """
        One sitting as a calendar file.

        Two hyphens never stand in a key (see `content.fields.Key`), so that no two sittings share an address.
        """
        return self._at("archive", newsletter, issue, language, f"{entry}--{sitting}.ics")

    def desk(self, *parts: str) -> str:
        """A page of the officers' desk."""
        return self._at("desk", *parts)

    def script(self, name: str) -> str:
        """A script of the public pages."""
        return self._at("static", name)

    def picture(self, name: str) -> str:
        """A stored picture."""
        return f"{self.media.rstrip('/')}/{quote(name)}" if self.media else self._at("media", name)

    def subscribe(self, newsletter: str = "") -> str:
        """The form that asks for a newsletter; where none is named, the choice of all."""
        return self._at("subscribe", newsletter) if newsletter else self._at("subscribe")

    def review(self, token: str) -> str:
        """One edition before it is sent, for a reader who was asked to look at it."""
        return self._at("review", token)

    def unsubscribe(self, token: str) -> str:
        """One click leaves the newsletter: POST as RFC 8058 has it, GET shows a page."""
        return self._at("u", token)

    def preferences(self, token: str) -> str:
        """Languages and lists of one person."""
        return self._at("p", token)

    def click(self, token: str) -> str:
        """Counts a click and leads on to where the link leads."""
        return self._at("r", token)

    def opened(self, token: str) -> str:
        """A picture of one dot that counts an opened message."""
        return self._at("o", f"{token}.gif")

    def confirmation(self, token: str) -> str:
        """The second half of a double opt-in."""
        return self._at("c", token)

    def setup(self, token: str) -> str:
        """The page on which somebody makes their account at the desk, or chooses a new password."""
        return self._at("desk", "setup", token)

    def provider_back(self) -> str:
        """Where the organisation's provider of identities leads people back to."""
        return self._at("desk", "oidc", "back")
