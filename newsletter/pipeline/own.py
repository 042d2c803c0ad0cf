"""
The verbs of a person about themselves: look, change, change address, leave, undo, export, erase.

Takes the signed token of a link and nothing else as proof; yields values for pages. Promises that looking changes
nothing, that leaving always works, also twice and for people who are gone, and that each verb is one transaction.
"""

import contextlib
import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from sqlmodel import Session

from newsletter.content.newsletter import Newsletter
from newsletter.content.store import get_newsletter, list_newsletters
from newsletter.database import reading
from newsletter.dispatch.composer import PREFERENCES, UNSUBSCRIBE
from newsletter.errors import NotFound, WrongState
from newsletter.logs import logger
from newsletter.pipeline.card import PAGE, Card, Changes, Changing, card_of
from newsletter.pipeline.dossier import data_by_id
from newsletter.pipeline.leaving import BY_PAGE, ONE_CLICK, UNDO_WITHIN, last_farewell, leave, newsletter_of
from newsletter.pipeline.offering import ListOffer, NewsletterOffer, gone_newsletter, list_offer, newsletter_offer
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.people import People
from newsletter.pipeline.signup import writable
from newsletter.pipeline.stopping import stop_unmeant
from newsletter.words import ENGLISH
from subscribers import consent, store
from subscribers.address import masked, parse_address
from subscribers.consent import Circumstances, shortened_origin
from subscribers.errors import InvalidAddress, TokenRefused, UnknownSubscriber
from subscribers.models import Asking, RequestKind, Subscriber
from subscribers.replay import UNDO
from subscribers.tokens import address_digest, sign, verify

__all__ = ["Card", "Changes", "Farewell", "Left", "Own", "Restored"]

GUESSES: Final = 10
"""Wrong addresses that are looked at within an hour."""

GUESSING: Final = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """
    What an unsubscribe link is about.

    `known` is False where the person has been erased, or the link stood in a test message: leaving then does nothing.
    `left` says that they left already. `language` is the person's, else that of the message; it may be empty.
    """

    newsletter: NewsletterOffer
    masked: str
    known: bool
    left: bool
    language: str
    preferences: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What leaving did; `undo` is a token for `Own.undo`, valid for a day, empty where nothing changed."""

    newsletter: NewsletterOffer
    changed: bool
    language: str
    undo: str
    preferences: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What an undo did: `changed` is False for one that came a second time."""

    newsletter: NewsletterOffer
    lists: tuple[ListOffer, ...]
    changed: bool
    language: str
    preferences: str


