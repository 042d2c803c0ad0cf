"""
An entry as a whole: withdrawn, copied, named otherwise, deleted.

    POST  /desk/n/{newsletter}/entries/{key}/withdraw
    POST  /desk/n/{newsletter}/entries/{key}/copy
    POST  /desk/n/{newsletter}/entries/{key}/rename    `key`
    POST  /desk/n/{newsletter}/entries/{key}/delete
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from newsletter.bootstrap import Pipeline
from newsletter.content.entry import Status
from newsletter.errors import InvalidInput, WrongState
from newsletter.pipeline.writing import Saved
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.entries.said import sentences
from newsletter.web.desk.entries.table import labels_of
from newsletter.web.desk.entries.undated import undated
from newsletter.web.desk.forms import Sent
from newsletter.web.desk.guard import Officer, Seat


def router(_pipeline: Pipeline, desk: Desk) -> APIRouter:
    """The routes."""
    routes = APIRouter()
    entry = "/desk/n/{newsletter}/entries/{key}"

    @routes.post(f"{entry}/withdraw")
    def withdraw(request: Request, newsletter: str, key: str, seat: Officer) -> Response:
        writing = seat.pipeline.writing
        result = writing.set_status(key, newsletter=newsletter, status=Status.WITHDRAWN)
        labels = labels_of(desk, request, seat, seat.pipeline.entries.newsletter(newsletter))
        if isinstance(result, Saved):
            said = sentences(labels, result)
        else:
            said = [labels.problem(words) for words in result.problems.values()]
        return desk.onward(f"/desk/n/{newsletter}/entries/{key}", said=" ".join(said))

    @routes.post(f"{entry}/copy")
    def copy(request: Request, newsletter: str, key: str, seat: Officer) -> Response:
        made, words = _copied(seat, key, newsletter=newsletter)
        said = " ".join(desk.say(request, seat, each) for each in words)
        return desk.onward(f"/desk/n/{newsletter}/entries/{made}", said=said)

    @routes.post(f"{entry}/rename")
    def rename(request: Request, newsletter: str, key: str, seat: Officer, form: Sent) -> Response:
        try:
            key = seat.pipeline.writing.shelf.rename(key, form.get("key"), newsletter=newsletter)
        except InvalidInput:
            words = "A key has small letters and digits, with single - . _ between them, at most 80 in all."
        except WrongState:
            words = "The key stays as it is: another entry has that one, or an issue already names this one."
        else:
            words = "The entry has another key now."
        return desk.onward(f"/desk/n/{newsletter}/entries/{key}", said=desk.say(request, seat, words))

    @routes.post(f"{entry}/delete")
    def delete(request: Request, newsletter: str, key: str, seat: Officer) -> Response:
        try:
            seat.pipeline.writing.shelf.delete(key, newsletter=newsletter)
        except WrongState:
            words = "The entry stands in an issue. Take it out there first, or withdraw it."
            return desk.onward(f"/desk/n/{newsletter}/entries/{key}", said=desk.say(request, seat, words))
        words = "The entry is deleted."
        return desk.onward(f"/desk/n/{newsletter}/entries", said=desk.say(request, seat, words))

    return routes


def _copied(seat: Seat, key: str, *, newsletter: str) -> tuple[str, list[str]]:
    """Copy an entry, its sittings as a draft without their dates; the new key, and what to say."""
    writing = seat.pipeline.writing
    opened = writing.open(key, newsletter=newsletter)
    made = writing.shelf.copy(key, newsletter=newsletter)
    words = ["This is the copy: a draft with all texts, from today on."]
    if opened.stored.entry.sittings:
        words.append("Its sittings wait for their dates.")
    if form := undated(opened.stored.entry.sittings, opened.newsletter.languages):
        base = writing.open(made, newsletter=newsletter).stored.revision
        writing.keep(made, newsletter=newsletter, sheet={}, base=base, form=form, is_whole=False)
    return made, words
