"""
What holds for an issue: number, dates, sections, and what happens to missing translations.

    GET   /desk/n/N/issues/SLUG/settings    `look`: also what would change if it were chosen again as it is
    POST  /desk/n/N/issues/SLUG/settings    `do=look` shows what would change, `do=apply` (with `revision`) does it
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.content.newsletter import Fallback, Section
from newsletter.pipeline.contents import section_title
from newsletter.pipeline.planned import Effects, PlanChange, PlanFacts
from newsletter.pipeline.proposing import PlanRefused
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import DeskForm, Sent
from newsletter.web.desk.guard import Officer, Seat, Viewer
from newsletter.web.desk.issues.said import CLOSED, OVERTAKEN, fault
from newsletter.web.desk.issues.values import day_of, number_of

_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:  # noqa: ARG001  every area is made of both
    """The routes of the settings of an issue."""
    routes = APIRouter()

    @routes.get("/desk/n/{newsletter}/issues/{slug}/settings")
    def look(request: Request, newsletter: str, slug: str, seat: Viewer) -> Response:
        facts = _facts(request, seat, newsletter, slug)
        values = _values(facts)
        effects = None
        if "look" in request.query_params and facts.head.state == "draft":
            change = _as_it_is(facts)
            effects = seat.pipeline.building.plans.preview(slug, change, newsletter=newsletter)
        return _show(request, seat, facts, values, effects=effects)

    @routes.post("/desk/n/{newsletter}/issues/{slug}/settings")
    def change(request: Request, newsletter: str, slug: str, seat: Officer, form: Sent) -> Response:
        plans, say = seat.pipeline.building.plans, partial(desk.say, request, seat)
        facts = _facts(request, seat, newsletter, slug)
        wanted, problems = _read(form, facts, say=say)
        values = {**_values(facts), **{name: form.get(name) for name in form.fields}, "sections": form.all("section")}
        if wanted is None:
            return _show(request, seat, facts, values, problems=problems)
        try:
            if form.get("do") != "apply":
                effects = plans.preview(slug, wanted, newsletter=newsletter)
                return _show(request, seat, facts, values, effects=effects)
            revision = number_of(form.get("revision"), most=999_999_999)
            done = plans.change(slug, wanted, newsletter=newsletter, revision=revision or 0)
        except PlanRefused as error:
            return _show(request, seat, facts, values, problems={error.field: fault(error.fault, say)})
        words = "The issue was chosen again with these settings."
        said = say(words if done is not None else OVERTAKEN if facts.head.state == "draft" else CLOSED)
        return desk.onward(f"/desk/n/{newsletter}/issues/{slug}", said=said)

    def _facts(request: Request, seat: Seat, newsletter: str, slug: str) -> PlanFacts:
        language = desk.language_of(request, seat)
        return seat.pipeline.building.plans.facts(slug, newsletter=newsletter, language=language)

    def _show(
        request: Request,
        seat: Seat,
        facts: PlanFacts,
        values: Mapping[str, object],
        *,
        effects: Effects | None = None,
        problems: Mapping[str, str] | None = None,
    ) -> Response:
        language = desk.language_of(request, seat)
        return desk.show(
            request,
            "issues/plan.html.j2",
            seat,
            status=422 if problems else 200,
            nav="issues",
            issue=facts.head,
            step="contents",
            facts=facts,
            values=values,
            effects=effects,
            problems=problems or {},
            titles={
                each.key: section_title(each, facts.usual, language) or each.key.capitalize() for each in _all(facts)
            },
            may_change=seat.may("officer") and facts.head.state == "draft",
        )

    return routes


def _all(facts: PlanFacts) -> tuple[Section, ...]:
    return (*facts.sections, *facts.spare)


def _titles(facts: PlanFacts, language: str) -> dict[str, str]:
    return {each.key: section_title(each, facts.usual, language) or each.key.capitalize() for each in _all(facts)}


def _values(facts: PlanFacts) -> dict[str, object]:
    """What the form begins with."""
    places = {f"place-{section.key}": place for place, section in enumerate(_all(facts), 1)}
    return {
        "number": "" if facts.number is None else facts.number,
        "date": facts.date.isoformat(),
        "first": facts.first.isoformat(),
        "last": facts.last.isoformat(),
        "agenda_days": facts.agenda_days or facts.usual.cadence.agenda_days,
        "fallback": facts.fallback.value if facts.fallback else "",
        "accent": facts.accent or "",
        "sections": tuple(section.key for section in facts.sections),
        "afresh": "",
        **places,
    }


def _as_it_is(facts: PlanFacts) -> PlanChange:
    return PlanChange(
        number=facts.number,
        date=facts.date,
        first=facts.first,
        last=facts.last,
        agenda_days=facts.agenda_days,
        fallback=facts.fallback,
        accent=facts.accent,
        sections=[section.key for section in facts.sections],
    )


def _read(form: DeskForm, facts: PlanFacts, *, say: partial[str]) -> tuple[PlanChange | None, dict[str, str]]:
    """What a form asks for, or what is wrong with its fields."""
    days = {name: day_of(form.get(name)) for name in ("date", "first", "last")}
    problems = {name: say("Choose a day.") for name, day in days.items() if day is None}
    number = number_of(form.get("number"), most=1_000_000)
    if number is None and form.get("number").strip():
        problems["number"] = say("Write a number, or nothing.")
    agenda_days = number_of(form.get("agenda_days"), least=1, most=1000)
    if agenda_days is None:
        problems["agenda_days"] = say("Write a number of days from 1 to 1000.")
    accent = form.get("accent").strip()
    if accent and not _COLOUR.fullmatch(accent):
        problems["accent"] = say("Write a colour such as #0b5c8a, or nothing.")
    date, first, last = days["date"], days["first"], days["last"]
    if problems or date is None or first is None or last is None:
        return None, problems
    fallback = form.get("fallback")
    return PlanChange(
        number=number,
        date=date,
        first=first,
        last=last,
        agenda_days=agenda_days,
        fallback=Fallback(fallback) if fallback in set(Fallback) else None,
        accent=accent or None,
        sections=_in_order(form, facts),
        afresh="afresh" in form,
    ), problems


def _in_order(form: DeskForm, facts: PlanFacts) -> list[str]:
    """The sections that were ticked, by the places that were written beside them."""
    known = [section.key for section in _all(facts)]
    ticked = [key for key in known if key in form.all("section")]
    places = {key: number_of(form.get(f"place-{key}"), most=999) for key in ticked}
    return sorted(ticked, key=lambda key: known.index(key) + 1 if places[key] is None else places[key] or 0)
