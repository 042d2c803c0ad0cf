"""
Days and numbers out of the fields of forms.

Takes text; yields a value, or None where it says none: what is wrong with a field is for its page to say.
"""

import datetime as dt
from typing import Final

from newsletter.content.fields import EARLIEST_YEAR, LATEST_YEAR, LONGEST_KEY

LONGEST_SLUG: Final = LONGEST_KEY
"""Characters of the name of an issue in addresses."""


def day_of(text: str) -> dt.date | None:
    """A day as `<input type="date">` writes it, in the years that issues may have."""
    try:
        day = dt.date.fromisoformat(text.strip())
    except ValueError:
        return None
    return day if EARLIEST_YEAR < day.year < LATEST_YEAR else None


def number_of(text: str, *, most: int, least: int = 0) -> int | None:
    """A whole number within bounds."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):  # noqa: PLR2004  no bound has more
        return None
    return int(digits) if least <= int(digits) <= most else None
