"""
Links by which people without an account review an edition, from the officer's side.

    POST  …/{slug}/reviews              `edition`, `reader`, `days`: a secret link for one reader
    POST  …/{slug}/reviews/withdraw     `review`
    POST  …/{slug}/reviews/settle       `answer`, `done` ("" or "1"), `page`
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.errors import InvalidInput, NotFound
from newsletter.web.desk.checks.addresses import address_of
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Officer


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes `…/reviews`."""
    del pipeline
    routes, root = APIRouter(), "/desk/n/{newsletter}/issues/{slug}"

    @routes.post(f"{root}/reviews")
    def ask(request: Request, newsletter: str, slug: str, seat: Officer, form: Sent) -> Response:
        days = form.get("days")
        try:
            seat.pipeline.reviewing.ask(
                slug,
                newsletter=newsletter,
                edition=form.get("edition"),
                reader=form.get("reader"),
                days=int(days) if days.isdecimal() and len(days) < 4 else 0,  # noqa: PLR2004  `ask` says how many
            )
        except InvalidInput:
            said = "No link was made: say who is to read it, and for 1 to 60 days."
            return desk.onward(address_of(newsletter, slug, "approve#reviews"), said=desk.say(request, seat, said))
        said = desk.say(request, seat, "The link is ready: copy it and send it to its reader.")
        return desk.onward(address_of(newsletter, slug, "approve#reviews"), said=said)

    @routes.post(f"{root}/reviews/withdraw")
    def withdraw(request: Request, newsletter: str, slug: str, seat: Officer, form: Sent) -> Response:
        seat.pipeline.reviewing.withdraw(slug, _number(form.get("review")), newsletter=newsletter)
        said = desk.say(request, seat, "The link is withdrawn and leads nowhere any more.")
        return desk.onward(address_of(newsletter, slug, "approve#reviews"), said=said)

    @routes.post(f"{root}/reviews/settle")
    def settle(newsletter: str, slug: str, seat: Officer, form: Sent) -> Response:
        is_done, page = bool(form.get("done")), "check?pane=checks" if form.get("page") == "check" else "approve"
        seat.pipeline.reviewing.settle(slug, _number(form.get("answer")), newsletter=newsletter, done=is_done)
        return desk.onward(f"{address_of(newsletter, slug, page)}#reviews")

    return routes


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:  # noqa: PLR2004  as far as the column reaches
        raise NotFound("review", text[:20])
    return int(text)
