"""What every verb of the pipeline needs: database, keys, public addresses, settings, clock."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from newsletter.database import Sessions
from newsletter.links import Links
from newsletter.settings import Settings
from subscribers.tokens import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Made once by `bootstrap.build`; `operator` is who acts, `now` the only clock."""

    settings: Settings
    engine: Engine
    sessions: Sessions
    keys: Keys
    links: Links
    operator: str
    now: Callable[[], dt.datetime]
