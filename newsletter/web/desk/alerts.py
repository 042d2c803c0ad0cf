"""
Alerts: what an operator wants to be told by mail.

    GET   /desk/alerts
    POST  /desk/alerts         `wanted`, once for each: a kind and a newsletter's slug, or a kind alone
    POST  /desk/alerts/test    sends the operator one
    POST  /desk/n/{newsletter}/issues/{slug}/approve/ask    tells those who chose it that an issue waits for approval
"""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.accounts.alerts import AlertKind
from newsletter.bootstrap import Pipeline
from newsletter.pipeline.alerting import Trial
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Officer, Viewer
from newsletter.web.desk.words import desk_words

KINDS: Final = {
    AlertKind.DRAFT: ("A draft is ready", "A newsletter’s cadence has made it."),
    AlertKind.APPROVAL: ("An issue waits for approval", "Somebody asks for it."),
    AlertKind.PAUSED: ("A run stands still", "Somebody has paused it, a mail server refuses it, or it was missed."),
    AlertKind.FINISHED: ("An issue has been sent", "With the figures of its run."),
    AlertKind.MAILBOX: ("The mailbox for bounces cannot be read", "For half an hour or longer."),
    AlertKind.DISK: ("There is little room left on the disk", "Where the database lies: less than 2 GB."),
    AlertKind.RELAY: ("A mail server takes nothing from us", "It lets no connection or login through."),
}
"""What each kind is called on the page, and a hint; messages of `desk-settings.po`."""

TOLD: Final = {
    Trial.SENT: "It is on its way to you.",
    Trial.NO_ADDRESS: "Nothing was sent: your account has no address that can be written to.",
    Trial.NO_NEWSLETTER: "Nothing was sent: create a newsletter first, for mail needs a sender.",
}
"""What a page says after the operator asked for a message."""


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of alerts."""
    del pipeline
    routes = APIRouter()

    @routes.get("/desk/alerts")
    def look(request: Request, seat: Viewer) -> Response:
        kinds = [(kind.value, *words) for kind, words in KINDS.items()]
        own = {kind.value for kind in KINDS if kind.is_of_newsletter}
        return desk.show(
            request,
            "alerts/page.html.j2",
            seat,
            nav="alerts",
            of_newsletters=[each for each in kinds if each[0] in own],
            of_installation=[each for each in kinds if each[0] not in own],
            wanted=seat.pipeline.alerting.choices(seat.operator.id),
        )

    @routes.post("/desk/alerts")
    def save(request: Request, seat: Viewer, form: Sent) -> Response:
        known = {settings.slug for settings in seat.pipeline.entries.newsletters()}
        wanted = set()
        for each in form.all("wanted"):
            name, _, slug = each.partition(" ")
            if name in set(AlertKind) and (not slug or slug in known):
                wanted.add((AlertKind(name), slug if AlertKind(name).is_of_newsletter else ""))
        seat.pipeline.alerting.choose(seat.operator.id, wanted)
        return desk.onward("/desk/alerts", said=desk.say(request, seat, "Saved."))

    @routes.post("/desk/alerts/test")
    def test(request: Request, seat: Viewer) -> Response:
        trial = seat.pipeline.alerting.test(seat.operator)
        return desk.onward("/desk/alerts", said=desk.say(request, seat, TOLD[trial]))

    @routes.post("/desk/n/{newsletter}/issues/{slug}/approve/ask")
    def ask(request: Request, newsletter: str, slug: str, seat: Officer) -> Response:
        told = seat.pipeline.alerting.ask(slug, newsletter=newsletter)
        nobody = "It stands on everybody’s page Today. Nobody is told by mail: no one has chosen this alert."
        words = desk_words(desk.language_of(request, seat))
        some = words.say_n("{n} person is told by mail.", "{n} people are told by mail.", told)
        return desk.onward(f"/desk/n/{newsletter}/issues/{slug}/approve", said=some if told else words.say(nobody))

    return routes
