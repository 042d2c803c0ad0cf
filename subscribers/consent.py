"""
Consent: who agreed to what, when and how; and the memberships that follow from it.

Takes what a person or an operator did; yields lines of an append-only log and the state of memberships that agrees
with it; promises that nobody becomes a confirmed member of a double opt-in list without a confirmation, and that
leaving always works, also twice. The caller commits.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
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

_ORIGIN_BITS = {4: 24, 6: 48}
"""Bits of an IP address that are kept: enough to see abuse, too few to name a household."""

_UNDONE_BY_CONSENT = (SuppressionReason.UNSUBSCRIBED, SuppressionReason.ERASED)
"""Suppressions that were the person's own wish. A complaint, a dead mailbox or an operator's decision stays."""


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
    """

    at: datetime
    source: str
    operator: str = ""
    wording_version: str = ""
    wording_language: str = ""
    origin: str = ""


def record(
    session: Session,
    *,
    subscriber: Subscriber,
    action: ConsentAction,
    circumstances: Circumstances,
    list_name: str = "",
    newsletter: str = "",
) -> ConsentEntry:
    """Append one line to the consent log and return it."""
    entry = ConsentEntry(
        subscriber_id=subscriber.id,
        digest=subscriber.digest,
        action=action,
        list_name=list_name,
        newsletter=newsletter,
        wording_version=circumstances.wording_version,
        wording_language=circumstances.wording_language,
        source=circumstances.source,
        operator=circumstances.operator,
        origin=shortened_origin(circumstances.origin),
        at=circumstances.at,
    )
    store.add_consent(session, entry)
    return entry


def subscribe(
    session: Session, *, subscriber: Subscriber, mailing_list: MailingList, circumstances: Circumstances
) -> MembershipState:
    """Let a person ask for a list, and return how they stand to it now.

    On a double opt-in list they are pending until `confirm`; on any other they are confirmed at once. Who is
    confirmed already stays so, and nothing is recorded.
    """
    before = _state(session, subscriber, mailing_list)
    if before is MembershipState.CONFIRMED:
        return before
    state = MembershipState.PENDING if mailing_list.double_opt_in else MembershipState.CONFIRMED
    _set_state(session, subscriber, mailing_list, state=state, at=circumstances.at)
    returning = before in {MembershipState.LEFT, MembershipState.REMOVED}
    action = ConsentAction.RESUBSCRIBED if returning else ConsentAction.SUBSCRIBED
    record(session, subscriber=subscriber, action=action, circumstances=circumstances, list_name=mailing_list.name)
    if state is MembershipState.CONFIRMED:
        _undo_departures(session, subscriber)
    return state


def confirm(
    session: Session, *, subscriber: Subscriber, mailing_list: MailingList, circumstances: Circumstances
) -> bool:
    """Confirm a pending membership, and return whether that made a difference.

    Only who is pending can confirm: an old confirmation link does not bring back somebody who left since.
    """
    if _state(session, subscriber, mailing_list) is not MembershipState.PENDING:
        return False
    _set_state(session, subscriber, mailing_list, state=MembershipState.CONFIRMED, at=circumstances.at)
    record(
        session,
        subscriber=subscriber,
        action=ConsentAction.CONFIRMED,
        circumstances=circumstances,
        list_name=mailing_list.name,
    )
    _undo_departures(session, subscriber)
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


def shortened_origin(origin: str) -> str:
    """Return the network of an IP address (/24, or /48 for IPv6); anything else becomes empty."""
    try:
        address = ipaddress.ip_address(origin)
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None) or address
    return str(ipaddress.ip_network((mapped, _ORIGIN_BITS[mapped.version]), strict=False))


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
    record(session, subscriber=subscriber, action=action, circumstances=circumstances, list_name=mailing_list.name)
    return True


def _undo_departures(session: Session, subscriber: Subscriber) -> None:
    # New consent undoes what the person decided before; no list belongs to a newsletter, so all of it.
    store.delete_departures(session, subscriber_id=store.id_of(subscriber))
    store.delete_suppression(session, subscriber.digest, reasons=_UNDONE_BY_CONSENT)
