"""
Translators' documents: what is missing or older than its original goes out as DOCX, and comes back.

Nothing is overwritten that was changed since the document was made: such texts are conflicts, shown with what would
become of them, and taken only where an officer says so by name. Every text is stored like one that was written at the
desk: with its history, the audit log, and the approvals that it ends.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import ValidationError
from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.content import register
from newsletter.content import store as content
from newsletter.content.entry import Status, StoredEntry, Text
from newsletter.content.matrix import Completeness
from newsletter.content.newsletter import Newsletter
from newsletter.content.register import Wanted
from newsletter.content.translations import (
    Labels,
    ToTranslate,
    Translated,
    keys_of,
    links_for,
    mark_of,
    read_document,
    write_document,
)
from newsletter.database import reading
from newsletter.errors import InvalidInput
from newsletter.pipeline.filing import File
from newsletter.pipeline.parts import Parts

MOST_TEXTS: Final = 100
"""Of one document: more than a translator has in hand, and the newest come first."""

WANTING: Final = (Completeness.MISSING, Completeness.STALE)
"""The states of a text in which a translator is needed."""

_ALIVE: Final = (Status.PUBLISHED, Status.DRAFT)


class Fate(StrEnum):
    """What becomes of a text that came back."""

    #: It is new, or takes the place of the one that went out.
    TAKEN = "taken"
    #: It says what is stored already.
    SAME = "same"
    #: Nobody wrote anything.
    BLANK = "blank"
    #: The translation was changed at the desk since the document was made.
    CONFLICT = "conflict"
    #: The original was changed since: the words may not fit it any more.
    OUTDATED = "outdated"
    #: There is no such entry, or it is of another newsletter.
    UNKNOWN = "unknown"
    #: It cannot be stored as it is: it has no title, or is too long.
    REFUSED = "refused"


ASKED: Final = frozenset({Fate.CONFLICT, Fate.OUTDATED})
"""What is taken only where somebody says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """How many texts of a language are missing, and how many are older than their original."""

    language: str
    missing: int
    stale: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A text that came back: what is stored now, what would be, and what becomes of it."""

    incoming: Translated
    fate: Fate
    title: str = ""
    present: Text | None = None
    text: Text | None = None

    @property
    def name(self) -> str:
        """What names it in a form."""
        return f"{self.incoming.key}/{self.incoming.language}"


class Translating:
    """The verbs of translators' documents."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def needs(self, newsletter: str) -> tuple[Newsletter, tuple[Need, ...]]:
        """What is wanting in each language of a newsletter. Raises NotFound."""
        with reading(self._parts.engine) as session:
            newsletter_id, settings = content.get_newsletter(session, newsletter)
            return settings, tuple(
                Need(
                    language=language,
                    missing=_count(session, newsletter_id, language, Completeness.MISSING),
                    stale=_count(session, newsletter_id, language, Completeness.STALE),
                )
                for language in settings.languages
            )

    def document(
        self,
        newsletter: str,
        language: str,
        *,
        labels: Labels,
        states: Collection[Completeness] = WANTING,
        keys: Collection[str] = (),
    ) -> bytes:
        """
        The document for a language: the texts in `states`, the newest first, or those of the entries `keys`.

        Raises NotFound, or InvalidInput where there is nothing to translate.
        """
        with reading(self._parts.engine) as session:
            newsletter_id, settings = content.get_newsletter(session, newsletter)
            if language not in settings.languages:
                raise InvalidInput(f"the newsletter has no edition in {language}")
            wanted = list(keys) or _wanting(session, newsletter_id, language, states)
            found = {stored.entry.key: stored for stored in content.entries(session, newsletter_id, keys=wanted)}
        texts = [text for key in wanted if key in found and (text := _to_translate(found[key], language))]
        if not texts:
            raise InvalidInput("there is nothing to translate")
        return write_document(texts, newsletter=newsletter, language=language, labels=labels)

    def look(self, newsletter: str, data: bytes) -> tuple[Returned, ...]:
        """Say what would become of a document. Raises NoDocument."""
        return self.judge(newsletter, read_document(data))

    def judge(self, newsletter: str, incoming: Sequence[Translated]) -> tuple[Returned, ...]:
        """Say what would become of texts that came back, in their order."""
        with reading(self._parts.engine) as session:
            newsletter_id, settings = content.get_newsletter(session, newsletter)
            stored = content.entries(session, newsletter_id, keys=keys_of(incoming))
        known = {each.entry.key: each for each in stored}
        return tuple(_judged(each, known.get(each.key), settings) for each in incoming)

    def take(
        self, newsletter: str, incoming: Sequence[Translated], *, also: Collection[str] = ()
    ) -> tuple[Returned, ...]:
        """
        Store the texts that came back; `also` names those that are to be taken although something has changed.

        Each is judged once more as it is stored, and stands by itself: one that cannot be taken keeps no other back.
        """
        return tuple(self._take(newsletter, each, also=also) for each in incoming)

    def _take(self, newsletter: str, incoming: Translated, *, also: Collection[str]) -> Returned:
        with self._parts.sessions() as session:
            newsletter_id, settings = content.get_newsletter(session, newsletter)
            known = {each.entry.key: each for each in content.entries(session, newsletter_id, keys=[incoming.key])}
            judged = _judged(incoming, known.get(incoming.key), settings)
            if judged.text is None or not (judged.fate is Fate.TAKEN or judged.name in also):
                return judged
            self._put(session, newsletter, judged)
            session.commit()
        return judged

    def _put(self, session: Session, newsletter: str, judged: Returned) -> None:
        key, language, text = judged.incoming.key, judged.incoming.language, judged.text
        file = File.hold(session, key, newsletter=newsletter)
        entry = file.stored.entry.model_copy(update={"texts": {**file.stored.entry.texts, language: text}})
        file.put(session, entry, parts=self._parts)
        note_deed(
            session,
            Deed.TRANSLATION_TAKEN,
            operator=self._parts.operator,
            at=self._parts.now(),
            about=f"{file.about} ({language})",
            reason=judged.fate.value if judged.fate in ASKED else "",
        )


