"""
What a person does about their data: another address, a copy of everything, erasure.

A link from a forwarded message is not enough for any of these: each form asks for the present address in full, which
the page shows in part only. Looking changes nothing.

    GET, POST  /p/{token}/address           `present`, `address`: ask to get the mail at another address
    GET        /p/{token}/address/asked     look into the new mailbox
    POST       /p/{token}/address/keep      withdraw that
    GET, POST  /p/{token}/data              `present`: download everything that is stored
    GET, POST  /p/{token}/erase             `present`: forget everything
"""

import json
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.pipeline.own import Card
from newsletter.web.form import Form, Posted
from newsletter.web.public.forms import (
    NO_ADDRESS,
    NOT_THEIRS,
    REFUSED,
    Problems,
    onward,
    origin_of,
    problem_of_address,
    problems_of,
)
from newsletter.web.public.person import PersonPages
from subscribers.errors import UnknownSubscriber

FILE_NAME = "newsletter-data.json"
"""What a browser calls the copy when it is saved; says nothing about the person."""


def router(pipeline: Pipeline) -> APIRouter:
    """The routes under `/p/{token}/`."""
    routes, deeds = APIRouter(), _Deeds(pipeline)

    @routes.get("/p/{token}/address")
    def look_at_address(request: Request, token: str) -> Response:
        return deeds.show(request, token, "address.html.j2", address="")

    @routes.post("/p/{token}/address")
    def change_address(request: Request, token: str, form: Posted) -> Response:
        return deeds.change_address(request, token, form)

    @routes.get("/p/{token}/address/asked")
    def asked(request: Request, token: str) -> Response:
        return deeds.show(request, token, "address_asked.html.j2")

    @routes.post("/p/{token}/address/keep")
    def keep_address(request: Request, token: str) -> Response:
        return deeds.keep_address(request, token)

    @routes.get("/p/{token}/data")
    def look_at_data(request: Request, token: str) -> Response:
        return deeds.show(request, token, "data.html.j2")

    @routes.post("/p/{token}/data")
    def download(request: Request, token: str, form: Posted) -> Response:
        return deeds.download(request, token, form)

    @routes.get("/p/{token}/erase")
    def look_at_erasure(request: Request, token: str) -> Response:
        return deeds.show(request, token, "erase.html.j2")

    @routes.post("/p/{token}/erase")
    def erase(request: Request, token: str, form: Posted) -> Response:
        return deeds.erase(request, token, form)

    return routes


class _Deeds:
    """Does what is asked for by the person, and nothing for anybody else."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._own = pipeline.own
        self._pages = PersonPages(pipeline)

    def show(self, request: Request, token: str, template: str, **names: Any) -> Response:
        """One of the pages, or that nobody is left."""
        card = self._pages.card(request, token)
        if card is None:
            return self._pages.gone(request)
        return self._pages.show(request, template, card, token=token, **{"problems": {}, **names})

    def change_address(self, request: Request, token: str, form: Form) -> Response:
        """Ask for another address; what comes of it is said to neither address's stranger."""
        new = form.get("address").strip()

        def do(_card: Card) -> Response:
            self._own.ask_for_address(token, new, origin=origin_of(request))
            return onward(request, "address/asked")

        wrong = problem_of_address(new)
        further = {"address": wrong} if wrong else {}
        return self._when_theirs(request, token, form, template="address.html.j2", do=do, further=further, address=new)

    def keep_address(self, request: Request, token: str) -> Response:
        """Withdraw a change of address; that harms nobody, so the link is enough."""
        if self._pages.card(request, token) is None:
            return self._pages.gone(request)
        self._own.keep_address(token)
        return onward(request, f"../../{token}", kept="1")

    def download(self, request: Request, token: str, form: Form) -> Response:
        """Hand out everything that is stored, as a file."""

        def do(_card: Card) -> Response:
            content = json.dumps(self._own.export(token), ensure_ascii=False, indent=2, default=str)
            disposition = f'attachment; filename="{FILE_NAME}"'
            return Response(content + "\n", media_type="application/json", headers={"Content-Disposition": disposition})

        return self._when_theirs(request, token, form, template="data.html.j2", do=do)

    def erase(self, request: Request, token: str, form: Form) -> Response:
        """Forget the person."""

        def do(_card: Card) -> Response:
            self._own.erase(token)
            return onward(request, f"../{token}", erased="1")

        return self._when_theirs(request, token, form, template="erase.html.j2", do=do)

    def _when_theirs(
        self,
        request: Request,
        token: str,
        form: Form,
        *,
        template: str,
        do: Callable[[Card], Response],
        further: Problems | None = None,
        **names: Any,
    ) -> Response:
        """Do it if the present address was entered and nothing `further` is wrong; show the form again if not."""
        card = self._pages.card(request, token)
        if card is None:
            return self._pages.gone(request)
        problems = {**self._problem_of_present(token, form.get("present").strip()), **(further or {})}
        try:
            if not problems:
                return do(card)
        except UnknownSubscriber:
            return self._pages.gone(request)
        except REFUSED as error:
            problems = dict(problems_of(error))
        return self._pages.show(request, template, card, token=token, problems=problems, **names)

    def _problem_of_present(self, token: str, typed: str) -> Problems:
        if not typed:
            return {"present": NO_ADDRESS}
        return {} if self._own.owns(token, typed) else {"present": NOT_THEIRS}
