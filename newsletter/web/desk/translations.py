"""
Translators' documents: what is wanting in each language, out and back in.

    GET   /desk/n/{newsletter}/translations                       what is wanting, and where a document comes back
    GET   /desk/n/{newsletter}/translations/{language}.docx       `?state=missing` or `stale`: what goes out
    GET   /desk/n/{newsletter}/entries/{key}/translations.docx    `?language=fr`: one entry
    POST  /desk/n/{newsletter}/translations                       files `document`: what would become of it
    POST  /desk/n/{newsletter}/translations/take                  `texts` as shown, `also` several: it is stored

What came back is kept in the form until somebody decides, and judged once more when it is stored.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from fastapi import APIRouter, HTTPException
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.content.matrix import Completeness
from newsletter.content.translations import Labels, NoDocument, Translated
from newsletter.content.wordwise import word_by_word
from newsletter.errors import InvalidInput
from newsletter.pipeline.translating import ASKED, WANTING, Fate, Returned
from newsletter.times import own_name
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Officer, Seat, Viewer

DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

FATES: Final = {
    Fate.TAKEN: ("Will be taken", "ok"),
    Fate.SAME: ("Says what is stored", "quiet"),
    Fate.BLANK: ("Not translated", "quiet"),
    Fate.CONFLICT: ("Changed at the desk meanwhile", "warn"),
    Fate.OUTDATED: ("The original has changed meanwhile", "warn"),
    Fate.UNKNOWN: ("No such entry here", "err"),
    Fate.REFUSED: ("Has no title, or is too long", "err"),
}
"""What becomes of a text that came back, in words, with the tone of its pill."""

_TEXTS: Final = TypeAdapter(list[Translated])
_MOST_TEXTS: Final = 2_000


def router(pipeline: Pipeline, desk: Desk) -> APIRouter:  # noqa: C901  a list of routes
    """The routes of translators' documents."""
    routes = APIRouter()
    del pipeline

    @routes.get("/desk/n/{newsletter}/translations")
    def look(request: Request, newsletter: str, seat: Viewer) -> Response:
        return _page(request, seat, newsletter)

    @routes.get("/desk/n/{newsletter}/translations/{language}.docx")
    def write(request: Request, newsletter: str, language: str, seat: Viewer) -> Response:
        asked = request.query_params.get("state", "")
        states = [state for state in WANTING if asked in {"", state.value}]
        return _document(request, seat, newsletter, language, states=states)

    @routes.get("/desk/n/{newsletter}/entries/{key}/translations.docx")
    def write_one(request: Request, newsletter: str, key: str, seat: Viewer) -> Response:
        return _document(request, seat, newsletter, request.query_params.get("language", ""), keys=[key])

    @routes.post("/desk/n/{newsletter}/translations")
    def read(request: Request, newsletter: str, seat: Officer, form: Sent) -> Response:
        file = form.files.get("document")
        if file is None:
            return _page(request, seat, newsletter, problem="Choose the document that came back.")
        try:
            returned = seat.pipeline.translating.look(newsletter, file.content)
        except NoDocument:
            words = (
                "This is no document of ours, or its grey codes are gone: without them nobody knows what belongs where."
            )
            return _page(request, seat, newsletter, problem=words)
        return desk.show(
            request,
            "parts/returned.html.j2",
            seat,
            nav="entries",
            slug=newsletter,
            name=file.filename,
            returned=[_shown(each) for each in returned],
            texts=_kept([each.incoming for each in returned]),
            takes=sum(each.fate is Fate.TAKEN for each in returned),
            asks=sum(each.fate in ASKED for each in returned),
            fates=FATES,
        )

    @routes.post("/desk/n/{newsletter}/translations/take")
    def take(request: Request, newsletter: str, seat: Officer, form: Sent) -> Response:
        also = frozenset(form.all("also"))
        results = seat.pipeline.translating.take(newsletter, _sent(form.get("texts")), also=also)
        taken = [each for each in results if each.fate is Fate.TAKEN or (each.fate in ASKED and each.name in also)]
        left = [each for each in results if each.fate in ASKED and each.name not in also]
        return desk.onward(f"/desk/n/{newsletter}/translations", said=_told(request, seat, len(taken), len(left)))

    def _page(request: Request, seat: Seat, newsletter: str, *, problem: str = "") -> Response:
        settings, needs = seat.pipeline.translating.needs(newsletter)
        return desk.show(
            request,
            "parts/translations.html.j2",
            seat,
            status=422 if problem else 200,
            nav="entries",
            slug=settings.slug,
            needs=needs,
            problem=problem,
        )

    def _document(
        request: Request,
        seat: Seat,
        newsletter: str,
        language: str,
        *,
        states: Sequence[Completeness] = WANTING,
        keys: Sequence[str] = (),
    ) -> Response:
        labels = _labels(request, seat, language)
        try:
            data = seat.pipeline.translating.document(newsletter, language, labels=labels, states=states, keys=keys)
        except InvalidInput:
            raise HTTPException(404) from None
        name = f"{newsletter}-{keys[0] if keys else 'translations'}-{language}.docx"
        return Response(data, media_type=DOCX, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    def _labels(request: Request, seat: Seat, language: str) -> Labels:
        def say(words: str, **values: object) -> str:
            return desk.say(request, seat, words, **values)

        return Labels(
            heading=say("Translation – {language}", language=own_name(language)),
            advice=say(
                "Write into the right-hand column. Keep the signs **, *, [ ]( ) and - where they stand, and a blank "
                "line between paragraphs. Leave the small grey codes: they bring each text back to its place."
            ),
            source=say("Original"),
            translation=say("Translation"),
            title=say("Title"),
            body=say("Text"),
            link=say("Words of a link"),
        )

    def _told(request: Request, seat: Seat, taken: int, left: int) -> str:
        words = desk.say(request, seat, "Texts taken: {taken}.", taken=taken)
        if not left:
            return words
        return f"{words} {desk.say(request, seat, 'Left as they were: {left}.', left=left)}"

    return routes


def _shown(returned: Returned) -> dict[str, object]:
    """A text that came back, with what is different word by word where something stands there already."""
    present, text = returned.present, returned.text
    differs = present is not None and text is not None and returned.fate is not Fate.SAME
    return {
        "name": returned.name,
        "title": returned.title or returned.incoming.key,
        "language": returned.incoming.language,
        "fate": returned.fate,
        "asked": returned.fate in ASKED,
        "text": text,
        "change": word_by_word(_words(present), _words(text)) if differs and present and text else None,
    }


def _words(text: object) -> str:
    return f"{getattr(text, 'title', '')}\n\n{getattr(text, 'body', '')}".strip()


def _kept(texts: Sequence[Translated]) -> str:
    return json.dumps([asdict(text) for text in texts], ensure_ascii=False)


def _sent(texts: str) -> list[Translated]:
    """The texts that a form bears; HTTP 422 for what is none of ours."""
    try:
        found = _TEXTS.validate_json(texts)
    except ValidationError as error:
        raise HTTPException(422) from error
    if len(found) > _MOST_TEXTS:
        raise HTTPException(422)
    return found
