"""
What officers do on the page that checks an issue.

    POST  …/{slug}/check/accept     `code`, `fingerprint`…, `reason`
    POST  …/{slug}/check/reader     `address`: look through the eyes of a subscriber
    POST  …/{slug}/check/test       `to`, `edition`…
"""

from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.errors import InvalidInput, NotFound
from newsletter.web.desk.checks.addresses import address_of
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Officer
from subscribers.errors import InvalidAddress, UnknownSubscriber


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes `…/check` that change something."""
    routes, looking = APIRouter(), pipeline.previewing
    root = "/desk/n/{newsletter}/issues/{slug}/check"

    @routes.post(f"{root}/accept")
    def accept(request: Request, newsletter: str, slug: str, seat: Officer, form: Sent) -> Response:
        only, code = form.all("fingerprint"), form.get("code")
        try:
            seat.pipeline.approval.waive(
                slug, code, reason=form.get("reason"), newsletter=newsletter, only=only or None
            )
        except NotFound:
            return desk.onward(address_of(newsletter, slug), said=desk.say(request, seat, "It is not there any more."))
        except InvalidInput:
            said = desk.say(request, seat, "Say why it may stand: the reason is kept with the issue.")
            return desk.onward(address_of(newsletter, slug), said=said)
        said = desk.say(request, seat, "Accepted as it is, until it changes.")
        return desk.onward(f"{address_of(newsletter, slug)}?pane=checks", said=said)

    @routes.post(f"{root}/reader")
    def reader(request: Request, newsletter: str, slug: str, seat: Officer, form: Sent) -> Response:
        query = {name: form.get(name) for name in ("edition", "width", "scheme", "view") if form.get(name)}
        try:
            found = looking.find_reader(form.get("address").strip())
        except (InvalidAddress, UnknownSubscriber):
            said = desk.say(request, seat, "No subscriber has this address.")
            return desk.onward(f"{address_of(newsletter, slug)}?{urlencode(query)}", said=said)
        return desk.onward(f"{address_of(newsletter, slug)}?{urlencode({**query, 'as': found.uid})}")

    @routes.post(f"{root}/test")
    def test(request: Request, newsletter: str, slug: str, seat: Officer, form: Sent) -> Response:
        try:
            stamps = seat.pipeline.trials.send(
                slug, newsletter=newsletter, to=form.get("to"), editions=[each for each in form.all("edition") if each]
            )
        except (InvalidAddress, InvalidInput):
            said = desk.say(request, seat, "Nothing was sent: name one to ten addresses, with commas between them.")
            return desk.onward(address_of(newsletter, slug), said=said)
        return desk.onward(f"{address_of(newsletter, slug)}?{urlencode({'tests': '.'.join(stamps)})}#tests")

    return routes
