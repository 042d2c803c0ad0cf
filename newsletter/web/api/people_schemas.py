"""People, lists and segments as the API shows them."""

import datetime as dt
from typing import Annotated, Self

from pydantic import BaseModel, Field, StringConstraints

from newsletter.pipeline.lists import ListFacts
from newsletter.pipeline.person import Person, Standing
from newsletter.pipeline.segments import SegmentCount, SegmentFacts

Name = Annotated[str, StringConstraints(min_length=1, max_length=80)]

Values = dict[
    Annotated[str, StringConstraints(min_length=1, max_length=80)], Annotated[str, StringConstraints(max_length=1000)]
]
"""Fields, attributes and tags by name, as an import has them in its columns."""


class PersonShown(BaseModel):
    """A subscriber."""

    id: str = Field(description="Public id; tells nothing about the person.")
    address: str
    fields: dict[str, str]
    attributes: dict[str, str | int | float | bool]
    tags: list[str]
    lists: list[str] = Field(description="Lists of which the person is a confirmed member.")
    created: dt.datetime
    updated: dt.datetime

    @classmethod
    def of(cls, person: Person) -> Self:
        """What is told about a person in a list."""
        return cls(
            id=person.uid,
            address=person.address,
            fields=dict(person.fields),
            attributes=dict(person.attributes),
            tags=list(person.tags),
            lists=list(person.lists),
            created=person.created,
            updated=person.updated,
        )


class MembershipShown(BaseModel):
    """How a person stands to a list."""

    list: str
    state: str
    since: dt.datetime


class StandingOfPerson(PersonShown):
    """A subscriber with memberships and suppression."""

    memberships: list[MembershipShown]
    left_newsletters: dict[str, dt.datetime]
    suppressed: str | None = Field(description="Why the address must not be written to; null where it may.")

    @classmethod
    def whole(cls, standing: Standing) -> Self:
        """Everything about a person but the consent log."""
        return cls(
            **PersonShown.of(standing.person).model_dump(),
            memberships=[
                MembershipShown(list=name, state=state.value, since=since)
                for name, (state, since) in standing.memberships.items()
            ],
            left_newsletters=dict(standing.departures),
            suppressed=standing.barred.reason.value if standing.barred else None,
        )


class PersonBody(BaseModel):
    """Somebody who joins a list, by an operator's word."""

    address: str = Field(min_length=3, max_length=320)
    list: Name
    values: Values = {}


class PersonAdded(BaseModel):
    """What that changed."""

    id: str
    verdict: str


class ValuesBody(BaseModel):
    """What changes about a person: an empty text clears a field, `tags` replaces all tags."""

    values: Values


class Changed(BaseModel):
    """The names of what is different now."""

    changed: list[str]


class LeaveBody(BaseModel):
    """What a person leaves; neither: everything."""

    newsletter: Name | None = None
    list: Name | None = None


class ReasonBody(BaseModel):
    """Why, for the audit log."""

    reason: str = Field(min_length=1, max_length=500)


class Stopped(BaseModel):
    """Whether that changed anything, and how many planned messages it stopped."""

    changed: bool
    stopped: int


class ListShown(BaseModel):
    """A list."""

    name: str
    public: bool
    double_opt_in: bool
    description: str
    created: dt.datetime
    members: dict[str, int] = Field(description="How many stand to it in which way.")

    @classmethod
    def of(cls, facts: ListFacts) -> Self:
        """What is told about a list."""
        return cls(
            name=facts.name,
            public=facts.public,
            double_opt_in=facts.double_opt_in,
            description=facts.description,
            created=facts.created,
            members={state.value: count for state, count in facts.counts.items()},
        )


class ListBody(BaseModel):
    """A list to make."""

    name: Name
    public: bool = False
    double_opt_in: bool = True
    opt_in_reason: str = Field("", max_length=500, description="Why it does without confirmation.")
    description: str = Field("", max_length=1000)


class SegmentShown(BaseModel):
    """A saved segment."""

    name: str
    expression: str
    words: str = Field(description="Whom it means, in words.")
    doubts: list[str]
    updated: dt.datetime

    @classmethod
    def of(cls, facts: SegmentFacts) -> Self:
        """What is told about a segment."""
        return cls(
            name=facts.name,
            expression=facts.expression,
            words=facts.words,
            doubts=list(facts.doubts),
            updated=facts.updated,
        )


class ExpressionBody(BaseModel):
    """Whom a segment means."""

    expression: str = Field(min_length=1, max_length=4000)


class CountShown(BaseModel):
    """How many a segment means."""

    matching: int
    audience: int | None = Field(description="How many of them get the newsletter that was asked about.")
    more: bool = Field(description="Whether there are more than were counted.")

    @classmethod
    def of(cls, count: SegmentCount) -> Self:
        """A count."""
        return cls(matching=count.matching, audience=count.audience, more=count.more)
