"""
What the pages of one person share: who they are about, in which language, and what is shown when nobody is left.

Takes a request and a token; yields a `Card` or a page; raises TokenRefused for a token that is not ours,
which `app` answers with 404.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.pipeline.own import Card
from newsletter.web.page import Pages, language_of
from newsletter.web.public.imprint import Imprints


class PersonPages:
    """Finds the person of a token, and shows pages about them."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._own = pipeline.own
        self._pages = Pages(pipeline.parts.links)
        self._imprints = Imprints(pipeline)

    def card(self, request: Request, token: str) -> Card | None:
        """What the person may see of themselves; None where they have been erased, or the message was a test."""
        card = self._own.look(token, language=language_of(request))
        if card is None or self.language(request, card) == language_of(request):
            return card
        return self._own.look(token, language=self.language(request, card))

    def language(self, request: Request, card: Card) -> str:
        """The language of a page about the person."""
        return language_of(request, person=card.language or None)

    def show(self, request: Request, template: str, card: Card, *, status: int = 200, **names: Any) -> Response:
        """A page about the person; one with `problems` has the status that says so."""
        language = self.language(request, card)
        imprint = self._imprints.only(language=language)
        return self._pages.show(
            request,
            template,
            language=language,
            status=422 if names.get("problems") else status,
            site=imprint.name.text if imprint else "",
            imprint=imprint,
            card=card,
            **names,
        )

    def gone(self, request: Request) -> Response:
        """The page for a link whose person we know nothing about."""
        language = language_of(request)
        imprint = self._imprints.only(language=language)
        erased = "erased" in request.query_params
        return self._pages.show(
            request, "gone.html.j2", language=language, status=200 if erased else 410, imprint=imprint, is_erased=erased
        )
