"""
Consent: who agreed to what, when and how; and the memberships that follow from it.

Takes what a person or an operator did; yields lines of an append-only log and the state of memberships that agrees
with it; promises that nobody becomes a confirmed member of a double opt-in list without a confirmation, that who left
comes back by their own confirmed word alone, that leaving always works, also twice, and that `replay` of a person's
log gives their memberships and departures as they are stored. The caller commits.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from subscribers import store
from subscribers.models import (
    ConsentAction,
    ConsentEntry,
    MailingList,
    MembershipState,
    Subscriber,
    SuppressionReason,
)
from subscribers.replay import replay

_ORIGIN_BITS = {4: 24, 6: 48}
"""Bits of an IP address that are kept: enough to see abuse, too few to name a household."""

OWN_WISH = (SuppressionReason.UNSUBSCRIBED, SuppressionReason.ERASED)
"""Suppressions that were the person's own wish. A complaint, a dead mailbox or an operator's decision stays."""

_GONE = frozenset({MembershipState.LEFT, MembershipState.REMOVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """How something came about, for the log.

    Attributes:
        at: when; aware.
        source: the way it came, such as `form`, `import` or `one-click`.
        operator: who acted, where it was not the person.
        wording_version: version of the words that were agreed to.
        wording_language: language of these words.
        origin: IP address of the request; it is shortened before it is stored.
        newsletter: the newsletter whose form it was, or whose message; consent undoes the departure from that one
            alone, and without one that from any.
        asked: of a confirmation, when it was asked for; aware.
        mailing: of a confirmation, the mailing whose message carried the link.
    """

    at: datetime
    source: str
    operator: str = ""
    wording_version: str = ""
    wording_language: str = ""
    origin: str = ""
    newsletter: str = ""
    asked: datetime | None = None
    mailing: str = ""


def record(
    session: Session,
    *,
    subscriber: Subscriber,
    action: ConsentAction,
    circumstances: Circumstances,
    list_name: str = "",
    newsletter: str = "",
    state: MembershipState | None = None,
) -> ConsentEntry:
    """Append one line to the consent log and return it; `state` is how the person stands to the list since."""
    entry = ConsentEntry(
        subscriber_id=subscriber.id,
        digest=subscriber.digest,
        action=action,
        list_name=list_name,
        newsletter=newsletter or circumstances.newsletter,
        wording_version=circumstances.wording_version,
        wording_language=circumstances.wording_language,
        source=circumstances.source,
        operator=circumstances.operator,
        origin=shortened_origin(circumstances.origin),
        at=circumstances.at,
        state=state,
        asked=circumstances.asked,
        mailing=circumstances.mailing or None,
    )
    store.add_consent(session, entry)
    return entry


def subscribe(
    session: Session,
    *,
    subscriber: Subscriber,
    mailing_list: MailingList,
    circumstances: Circumstances,
    proven: bool = False,
) -> MembershipState:
    """Let a person ask for a list, and return how they stand to it now.

    On a double opt-in list they are pending until `confirm`; on any other they are confirmed at once, unless they have
    left a newsletter or are suppressed. Who has left the list, or was taken off, stays so until `confirm`: whoever
    knows their address may have asked. Who is confirmed already stays so, and nothing is recorded.

    Args:
        session: nothing is committed.
        subscriber: who asks.
        mailing_list: for what.
        circumstances: for the log.
        proven: the person has proved that the address is theirs, so they are confirmed at once.
    """
    before = _state(session, subscriber, mailing_list)
    if before is MembershipState.CONFIRMED:
        return before
    at_once = proven or not (mailing_list.double_opt_in or _has_withdrawn(session, subscriber))
    state = MembershipState.CONFIRMED if at_once else MembershipState.PENDING
    if before is not None and before in _GONE and not proven:
        state = before
    _set_state(session, subscriber, mailing_list, state=state, at=circumstances.at)
    if before is state is MembershipState.PENDING:
        # Who asks again has as long to confirm as anybody.
        store.renew_membership(
            session,
            subscriber_id=store.id_of(subscriber),
            list_id=store.list_id_of(mailing_list),
            now=circumstances.at,
        )
    confirmed = state is MembershipState.CONFIRMED
    action = ConsentAction.RESUBSCRIBED if confirmed and before in _GONE else ConsentAction.SUBSCRIBED
    record(
        session,
        subscriber=subscriber,
        action=action,
        circumstances=circumstances,
        list_name=mailing_list.name,
        state=state,
    )
    if confirmed:
        _undo_departures(session, subscriber, circumstances)
    return state


def confirm(
    session: Session, *, subscriber: Subscriber, mailing_list: MailingList, circumstances: Circumstances
) -> bool:
    """Confirm that a person wants a list, and return whether that made a difference.

    Who is pending becomes a member; who had left before they asked (`circumstances.asked`) comes back. An old link
    does not bring back somebody who left since.
    """
    membership = store.find_membership(
        session, subscriber_id=store.id_of(subscriber), list_id=store.list_id_of(mailing_list)
    )
    if membership is None or membership.state is MembershipState.CONFIRMED:
        return False
    returning = membership.state in _GONE
    if returning and (circumstances.asked is None or membership.changed > circumstances.asked):
        return False
    _set_state(session, subscriber, mailing_list, state=MembershipState.CONFIRMED, at=circumstances.at)
    record(
        session,
        subscriber=subscriber,
        action=ConsentAction.RESUBSCRIBED if returning else ConsentAction.CONFIRMED,
        circumstances=circumstances,
        list_name=mailing_list.name,
        state=MembershipState.CONFIRMED,
    )
    _undo_departures(session, subscriber, circumstances)
    return True


def come_back(session: Session, *, subscriber: Subscriber, newsletter: str, circumstances: Circumstances) -> bool:
    """Let a person receive a newsletter again that they left, and return whether they had.

    Their lists stay as they are. As with `confirm`, who left after they asked has left.
    """
    left = store.departures_of(session, store.id_of(subscriber)).get(newsletter)
    if left is None or (circumstances.asked is not None and left > circumstances.asked):
        return False
    record(
        session,
        subscriber=subscriber,
        action=ConsentAction.RESUBSCRIBED,
        circumstances=circumstances,
        newsletter=newsletter,
    )
    _undo_departures(session, subscriber, replace(circumstances, newsletter=newsletter))
    return True


def leave(session: Session, *, subscriber: Subscriber, mailing_list: MailingList, circumstances: Circumstances) -> bool:
    """Let a person leave a list, and return whether they were on it."""
    return _end(session, subscriber, mailing_list, circumstances=circumstances, removed=False)


def remove(
    session: Session, *, subscriber: Subscriber, mailing_list: MailingList, circumstances: Circumstances
) -> bool:
    """Take a person off a list by an operator's decision, and return whether they were on it."""
    return _end(session, subscriber, mailing_list, circumstances=circumstances, removed=True)


