"""
What an officer says of an issue: number, date, period, texts, items, and where it differs from its newsletter.

Takes plain data and yields a frozen `IssuePlan`; `assembly` makes the issue of it.
"""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, ValidationInfo, field_validator
from pydantic import Tag as Mark

from newsletter.content.fields import Day, Key
from newsletter.content.localised import Tag, Value, filled
from newsletter.content.newsletter import Fallback, Newsletter, Sections, Theme

OneLine = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f\u2028\u2029]*$")]
"""Goes into a header or the inbox line: no line break, no control character."""


class IssueText(Value):
    """The issue's own words in one language."""

    title: OneLine = ""
    subject: OneLine = ""
    preheader: OneLine = ""
    intro: Annotated[str, Field(max_length=20_000)] = ""


class Period(Value):
    """The days whose entries are the issue's news; both ends included."""

    first: Annotated[Day, Field(alias="from")]
    last: Annotated[Day, Field(alias="to")]

    @field_validator("last")
    @classmethod
    def _is_in_order(cls, value: dt.date, info: ValidationInfo) -> dt.date:
        first = info.data.get("first")
        if first is not None and value < first:
            raise ValueError(f"the period ends ({value}) before it begins ({first})")
        return value


class PlannedItem(Value):
    """An entry placed by hand; `segment` limits who sees it."""

    key: Key
    section: Key | None = None
    segment: Annotated[str, Field(max_length=80)] | None = None


def _shape(value: object) -> str:
    return "word" if isinstance(value, str) else "list"


Items = Annotated[
    Annotated[Literal["auto"], Mark("word")] | Annotated[tuple[PlannedItem, ...], Mark("list")], Discriminator(_shape)
]
"""The automatic selection, or entries in order; told apart first, so that errors speak of the one that is meant."""


class IssuePlan(Value):
    """One issue as planned: `items` is "auto" for the automatic selection, or a list in order."""

    slug: Key
    number: Annotated[int, Field(ge=0)] | None = None
    date: Day
    period: Period
    agenda_days: Annotated[int, Field(ge=1, le=1000)] | None = None
    sections: Sections | None = None
    fallback: Fallback | None = None
    theme: Theme | None = None
    texts: Annotated[dict[Tag, IssueText], BeforeValidator(filled)] = {}
    items: Items = "auto"

    @field_validator("items", mode="before")
    @classmethod
    def _bare_keys_are_items(cls, value: object) -> object:
        if isinstance(value, (list, tuple)):
            return [{"key": item} if isinstance(item, (str, int, float)) else item for item in value]
        return value

    def settings(self, newsletter: Newsletter) -> Newsletter:
        """The newsletter's settings as they hold for this issue: its own overrides on top."""
        over = {name: value for name in ("sections", "fallback", "theme") if (value := getattr(self, name)) is not None}
        if self.agenda_days is not None:
            over["cadence"] = newsletter.cadence.model_copy(update={"agenda_days": self.agenda_days})
        return newsletter.model_copy(update=over)
