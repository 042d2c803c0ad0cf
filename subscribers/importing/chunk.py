"""
Decides what becomes of each row.

Takes rows, and what is stored about the same people; yields a verdict for each; promises that the decision is a pure
function of the two, so that a dry run counts exactly what a real one would do.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy.orm import Session

from subscribers import store
from subscribers.importing.origins import BARRING, Elsewhere
from subscribers.importing.reasons import BY_SUPPRESSION, Reason
from subscribers.importing.rows import Row
from subscribers.models import Attribute, MembershipState, SuppressionReason
from subscribers.store import bulk
from subscribers.tokens import Keys, address_digest

SOURCE = "import"
"""How the consent log calls the way these people came."""


class Verdict(StrEnum):
    """What becomes of a row."""

    #: The person was not known and is added.
    NEW = "new"
    #: Something about the person, or their membership, becomes different.
    CHANGED = "changed"
    #: Everything is stored already.
    UNCHANGED = "unchanged"
    #: The address must never be written to.
    SUPPRESSED = "suppressed"
    #: The person left and would be subscribed again.
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where rows go to.

    Attributes:
        list_id: the list.
        list_name: its name, for the consent log.
        state: how new members stand to it: confirmed or pending.
        keys: for the digests.
        operator: who imports.
        now: aware.
        source: how the consent log calls the way they came.
        proof: what proves that people who left want to come back; empty where nothing does.
    """

    list_id: int
    list_name: str
    state: MembershipState
    keys: Keys
    operator: str
    now: datetime
    source: str = SOURCE
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is stored about the people of a chunk.

    Attributes:
        people: by the key of the address.
        tags: by id.
        states: in the list, by id.
        leavers: ids of those who left the list at some time.
        suppressions: by digest.
    """

    people: Mapping[str, bulk.Known]
    tags: Mapping[int, Collection[str]]
    states: Mapping[int, MembershipState]
    leavers: Collection[int]
    suppressions: Mapping[str, SuppressionReason]


class Decision(NamedTuple):
    """What becomes of one row.

    Attributes:
        row: as the file has it.
        digest: of the address.
        verdict: what becomes of it.
        known: what is stored; None for somebody new.
        values: fields that become different.
        attributes: all attributes afterwards, or None where they stay.
        tags: those to be added.
        joins: the membership becomes that of the target.
        current: how the person stands to the list before.
        reason: why the row is not taken.
        returns: they left before, and come back on the strength of a proof.
        leaves: the membership becomes one that was left, because it was where the file comes from.
        bars: why the address must not be written to from now on, because it must not where the file comes from.
    """

    row: Row
    digest: str
    verdict: Verdict
    known: bulk.Known | None = None
    values: Mapping[str, str] | None = None
    attributes: Mapping[str, Attribute] | None = None
    tags: Sequence[str] = ()
    joins: bool = False
    current: MembershipState | None = None
    reason: Reason | None = None
    returns: bool = False
    leaves: bool = False
    bars: SuppressionReason | None = None


def look_up(session: Session, target: Target, rows: Sequence[Row]) -> tuple[Standing, list[str]]:
    """Return what is stored about the people of these rows, and the digests of their addresses in order."""
    digests = [address_digest(target.keys, row.address.key) for row in rows]
    people = bulk.known_people(session, [row.address.key for row in rows])
    ids = [known.id for known in people.values()]
    states = bulk.states_in_list(session, list_id=target.list_id, ids=ids)
    pending = [key for key, state in states.items() if state is MembershipState.PENDING]
    standing = Standing(
        people=people,
        tags=bulk.tags_of(session, ids) if any(row.tags for row in rows) else {},
        states=states,
        leavers=bulk.leavers(session, list_name=target.list_name, ids=pending),
        suppressions=store.suppression_reasons(session, digests),
    )
    return standing, digests


def decide(row: Row, digest: str, *, standing: Standing, state: MembershipState, proven: bool = False) -> Decision:
    """Return what becomes of a row.

    Who left the list, or asked for nothing more at all, is refused; who must not be written to for another reason is
    suppressed; both stay exactly as they are stored. Somebody pending is confirmed by the operator's word, unless
    they had left before: then only their own confirmation counts, or a proof of it. Who left or must not be written
    to where the file comes from is treated alike here, and no proof changes that.

    Args:
        row: as the file has it.
        digest: of its address.
        standing: what is stored.
        state: how new members are to stand to the list.
        proven: the operator has a proof of new consent.
    """
    suppressed = standing.suppressions.get(digest)
    known = standing.people.get(row.address.key)
    current = None if known is None else standing.states.get(known.id)
    if row.elsewhere is not Elsewhere.MEMBER and not (proven and row.elsewhere is Elsewhere.NEVER_ASKED):
        return _as_elsewhere(row, digest, suppressed=suppressed, known=known, current=current)
    returns = False
    if suppressed is not None:
        unsubscribed = suppressed is SuppressionReason.UNSUBSCRIBED
        if not (proven and unsubscribed):
            verdict = Verdict.REFUSED if unsubscribed else Verdict.SUPPRESSED
            return Decision(row, digest, verdict, reason=BY_SUPPRESSION[suppressed])
        returns = True
    if known is None:
        return Decision(
            row, digest, Verdict.NEW, None, row.values, row.attributes, row.tags, joins=True, returns=returns
        )
    if current is MembershipState.LEFT or known.id in standing.leavers:
        if not proven:
            return Decision(row, digest, Verdict.REFUSED, reason=Reason.LEFT)
        returns = True
    joins = returns or _joins(current, state)
    return _compared(row, digest, known=known, tags=standing.tags.get(known.id, ()), joins=joins)._replace(
        current=current, returns=returns
    )


def _as_elsewhere(
    row: Row,
    digest: str,
    *,
    suppressed: SuppressionReason | None,
    known: bulk.Known | None,
    current: MembershipState | None,
) -> Decision:
    """Return what becomes of somebody who is no member where the file comes from."""
    bars = BARRING.get(row.elsewhere)
    if bars is not None:
        stronger = suppressed is None or store.STRENGTH[bars] > store.STRENGTH[suppressed]
        reason = BY_SUPPRESSION[bars if suppressed is None or stronger else suppressed]
        return Decision(row, digest, Verdict.SUPPRESSED, known, reason=reason, bars=bars if stronger else None)
    if suppressed is not None:
        return Decision(row, digest, Verdict.SUPPRESSED, reason=BY_SUPPRESSION[suppressed])
    if row.elsewhere is Elsewhere.NEVER_ASKED:
        return Decision(row, digest, Verdict.REFUSED, reason=Reason.NEVER_ASKED)
    leaves = current is not MembershipState.LEFT
    return Decision(row, digest, Verdict.REFUSED, known, current=current, reason=Reason.LEFT_ELSEWHERE, leaves=leaves)


def _joins(current: MembershipState | None, state: MembershipState) -> bool:
    waiting = current is MembershipState.PENDING and state is MembershipState.CONFIRMED
    return current is None or current is MembershipState.REMOVED or waiting


def _compared(row: Row, digest: str, *, known: bulk.Known, tags: Collection[str], joins: bool) -> Decision:
    values = {name: value for name, value in row.values.items() if getattr(known, name) != value}
    different = any(
        name not in known.attributes or not _same(known.attributes[name], value)
        for name, value in row.attributes.items()
    )
    attributes = {**known.attributes, **row.attributes} if different else None
    new_tags = [tag for tag in row.tags if tag not in tags]
    changed = joins or bool(values) or different or bool(new_tags)
    verdict = Verdict.CHANGED if changed else Verdict.UNCHANGED
    return Decision(row, digest, verdict, known, values, attributes, new_tags, joins)


def _same(before: Attribute, after: Attribute) -> bool:
    # True equals 1 in Python; a whole number comes back from the database as it went in, or as its decimal twin.
    return before == after and isinstance(before, bool) is isinstance(after, bool)