def leave_newsletter(
    session: Session,
    *,
    subscriber: Subscriber,
    newsletter: str,
    lists: Iterable[str],
    circumstances: Circumstances,
) -> bool:
    """Let a person leave a newsletter and the lists that brought it, and return whether that made a difference.

    Args:
        session: nothing is committed.
        subscriber: who leaves.
        newsletter: the newsletter's key.
        lists: names of the lists that the run's segment means, see `segments.list_names`; unknown ones are skipped,
            for leaving must not fail because a list was deleted.
        circumstances: for the log.
    """
    left = store.add_departure(
        session, subscriber_id=store.id_of(subscriber), newsletter=newsletter, now=circumstances.at
    )
    if left:
        record(
            session,
            subscriber=subscriber,
            action=ConsentAction.LEFT_NEWSLETTER,
            circumstances=circumstances,
            newsletter=newsletter,
        )
    known = filter(None, (store.find_list(session, name) for name in sorted(set(lists))))
    ended = [leave(session, subscriber=subscriber, mailing_list=found, circumstances=circumstances) for found in known]
    return left or any(ended)


def undo(
    session: Session, *, subscriber: Subscriber, farewell: Sequence[ConsentEntry], circumstances: Circumstances
) -> list[str]:
    """Take a farewell back, and return the names of the lists and newsletters that hold again.

    Each stands as it stood before; what has changed since is left alone.

    Args:
        session: nothing is committed.
        subscriber: who left.
        farewell: the lines that the farewell wrote, as the log has them one after the other.
        circumstances: for the log; their source should be `UNDO`.
    """
    earlier = [line for line in store.consent_of(session, subscriber.digest) if (line.id or 0) < (farewell[0].id or 0)]
    before = replay(earlier).memberships
    held = []
    for line in farewell:
        if line.action is ConsentAction.LEFT_NEWSLETTER and _undo_departure(
            session, subscriber, line, circumstances=circumstances
        ):
            held.append(line.newsletter)
        if line.action is ConsentAction.LEFT and _undo_leave(
            session, subscriber, line, state=before.get(line.list_name), circumstances=circumstances
        ):
            held.append(line.list_name)
    return held


