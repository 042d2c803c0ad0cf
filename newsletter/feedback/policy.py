"""
When an address is given up: the rules for what comes back softly.

Takes the troubles of one address and when it last took a message, yields whether to go on writing to it. A mailbox that
does not exist is given up at once, and a complaint is obeyed at once; these are not counted here. Nothing that is our
own or a relay's fault counts. Pure.
"""

import datetime as dt
from collections.abc import Collection
from typing import Final, NamedTuple

from newsletter.feedback.event import Cause

COUNTED: Final = frozenset({Cause.FULL, Cause.DISABLED, Cause.OTHER, Cause.FORWARDED})
"""Causes that say something about the address."""

RUNS: Final = 3
"""Mailings that must come back before a full or unexplained mailbox is given up …"""

WITHIN: Final = dt.timedelta(days=30)
"""… within this time."""

DISABLED_RUNS: Final = 2
"""Mailings that must come back before a disabled mailbox is given up …"""

APART: Final = dt.timedelta(days=7)
"""… with so much between the first and the last of them: mailboxes are switched off for a weekend, too."""

COMES_BACK: Final = dt.timedelta(days=5)
"""How long a server keeps trying before it gives up and says so (RFC 5321 §4.5.4.1)."""


class Trouble(NamedTuple):
    """
    A message that came back softly.

    `sent` is when the relay had it, or refused it. `at_once` says that our own relay refused it: then its silence about
    a later message means something at once, whereas a bounce may come days after the relay's yes.
    """

    cause: Cause
    mailing: str
    sent: dt.datetime
    at_once: bool


class Taken(NamedTuple):
    """When a message to the address was last taken and did not come back: at all, and long enough ago to be sure."""

    last: dt.datetime | None = None
    surely: dt.datetime | None = None


def is_given_up(troubles: Collection[Trouble], taken: Taken) -> bool:
    """Whether an address is to be suppressed for what came back softly; a later message that arrived starts anew."""
    open_ = [trouble for trouble in troubles if trouble.cause in COUNTED and not _is_over(trouble, taken)]
    if not open_:
        return False
    disabled = _first_by_mailing([trouble for trouble in open_ if trouble.cause is Cause.DISABLED])
    if len(disabled) >= DISABLED_RUNS and max(disabled) - min(disabled) >= APART:
        return True
    every = _first_by_mailing(open_)
    return any(last - first <= WITHIN for first, last in zip(every, every[RUNS - 1 :], strict=False))


def _is_over(trouble: Trouble, taken: Taken) -> bool:
    since = taken.last if trouble.at_once else taken.surely
    return since is not None and since > trouble.sent


def _first_by_mailing(troubles: Collection[Trouble]) -> list[dt.datetime]:
    """When each mailing had its first trouble, in order: several bounces of one message are one."""
    first: dict[str, dt.datetime] = {}
    for trouble in sorted(troubles, key=lambda one: one.sent):
        first.setdefault(trouble.mailing, trouble.sent)
    return sorted(first.values())
