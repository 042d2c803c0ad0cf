"""
The pictures: whether those that issues show are stored.

Takes the engine of a database of this version, yields a check. Which picture a message shows was settled when it was
compiled; here stands what its entries name now, as in the archive and in whatever is compiled next.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Engine

from newsletter.assembly.facts import IssueState
from newsletter.assembly.overview import Pictured, pictured
from newsletter.content.store import picture_sizes
from newsletter.database import reading
from newsletter.doctor.check import Check, error, ok, warning

RECENT: Final = dt.timedelta(days=92)
"""How long after its date an issue that was sent is looked at: older ones are opened by few."""

NAMED: Final = 3
"""How many of the pictures that are missing are named."""


def check_stored(engine: Engine, now: dt.datetime) -> Check:
    """Look at the pictures of issues that are open or recent."""
    with reading(engine) as session:
        shown = pictured(session, since=(now - RECENT).date())
        stored = picture_sizes(session, {each.picture for each in shown})
    return check_pictures(shown, stored)


def check_pictures(shown: Sequence[Pictured], stored: Iterable[str]) -> Check:
    """Whether each picture that entries of issues name is `stored`; where only drafts name it, nobody has missed it."""
    there = frozenset(stored)
    missing = [each for each in shown if each.picture not in there]
    if not missing:
        number = len({each.picture for each in shown})
        return ok("pictures", f"all that issues show are stored: {number}" if number else "no issue shows one")
    names, issues = (sorted(set(each)) for each in zip(*((one.picture, one.issue) for one in missing), strict=True))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    words = f"not stored, shown in {', '.join(issues)}: {', '.join(names[:NAMED])}{more}"
    made = warning if all(each.state is IssueState.DRAFT for each in missing) else error
    return made("pictures", words, "Import the entries again together with their pictures, or restore a backup.")
