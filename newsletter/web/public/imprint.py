"""
Who stands behind a page: what its head and its foot say about the sender.

Takes a stored newsletter and the language of a page; yields plain words, each in the page's language where there is
one, else in the newsletter's default.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.bootstrap import Pipeline
from newsletter.content.localised import chosen
from newsletter.content.newsletter import Newsletter
from newsletter.errors import NotFound
from subscribers.language import direction, fallback_chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Words with the language they are in, where that is known."""

    text: str
    lang: str = ""

    @property
    def dir(self) -> str:
        """How they are read; by their first letter where the language is not known."""
        return direction(self.lang) if self.lang else "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imprint:
    """
    The sender of a newsletter, as somebody who wants to know looks it up.

    `slug` is the newsletter's; `site` is an address of the sender's own pages, or ""; `lines` are those of the postal
    address; `accent` is the colour of its theme, or ""; `has_archive` says that there are earlier issues to read.
    """

    slug: str
    name: Phrase
    sender: Phrase
    about: Phrase
    site: str
    lines: tuple[str, ...]
    phone: str
    email: str
    accent: str
    has_archive: bool


def imprint_of(newsletter: Newsletter, *, language: str, has_archive: bool) -> Imprint:
    """What is told about a newsletter's sender on a page in `language`."""
    chain = fallback_chain(language, source=newsletter.default_language, default=newsletter.default_language)

    def phrase(words: Mapping[str, str]) -> Phrase:
        text, tag = chosen(words, chain) or ("", None)
        return Phrase(text=text, lang=tag or "")

    footer = newsletter.footer
    return Imprint(
        slug=newsletter.slug,
        name=phrase(newsletter.name),
        sender=phrase(newsletter.sender.name),
        about=phrase(footer.text),
        site=newsletter.website or "",
        lines=tuple(filter(None, map(str.strip, phrase(footer.address).text.splitlines()))),
        phone=footer.phone or "",
        email=footer.email or "",
        accent=newsletter.theme.accent or "",
        has_archive=has_archive,
    )


class Imprints:
    """Finds the sender for a page of one installation."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._entries = pipeline.entries
        self._archive = pipeline.archive

    def of(self, slug: str, *, language: str) -> Imprint | None:
        """That of a newsletter; None where there is none by this name any more."""
        try:
            return self._made(self._entries.newsletter(slug), language)
        except NotFound:
            return None

    def only(self, *, language: str) -> Imprint | None:
        """That of the one newsletter there is; None where there are several, or none."""
        newsletters = self._entries.newsletters()
        return self._made(newsletters[0], language) if len(newsletters) == 1 else None

    def _made(self, newsletter: Newsletter, language: str) -> Imprint:
        has_archive = self._archive.has_issues(newsletter.slug)
        return imprint_of(newsletter, language=language, has_archive=has_archive)
