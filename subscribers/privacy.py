"""
What a person may ask for: that they are forgotten, and what is stored about them; and the export for operators.

Takes an address or a selection; yields an erasure that leaves only a keyed digest, or rows of an export; promises
that an erased address stands in no table here and cannot come back by an import, and that no cell of an export is a
formula to a spreadsheet. The caller commits.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from subscribers import store
from subscribers.address import Address, parse_address
from subscribers.models import Attribute, Subscriber, SuppressionReason
from subscribers.segments import Condition
from subscribers.tokens import Keys, address_digest

_PAGE = 1000
"""Subscribers read at a time for an export."""

ExportRow = dict[str, Attribute]
"""One subscriber by column: the fields, `tags` and `lists` joined by `;`, then the attributes."""


def erase(session: Session, keys: Keys, *, address: Address | str, now: datetime) -> bool:
    """Forget a person, and return whether anything was known.

    Subscriber, tags, memberships and departures go, and what they asked for; the consent log keeps its lines under the
    digest; the digest, and those of addresses they had before, are suppressed, also for somebody who was never known,
    so that no import brings them.

    Raises:
        InvalidAddress: the text is no address.
    """
    parsed = parse_address(address) if isinstance(address, str) else address
    digest = address_digest(keys, parsed.key)
    store.drop_askings(session, digest=digest)
    subscriber = store.find_subscriber(session, parsed)
    digests = [digest] if subscriber is None else forget(session, subscriber)
    for each in digests:
        store.put_suppression(session, digest=each, reason=SuppressionReason.ERASED, now=now)
        store.clear_note(session, each)
    return subscriber is not None


def forget(session: Session, subscriber: Subscriber) -> list[str]:
    """Delete a subscriber with all that hangs on them; the consent log keeps its lines without the tie.

    Returns:
        The digests of the addresses they had, the last one first; without those that are somebody else's by now.
    """
    key = store.id_of(subscriber)
    former = [each.digest for each in store.former_addresses(session, key)]
    store.forget(session, key)
    store.delete_subscriber(session, key)
    session.expunge(subscriber)
    theirs = store.taken_digests(session, former)
    return [subscriber.digest, *(each for each in dict.fromkeys(former) if each not in theirs)]


def export_subscribers(
    session: Session, *, list_name: str | None = None, condition: Condition | None = None
) -> Iterator[ExportRow]:
    """Yield subscribers by id, in flat memory; with the columns that an import reads back.

    Args:
        session: to read with; it forgets the subscribers it has read, so it should be the export's own.
        list_name: only the confirmed members of this list.
        condition: only those for whom it holds, see `segments.to_condition`.
    """
    after: int | None = None
    while people := store.page(session, after=after, limit=_PAGE, list_name=list_name, condition=condition):
        after = store.id_of(people[-1])
        yield from export_rows(session, people)


def export_rows(session: Session, people: Sequence[Subscriber]) -> Iterator[ExportRow]:
    """Yield some subscribers as they are exported; the session forgets them."""
    ids = [store.id_of(person) for person in people]
    tags, lists = store.tags_of(session, ids), store.lists_of(session, ids)
    for key, person in zip(ids, people, strict=True):
        yield _row(person, tags=tags.get(key, []), lists=lists.get(key, []))
        session.expunge(person)


def export_columns(session: Session) -> list[str]:
    """Return every column that `export_subscribers` may yield, attributes last; for the headings of a CSV file."""
    return ["email", *store.FIELDS, "tags", "lists", "created", *store.attribute_names(session)]


def cell(value: Attribute) -> Attribute:
    """Return a value as a cell of a CSV file: no text is a formula, and a number is written as an import reads it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        # Never 1e-07.
        return f"{Decimal(repr(value)):f}"
    return store.guarded(value) if isinstance(value, str) else value


def _row(person: Subscriber, *, tags: list[str], lists: list[str]) -> ExportRow:
    fields = {name: getattr(person, name) or "" for name in store.FIELDS}
    return {
        "email": person.address,
        **fields,
        "tags": ";".join(tags),
        "lists": ";".join(lists),
        "created": person.created.isoformat(),
        **person.attributes,
    }