def shortened_origin(origin: str) -> str:
    """Return the network of an IP address (/24, or /48 for IPv6); anything else becomes empty."""
    try:
        address = ipaddress.ip_address(origin)
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None) or address
    return str(ipaddress.ip_network((mapped, _ORIGIN_BITS[mapped.version]), strict=False))


def _has_withdrawn(session: Session, subscriber: Subscriber) -> bool:
    if store.find_suppression(session, subscriber.digest) is not None:
        return True
    return bool(store.departures_of(session, store.id_of(subscriber)))


def _undo_departure(
    session: Session, subscriber: Subscriber, line: ConsentEntry, *, circumstances: Circumstances
) -> bool:
    key = store.id_of(subscriber)
    if store.departures_of(session, key).get(line.newsletter) != line.at:
        return False
    store.delete_departures(session, subscriber_id=key, newsletter=line.newsletter)
    record(
        session,
        subscriber=subscriber,
        action=ConsentAction.RESUBSCRIBED,
        circumstances=circumstances,
        newsletter=line.newsletter,
    )
    return True


def _undo_leave(
    session: Session,
    subscriber: Subscriber,
    line: ConsentEntry,
    *,
    state: MembershipState | None,
    circumstances: Circumstances,
) -> bool:
    mailing_list = store.find_list(session, line.list_name)
    if mailing_list is None or state is None:
        return False
    membership = store.find_membership(
        session, subscriber_id=store.id_of(subscriber), list_id=store.list_id_of(mailing_list)
    )
    if membership is None or membership.state is not MembershipState.LEFT or membership.changed != line.at:
        return False
    _set_state(session, subscriber, mailing_list, state=state, at=circumstances.at)
    record(
        session,
        subscriber=subscriber,
        action=ConsentAction.RESUBSCRIBED,
        circumstances=circumstances,
        list_name=line.list_name,
        state=state,
    )
    return True


def _state(session: Session, subscriber: Subscriber, mailing_list: MailingList) -> MembershipState | None:
    return store.membership_state(
        session, subscriber_id=store.id_of(subscriber), list_id=store.list_id_of(mailing_list)
    )


def _set_state(
    session: Session, subscriber: Subscriber, mailing_list: MailingList, *, state: MembershipState, at: datetime
) -> None:
    store.set_membership(
        session,
        subscriber_id=store.id_of(subscriber),
        list_id=store.list_id_of(mailing_list),
        state=state,
        now=at,
    )


def _end(
    session: Session,
    subscriber: Subscriber,
    mailing_list: MailingList,
    *,
    circumstances: Circumstances,
    removed: bool,
) -> bool:
    if _state(session, subscriber, mailing_list) not in {MembershipState.PENDING, MembershipState.CONFIRMED}:
        return False
    state = MembershipState.REMOVED if removed else MembershipState.LEFT
    action = ConsentAction.REMOVED if removed else ConsentAction.LEFT
    _set_state(session, subscriber, mailing_list, state=state, at=circumstances.at)
    record(
        session,
        subscriber=subscriber,
        action=action,
        circumstances=circumstances,
        list_name=mailing_list.name,
        state=state,
    )
    return True


def _undo_departures(session: Session, subscriber: Subscriber, circumstances: Circumstances) -> None:
    # New consent undoes what the person decided before; a list belongs to no newsletter, so where none is known, all.
    store.delete_departures(session, subscriber_id=store.id_of(subscriber), newsletter=circumstances.newsletter or None)
    store.delete_suppression(session, subscriber.digest, reasons=OWN_WISH)
