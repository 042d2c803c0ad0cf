"""Newsletters, entries and issues as the API shows them."""

import datetime as dt
from typing import Any, Self

from pydantic import BaseModel, Field

from newsletter.assembly.facts import IssueState
from newsletter.content.entry import Entry, Status, StoredEntry
from newsletter.pipeline.editorial import Listed, Planned


class EntrySummary(BaseModel):
    """An entry in a list."""

    key: str
    kind: str
    section: str
    status: Status
    published: dt.date
    languages: list[str]
    stale: list[str] = Field(description="Languages whose text is older than the original's.")
    revision: int
    changed: dt.datetime

    @classmethod
    def of(cls, stored: StoredEntry) -> Self:
        """The summary of a stored entry."""
        entry = stored.entry
        return cls(
            key=entry.key,
            kind=entry.kind.value,
            section=entry.section,
            status=entry.status,
            published=entry.published,
            languages=sorted(entry.texts),
            stale=sorted(stored.stale),
            revision=stored.revision,
            changed=stored.changed,
        )


class EntryShown(EntrySummary):
    """An entry, whole."""

    entry: dict[str, Any] = Field(description="As a content pack has it.")

    @classmethod
    def of(cls, stored: StoredEntry) -> Self:
        """The whole of a stored entry."""
        whole = stored.entry.model_dump(mode="json", by_alias=True)
        return cls(**EntrySummary.of(stored).model_dump(), entry=whole)


class EntryStored(BaseModel):
    """What became of an entry that was sent."""

    key: str
    revision: int
    changes: list[str] = Field(description="What is different now, in words; empty where nothing is.")


class EntryBody(BaseModel):
    """An entry to store, as a content pack has it; its key stands in the address."""

    entry: dict[str, Any] = Field(description="kind, section, published, texts and so on, as in a content pack.")
    revision: int | None = Field(None, ge=0, le=2**31 - 1, description="Refuse (409) unless the entry is at this one.")

    def read(self, key: str) -> Entry:
        """The entry; raises Pydantic's ValidationError."""
        return Entry.model_validate({**self.entry, "key": key})


class IssueSummary(BaseModel):
    """An issue in a list."""

    newsletter: str
    slug: str
    number: int | None
    date: dt.date
    state: IssueState

    @classmethod
    def of(cls, listed: Listed) -> Self:
        """The summary of an issue."""
        return cls(
            newsletter=listed.newsletter,
            slug=listed.slug,
            number=listed.number,
            date=listed.date,
            state=listed.state,
        )


class ItemShown(BaseModel):
    """An entry placed in an issue."""

    key: str
    section: str
    placement: str
    segment: str | None


class VerdictShown(BaseModel):
    """Why an entry is in an issue or not."""

    key: str
    title: str
    code: str
    words: str


class IssueShown(BaseModel):
    """An issue with its items, and every candidate's verdict."""

    newsletter: str
    slug: str
    state: IssueState
    plan: dict[str, Any] = Field(description="As a content pack has it.")
    items: list[ItemShown]
    verdicts: list[VerdictShown]

    @classmethod
    def of(cls, planned: Planned) -> Self:
        """The whole of an issue."""
        return cls(
            newsletter=planned.newsletter,
            slug=planned.plan.slug,
            state=planned.state,
            plan=planned.plan.model_dump(mode="json", by_alias=True),
            items=[
                ItemShown(key=item.key, section=item.section, placement=item.placement.value, segment=item.segment)
                for item in planned.items
            ],
            verdicts=[
                VerdictShown(key=each.key, title=each.title, code=each.code.value, words=each.words)
                for each in planned.verdicts
            ],
        )


class AssembleBody(BaseModel):
    """Which entries are news: those of the period."""

    first: dt.date | None = None
    last: dt.date | None = None


class CopyBody(BaseModel):
    """What the copy is called."""

    slug: str = Field(min_length=1, max_length=80)


class EditionShown(BaseModel):
    """A compiled edition."""

    name: str
    language: str
    variant: str
    subject: str
    digest: str = Field(description="SHA-256 of what is sent, in hexadecimal.")
    size: int = Field(description="Octets of the message.")


class Built(BaseModel):
    """The editions of an issue."""

    editions: list[EditionShown]
    pinned: bool = Field(description="Whether these are the bytes of an approval that holds.")


class EditionContent(EditionShown):
    """An edition with its content, its slots filled for a neutral reader."""

    html: str
    text: str


class FindingShown(BaseModel):
    """A finding of preflight."""

    code: str
    severity: str
    edition: str | None
    place: str | None
    message: str
    hint: str | None
    waived: Any = Field(description="Whether it is accepted, or why.")


class Findings(BaseModel):
    """What preflight found."""

    verdict: int = Field(description="0 may be approved, 3 errors, 4 warnings not yet decided.")
    findings: list[FindingShown]


class WaiveBody(BaseModel):
    """Why a warning is accepted."""

    code: str = Field(min_length=1, max_length=80)
    reason: str = Field(min_length=1, max_length=500)
    segment: str | None = Field(None, max_length=80)


class Waived(BaseModel):
    """How many findings are accepted now."""

    count: int
