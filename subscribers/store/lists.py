"""Queries about lists and who is on them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TypedDict, Unpack

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from subscribers.errors import ListExists, UnknownList
from subscribers.language import normalise_tag
from subscribers.models import MailingList, Membership, MembershipState
from subscribers.store.batches import in_batches
from subscribers.store.values import clean_name, clean_text


class ListChanges(TypedDict, total=False):
    """What can be changed about a list; what is not given stays."""

    name: str
    public: bool
    double_opt_in: bool
    opt_in_reason: str
    description: str
    titles: Mapping[str, str]
    descriptions: Mapping[str, str]


def create_list(
    session: Session,
    name: str,
    *,
    now: datetime,
    public: bool = False,
    double_opt_in: bool = True,
    opt_in_reason: str = "",
    description: str = "",
) -> MailingList:
    """Create a list.

    Raises:
        ListExists: the name is taken.
        InvalidValue: the name or a text cannot be stored.
    """
    name = clean_name("list", name)
    if find_list(session, name) is not None:
        raise ListExists(name)
    created = MailingList(
        name=name,
        public=public,
        double_opt_in=double_opt_in,
        opt_in_reason=clean_text("opt_in_reason", opt_in_reason),
        description=clean_text("description", description),
        created=now,
    )
    session.add(created)
    session.flush()
    return created


def find_list(session: Session, name: str) -> MailingList | None:
    """Return the list of this name."""
    return session.scalar(select(MailingList).where(col(MailingList.name) == name))


def get_list(session: Session, name: str) -> MailingList:
    """Return the list of this name.

    Raises:
        UnknownList: with the name most like it.
    """
    found = find_list(session, name)
    if found is None:
        raise UnknownList(name, session.scalars(select(col(MailingList.name))))
    return found


def list_id_of(mailing_list: MailingList) -> int:
    """Return the id of a list that is stored.

    Raises:
        UnknownList: it has not been stored.
    """
    if mailing_list.id is None:
        raise UnknownList(mailing_list.name)
    return mailing_list.id


def all_lists(session: Session) -> Sequence[MailingList]:
    """Return every list, by name."""
    return session.scalars(select(MailingList).order_by(col(MailingList.name))).all()


def set_list(session: Session, name: str, /, **changes: Unpack[ListChanges]) -> MailingList:
    """Change what is given about a list; a new name must be free. Segments that name the old one do not follow.

    Titles and descriptions are by language: those of other languages stay, an empty text goes.

    Raises:
        UnknownList, ListExists, InvalidValue, InvalidLanguage: nothing was changed.
    """
    mailing_list = get_list(session, name)
    if "name" in changes:
        changes["name"] = clean_name("list", changes["name"])
        if changes["name"] != name and find_list(session, changes["name"]) is not None:
            raise ListExists(changes["name"])
    if "opt_in_reason" in changes:
        changes["opt_in_reason"] = clean_text("opt_in_reason", changes["opt_in_reason"])
    if "description" in changes:
        changes["description"] = clean_text("description", changes["description"])
    if "titles" in changes:
        changes["titles"] = _merged("title", mailing_list.titles, changes["titles"])
    if "descriptions" in changes:
        changes["descriptions"] = _merged("description", mailing_list.descriptions, changes["descriptions"])
    for field, value in changes.items():
        setattr(mailing_list, field, value)
    session.flush()
    return mailing_list


def _merged(field: str, before: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    """Return texts by language with some of them changed; an empty one goes."""
    new = {normalise_tag(tag): clean_text(f"{field}.{tag}", text) for tag, text in changes.items()}
    return {tag: text for tag, text in {**before, **new}.items() if text}


def delete_list(session: Session, name: str) -> None:
    """Delete a list and all memberships in it; the consent log keeps its name.

    Raises:
        UnknownList: with the name most like it.
    """
    list_id = get_list(session, name).id
    session.execute(delete(Membership).where(col(Membership.list_id) == list_id))
    session.execute(delete(MailingList).where(col(MailingList.id) == list_id))


def list_counts(session: Session) -> dict[str, dict[MembershipState, int]]:
    """Return for every list, by name, how many stand to it in which way; ways in which nobody does are missing."""
    counts: dict[str, dict[MembershipState, int]] = {listed.name: {} for listed in all_lists(session)}
    query = select(col(MailingList.name), col(Membership.state), func.count())
    query = query.join(Membership, col(Membership.list_id) == col(MailingList.id))
    for name, state, count in session.execute(query.group_by(col(MailingList.name), col(Membership.state))):
        counts[name][state] = count
    return counts


def memberships_of(session: Session, subscriber_id: int) -> dict[str, Membership]:
    """Return how a subscriber stands to which list, by the list's name; lists never joined are missing."""
    query = select(col(MailingList.name), Membership).join(Membership, col(Membership.list_id) == col(MailingList.id))
    query = query.where(col(Membership.subscriber_id) == subscriber_id).order_by(col(MailingList.name))
    return dict(session.execute(query).all())


def lists_of(session: Session, ids: Collection[int]) -> dict[int, list[str]]:
    """Return by id the names of the lists that subscribers are confirmed members of, in order."""
    names: dict[int, list[str]] = {}
    for batch in in_batches(ids):
        query = select(col(Membership.subscriber_id), col(MailingList.name))
        query = query.join(MailingList, col(MailingList.id) == col(Membership.list_id)).order_by(col(MailingList.name))
        chosen = col(Membership.subscriber_id).in_(batch), col(Membership.state) == MembershipState.CONFIRMED
        for subscriber_id, name in session.execute(query.where(*chosen)):
            names.setdefault(subscriber_id, []).append(name)
    return names


def find_membership(session: Session, *, subscriber_id: int, list_id: int) -> Membership | None:
    """Return how a subscriber stands to a list and since when; None when they never had to do with it."""
    return session.get(Membership, (subscriber_id, list_id))


def membership_state(session: Session, *, subscriber_id: int, list_id: int) -> MembershipState | None:
    """Return how a subscriber stands to a list; None when they never had to do with it."""
    membership = session.get(Membership, (subscriber_id, list_id))
    return membership.state if membership else None


def renew_membership(session: Session, *, subscriber_id: int, list_id: int, now: datetime) -> None:
    """Let a membership stand as it does since now."""
    membership = session.get_one(Membership, (subscriber_id, list_id))
    membership.changed = now
    session.flush()


def set_membership(
    session: Session, *, subscriber_id: int, list_id: int, state: MembershipState, now: datetime
) -> bool:
    """Let a subscriber stand to a list in this way, and return whether that is a change."""
    membership = session.get(Membership, (subscriber_id, list_id))
    if membership is None:
        session.add(Membership(subscriber_id=subscriber_id, list_id=list_id, state=state, changed=now))
    elif membership.state is state:
        return False
    else:
        membership.state, membership.changed = state, now
    session.flush()
    return True
