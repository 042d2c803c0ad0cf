"""
Suppression: addresses that must never be written to, known by a keyed digest only.

Takes addresses, or digests where the address is not known any more; yields whether somebody may be written to;
promises that a suppression outlives the subscriber and that no note holds an address. The caller commits.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from subscribers import store
from subscribers.address import Address, masked, parse_address
from subscribers.models import SuppressionReason
from subscribers.tokens import Keys, address_digest

MAX_NOTE = 500
"""Characters of a note; the rest is cut off."""


def suppress(
    session: Session,
    keys: Keys,
    *,
    address: Address | str,
    reason: SuppressionReason,
    now: datetime,
    note: str = "",
) -> bool:
    """Suppress an address, and return False where it was, for a reason as strong.

    Raises:
        InvalidAddress: the text is no address.
    """
    return suppress_digest(session, digest=digest_of(keys, address), reason=reason, now=now, note=note)


def suppress_digest(session: Session, *, digest: str, reason: SuppressionReason, now: datetime, note: str = "") -> bool:
    """Suppress an address by its digest, as `suppress` does."""
    return store.put_suppression(session, digest=digest, reason=reason, now=now, note=_shown(note))


def suppress_digests(
    session: Session, notes: Mapping[str, str], *, reason: SuppressionReason, now: datetime
) -> frozenset[str]:
    """Suppress many addresses by their digests, each with its note, and return those that `suppress` would."""
    shown = {digest: _shown(note) for digest, note in notes.items()}
    return store.put_suppressions(session, shown, reason=reason, now=now)


def unsuppress(session: Session, keys: Keys, *, address: Address | str) -> bool:
    """Lift the suppression of an address, whatever its reason, and return whether there was one.

    Raises:
        InvalidAddress: the text is no address.
    """
    return store.delete_suppression(session, digest_of(keys, address))


def is_suppressed(session: Session, keys: Keys, address: Address | str) -> bool:
    """Return whether an address must not be written to; the reason is in `store.find_suppression`."""
    return store.find_suppression(session, digest_of(keys, address)) is not None


def suppressed_among(session: Session, digests: Collection[str]) -> dict[str, SuppressionReason]:
    """Return the suppressed ones among the digests, with the reason of each."""
    return store.suppression_reasons(session, digests)


def _shown(note: str) -> str:
    # A note may quote what a foreign server said; whatever that was, the suppression must not fail over it.
    return "".join(filter(str.isprintable, " ".join(masked(note).split())))[:MAX_NOTE]


def digest_of(keys: Keys, address: Address | str) -> str:
    """Return the keyed digest of an address.

    Raises:
        InvalidAddress: the text is no address.
    """
    return address_digest(keys, (parse_address(address) if isinstance(address, str) else address).key)
