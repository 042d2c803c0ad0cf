"""
Limits against the abuse of sign-up forms.

Takes a session and what is to be counted; yields whether there is room. The counts are rows (`models.Tally`), which
hold over processes and restarts, under keyed digests and shortened networks. Promises that no address gets more
than one unasked-for message a day and three a month, however many lists and forms there are
(else forms are used to flood strangers' mailboxes), and that a limit that a person is told about depends on
nothing but where they come from and how many others come.
"""

import datetime as dt
from typing import Final

from sqlmodel import Session

from newsletter.errors import TooMany
from newsletter.settings import SignupSettings
from subscribers import store
from subscribers.address import Address
from subscribers.consent import shortened_origin
from subscribers.tokens import Keys, address_digest

DAY: Final = dt.timedelta(days=1)

MONTH: Final = dt.timedelta(days=30)

VALID: Final = dt.timedelta(days=30)
"""How long a confirmation link can be followed; who never confirmed is forgotten about then."""

A_DAY: Final = 1
"""Messages to one address within a day that a stranger can cause."""

A_MONTH: Final = 3
"""Messages to one address within thirty days that a stranger can cause."""

HOUR: Final = dt.timedelta(hours=1)
"""The time within which forms are counted."""


def take_room(
    session: Session, *, keys: Keys, settings: SignupSettings, address: Address, origin: str, now: dt.datetime
) -> None:
    """
    Count one form; the same statements whoever it is about.

    Raises TooMany, and counts nothing, where the network, the address's domain or the installation has sent too many.
    """
    network = shortened_origin(origin)
    limits = {
        f"network:{network}": settings.per_network,
        f"domain:{address_digest(keys, '@' + address.domain)}": settings.per_domain,
        "all": settings.per_hour,
    }
    if not network:
        limits.pop("network:")
    waits = [_wait(session, key, limit=limit, now=now) for key, limit in limits.items()]
    if longest := max(waits):
        raise TooMany(longest)
    store.add_tallies(session, list(limits), now=now)


def may_write(session: Session, digest: str, *, now: dt.datetime, warning: bool = False) -> bool:
    """
    Whether an address may get one more message that it may not have asked for; counts it if so.

    A `warning` is counted apart, so that nobody can use up the others first in order that it stays away.
    """
    key = f"warning:{digest}" if warning else _mail(digest)
    times = store.tallied(session, key, since=now - MONTH)
    if len(times) >= A_MONTH or sum(at > now - DAY for at in times) >= A_DAY:
        return False
    store.add_tallies(session, [key], now=now)
    return True


def forgive(session: Session, digest: str) -> None:
    """Count anew: the person at the address has confirmed that they did ask."""
    store.forget_tallies(session, _mail(digest))


def sweep(session: Session, *, now: dt.datetime) -> None:
    """Drop what no limit looks at any more."""
    store.sweep_tallies(session, before=now - MONTH)


def _mail(digest: str) -> str:
    return f"mail:{digest}"


def _wait(session: Session, key: str, *, limit: int, now: dt.datetime) -> int:
    """Seconds until there is room for one more, 0 where there is."""
    times = store.tallied(session, key, since=now - HOUR)
    if len(times) < limit:
        return 0
    return max(1, round((times[-limit] + HOUR - now).total_seconds()))
