"""
What is wrong with a newsletter's settings, beside the fields.

Takes the refusals of `pipeline.founding`; yields messages of `desk-settings.po` by the names of fields, which are the
paths of settings: `sender.address`, `footer.social.0.url`. Pure.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from newsletter.pipeline.founding import Refusal

Problems = Mapping[str, str]
"""What is wrong, by field: a message of `desk-settings.po`."""

EMPTY: Final = "This cannot be empty."
BAD_ADDRESS: Final = "This does not look like an email address."
BAD_LINK: Final = "Write a web address that begins with https://"
BAD_COLOUR: Final = "Write a colour as # and six digits or letters a to f, such as #0b5c8a."
BAD_ZONE: Final = "Choose a time zone from the list."
BAD_LOCALE: Final = "Choose one from the list."
BAD_LANGUAGE: Final = "This is no language: write a tag such as fr or fr-BE."
SAME_LANGUAGE: Final = "This language is there already."
NO_LANGUAGE: Final = "A newsletter has one language at least."
BAD_LIST_ID: Final = "Write it like a domain: letters, digits, hyphens and dots, such as news.city.example."
BAD_KEY: Final = "Write small letters and digits, with single hyphens between them."
SAME_KEY: Final = "Two sections have the same short name."
NO_SECTION: Final = "A newsletter has one section at least."
BAD_NUMBER: Final = "Write a number from 1 to 1000."
BAD_CRON: Final = "This names no day or time. Look at the example."
TOO_LONG: Final = "This is too long."
OTHERWISE: Final = "This cannot be taken as it is."

_BY_PLACE: Final = (
    (re.compile(r"sender\.(address|reply_to)|footer\.email"), BAD_ADDRESS),
    (re.compile(r"website|.*\.(url|link)"), BAD_LINK),
    (re.compile(r"theme\.accent"), BAD_COLOUR),
    (re.compile(r"timezone"), BAD_ZONE),
    (re.compile(r"locales.*"), BAD_LOCALE),
    (re.compile(r"languages\.\d+"), BAD_LANGUAGE),
    (re.compile(r"list_id"), BAD_LIST_ID),
    (re.compile(r"sections\.\d+\.key"), BAD_KEY),
    (re.compile(r"cadence\.agenda_days"), BAD_NUMBER),
    (re.compile(r"cadence\.cron"), BAD_CRON),
)
"""What is usually wrong with a setting, by its path."""

_BY_KIND: Final = {
    ("languages", "too_short"): NO_LANGUAGE,
    ("languages", "value_error"): SAME_LANGUAGE,
    ("sections", "too_short"): NO_SECTION,
    ("sections", "duplicate_key"): SAME_KEY,
}


def problems_of(refusals: Iterable[Refusal]) -> Problems:
    """Say what is wrong, by field; of several problems with one field the first."""
    found: dict[str, str] = {}
    for refusal in refusals:
        found.setdefault(".".join(refusal.place), _message(refusal))
    return found


def _message(refusal: Refusal) -> str:
    place = ".".join(refusal.place)
    if (place, refusal.kind) in _BY_KIND:
        return _BY_KIND[place, refusal.kind]
    if refusal.kind == "missing":
        return EMPTY
    if refusal.kind == "string_too_long":
        return TOO_LONG
    return next((message for pattern, message in _BY_PLACE if pattern.fullmatch(place)), OTHERWISE)
