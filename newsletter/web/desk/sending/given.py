"""
What stands in the form that schedules an issue, and what it means.

Takes the fields of the form, however they were sent; yields a `Given` that the form can be shown with again, and the
`Wish` it comes to. What cannot be read becomes an objection of the wish, never an error.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from newsletter.pipeline.proposal import Objection, Wish
from newsletter.planning.manner import Manner
from newsletter.planning.stage import LONGEST_HOLD
from newsletter.web.form import Form

UNITS: Final[Mapping[str, dt.timedelta]] = {
    "m": dt.timedelta(minutes=1),
    "h": dt.timedelta(hours=1),
    "d": dt.timedelta(days=1),
}
"""What the wait after the first ones may be counted in."""

_MOST_DIGITS: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """
    The fields as they were sent.

    `when` is `now` or `at`; `day` and `time` are those of the browser's own fields, YYYY-MM-DD and HH:MM. `clock` says
    whose time that is: `newsletter`, `officer` or `readers`. `staged`, `missed` and `doubtful` are "1" or "".
    """

    segment: str = ""
    when: str = "at"
    day: str = ""
    time: str = ""
    clock: str = "newsletter"
    staged: str = ""
    first: str = "200"
    hold: str = "30"
    unit: str = "m"
    missed: str = ""
    doubtful: str = ""

    @property
    def query(self) -> str:
        """The fields as the query of an address."""
        return urlencode({name: value for name, value in asdict(self).items() if value})

    @property
    def fields(self) -> Mapping[str, str]:
        """The fields by name, for a form that sends them on."""
        return asdict(self)

    def wish(self, *, newsletter_zone: str, officer_zone: str) -> Wish:
        """What the fields come to, by the clocks of newsletter and officer."""
        is_now = self.when == "now"
        local = self.clock == "readers" and not is_now
        first, hold = (_count(self.first), self._hold()) if self.staged else (None, None)
        unread = (Objection.UNUSABLE_STAGE,) if self.staged and not (first and hold) else ()
        return Wish(
            segment=self.segment,
            at=None if is_now else f"{self.day} {self.time}".strip(),
            zone=officer_zone if self.clock == "officer" else newsletter_zone,
            manner=Manner(
                first=first if not unread else None,
                hold=hold if not unread else None,
                local=local,
                missed=bool(self.missed),
                doubtful=bool(self.missed and self.doubtful),
            ),
            unread=unread,
        )

    def _hold(self) -> dt.timedelta | None:
        number, unit = _count(self.hold), UNITS.get(self.unit)
        if not number or unit is None or number > LONGEST_HOLD / unit:
            return None
        return number * unit


def given_in(fields: Form | QueryParams) -> Given:
    """Read the fields of a form, or of the address of a page."""
    names = Given.__dataclass_fields__
    found = {name: (fields.get(name) or "").strip()[:200] for name in names if name in fields}
    return Given(**found)


def _count(text: str) -> int | None:
    plain = text.replace(" ", "")
    return int(plain) if plain.isascii() and plain.isdecimal() and len(plain) <= _MOST_DIGITS else None
