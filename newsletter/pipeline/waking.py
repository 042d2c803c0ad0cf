"""
What scheduler and dispatcher ask every second: is there anything to do at all?

Takes an engine; yields whether forms wait for an answer and whether a run has not ended. Promises to read only, and to
import little: a dispatcher with nothing to do is back at once.
"""

from typing import Final, NamedTuple

from sqlalchemy import Engine, exists, select
from sqlmodel import col

from newsletter.database import reading
from newsletter.planning.models import RunRow, RunState
from subscribers.models import Asking

_OPEN: Final = frozenset(RunState) - {RunState.FINISHED, RunState.CANCELLED}


class Waiting(NamedTuple):
    """What waits: forms that were sent, and runs that have not ended."""

    forms: bool
    runs: bool


def waiting(engine: Engine) -> Waiting:
    """Look for what may be due; whoever does it looks again."""
    with reading(engine) as session:
        query = select(exists(select(Asking)), exists(select(RunRow).where(col(RunRow.state).in_(_OPEN))))
        forms, runs = session.execute(query).one()
    return Waiting(bool(forms), bool(runs))
