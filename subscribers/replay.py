"""
What the consent log says by itself: how somebody stands after a line, and after all of them.

Takes lines of the log; yields memberships and departures. Touches no database, so that what is stored can be held
against it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from subscribers.models import ConsentAction, ConsentEntry, MembershipState

UNDO = "undo"
"""The source of what takes a farewell back: it restores what was, and is no new consent to anything else."""

_IMPLIED = {
    ConsentAction.SUBSCRIBED: MembershipState.PENDING,
    ConsentAction.CONFIRMED: MembershipState.CONFIRMED,
    ConsentAction.IMPORTED: MembershipState.CONFIRMED,
    ConsentAction.LEFT: MembershipState.LEFT,
    ConsentAction.RESUBSCRIBED: MembershipState.PENDING,
    ConsentAction.REMOVED: MembershipState.REMOVED,
}
"""How a person stands to a list after a line that does not say it."""

_CONSENTING = frozenset({ConsentAction.SUBSCRIBED, ConsentAction.CONFIRMED, ConsentAction.RESUBSCRIBED})


@dataclass(frozen=True, slots=True)
class Replayed:
    """How somebody stands by their log alone: to lists by name, and the newsletters they left."""

    memberships: Mapping[str, MembershipState]
    departures: frozenset[str]


def state_after(line: ConsentEntry) -> MembershipState:
    """How the person stands to the list of a line since; raises KeyError for a line about a newsletter."""
    return MembershipState(line.state or _IMPLIED[line.action])


def replay(lines: Iterable[ConsentEntry]) -> Replayed:
    """Return how a person stands by the lines of their log, oldest first: the log is the truth, the rows follow.

    A list that was renamed or deleted since stands under the name the person knew.
    """
    memberships: dict[str, MembershipState] = {}
    departures: set[str] = set()
    for line in lines:
        before = memberships.get(line.list_name)
        if line.list_name:
            memberships[line.list_name] = state_after(line)
        if line.action is ConsentAction.LEFT_NEWSLETTER:
            departures.add(line.newsletter)
        elif line.source == UNDO or not line.list_name:
            departures -= set() if line.list_name else {line.newsletter}
        elif line.action in _CONSENTING and before is not memberships[line.list_name] is MembershipState.CONFIRMED:
            departures -= {line.newsletter} if line.newsletter else set(departures)
    return Replayed(memberships, frozenset(departures))
