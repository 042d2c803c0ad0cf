"""
Mail servers: how they are set, and a look at them on demand. Secrets never leave the settings.

    GET   /desk/servers
    POST  /desk/servers/check    looks at them: connection, TLS, login, extensions, DKIM, DNS; changes nothing
    POST  /desk/servers/test     sends the operator a message
"""

import threading

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.doctor.check import Diagnosis, Status
from newsletter.doctor.examination import Surroundings, examine, mounts_of_this_machine
from newsletter.keyring import key_file
from newsletter.preflight.resolver import Dns
from newsletter.web.desk.alerts import TOLD
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.guard import Admin, Seat

ABOUT_MAIL = ("relay", "dkim", "dns", "spf", "dmarc", "bounce", "bimi")
"""How the codes of the checks begin that speak of mail; the others are for whoever installs the program."""


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes of mail servers."""
    routes, looking = APIRouter(), threading.Lock()

    @routes.get("/desk/servers")
    def look(request: Request, seat: Admin) -> Response:
        return _show(request, seat, None)

    @routes.post("/desk/servers/check")
    def check(request: Request, seat: Admin) -> Response:
        settings = pipeline.parts.settings
        with looking:  # one look at a time: each opens connections, and a silent server takes seconds
            around = Surroundings(key_file=key_file(settings), names=Dns, mounts=mounts_of_this_machine())
            found = examine(settings, around)
        return _show(request, seat, Diagnosis(tuple(each for each in found.checks if each.code.startswith(ABOUT_MAIL))))

    @routes.post("/desk/servers/test")
    def test(request: Request, seat: Admin) -> Response:
        trial = seat.pipeline.alerting.test(seat.operator)
        return desk.onward("/desk/servers", said=desk.say(request, seat, TOLD[trial]))

    def _show(request: Request, seat: Seat, diagnosis: Diagnosis | None) -> Response:
        servers = seat.pipeline.outlets.look()
        return desk.show(
            request,
            "servers/page.html.j2",
            seat,
            nav="servers",
            servers=servers,
            diagnosis=diagnosis,
            errors=diagnosis.count(Status.ERROR) if diagnosis else 0,
            warnings=diagnosis.count(Status.WARNING) if diagnosis else 0,
        )

    return routes
