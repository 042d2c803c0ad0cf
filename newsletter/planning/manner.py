"""
How a run goes out, beside to whom and when: in stages, to those who missed the issue, at everybody's own hour.

Takes what an officer said, yields a `Manner` in which nothing contradicts itself. Pure.
"""

import datetime as dt
from dataclasses import dataclass

from newsletter.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """
    How a run goes out; by default to all of its audience at once.

    `first` of the audience go ahead and the others wait for `hold` (see `stage`). `local` means that the hour is that
    of each reader. `missed` leaves out who has got the issue, or refused it; `doubtful` takes in, with `missed`, those
    who may have got it.
    """

    first: int | None = None
    hold: dt.timedelta | None = None
    local: bool = False
    missed: bool = False
    doubtful: bool = False

    def ensure_sound(self, *, at: str | None, zone: str | None) -> None:
        """Raise InvalidInput, saying what to do, where something is missing or contradicts the time `at` in `zone`."""
        if self.first is not None and self.first < 1:
            raise InvalidInput(f"--first {self.first} is no number of people: write for example --first 200")
        if (self.first is None) != (self.hold is None):
            raise InvalidInput("--first and --hold go together: for example --first 200 --hold 15m")
        if self.doubtful and not self.missed:
            raise InvalidInput("--even-uncertain goes with --missed: another run never repeats what may have arrived")
        if not self.local:
            return
        if at is None:
            raise InvalidInput("--recipient-local goes with --at: say the hour, like --at '2026-12-01 09:00'")
        if zone is not None:
            raise InvalidInput("say either --timezone or --recipient-local: the hour cannot be in one zone and in each")
        if self.first is not None:
            raise InvalidInput(
                "say either --first or --recipient-local: at everybody's own hour the first would take a day, and the "
                "hour of the others would have passed"
            )


AT_ONCE = Manner()
"""To everybody, as soon as the run starts."""
