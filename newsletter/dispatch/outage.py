"""
When the database is away: which of its errors may pass, and saying so once.

What cannot be recorded is not sent. A full disk, a lock that somebody else holds and a server that is started again are
waited out, everything else is a fault of ours and ends the dispatcher. One outage is one line in the log at its
beginning and one at its end, however many calls it meets.
"""

from typing import Any, Final

RETRY_SECONDS: Final = 1.0
"""How soon a call that met the outage is tried again."""

_PASSING: Final = frozenset({"OperationalError", "InterfaceError"})
"""Of PEP 249: errors of the database's operation, not of the statement; drivers and SQLAlchemy use the same names."""

_SQLITE_ERROR: Final = 1
"""SQLite's result code for a wrong statement (sqlite.org/rescode.html), which its driver reports likewise."""


def may_pass(error: BaseException) -> bool:
    """Whether an error of the database is one that waiting may mend."""
    if getattr(error, "connection_invalidated", False):
        return True
    if not any(kind.__name__ in _PASSING for kind in type(error).__mro__):
        return False
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", None)
    return code is None or code & 0xFF != _SQLITE_ERROR


class Outage:
    """Remembers whether the database is away, for the log."""

    def __init__(self, log: Any) -> None:
        self._log = log
        self._since: float | None = None

    def began(self, error: BaseException, *, now: float) -> None:
        """A call has met an error that may pass; `now` in monotonic seconds."""
        if self._since is None:
            self._since = now
            words = " ".join(str(getattr(error, "orig", None) or error).split())
            self._log.error("database away: nothing is sent that cannot be recorded", words=words[:300])

    def ended(self, *, now: float) -> None:
        """A call has gone through."""
        if self._since is not None:
            self._log.warning("database back", seconds=round(now - self._since, 1))
            self._since = None
