"""
Writes what was decided about a chunk of rows.

Takes decisions; yields stored subscribers, memberships, suppressions and lines of the consent log; promises that they
agree with each other, and to commit nothing.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from subscribers import store
from subscribers.importing.chunk import Decision, Target, Verdict
from subscribers.models import ConsentAction, ConsentEntry, MembershipState, new_uids
from subscribers.store import bulk

_TAKEN = frozenset({Verdict.NEW, Verdict.CHANGED})


def write(session: Session, target: Target, decisions: Sequence[Decision]) -> list[str]:
    """Store what was decided, and return the digests of those who are to get less mail than before."""
    taken = [decision for decision in decisions if decision.verdict in _TAKEN]
    _write_new(session, target, [decision for decision in taken if decision.known is None])
    _write_changed(session, target, [decision for decision in taken if decision.known is not None])
    leavers = [decision for decision in decisions if decision.leaves]
    barred = [(decision.digest, decision.bars) for decision in decisions if decision.bars is not None]
    if leavers:
        _leave(session, target, leavers)
    if barred:
        bulk.put_suppressions(session, barred, note=target.source, now=target.now)
    return [decision.digest for decision in leavers if decision.known is not None] + [digest for digest, _ in barred]


def _write_new(session: Session, target: Target, decisions: Sequence[Decision]) -> None:
    if not decisions:
        return
    pairs = _inserted(session, target, decisions)
    bulk.insert_tags(session, ((key, tag) for key, decision in pairs for tag in decision.tags))
    _join(session, target, pairs)


def _inserted(session: Session, target: Target, decisions: Sequence[Decision]) -> list[tuple[int, Decision]]:
    pairs = list(zip(bulk.new_ids(session, len(decisions)), decisions, strict=True))
    uids = new_uids(len(decisions))
    people = [_person(key, uid, decision) for (key, decision), uid in zip(pairs, uids, strict=True)]
    bulk.insert_people(session, people, now=target.now)
    return pairs


def _write_changed(session: Session, target: Target, decisions: Sequence[Decision]) -> None:
    pairs = [(decision.known, decision) for decision in decisions if decision.known is not None]
    described = [pair for pair in pairs if pair[1].values or pair[1].attributes is not None]
    bulk.update_people(session, [_update(target, known, decision) for known, decision in described])
    bulk.insert_tags(session, ((known.id, tag) for known, decision in pairs for tag in decision.tags))
    joining = [(known.id, decision) for known, decision in pairs if decision.joins]
    if joining:
        _join(session, target, joining)


def _join(session: Session, target: Target, pairs: Sequence[tuple[int, Decision]]) -> None:
    _stand(session, target, pairs, state=target.state)
    coming = [pair for pair in pairs if not pair[1].returns]
    returning = [pair for pair in pairs if pair[1].returns]
    _log(session, target, coming, action=ConsentAction.IMPORTED)
    if returning:
        _log(session, target, returning, action=ConsentAction.RESUBSCRIBED)
        bulk.lift_departures(session, [(key, decision.digest) for key, decision in returning])


def _leave(session: Session, target: Target, decisions: Sequence[Decision]) -> None:
    """Note that people left, so that no later file brings them; of somebody unknown only the address is kept."""
    unknown = [decision for decision in decisions if decision.known is None]
    pairs = _inserted(session, target, [_bare(decision) for decision in unknown]) if unknown else []
    pairs += [(decision.known.id, decision) for decision in decisions if decision.known is not None]
    _stand(session, target, pairs, state=MembershipState.LEFT)
    _log(session, target, pairs, action=ConsentAction.LEFT)


def _bare(decision: Decision) -> Decision:
    return decision._replace(row=decision.row._replace(values={}, attributes={}, tags=()))


def _stand(session: Session, target: Target, pairs: Sequence[tuple[int, Decision]], *, state: MembershipState) -> None:
    bulk.put_memberships(
        session,
        list_id=target.list_id,
        new=[key for key, decision in pairs if decision.current is None],
        known=[key for key, decision in pairs if decision.current is not None],
        state=state,
        now=target.now,
    )


def _log(session: Session, target: Target, pairs: Sequence[tuple[int, Decision]], *, action: ConsentAction) -> None:
    entry = ConsentEntry(
        digest="",
        action=action,
        list_name=target.list_name,
        source=target.source,
        operator=target.operator,
        at=target.now,
        state=MembershipState.LEFT if action is ConsentAction.LEFT else target.state,
    )
    proof = target.proof if action is ConsentAction.RESUBSCRIBED else ""
    lines = [(key, decision.digest, "; ".join(filter(None, (proof, decision.row.proof)))) for key, decision in pairs]
    bulk.insert_consent(session, lines, entry=entry)


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
