"""
What is wrong with what somebody says about an account, by field.

Takes the words of a form or of the command line; yields them in the form in which they are stored, or raises
`FieldRefused`, whose words are messages of `desk-accounts.po`.
"""

import re
from typing import Final
from zoneinfo import available_timezones

from newsletter.accounts.passwords import problem_of
from newsletter.errors import InvalidInput
from subscribers.address import parse_address
from subscribers.errors import InvalidAddress, InvalidLanguage
from subscribers.language import normalise_tag

LONGEST_NAME: Final = 80
LONGEST_FULL_NAME: Final = 200

NAME_WANTED: Final = "A name has 2 to 80 small letters, digits, dots, hyphens or underscores, and begins with a letter."
NAME_TAKEN: Final = "Somebody has this name already. Choose another one."
EMAIL_WRONG: Final = "This is not an email address that mail can be sent to."
EMAIL_TAKEN: Final = "Somebody on the team has this address already."
FULL_NAME_LONG: Final = "The name may have at most 200 characters."
ZONE_UNKNOWN: Final = "This time zone does not exist."
LANGUAGE_UNKNOWN: Final = "This language does not exist."
WRONG_PRESENT: Final = "This is not your present password."
WAIT: Final = "Too many attempts. Wait some minutes, then try again."
CODE_WRONG: Final = "This code is not right, or was used already. Take the one that your device shows now."
LABEL_WANTED: Final = "Say what the token is for, in at most 80 characters."
SCOPES_WANTED: Final = "Choose at least one thing that the token may do."
SCOPES_TOO_WIDE: Final = "A token cannot do more than your role lets you do."
LAST_ADMIN: Final = "This is the last administrator. Make somebody else one first."
NOT_YOURSELF: Final = "You cannot do this to your own account."
LINK_ENDED: Final = "This link was used already, or its time is over. Ask for a new one."
SECOND_FACTOR_NEEDED: Final = "Your role has to sign in with a second factor."

_NAME: Final = re.compile(r"[a-z][a-z0-9._-]{1,79}")


class FieldRefused(InvalidInput):
    """Something about an account cannot be taken as it is: `field` says what, the message says why."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


def name_of(text: str) -> str:
    """The name that somebody signs in with, in small letters."""
    name = text.strip().lower()
    if not _NAME.fullmatch(name):
        raise FieldRefused("name", NAME_WANTED)
    return name


def full_name_of(text: str) -> str:
    """A name for people to read."""
    words = " ".join(text.split())
    if len(words) > LONGEST_FULL_NAME:
        raise FieldRefused("full_name", FULL_NAME_LONG)
    return words


def email_of(text: str) -> str:
    """An address in small letters; "" for none."""
    if not text.strip():
        return ""
    try:
        return parse_address(text).text.lower()
    except InvalidAddress as error:
        raise FieldRefused("email", EMAIL_WRONG) from error


def language_of(text: str) -> str:
    """A language as a BCP 47 tag."""
    try:
        return normalise_tag(text)
    except InvalidLanguage as error:
        raise FieldRefused("language", LANGUAGE_UNKNOWN) from error


def timezone_of(text: str) -> str:
    """A zone by its IANA name."""
    if text not in available_timezones():
        raise FieldRefused("timezone", ZONE_UNKNOWN)
    return text


def ensure_password(password: str, *, name: str) -> None:
    """Refuse what may not be the password of an operator."""
    problem = problem_of(password, name=name)
    if problem is not None:
        raise FieldRefused("password", problem)
