"""
The editor of a segment: conditions on one side, text on the other, and whom they mean.

    GET   /desk/segments/new
    GET   /desk/segments/edit    name: without counts, which come after it
    POST  /desk/segments/draw    the form, with `do`: add and remove rows, show one side as the other; saves nothing
    POST  /desk/segments/save    the form
    POST  /desk/segments/test    the form, with `address`: whether it means somebody, and which part of it does not

With `part` a script of the page asks for the editor alone. Without a script every button leads to the whole page.
"""

from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.errors import NewsletterError
from newsletter.pipeline.glances import Glance, Names
from newsletter.pipeline.segments import SegmentTest
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Officer, Seat, Viewer
from newsletter.web.desk.people.labels import pairs
from newsletter.web.desk.people.table import shown
from newsletter.web.desk.segments.counts import Remembered
from newsletter.web.desk.segments.draft import Draft, of_form, of_text
from newsletter.web.desk.segments.labels import FIELDS, UNITS, said_of
from subscribers.errors import SubscribersError
from subscribers.segments.building import span_of
from subscribers.segments.relations import Form, relations_of


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:  # noqa: C901  a route each, of a few lines
    """The routes of the editor."""
    routes = APIRouter()
    people, remembered = pipeline.people, Remembered(pipeline.parts.now)

    @routes.get("/desk/segments/new")
    def begin(request: Request, seat: Officer) -> Response:
        return _page(request, seat, of_text(request.query_params.get("expression", "all")), counts=False)

    @routes.get("/desk/segments/edit")
    def edit(request: Request, seat: Viewer) -> Response:
        saved = people.segments.get(request.query_params.get("name", ""))
        return _page(request, seat, of_text(saved.expression, name=saved.name, was=saved.name), counts=False)

    @routes.post("/desk/segments/draw")
    def draw(request: Request, seat: Viewer, form: Sent) -> Response:
        return _page(request, seat, of_form(form), part="part" in form)

    @routes.post("/desk/segments/save")
    def save(request: Request, seat: Officer, form: Sent) -> Response:
        draft, segments = of_form(form), seat.pipeline.people.segments
        if not draft.can_be_read:
            return _page(request, seat, draft, status=422)
        try:
            if draft.was:
                segments.change(draft.was, draft.text)
            else:
                segments.create(draft.name, draft.text)
        except (SubscribersError, NewsletterError) as error:
            return _page(request, seat, draft, refused=str(error), status=422)
        name = draft.was or draft.name
        said = desk.say(request, seat, "The segment {name} is saved.", name=name)
        return desk.onward(f"/desk/segments/edit?{urlencode({'name': name})}", said=said)

    @routes.post("/desk/segments/test")
    def test(request: Request, seat: Officer, form: Sent) -> Response:
        draft, address = of_form(form), form.get("address").strip()
        tested, problem = None, ""
        if draft.can_be_read:
            try:
                tested = people.glances.test(draft.text, address)
            except (SubscribersError, NewsletterError) as error:
                problem = str(error)
        return _page(request, seat, draft, tested=tested, address=address, test_problem=problem)

    def _page(
        request: Request,
        seat: Seat,
        draft: Draft,
        *,
        part: bool = False,
        counts: bool = True,
        refused: str = "",
        status: int = 200,
        tested: SegmentTest | None = None,
        address: str = "",
        test_problem: str = "",
    ) -> Response:
        glance, problem = _glance(draft) if counts else (None, "")
        return desk.show(
            request,
            "segments/editor.html.j2" if part else "segments/page.html.j2",
            seat,
            nav="segments",
            status=status,
            draft=draft,
            glance=glance,
            counts=counts,
            sample=[shown(each, seat) for each in glance.sample] if glance else [],
            problem=refused or problem,
            tested=tested,
            address=address,
            test_problem=test_problem,
            names=_names(),
            named_by=people.glances.named_by(segment=draft.was) if draft.was and not part else [],
            fields=FIELDS,
            said_of=said_of,
            units=UNITS,
            relations_of=relations_of,
            span_of=span_of,
            forms=Form,
            pairs=pairs,
        )

    def _names() -> Names:
        return remembered.known("names", people.glances.names)

    def _glance(draft: Draft) -> tuple[Glance | None, str]:
        if not draft.can_be_read:
            return None, ""
        try:
            return people.glances.look(draft.text), ""
        except (SubscribersError, NewsletterError) as error:
            return None, str(error)

    return routes