class Own:
    """The verbs of a person about themselves. Every one raises TokenRefused for a token that is not ours."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._log = logger("people")

    def look(self, token: str, *, language: str) -> Card | None:
        """
        What the person of a preferences or unsubscribe token may see, words in `language`; changes nothing.

        None where they have been erased, or the link stood in a test message.
        """
        with reading(self._parts.engine) as session:
            subscriber = self._person(session, token, PREFERENCES, UNSUBSCRIBE)
            if subscriber is None:
                return None
            return card_of(
                session, subscriber, language=language, preferences=self._preferences(subscriber), now=self._parts.now()
            )

    def owns(self, token: str, address: str) -> bool:
        """
        Tell whether an address is that of a preferences token's person, also where it is written in another way.

        Pages ask for it before what must not be done with a forwarded link alone. False also for what is no address,
        for somebody who has been erased, and for everybody after ten wrong ones within an hour: nobody guesses the rest
        of a masked address.
        """
        now = self._parts.now()
        with self._parts.sessions() as session:
            subscriber = self._person(session, token, PREFERENCES)
            if subscriber is None:
                return False
            key = f"guess:{subscriber.digest}"
            if store.count_tallied(session, key, since=now - GUESSING) >= GUESSES:
                return False
            owns = _key_of(address) == subscriber.address_key
            if not owns:
                store.add_tallies(session, [key], now=now)
                session.commit()
        return owns

    def change(self, token: str, changes: Changes) -> frozenset[str]:
        """
        Change what a preferences token's person says about themselves; returns the names of what is different now.

        Names are those of the fields of `Changes`. A list that is joined here needs no further confirmation: the token
        proves the address. Raises InvalidValue, InvalidLanguage, UnknownList (also for a private list they are not
        on), UnknownSubscriber for somebody who has been erased.
        """
        now = self._parts.now()
        with self._parts.sessions() as session:
            changing = Changing(
                session=session,
                subscriber=self._known(session, token),
                circumstances=Circumstances(at=now, source=PAGE, origin=changes.origin),
                shown_in=changes.shown_in,
            )
            changed = changing.change(changes)
            stop_unmeant(session, changing.subscriber, reason="unsubscribed", now=now)
            session.commit()
        return changed

    def ask_for_address(self, token: str, new: str, *, origin: str) -> None:
        """
        Ask to get the mail at another address: a confirmation mail goes there, a notice to the present one.

        Nothing tells whether the new address is known; the confirmation is at `/c/{token}`, see `Signup.confirm`. The
        limits per address hold, silently. Raises InvalidAddress, UnknownSubscriber.
        """
        now = self._parts.now()
        address = writable(new)
        with self._parts.sessions() as session:
            subscriber = self._known(session, token)
            newsletter = newsletter_for(session, subscriber)
            asking = Asking(
                kind=RequestKind.ADDRESS,
                subscriber_id=store.id_of(subscriber),
                newsletter=newsletter.slug,
                address=address.text,
                digest=address_digest(self._parts.keys, address.key),
                origin=shortened_origin(origin),
                at=now,
            )
            store.add_asking(session, asking)
            session.commit()

    def keep_address(self, token: str) -> bool:
        """Withdraw a change of address that is not confirmed yet; returns whether there was one."""
        with self._parts.sessions() as session:
            kept = store.withdraw_address_requests(session, store.id_of(self._known(session, token)))
            session.commit()
        return kept

    def farewell(self, token: str, *, language: str) -> Farewell:
        """What an unsubscribe link is about, the newsletter's name in `language`; changes nothing."""
        uid, mailing = self._link(token)
        with reading(self._parts.engine) as session:
            subscriber = store.find_by_uid(session, uid)
            newsletter = _newsletter(session, newsletter_of(mailing), language)
            if subscriber is None:
                return Farewell(newsletter=newsletter, masked="", known=False, left=False, language="", preferences="")
            return Farewell(
                newsletter=newsletter,
                masked=masked(subscriber.address),
                known=True,
                left=newsletter.slug in store.departures_of(session, store.id_of(subscriber)),
                language=subscriber.language or "",
                preferences=self._preferences(subscriber),
            )

    def leave(self, token: str, *, one_click: bool, origin: str) -> Left:
        """
        Leave the newsletter that an unsubscribe link stood in, and the lists that brought it.

        What is planned for the person is stopped in the same transaction. Idempotent; for people who are gone too.
        """
        uid, mailing = self._link(token)
        now, undo = self._parts.now(), ""
        source = ONE_CLICK if one_click else BY_PAGE
        with self._parts.sessions() as session:
            subscriber = store.find_by_uid(session, uid)
            newsletter = _newsletter(session, newsletter_of(mailing), subscriber.language if subscriber else None)
            if subscriber is None:
                return Left(newsletter=newsletter, changed=False, language="", undo="", preferences="")
            circumstances = Circumstances(at=now, source=source, origin=origin)
            changed = leave(session, subscriber, mailing=mailing, circumstances=circumstances).changed
            session.commit()
            undo = self._undo_token(session, subscriber, newsletter.slug)
        self._log.info("newsletter left", newsletter=newsletter.slug, source=source, changed=changed)
        return Left(
            newsletter=newsletter,
            changed=changed,
            language=subscriber.language or "",
            undo=undo,
            preferences=self._preferences(subscriber),
        )

    def undo(self, token: str, *, origin: str) -> Restored | None:
        """
        Take back a leave, exactly, within a day; what it stopped is not sent after all.

        None where the person has been erased or the day is over.
        """
        uid, newsletter_key, first, last = verify(self._parts.keys, UNDO, token).decode().split("/")
        now = self._parts.now()
        with self._parts.sessions() as session:
            subscriber = store.find_by_uid(session, uid)
            if subscriber is None:
                return None
            log = store.consent_of(session, subscriber.digest)
            farewell = [line for line in log if int(first) <= (line.id or 0) <= int(last)]
            if not farewell or farewell[0].at < now - UNDO_WITHIN:
                return None
            circumstances = Circumstances(at=now, source=UNDO, origin=origin)
            held = consent.undo(session, subscriber=subscriber, farewell=farewell, circumstances=circumstances)
            language = subscriber.language
            newsletter = _newsletter(session, newsletter_key, language)
            lists = [store.find_list(session, name) for name in held]
            session.commit()
        self._log.info("farewell taken back", newsletter=newsletter.slug, changed=bool(held))
        return Restored(
            newsletter=newsletter,
            lists=tuple(list_offer(each, language or ENGLISH) for each in lists if each is not None),
            changed=bool(held),
            language=language or "",
            preferences=self._preferences(subscriber),
        )

    def export(self, token: str) -> dict[str, Any]:
        """Everything that is stored about the person, for JSON, see `dossier`. Raises UnknownSubscriber."""
        with reading(self._parts.engine) as session:
            return data_by_id(session, store.id_of(self._known(session, token))).data

    def erase(self, token: str) -> bool:
        """Forget the person; returns False where nothing was known any more."""
        with reading(self._parts.engine) as session:
            subscriber = self._person(session, token, PREFERENCES)
            address = subscriber.address if subscriber else None
        return address is not None and People(self._parts).erase(address).changed

    def _link(self, token: str) -> tuple[str, str]:
        """Public id and mailing of an unsubscribe token."""
        uid, _, mailing = verify(self._parts.keys, UNSUBSCRIBE, token).decode().partition("/")
        return uid, mailing

    def _person(self, session: Session, token: str, *purposes: str) -> Subscriber | None:
        """Who a token was made for, by the first of the purposes that it was made for."""
        for purpose in purposes:
            with contextlib.suppress(TokenRefused):
                uid, _, _ = verify(self._parts.keys, purpose, token).decode().partition("/")
                return store.find_by_uid(session, uid)
        raise TokenRefused

    def _known(self, session: Session, token: str) -> Subscriber:
        subscriber = self._person(session, token, PREFERENCES)
        if subscriber is None:
            raise UnknownSubscriber
        return subscriber

    def _preferences(self, subscriber: Subscriber) -> str:
        return sign(self._parts.keys, PREFERENCES, subscriber.uid)

    def _undo_token(self, session: Session, subscriber: Subscriber, newsletter: str) -> str:
        """What takes the newest farewell back, while that can be; also for the second click of two."""
        since = self._parts.now() - UNDO_WITHIN
        farewell = last_farewell(session, subscriber, newsletter=newsletter, since=since)
        still = newsletter in store.departures_of(session, store.id_of(subscriber))
        if not farewell or not still:
            return ""
        return sign(self._parts.keys, UNDO, f"{subscriber.uid}/{newsletter}/{farewell[0].id}/{farewell[-1].id}")


def newsletter_for(session: Session, subscriber: Subscriber) -> Newsletter:
    """The newsletter in whose name a person is written to about themselves: the first they have not left."""
    left = store.departures_of(session, store.id_of(subscriber))
    found = [settings for _, settings in list_newsletters(session)]
    if not found:
        raise WrongState("there is no newsletter in whose name a message could be sent")
    return next((settings for settings in found if settings.slug not in left), found[0])


def _newsletter(session: Session, slug: str, language: str | None) -> NewsletterOffer:
    try:
        _, settings = get_newsletter(session, slug)
    except NotFound:
        return gone_newsletter(slug)
    return newsletter_offer(settings, language or settings.default_language)


def _key_of(text: str) -> str | None:
    try:
        return parse_address(text).key
    except InvalidAddress:
        return None
