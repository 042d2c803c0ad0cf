"""
The rules of retention: what ends after its term, piece by piece.

Takes a session and an instant that the term reaches back to, yields how much of a piece had ended and where the next
piece begins. Every piece can be done twice without harm, and costs the same at any size of the tables. Nothing is
committed here.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from sqlmodel import Session

from newsletter.accounts import store as accounts
from newsletter.accounts.models import Deed
from newsletter.dispatch.forgetting import count_words, delete_attempts, forget_words
from newsletter.pipeline.erasure import forget_expired
from newsletter.pipeline.reactions import count_reactions, drop_reactions, forget_reactions
from newsletter.planning import forgetting as planning
from newsletter.settings import RetentionSettings
from subscribers import consent, store
from subscribers.consent import Circumstances
from subscribers.models import Subscriber

SOURCE: Final = "retention"
"""How the consent log calls it."""

LATE: Final = dt.timedelta(days=7)
"""A relay's reply to what was on the wire when somebody was erased comes within this time, if it comes at all."""

MOST_PEOPLE: Final = 20
"""People who are forgotten in one piece at most."""

MOST_DIGESTS: Final = 1000
"""Digests that are looked at together when nothing is changed."""

_ALL: Final = 1_000_000_000


Place: TypeAlias = int | str | None
"""Where a piece begins: what it means is the rule's own; None at first, and when there is nothing left."""


class Piece(NamedTuple):
    """How much had ended, and where the next piece begins."""

    done: int
    place: Place


class Span(NamedTuple):
    """What a rule is to look at: what ended before an instant, by the clock of this run."""

    before: dt.datetime
    now: dt.datetime


Step = Callable[[Session, Span, Place, int], Piece]
"""Ends a piece: of this session, within this span, from this place, so large. Returns what it came to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    One rule.

    Attributes:
        name: as the log has it.
        words: what it ends, for operators.
        days: its term.
        step: ends the next piece.
        count: how much `step` would end in all.
    """

    name: str
    words: str
    days: Callable[[RetentionSettings], int]
    step: Step
    count: Callable[[Session, Span], int]


def _unconfirmed(session: Session, span: Span, _place: Place, size: int) -> Piece:
    stale = store.stale_requests(session, span.before, size)
    others = store.others_than_stale(session, {each.subscriber_id for each in stale}, span.before)
    for key in sorted({each.subscriber_id for each in stale} - others):
        digests = forget_expired(session, session.get_one(Subscriber, key), now=span.now)
        # Nothing was consented to, so there is nothing to be proved.
        store.delete_proofs(session, digests)
    for request in stale:
        if request.subscriber_id in others:
            consent.remove(
                session,
                subscriber=session.get_one(Subscriber, request.subscriber_id),
                mailing_list=store.get_list(session, request.list_name),
                circumstances=Circumstances(at=span.now, source=SOURCE, operator=SOURCE),
            )
    return Piece(len(stale), 1 if len(stale) == size else None)


def _unheeded(session: Session, span: Span, _place: Place, size: int) -> Piece:
    ids = store.unheeded_requests(session, span.before, size)
    store.delete_requests(session, ids)
    return Piece(len(ids), 1 if len(ids) == size else None)


def _gone(session: Session, span: Span, place: Place, size: int) -> Piece:
    found = store.people_gone(session, span.before, after=int(place or 0), limit=size)
    # A piece is as large as looking for people allows; forgetting one takes a hundred times as long.
    ids = found.ids[:MOST_PEOPLE]
    for key in ids:
        for digest in forget_expired(session, session.get_one(Subscriber, key), now=span.now):
            accounts.note_deed(session, Deed.ERASED, operator=SOURCE, at=span.now, digest=digest)
    return Piece(len(ids), found.after if len(ids) == len(found.ids) else ids[-1])


def _singles(session: Session, span: Span, _place: Place, size: int) -> Piece:
    ids = planning.ended_singles(session, span.before, size)
    delete_attempts(session, ids)
    planning.delete_deliveries(session, ids)
    return Piece(len(ids), 1 if len(ids) == size else None)