def _count(session: Session, newsletter_id: int, language: str, state: Completeness) -> int:
    return sum(
        register.page(session, newsletter_id, _wanted(language, state, status), languages=(language,), limit=1).count
        for status in _ALIVE
    )


def _wanting(session: Session, newsletter_id: int, language: str, states: Collection[Completeness]) -> list[str]:
    rows = [
        row
        for state in states
        for status in _ALIVE
        for row in register.page(
            session, newsletter_id, _wanted(language, state, status), languages=(language,), limit=MOST_TEXTS
        ).rows
    ]
    newest = sorted(rows, key=lambda row: (row.published, row.id), reverse=True)
    return [row.key for row in newest[:MOST_TEXTS]]


def _wanted(language: str, state: Completeness, status: Status) -> Wanted:
    return Wanted(language=language, state=state, status=status)


def _to_translate(stored: StoredEntry, language: str) -> ToTranslate | None:
    entry = stored.entry
    if language == entry.source:
        return None
    return ToTranslate(
        key=entry.key,
        source_language=entry.source,
        source=entry.texts[entry.source],
        present=entry.texts.get(language),
    )


def _judged(incoming: Translated, stored: StoredEntry | None, settings: Newsletter) -> Returned:
    if stored is None or incoming.newsletter != settings.slug or incoming.language not in settings.languages:
        return Returned(incoming=incoming, fate=Fate.UNKNOWN, title=incoming.title or "")
    entry = stored.entry
    source, present = entry.texts[entry.source], entry.texts.get(incoming.language)
    if incoming.language == entry.source:
        return Returned(incoming=incoming, fate=Fate.UNKNOWN, title=source.title)
    text = None if incoming.is_blank else _text(incoming, source=source, present=present)
    fate = _fate(incoming, source=source, present=present, text=text)
    return Returned(incoming=incoming, fate=fate, title=source.title, present=present, text=text)


def _fate(incoming: Translated, *, source: Text, present: Text | None, text: Text | None) -> Fate:
    if incoming.is_blank:
        return Fate.BLANK
    if text is None:
        return Fate.REFUSED
    if text == present:
        return Fate.SAME
    if incoming.present_mark != mark_of(present):
        return Fate.CONFLICT
    return Fate.TAKEN if incoming.source_mark == mark_of(source) else Fate.OUTDATED


def _text(incoming: Translated, *, source: Text, present: Text | None) -> Text | None:
    """The text as it would be stored: what the document does not have stays as it is; None where it cannot be one."""
    data: Mapping[str, object] = {
        "title": incoming.title if incoming.title is not None else present.title if present else "",
        "body": incoming.body if incoming.body is not None else present.body if present else "",
        "links": list(_links(incoming, source=source, present=present)),
    }
    try:
        return Text.model_validate(data)
    except ValidationError:
        return None


def _links(incoming: Translated, *, source: Text, present: Text | None) -> Iterator[dict[str, object]]:
    links = links_for(source, present)
    # Where a translation has links of its own number, nobody knows which label belongs to which: they stay.
    goes_its_own_way = present is not None and present.links and links is not present.links
    for number, link in enumerate(present.links if present and goes_its_own_way else links):
        label = link.label if goes_its_own_way else incoming.labels.get(number) or link.label
        yield {"url": link.url, "action": link.action} if link.action else {"url": link.url, "label": label}
