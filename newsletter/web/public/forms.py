"""
What the forms of the public pages have in common: problems beside their fields, and the way on after a POST.

Takes the errors of verbs; yields `Problems` in English messages of `public.po`, which templates say in the reader's
language. No problem repeats what was entered.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse

from newsletter.errors import InvalidInput, NothingChosen
from subscribers.address import parse_address
from subscribers.errors import InvalidAddress, InvalidLanguage, InvalidValue, SubscribersError, UnknownList

Problems = Mapping[str, str]
"""What is wrong, by field: a message of `public.po`."""

NO_ADDRESS: Final = "Enter your email address."
BAD_ADDRESS: Final = "This does not look like an email address. Check the sign @ and what stands after it."
BAD_TEXT: Final = "This cannot be taken as it is. Enter it without special signs, in at most 100 letters."
NOT_OFFERED: Final = "Choose one from the list."
NONE_CHOSEN: Final = "Choose at least one."
NOT_THEIRS: Final = "This is not the address that this page belongs to."

REFUSED: Final = (InvalidAddress, InvalidLanguage, InvalidValue, UnknownList, NothingChosen)
"""What verbs raise about a field."""

_CHOICES: Final = frozenset({"language", "timezone"})


def problems_of(error: SubscribersError | InvalidInput) -> Problems:
    """Name the field that a verb refused, and say what is wrong with it."""
    match error:
        case InvalidAddress():
            return {"address": BAD_ADDRESS}
        case InvalidLanguage():
            return {"language": NOT_OFFERED}
        case InvalidValue(field=field):
            return {field: NOT_OFFERED if field in _CHOICES else BAD_TEXT}
        case NothingChosen():
            return {"list": NONE_CHOSEN}
        case _:
            return {"list": NOT_OFFERED}


def problem_of_address(text: str) -> str | None:
    """What is wrong with an address as it was entered, if anything."""
    if not text.strip():
        return NO_ADDRESS
    try:
        parse_address(text)
    except InvalidAddress:
        return BAD_ADDRESS
    return None


def origin_of(request: Request) -> str:
    """The IP address of a request's sender, "" where it is not known."""
    return request.client.host if request.client else ""


def onward(request: Request, path: str, *, keep: bool = True, **query: str) -> RedirectResponse:
    """
    Lead from a POST to the page that is shown by GET; `path` is relative to the request's.

    A language that was chosen for the page stays chosen, unless `keep` is False.
    """
    chosen = {name: request.query_params[name] for name in ("lang",) if keep and name in request.query_params}
    names = urlencode({**chosen, **query})
    return RedirectResponse(f"{path}?{names}" if names else path, 303)
