"""
Trying a theme on: an edition as it would look, before anything is changed.

Takes a newsletter and what somebody is choosing; yields the HTML of its latest issue, or of sample content in its name
where there is none, and what of the chosen colour could not be read. Changes nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from newsletter.assembly import store as issues
from newsletter.assembly.composition import build_edition
from newsletter.assembly.facts import IssueFacts
from newsletter.compilation.colours import READABLE, contrast
from newsletter.compilation.compiler import compile_edition, sample_values
from newsletter.compilation.theme import ThemeFolder, palette, read_theme, theme_names
from newsletter.content import store as content
from newsletter.content.entry import StoredEntry
from newsletter.content.newsletter import Newsletter, Theme
from newsletter.database import reading
from newsletter.errors import NewsletterError, WrongState
from newsletter.pipeline.difficult import Case, difficult_issues
from newsletter.pipeline.parts import Parts
from newsletter.words import ENGLISH, catalogue
from subscribers.language import lookup

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")

_TRIED = 3
"""Of the latest issues: how many are looked at for one that has anything in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pale:
    """A colour that text cannot have (`#rrggbb`), its contrast on paper, and the shade that stands in."""

    colour: str
    ratio: float
    shade: str


class Dressing:
    """The verbs of trying on."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def themes(self) -> list[ThemeFolder]:
        """The themes that can be chosen, by name; one whose manifest cannot be read is left out."""
        found = []
        for name in theme_names():
            try:
                found.append(read_theme(name))
            except NewsletterError:
                continue
        return found

    def sample(self, slug: str, theme: Mapping[str, Any], *, language: str) -> str:
        """
        An edition as a theme would dress it, as HTML for a neutral reader.

        `theme` has what is different from the one that is stored; what of it cannot be read is passed over. Raises
        NotFound.
        """
        with reading(self._parts.engine) as session:
            newsletter_id, settings = content.get_newsletter(session, slug)
            facts = _latest(session, newsletter_id, slug) or _sample(settings)
        tried = facts.settings.model_copy(update={"theme": _readable(settings.theme, theme)})
        tag = lookup(language, tried.languages, tried.default_language)
        edition = build_edition(
            replace(facts, settings=tried), language=tag, links=self._parts.links, catalogue=catalogue(tag)
        )
        artifact = compile_edition(edition, links=self._parts.links)
        return artifact.html_for(sample_values(artifact))

    def pale(self, theme: str, accent: str) -> Pale | None:
        """Whether text of a colour could not be read on a theme's paper; None where it can, or is no colour."""
        if _COLOUR.fullmatch(accent) is None or theme not in theme_names():
            return None
        light = palette(read_theme(theme).manifest, accent).light
        ratio = contrast(accent, light["paper"])
        return Pale(colour=accent, ratio=ratio, shade=light["accent"]) if ratio < READABLE else None


def _latest(session: Session, newsletter_id: int, slug: str) -> IssueFacts | None:
    """The latest issue that has anything in it."""
    for mark in issues.issue_marks(session, newsletter_id)[:_TRIED]:
        try:
            facts = issues.load_issue(session, mark.slug, slug)
        except WrongState:
            continue
        if facts.items:
            return facts
    return None


def _sample(settings: Newsletter) -> IssueFacts:
    """Sample content in the newsletter's name, without the pictures that are missing in it on purpose."""
    facts = difficult_issues(settings.theme.name, (Case.EVERYTHING,))[Case.EVERYTHING]
    spoken = tuple(tag for tag in settings.languages if tag in facts.settings.languages) or (ENGLISH,)
    own = {"name": settings.name, "sender": settings.sender, "footer": settings.footer, "languages": spoken}
    entries = {key: _without_picture(stored) for key, stored in facts.entries.items()}
    return replace(facts, settings=facts.settings.model_copy(update=own), entries=entries)


def _without_picture(stored: StoredEntry) -> StoredEntry:
    return replace(stored, entry=stored.entry.model_copy(update={"image": None}))


def _readable(stored: Theme, wanted: Mapping[str, Any]) -> Theme:
    """The theme that is wanted, with what is stored in place of what cannot be read."""
    known = stored
    for name, value in wanted.items():
        try:
            tried = Theme.model_validate({**known.model_dump(mode="json"), name: value})
            read_theme(tried.name)
        except (ValidationError, NewsletterError):
            continue
        known = tried
    return known
