"""
Corrections of an issue that was sent: what its page says anew, and what its readers are told about that.

Takes the artifact that was sent and those that have stood on the page since, yields frozen values: the correction as
it is kept, and the note that the readers of one edition see. Pure.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from newsletter.assembly.edition import Edition, Phrase
from newsletter.compilation.artifact import Artifact
from newsletter.times import day_words
from subscribers.language import direction, lookup


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedEdition:
    """The digest of the artifact that stands on the page since, and the titles of the entries that it says anew."""

    digest: str
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """
    One correction of an issue; `number` counts from 1.

    `reasons` has the officer's words by language, those of the newsletter's first language among them. `editions` has
    the languages whose page changed.
    """

    number: int
    at: dt.datetime
    operator: str
    reasons: Mapping[str, str]
    editions: Mapping[str, CorrectedEdition]

    def reason(self, language: str, *, default: str) -> tuple[str, str]:
        """The reason for readers of a language, and the language that it is in."""
        tag = lookup(language, tuple(self.reasons), default)
        return self.reasons[tag], tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A correction as the readers of one edition are told of it."""

    at: dt.datetime
    day: str
    reason: Phrase
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised:
    """
    An edition as it stands on the page.

    `artifact` is what the page shows, `sent` what went out; `notes` has the corrections between them, the newest first,
    and is empty where both are the same.
    """

    edition: Edition
    artifact: Artifact
    sent: Artifact
    notes: tuple[Note, ...] = ()

    @property
    def modified(self) -> dt.datetime | None:
        """When it was corrected last."""
        return self.notes[0].at if self.notes else None


def notes_for(corrections: Iterable[Correction], edition: Edition, *, zone: str, default: str) -> tuple[Note, ...]:
    """The corrections that changed an edition, the newest first; days are those of `zone`."""
    own = [correction for correction in corrections if edition.language in correction.editions]
    return tuple(
        Note(
            at=correction.at,
            day=day_words(correction.at.astimezone(ZoneInfo(zone)).date(), locale=edition.locale),
            reason=_phrase(*correction.reason(edition.language, default=default), edition=edition),
            changed=correction.editions[edition.language].changed,
        )
        for correction in sorted(own, key=lambda each: each.number, reverse=True)
    )


def _phrase(text: str, tag: str, *, edition: Edition) -> Phrase:
    lang = None if lookup(tag, (edition.language,), "") == edition.language else tag
    return Phrase(text=text, lang=lang, dir=direction(lang) if lang else None)
