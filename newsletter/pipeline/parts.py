"""What every verb of the pipeline needs: database, keys, public addresses, settings, clock."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Engine

from newsletter.database import Sessions
from newsletter.links import Links
from newsletter.pipeline.chores import Leaving, NobodyElse
from newsletter.planning.shards import Handing, NotHanded
from newsletter.settings import Settings
from subscribers.tokens import Keys

COMMAND_LINE: Final = "command line"
DESK: Final = "desk"
BY_HAND: Final = frozenset({COMMAND_LINE, DESK})
"""How the consent log calls what an operator did about one person: there, or in the web application."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """
    Made once by `bootstrap.build`; `operator` is who acts, `now` the only clock.

    `source` is what the consent log calls the way in which an operator acts. `handing` hands runs out to workers,
    `leaving` leaves chores to them.
    """

    settings: Settings
    engine: Engine
    sessions: Sessions
    keys: Keys
    links: Links
    operator: str
    now: Callable[[], dt.datetime]
    source: str = COMMAND_LINE
    handing: Handing = field(default_factory=NotHanded)
    leaving: Leaving = field(default_factory=NobodyElse)
