"""
Queries by which an operator looks for people: by the beginning of an address or a name, and by where they stand.

Takes a session and what is sought; yields people, the newest first, page by page. Promises the same answer on both
databases, by indexes alone where people are sought by text: a beginning is compared by code points, in small letters.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Select, Subquery, and_, collate, func, or_, select, union
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlmodel import col

from subscribers.models import MailingList, Membership, MembershipState, Subscriber, SubscriberTag, Suppression
from subscribers.segments import Condition
from subscribers.store.batches import among

Row = TypeVar("Row", bound=Any)

FEW = 2000
"""People whose ids are looked up and handed on; where more fit, they are met often enough."""

UNKNOWN_LANGUAGE = "-"
"""Asks for those whose language is not known."""

_LAST = "\U0010ffff"
"""Stands behind every text that begins with what is before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Who is sought; what is empty or None does not matter.

    Attributes:
        text: the beginning of an address, or of a first or last name; two words are both names, in either order.
        list_name: of a list that they stand to.
        state: in which way; without a list it means nothing.
        language: a tag as it is stored, or `UNKNOWN_LANGUAGE`.
        tag: as it is stored.
        suppressed: only those who must not be written to.
    """

    text: str = ""
    list_name: str = ""
    state: MembershipState | None = MembershipState.CONFIRMED
    language: str = ""
    tag: str = ""
    suppressed: bool = False


def search(
    session: Session, sought: Sought, *, limit: int, before: int | None = None, condition: Condition | None = None
) -> Sequence[Subscriber]:
    """Return the next people that are sought, the newest first.

    Args:
        session: to read with.
        sought: who.
        limit: how many at most.
        before: id of the last one of the page before.
        condition: only those for whom it holds, see `segments.to_condition`.
    """
    query = _chosen(session, select(Subscriber), sought, condition)
    # By the column of the index that finds them, so that a page is read off its end and nothing is sorted.
    key = col(Subscriber.id)
    if sought.tag:
        key = col(SubscriberTag.subscriber_id)
    elif sought.list_name and sought.state is not None:
        key = col(Membership.subscriber_id)
    if before is not None:
        query = query.where(key < before)
    return session.scalars(query.order_by(key.desc()).limit(limit)).all()


def count_sought(session: Session, sought: Sought, *, at_most: int, condition: Condition | None = None) -> int:
    """Return how many people are sought; counting ends at `at_most`."""
    text = sought.text.strip().lower()
    if text and condition is None and sought == Sought(text=sought.text):
        each = (_first_of(beginning, at_most) for beginning in _beginnings(session, text))
        anybody = union(*(select(some.c.id) for some in each)).subquery()
        return min(at_most, session.scalar(select(func.count()).select_from(anybody)) or 0)
    query = _chosen(session, select(col(Subscriber.id)), sought, condition)
    return session.scalar(select(func.count()).select_from(query.limit(at_most).subquery())) or 0


def languages_known(session: Session) -> list[str]:
    """Return every language that somebody wants, in order: one look into the index for each."""
    language = col(Subscriber.language)
    found: list[str] = []
    following = select(func.min(language))
    while (known := session.scalar(following.where(language > (found[-1] if found else "")))) is not None:
        found.append(known)
    return found


def count_by_language(session: Session, condition: Condition) -> dict[str | None, int]:
    """Return for how many a condition holds by the language they want, the largest first; None is not known."""
    # Not the column itself: SQLite would walk its index, and look up every row in that order.
    language, number = func.coalesce(col(Subscriber.language), ""), func.count()
    query = select(language, number).where(condition).group_by(language).order_by(number.desc(), language)
    return {tag or None: count for tag, count in session.execute(query)}


def _chosen(session: Session, query: "Select[Row]", sought: Sought, condition: Condition | None) -> "Select[Row]":
    if sought.text.strip():
        query = query.where(_of_text(session, sought.text.strip().lower()))
    if sought.list_name:
        query = query.join(Membership, col(Membership.subscriber_id) == col(Subscriber.id))
        mailing_list = select(col(MailingList.id)).where(col(MailingList.name) == sought.list_name)
        query = query.where(col(Membership.list_id) == mailing_list.scalar_subquery())
        if sought.state is not None:
            query = query.where(col(Membership.state) == sought.state)
    if sought.language:
        language = col(Subscriber.language)
        unknown = sought.language == UNKNOWN_LANGUAGE
        query = query.where(language.is_(None) if unknown else language == sought.language)
    if sought.tag:
        tagged = col(SubscriberTag.subscriber_id) == col(Subscriber.id)
        query = query.join(SubscriberTag, tagged).where(col(SubscriberTag.tag) == sought.tag)
    if sought.suppressed:
        query = query.join(Suppression, col(Suppression.digest) == col(Subscriber.digest))
    return query if condition is None else query.where(condition)


def _of_text(session: Session, text: str) -> ColumnElement[bool]:
    """
    Whether an address or a name begins so.

    The few who are meant are looked up, each beginning by its index. Where many are, the next fifty of them are met
    sooner by walking through all people, newest first, than by sorting everybody who fits.
    """
    found = _beginnings(session, text)
    few = union(*(select(each.c.id) for each in (_first_of(condition, FEW + 1) for condition in found)))
    ids = [key for key in session.scalars(few) if key is not None]
    return among(session, col(Subscriber.id), ids) if len(ids) <= FEW else or_(*_beginnings(session, text, plain=True))


def _first_of(condition: ColumnElement[bool], most: int) -> Subquery:
    return select(col(Subscriber.id).label("id")).where(condition).limit(most).subquery()


def _beginnings(session: Session, text: str, *, plain: bool = False) -> list[ColumnElement[bool]]:
    """Return the conditions of which one holds; those that are `plain` invite no database to use an index."""
    on_postgresql = session.get_bind().dialect.name == "postgresql"

    def of(column: SQLCoreOperations[str]) -> ColumnElement[str]:
        # As in the indexes of `models.BY_BEGINNING`; SQLite compares by code points anyway.
        shown = column.concat("") if plain else column
        return cast("ColumnElement[str]", collate(shown, "C") if on_postgresql else shown)

    address = of(col(Subscriber.address_key))
    first, last = (of(func.lower(col(name))) for name in (Subscriber.first_name, Subscriber.last_name))
    wanted, words = [_begins(address, [text])], text.split()
    if "@" in text:
        return wanted
    whole = _spellings(" ".join(words))
    wanted += [_begins(last, whole), _begins(first, whole)]
    for place in range(1, len(words)):
        one, other = (_spellings(" ".join(part)) for part in (words[:place], words[place:]))
        wanted += [_begins(last, other) & _begins(first, one), _begins(last, one) & _begins(first, other)]
    return wanted


def _begins(text: ColumnElement[str], beginnings: Iterable[str]) -> ColumnElement[bool]:
    return or_(*(and_(text >= beginning, text < beginning + _LAST) for beginning in beginnings))


def _spellings(name: str) -> list[str]:
    """Return a name as the databases make its letters small: SQLite those of ASCII only, so É may have stayed É."""
    spoken = (name, name.lower(), name.upper(), name.title(), name[:1].upper() + name[1:].lower())
    return sorted({each.lower() if each.isascii() else _small_ascii(each) for each in spoken} | {name.lower()})


def _small_ascii(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)
