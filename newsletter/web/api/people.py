"""Subscribers, lists, segments."""

from typing import Annotated

from fastapi import APIRouter, Query

from newsletter.web.api.access import Manages, Reads, Rules
from newsletter.web.api.paging import After, Limit, Page, cursor, number_of
from newsletter.web.api.people_schemas import (
    Changed,
    CountShown,
    ExpressionBody,
    LeaveBody,
    ListBody,
    ListShown,
    PersonAdded,
    PersonBody,
    PersonShown,
    ReasonBody,
    SegmentShown,
    StandingOfPerson,
    Stopped,
    ValuesBody,
)
from newsletter.web.api.sending_schemas import AddressBody
from subscribers.models import MembershipState

COUNTED = 100_000
"""Where the count of a segment ends unless all are asked for."""

Name = Annotated[str | None, Query(max_length=80)]


def router() -> APIRouter:
    """The routes of people."""
    routes = APIRouter(tags=["people"])
    _subscribers(routes)
    _one_subscriber(routes)
    _lists(routes)
    _segments(routes)
    return routes


def _subscribers(routes: APIRouter) -> None:
    @routes.get("/subscribers")
    def people(
        caller: Manages,
        *,
        list: Name = None,  # noqa: A002  the parameter's name
        state: MembershipState = MembershipState.CONFIRMED,
        segment: Name = None,
        limit: Limit = 50,
        after: After = "",
    ) -> Page[PersonShown]:
        """Subscribers: all, or those of a list or a segment."""
        last = number_of(after)
        found = caller.pipeline.people.page(
            limit=limit + 1,
            after=None if last is None else str(last),
            list_name=list,
            state=state,
            segment=segment,
        )
        rows = [PersonShown.of(each) for each in found[:limit]]
        return Page(items=rows, next=cursor(str(found[limit - 1].key)) if len(found) > limit else None)

    @routes.post("/subscribers", status_code=201)
    def add(caller: Manages, body: PersonBody) -> PersonAdded:
        """Put somebody on a list as a confirmed member, by an operator's word."""
        verdict = caller.pipeline.people.add(body.address, list_name=body.list, given=body.values)
        return PersonAdded(id=caller.pipeline.people.show(body.address).person.uid, verdict=verdict.value)

    @routes.post("/subscribers/find")
    def find(caller: Manages, body: AddressBody) -> StandingOfPerson:
        """The subscriber of an address."""
        return StandingOfPerson.whole(caller.pipeline.people.show(body.address))


def _one_subscriber(routes: APIRouter) -> None:
    one = "/subscribers/{id}"

    @routes.get(one)
    def person(caller: Manages, id: str) -> StandingOfPerson:  # noqa: A002  the parameter's name
        """One subscriber, by public id."""
        return StandingOfPerson.whole(caller.pipeline.register.person(id))

    @routes.patch(one)
    def change(caller: Manages, id: str, body: ValuesBody) -> Changed:  # noqa: A002
        """Change fields, attributes and tags."""
        address = caller.pipeline.register.address_of(id)
        return Changed(changed=caller.pipeline.people.change(address, body.values))

    @routes.post(f"{one}/leave")
    def leave(caller: Manages, id: str, body: LeaveBody) -> Stopped:  # noqa: A002
        """Let a person leave a newsletter, a list, or everything."""
        address = caller.pipeline.register.address_of(id)
        stopped = caller.pipeline.people.unsubscribe(address, newsletter=body.newsletter, list_name=body.list)
        return Stopped(changed=stopped.changed, stopped=stopped.deliveries)

    @routes.post(f"{one}/suppress")
    def suppress(caller: Manages, id: str, body: ReasonBody) -> Stopped:  # noqa: A002
        """Never write to a person again."""
        address = caller.pipeline.register.address_of(id)
        stopped = caller.pipeline.people.barring.suppress(address, reason=body.reason)
        return Stopped(changed=stopped.changed, stopped=stopped.deliveries)

    @routes.post(f"{one}/unsuppress")
    def unsuppress(caller: Manages, id: str, body: ReasonBody) -> Stopped:  # noqa: A002
        """Let a person be written to again."""
        address = caller.pipeline.register.address_of(id)
        return Stopped(changed=caller.pipeline.people.unsuppress(address, reason=body.reason), stopped=0)

    @routes.delete(one)
    def erase(caller: Rules, id: str) -> Stopped:  # noqa: A002
        """Erase a person; what was sent stays counted, and the address stays suppressed."""
        stopped = caller.pipeline.people.erase(caller.pipeline.register.address_of(id))
        return Stopped(changed=stopped.changed, stopped=stopped.deliveries)


def _lists(routes: APIRouter) -> None:
    @routes.get("/lists")
    def lists(caller: Reads) -> list[ListShown]:
        """All lists."""
        return [ListShown.of(each) for each in caller.pipeline.people.lists.all()]

    @routes.post("/lists", status_code=201)
    def create(caller: Manages, body: ListBody) -> ListShown:
        """Make a list."""
        name = caller.pipeline.people.lists.create(**body.model_dump())
        return next(ListShown.of(each) for each in caller.pipeline.people.lists.all() if each.name == name)

    @routes.delete("/lists/{name}", status_code=204)
    def delete(caller: Manages, name: str) -> None:
        """Delete a list that no segment and no queued issue names."""
        caller.pipeline.people.lists.delete(name)


def _segments(routes: APIRouter) -> None:
    @routes.get("/segments")
    def segments(caller: Reads) -> list[SegmentShown]:
        """All saved segments."""
        return [SegmentShown.of(each) for each in caller.pipeline.people.segments.all()]

    @routes.get("/segments/{name}")
    def segment(caller: Reads, name: str) -> SegmentShown:
        """A saved segment."""
        return SegmentShown.of(caller.pipeline.people.segments.get(name))

    @routes.put("/segments/{name}")
    def save(caller: Manages, name: str, body: ExpressionBody) -> SegmentShown:
        """Save an expression under a name, new or not."""
        verbs = caller.pipeline.people.segments
        known = {each.name for each in verbs.all()}
        saved = verbs.change if name in known else verbs.create
        return SegmentShown.of(saved(name, body.expression))

    @routes.get("/segments/{name}/count")
    def count(
        caller: Reads,
        name: str,
        newsletter: Name = None,
        at_most: Annotated[int, Query(ge=1, le=10_000_000)] = COUNTED,
    ) -> CountShown:
        """How many a segment means, counted up to `at_most`."""
        return CountShown.of(caller.pipeline.people.segments.count(name, newsletter=newsletter, at_most=at_most))

    @routes.delete("/segments/{name}", status_code=204)
    def delete(caller: Manages, name: str) -> None:
        """Delete a saved segment that nothing names."""
        caller.pipeline.people.segments.delete(name)
