"""Queries about single subscribers and pages of them: find, add, change, tag, count, delete."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select, true
from sqlalchemy.orm import Session
from sqlmodel import col

from subscribers.address import Address, parse_address
from subscribers.errors import SubscriberExists, UnknownField, UnknownSubscriber
from subscribers.models import Attribute, MailingList, Membership, MembershipState, Subscriber, SubscriberTag
from subscribers.segments import Condition
from subscribers.store.batches import in_batches
from subscribers.store.values import FIELDS, clean, clean_attribute_name, clean_attributes, clean_name
from subscribers.tokens import Keys, address_digest


def find_subscriber(session: Session, address: Address | str) -> Subscriber | None:
    """Return the subscriber with this address, however its letters are cased.

    Raises:
        InvalidAddress: the text is no address.
    """
    key = (parse_address(address) if isinstance(address, str) else address).key
    return session.scalar(select(Subscriber).where(col(Subscriber.address_key) == key))


def get_subscriber(session: Session, address: Address | str) -> Subscriber:
    """Return the subscriber with this address.

    Raises:
        InvalidAddress, UnknownSubscriber: there is none.
    """
    subscriber = find_subscriber(session, address)
    if subscriber is None:
        raise UnknownSubscriber
    return subscriber


def find_by_uid(session: Session, uid: str) -> Subscriber | None:
    """Return the subscriber with this public id."""
    return session.scalar(select(Subscriber).where(col(Subscriber.uid) == uid))


def find_by_digest(session: Session, digest: str) -> Subscriber | None:
    """Return the subscriber whose address has this keyed digest."""
    return session.scalar(select(Subscriber).where(col(Subscriber.digest) == digest))


def id_of(subscriber: Subscriber) -> int:
    """Return the id of a subscriber that is stored.

    Raises:
        UnknownSubscriber: it has not been stored.
    """
    if subscriber.id is None:
        raise UnknownSubscriber
    return subscriber.id


def add_subscriber(
    session: Session,
    keys: Keys,
    *,
    address: Address,
    now: datetime,
    values: Mapping[str, str] | None = None,
    attributes: Mapping[str, Attribute] | None = None,
    tags: Iterable[str] = (),
) -> Subscriber:
    """Add somebody, on no list yet.

    Args:
        session: nothing is committed.
        keys: for the digest of the address.
        address: as `parse_address` returned it.
        now: aware.
        values: text by name of a field, see `FIELDS`.
        attributes: everything else that is known.
        tags: labels.

    Raises:
        SubscriberExists, UnknownField, InvalidLanguage, InvalidValue: nothing was added.
    """
    if find_subscriber(session, address) is not None:
        raise SubscriberExists
    cleaned, labels = _cleaned(values or {}), {clean_name("tag", tag) for tag in tags}
    subscriber = Subscriber(
        address=address.text,
        address_key=address.key,
        digest=address_digest(keys, address.key),
        attributes=clean_attributes(attributes or {}),
        created=now,
        updated=now,
    )
    for field, value in cleaned.items():
        setattr(subscriber, field, value)
    session.add(subscriber)
    session.flush()
    add_tags(session, subscriber_id=id_of(subscriber), tags=labels)
    return subscriber


def change_subscriber(
    session: Session,
    subscriber: Subscriber,
    *,
    now: datetime,
    values: Mapping[str, str] | None = None,
    attributes: Mapping[str, Attribute | None] | None = None,
) -> frozenset[str]:
    """Change fields and attributes, and return the names of those that are different now.

    An empty text clears a field; None takes an attribute away; what is not named stays.

    Raises:
        UnknownField, InvalidLanguage, InvalidValue: nothing was changed.
    """
    cleaned = _cleaned(values or {})
    gone = {clean_attribute_name(name) for name, value in (attributes or {}).items() if value is None}
    given = {name: value for name, value in (attributes or {}).items() if value is not None}
    kept = {name: value for name, value in subscriber.attributes.items() if name not in gone}
    merged = kept | clean_attributes(given)
    before = subscriber.attributes
    changed = {name for name, value in cleaned.items() if getattr(subscriber, name) != value}
    changed |= {name for name in gone | given.keys() if _differ(before.get(name), merged.get(name))}
    if changed:
        for name, value in cleaned.items():
            setattr(subscriber, name, value)
        subscriber.attributes = merged
        subscriber.updated = now
        session.flush()
    return frozenset(changed)


def change_address(session: Session, keys: Keys, *, subscriber: Subscriber, address: Address, now: datetime) -> None:
    """Give a subscriber another address; tags, lists and consent stay with the person.

    Raises:
        SubscriberExists: it belongs to somebody else.
    """
    holder = find_subscriber(session, address)
    if holder is not None and holder.id != subscriber.id:
        raise SubscriberExists
    subscriber.address, subscriber.address_key = address.text, address.key
    subscriber.digest = address_digest(keys, address.key)
    subscriber.updated = now
    session.flush()


def tags_of(session: Session, ids: Collection[int]) -> dict[int, list[str]]:
    """Return the tags of several subscribers by id, in order; who has none is missing."""
    tags: dict[int, list[str]] = {}
    for batch in in_batches(ids):
        query = select(col(SubscriberTag.subscriber_id), col(SubscriberTag.tag))
        query = query.where(col(SubscriberTag.subscriber_id).in_(batch)).order_by(col(SubscriberTag.tag))
        for subscriber_id, tag in session.execute(query):
            tags.setdefault(subscriber_id, []).append(tag)
    return tags


def add_tags(session: Session, *, subscriber_id: int, tags: Iterable[str]) -> frozenset[str]:
    """Put tags on a subscriber and return those that are new.

    Raises:
        InvalidValue: a tag is empty or too long.
    """
    wanted = {clean_name("tag", tag) for tag in tags}
    new = wanted - set(tags_of(session, [subscriber_id]).get(subscriber_id, ()))
    if new:
        session.execute(insert(SubscriberTag), [{"subscriber_id": subscriber_id, "tag": tag} for tag in sorted(new)])
    return frozenset(new)


def remove_tags(session: Session, *, subscriber_id: int, tags: Iterable[str]) -> frozenset[str]:
    """Take tags off a subscriber and return those that were there."""
    there = set(tags) & set(tags_of(session, [subscriber_id]).get(subscriber_id, ()))
    session.execute(
        delete(SubscriberTag).where(
            col(SubscriberTag.subscriber_id) == subscriber_id, col(SubscriberTag.tag).in_(there)
        )
    )
    return frozenset(there)


def all_tags(session: Session) -> dict[str, int]:
    """Return every tag with the number of subscribers that have it, in order."""
    tag = col(SubscriberTag.tag)
    return dict(session.execute(select(tag, func.count()).group_by(tag).order_by(tag)).all())


def page(
    session: Session,
    *,
    after: int | None = None,
    limit: int = 50,
    list_name: str | None = None,
    state: MembershipState = MembershipState.CONFIRMED,
    condition: Condition | None = None,
) -> Sequence[Subscriber]:
    """Return the next subscribers by id: the same cost for the first page and for the last.

    Args:
        session: to read with.
        after: id of the last one of the page before.
        limit: how many at most.
        list_name: only those on this list, standing to it as `state` says.
        state: of the membership; without `list_name` it means nothing.
        condition: only those for whom it holds, see `segments.to_condition`.
    """
    query = select(Subscriber).order_by(col(Subscriber.id)).limit(limit)
    if after is not None:
        query = query.where(col(Subscriber.id) > after)
    if list_name is not None:
        query = query.join(Membership, col(Membership.subscriber_id) == col(Subscriber.id))
        query = query.join(MailingList, col(MailingList.id) == col(Membership.list_id))
        query = query.where(col(MailingList.name) == list_name, col(Membership.state) == state)
    if condition is not None:
        query = query.where(condition)
    return session.scalars(query).all()


def count_subscribers(session: Session, condition: Condition | None = None, *, at_most: int | None = None) -> int:
    """Return how many subscribers there are, or for how many the condition holds; counting ends at `at_most`."""
    query = select(col(Subscriber.id)) if condition is None else select(col(Subscriber.id)).where(condition)
    return session.scalar(select(func.count()).select_from(query.limit(at_most).subquery())) or 0


def truth_of(session: Session, subscriber_id: int, conditions: Sequence[Condition]) -> list[bool]:
    """Return which of at most a thousand conditions hold for a subscriber, in their order.

    Raises:
        UnknownSubscriber: there is no subscriber with this id.
    """
    query = select(*(condition.label(None) for condition in conditions)).select_from(Subscriber)
    row = session.execute(query.where(col(Subscriber.id) == subscriber_id)).one_or_none()
    if row is None:
        raise UnknownSubscriber
    return [bool(holds) for holds in row]


def attribute_names(session: Session) -> list[str]:
    """Return the name of every attribute that some subscriber has, in order. Reads the whole table."""
    attributes = col(Subscriber.attributes)
    if session.get_bind().dialect.name == "postgresql":
        members = func.jsonb_object_keys(attributes).table_valued("key").render_derived()
    else:
        members = func.json_each(attributes).table_valued("key")
    query = select(members.c.key).select_from(Subscriber).join(members, true())
    return sorted(session.scalars(query.distinct()))


def delete_subscriber(session: Session, subscriber_id: int) -> None:
    """Delete a subscriber; the database takes tags, memberships and departures along, see `privacy.erase`."""
    session.execute(delete(Subscriber).where(col(Subscriber.id) == subscriber_id))


def _cleaned(values: Mapping[str, str]) -> dict[str, str | None]:
    for field in values:
        if field not in FIELDS:
            raise UnknownField(field, FIELDS)
    return {field: clean(field, text) for field, text in values.items()}


def _differ(before: Attribute | None, after: Attribute | None) -> bool:
    # 1, 1.0 and True are equal in Python and different in JSON.
    return before != after or type(before) is not type(after)