def _ledger(session: Session, span: Span, _place: Place, size: int) -> Piece:
    mailing = planning.oldest_over(session, span.before)
    if mailing is None:
        return Piece(0, None)
    ids = planning.forget_some(session, mailing, size)
    forget_words(session, ids)
    if not ids:
        planning.mark_forgotten(session, mailing, span.now)
    return Piece(len(ids), 1)


def _late_replies(session: Session, span: Span, place: Place, size: int) -> Piece:
    digests = accounts.erased_since(session, span.now - LATE)
    start = int(place or 0)
    here = digests[start : start + size]
    words = 0
    for digest in here:
        ids = planning.ids_of_person(session, digest=digest, subscriber_id=None)
        words += forget_words(session, ids)
        forget_reactions(session, digests=[digest], delivery_ids=ids)
        planning.forget_person(session, ids)
    return Piece(words, start + size if len(here) == size else None)


def _events(session: Session, span: Span, _place: Place, size: int) -> Piece:
    count = drop_reactions(session, span.before, size)
    return Piece(count, 1 if count >= size else None)


def _consent(session: Session, span: Span, place: Place, size: int) -> Piece:
    digests, after = _old_proofs(session, span, str(place or ""), size)
    return Piece(store.delete_proofs(session, digests), after)


def _old_proofs(session: Session, span: Span, after: str, size: int) -> tuple[list[str], str | None]:
    """What nobody has to prove any more: the log has no newer line, and its person was not erased since."""
    digests, place = store.old_proofs(session, span.before, after=after, limit=size)
    lately = accounts.erased_among(session, digests, span.before)
    return [digest for digest in digests if digest not in lately], place


def _count_proofs(session: Session, span: Span) -> int:
    after: str | None = ""
    lines = 0
    while after is not None:
        digests, after = _old_proofs(session, span, after, MOST_DIGESTS)
        lines += store.count_proofs(session, digests)
    return lines


def _audit(session: Session, span: Span, _place: Place, size: int) -> Piece:
    count = accounts.drop_older(session, span.before, size)
    return Piece(count, 1 if count == size else None)


def _count_late(session: Session, span: Span) -> int:
    digests = accounts.erased_since(session, span.now - LATE)
    return sum(
        count_words(session, planning.ids_of_person(session, digest=digest, subscriber_id=None)) for digest in digests
    )


RULES: Final = (
    Rule(
        name="unconfirmed",
        words="requests that nobody confirmed, with the people who made no other",
        days=lambda terms: terms.unconfirmed,
        step=_unconfirmed,
        count=lambda session, span: len(store.stale_requests(session, span.before, _ALL)),
    ),
    Rule(
        name="unheeded",
        words="confirmation links that nobody followed, with the new addresses they were sent to",
        days=lambda terms: terms.unconfirmed,
        step=_unheeded,
        count=lambda session, span: len(store.unheeded_requests(session, span.before, None)),
    ),
    Rule(
        name="gone",
        words="people who are on no list any more",
        days=lambda terms: terms.gone,
        step=_gone,
        count=lambda session, span: len(store.people_gone(session, span.before, after=0, limit=_ALL).ids),
    ),
    Rule(
        name="singles",
        words="confirmations, notices and tests",
        days=lambda terms: terms.singles,
        step=_singles,
        count=lambda session, span: len(planning.ended_singles(session, span.before, None)),
    ),
    Rule(
        name="ledger",
        words="deliveries of issues, which no longer say whose they were",
        days=lambda terms: terms.ledger,
        step=_ledger,
        count=lambda session, span: planning.count_over(session, span.before),
    ),
    Rule(
        name="late replies",
        words="what mail servers said of people after these were erased",
        days=lambda _terms: 0,
        step=_late_replies,
        count=_count_late,
    ),
    Rule(
        name="events",
        words="what came back: bounces, complaints, clicks, opens",
        days=lambda terms: terms.events,
        step=_events,
        count=lambda session, span: count_reactions(session, span.before),
    ),
    Rule(
        name="consent",
        words="lines of the consent log about people who have gone",
        days=lambda terms: terms.consent,
        step=_consent,
        count=_count_proofs,
    ),
    Rule(
        name="audit",
        words="lines of the audit log",
        days=lambda terms: terms.consent,
        step=_audit,
        count=lambda session, span: accounts.count_older(session, span.before),
    ),
)
"""In the order in which they are applied."""
