"""
Decides what becomes of each row, and writes a chunk of them.

Takes rows, and what is stored about the same people; yields a verdict for each; promises that the decision is a pure
function of the two, so that a dry run counts exactly what a real one would do.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from subscribers import store
from subscribers.importing.rows import Row
from subscribers.models import Attribute, ConsentAction, ConsentEntry, MembershipState, SuppressionReason, new_uids
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
    """

    list_id: int
    list_name: str
    state: MembershipState
    keys: Keys
    operator: str
    now: datetime


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


def look_up(session: Session, target: Target, rows: Sequence[Row]) -> tuple[Standing, list[str]]:
    """Return what is stored about the people of these rows, and the digests of their addresses in order."""
    digests = [address_digest(target.keys, row.address.key) for row in rows]
    people = bulk.known_people(session, [row.address.key for row in rows])
    ids = [known.id for known in people.values()]
    states = bulk.states_in_list(session, list_id=target.list_id, ids=ids)
    pending = [key for key, state in states.items() if state is MembershipState.PENDING]
    standing = Standing(
        people=people,
        tags=store.tags_of(session, ids),
        states=states,
        leavers=bulk.leavers(session, list_name=target.list_name, ids=pending),
        suppressions=store.suppression_reasons(session, digests),
    )
    return standing, digests


def decide(row: Row, digest: str, *, standing: Standing, state: MembershipState) -> Decision:
    """Return what becomes of a row.

    Who left the list, or asked for nothing more at all, is refused; who must not be written to for another reason is
    suppressed; both stay exactly as they are stored. Somebody pending is confirmed by the operator's word, unless
    they had left before: then only their own confirmation counts.

    Args:
        row: as the file has it.
        digest: of its address.
        standing: what is stored.
        state: how new members are to stand to the list.
    """
    suppressed = standing.suppressions.get(digest)
    if suppressed is not None:
        refused = suppressed is SuppressionReason.UNSUBSCRIBED
        return Decision(row, digest, Verdict.REFUSED if refused else Verdict.SUPPRESSED)
    known = standing.people.get(row.address.key)
    if known is None:
        return Decision(row, digest, Verdict.NEW, None, row.values, row.attributes, row.tags, joins=True)
    current = standing.states.get(known.id)
    if current is MembershipState.LEFT or known.id in standing.leavers:
        return Decision(row, digest, Verdict.REFUSED)
    compared = _compared(row, digest, known=known, tags=standing.tags.get(known.id, ()), joins=_joins(current, state))
    return compared._replace(current=current)


def write(session: Session, target: Target, decisions: Sequence[Decision]) -> None:
    """Store what was decided. Nothing is committed."""
    _write_new(session, target, [decision for decision in decisions if decision.verdict is Verdict.NEW])
    _write_changed(session, target, [decision for decision in decisions if decision.verdict is Verdict.CHANGED])


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


def _write_new(session: Session, target: Target, decisions: Sequence[Decision]) -> None:
    if not decisions:
        return
    pairs = list(zip(bulk.new_ids(session, len(decisions)), decisions, strict=True))
    uids = new_uids(len(decisions))
    people = [_person(key, uid, decision) for (key, decision), uid in zip(pairs, uids, strict=True)]
    bulk.insert_people(session, people, now=target.now)
    bulk.insert_tags(session, ((key, tag) for key, decision in pairs for tag in decision.tags))
    _join(session, target, pairs)


def _write_changed(session: Session, target: Target, decisions: Sequence[Decision]) -> None:
    pairs = [(decision.known, decision) for decision in decisions if decision.known is not None]
    described = [pair for pair in pairs if pair[1].values or pair[1].attributes is not None]
    bulk.update_people(session, [_update(target, known, decision) for known, decision in described])
    bulk.insert_tags(session, ((known.id, tag) for known, decision in pairs for tag in decision.tags))
    joining = [(known.id, decision) for known, decision in pairs if decision.joins]
    _join(session, target, joining)


def _join(session: Session, target: Target, pairs: Sequence[tuple[int, Decision]]) -> None:
    bulk.put_memberships(
        session,
        list_id=target.list_id,
        new=[key for key, decision in pairs if decision.current is None],
        known=[key for key, decision in pairs if decision.current is not None],
        state=target.state,
        now=target.now,
    )
    entry = ConsentEntry(
        digest="",
        action=ConsentAction.IMPORTED,
        list_name=target.list_name,
        source=SOURCE,
        operator=target.operator,
        at=target.now,
    )
    bulk.insert_consent(session, [(key, decision.digest) for key, decision in pairs], entry=entry)


def _person(key: int, uid: str, decision: Decision) -> bulk.NewPerson:
    address, value = decision.row.address, decision.row.values.get
    return bulk.NewPerson(
        key,
        uid,
        address.text,
        address.key,
        decision.digest,
        value("first_name", ""),
        value("last_name", ""),
        value("organisation", ""),
        value("city", ""),
        value("country", ""),
        value("language"),
        value("timezone"),
        decision.row.attributes,
    )


def _update(target: Target, known: bulk.Known, decision: Decision) -> dict[str, Any]:
    # One statement for all rows of a chunk, so every row names every field.
    values = decision.values or {}
    row: dict[str, Any] = {field: values.get(field, getattr(known, field)) for field in store.FIELDS}
    attributes = known.attributes if decision.attributes is None else decision.attributes
    return row | {"id": known.id, "attributes": attributes, "updated": target.now}
