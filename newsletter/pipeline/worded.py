"""
The issue's own words: title, subject, preheader and introduction in each language.

Each save names the fields it changes with the words that the officer began from, so that two officers who write in two
languages never meet, and two who write in one field lose nothing: the second is shown what the first has written.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from pydantic import ValidationError
from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.assembly import overview
from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState
from newsletter.assembly.wording import Wording
from newsletter.content import store as content
from newsletter.content.issue import IssueText
from newsletter.content.matrix import MatrixRow, matrix
from newsletter.content.rows import row_id
from newsletter.database import reading
from newsletter.pipeline.contents import settings_of
from newsletter.pipeline.heads import Head, head
from newsletter.pipeline.parts import Parts
from newsletter.words import catalogue

Part = Literal["title", "subject", "preheader", "intro"]
"""A field of the issue's own words."""

PARTS: Final[tuple[Part, ...]] = get_args(Part)

_SHOWN: Final = 200
"""Characters of old and new words in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One field as it is to be; `before` is what the officer began from."""

    language: str
    part: Part
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """A field that somebody else has changed since; `theirs` is what stands there."""

    language: str
    part: Part
    theirs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """
    What became of a save: the fields that clash and those whose words cannot be taken were left as they are.

    `open` is False where the issue is no draft any more and nothing was saved.
    """

    at: dt.datetime
    open: bool = True
    saved: tuple[Edit, ...] = ()
    clashes: tuple[Clash, ...] = ()
    refused: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueWords:
    """The words of an issue by language, who it seems to come from, and how its entries stand in each language."""

    head: Head
    languages: tuple[str, ...]
    texts: Mapping[str, IssueText]
    senders: Mapping[str, str]
    rows: tuple[MatrixRow, ...]


class Worded:
    """The verbs of the issue's own words."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def read(self, slug: str, *, newsletter: str, language: str | None = None) -> IssueWords:
        """The words of an issue; its head is in `language`. Raises NotFound."""
        with reading(self._parts.engine) as session:
            row = issues.get_issue(session, slug, newsletter)
            settings, plan = settings_of(session, row), issues.plan_of(row)
            keys = dict.fromkeys(item.key for item in issues.items(session, row_id(row)))
            known = {each.entry.key: each for each in content.entries(session, row.newsletter_id, keys=keys)}
            ordered = [known[key] for key in keys if key in known]
            senders = {}
            for tag in settings.languages:
                words = Wording(language=tag, settings=settings, catalogue=catalogue(tag))
                named = words.phrase(settings.sender.name) or words.phrase(settings.name)
                senders[tag] = named.text if named else settings.slug
            return IssueWords(
                head=head(row, settings, language=language),
                languages=settings.languages,
                texts={tag: plan.texts.get(tag, IssueText()) for tag in settings.languages},
                senders=senders,
                rows=matrix(ordered, settings.languages, default=settings.default_language, fallback=settings.fallback),
            )

    def save(self, slug: str, edits: Sequence[Edit], *, newsletter: str) -> Saved:
        """Save some fields of a draft. Raises NotFound."""
        now = self._parts.now()
        with self._parts.sessions() as session:
            row = issues.get_issue(session, slug, newsletter)
            overview.lock(session, row)
            if row.state is not IssueState.DRAFT:
                return Saved(at=now, open=False)
            plan, languages = issues.plan_of(row), settings_of(session, row).languages
            texts, told = dict(plan.texts), _Told()
            for edit in edits:
                _settle(texts, edit, languages=languages, told=told)
            filled = {tag: text for tag, text in texts.items() if text != IssueText()}
            issues.save_plan(session, row.newsletter_id, plan.model_copy(update={"texts": filled}), now=now)
            for edit, old in told.saved:
                self._note(session, slug, edit, old)
            session.commit()
        saved = tuple(edit for edit, _ in told.saved)
        return Saved(at=now, saved=saved, clashes=tuple(told.clashes), refused=tuple(told.refused))

    def _note(self, session: Session, slug: str, edit: Edit, old: str) -> None:
        note_deed(
            session,
            Deed.ISSUE_WORDED,
            operator=self._parts.operator,
            at=self._parts.now(),
            about=f"issue {slug}: {edit.part} ({edit.language})",
            reason=f"“{_piece(old)}” → “{_piece(edit.after)}”",
        )


@dataclass(slots=True)
class _Told:
    """What becomes of the edits of one save, with the words that each replaced."""

    saved: list[tuple[Edit, str]] = field(default_factory=list)
    clashes: list[Clash] = field(default_factory=list)
    refused: list[Edit] = field(default_factory=list)


def _settle(texts: dict[str, IssueText], edit: Edit, *, languages: Collection[str], told: _Told) -> None:
    """Put one edit into the texts, unless it clashes or its words cannot be taken."""
    text = texts.get(edit.language, IssueText())
    present = getattr(text, edit.part)
    try:
        began, wanted = (
            getattr(IssueText.model_validate({edit.part: words}), edit.part) for words in (edit.before, edit.after)
        )
    except ValidationError:
        told.refused.append(edit)
        return
    if edit.language not in languages:
        told.refused.append(edit)
    elif present not in {began, wanted}:
        told.clashes.append(Clash(language=edit.language, part=edit.part, theirs=present))
    elif present != wanted:
        texts[edit.language] = text.model_copy(update={edit.part: wanted})
        told.saved.append((edit, present))


def _piece(words: str) -> str:
    """Words short enough that old and new fit a line of the log."""
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}…"
