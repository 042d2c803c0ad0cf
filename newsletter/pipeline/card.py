"""
The page of one's own: what a person sees of themselves, what they change there, and everything that is stored.

Takes a session and a stored subscriber, yields plain values; takes changes, yields stored rows and lines of the consent
log. Promises that a list is joined with the words that stood on the page, and that a private list cannot be joined by
knowing its name.
"""

import datetime as dt
from dataclasses import dataclass, replace

from sqlmodel import Session

from newsletter.content.store import list_newsletters
from newsletter.pipeline.limits import VALID
from newsletter.pipeline.offering import (
    Consent,
    ListOffer,
    NewsletterOffer,
    list_offer,
    newsletter_offer,
    own_consent_words,
)
from newsletter.words import ENGLISH
from subscribers import consent, store
from subscribers.address import masked
from subscribers.consent import Circumstances
from subscribers.errors import UnknownList
from subscribers.models import MailingList, MembershipState, Subscriber

PAGE = "preferences"
"""How the consent log calls what a person did on the page of their own."""

SHOWN = frozenset({MembershipState.CONFIRMED, MembershipState.PENDING})
"""Memberships that show a private list to the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListChoice:
    """A list on the page of one's own; `joined` says that the person receives it."""

    offer: ListOffer
    joined: bool
    pending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """
    What a person sees of themselves.

    `masked` is the address as strangers may see it (the mail may have been forwarded); `language` and `timezone` are
    empty where they are not known. `languages` are those of all newsletters. `lists` are the public ones, and of the
    private ones those that the person is on. `left` are the newsletters they left. `awaiting` is the masked new address
    that waits for its confirmation, else empty. `barred` says that nothing is sent to the address at all. `preferences`
    is a token that opens this page, whichever token was given. `consent` is agreed to by joining a list.
    """

    masked: str
    first_name: str
    last_name: str
    language: str
    timezone: str
    languages: tuple[str, ...]
    lists: tuple[ListChoice, ...]
    left: tuple[NewsletterOffer, ...]
    awaiting: str
    barred: bool
    preferences: str
    consent: Consent


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What the page of one's own sends: None leaves a field as it is, an empty text clears it."""

    first_name: str | None = None
    last_name: str | None = None
    language: str | None = None
    timezone: str | None = None
    join: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()
    #: Newsletters, by key, that the person left and wants to receive again.
    rejoin: tuple[str, ...] = ()
    #: The language of the page, and so of the words that are agreed to by joining; empty: the person's.
    shown_in: str = ""
    origin: str = ""


def card_of(session: Session, subscriber: Subscriber, *, language: str, preferences: str, now: dt.datetime) -> Card:
    """What a person sees of themselves, words in `language`."""
    key = store.id_of(subscriber)
    newsletters = [settings for _, settings in list_newsletters(session)]
    departures = store.departures_of(session, key)
    moving = store.open_address_request(session, key, since=now - VALID)
    return Card(
        masked=masked(subscriber.address),
        first_name=subscriber.first_name,
        last_name=subscriber.last_name,
        language=subscriber.language or "",
        timezone=subscriber.timezone or "",
        languages=tuple(dict.fromkeys(tag for settings in newsletters for tag in settings.languages)),
        lists=_choices(session, subscriber, language),
        left=tuple(newsletter_offer(settings, language) for settings in newsletters if settings.slug in departures),
        awaiting=masked(moving.address or "") if moving else "",
        barred=store.find_suppression(session, subscriber.digest) is not None,
        preferences=preferences,
        consent=own_consent_words(language),
    )


def _choices(session: Session, subscriber: Subscriber, language: str) -> tuple[ListChoice, ...]:
    memberships = store.memberships_of(session, store.id_of(subscriber))
    states = {name: membership.state for name, membership in memberships.items()}
    return tuple(
        ListChoice(
            offer=list_offer(each, language),
            joined=states.get(each.name) is MembershipState.CONFIRMED,
            pending=states.get(each.name) is MembershipState.PENDING,
        )
        for each in store.all_lists(session)
        if each.public or states.get(each.name) in SHOWN
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Changing:
    """Changes what a person says about themselves, within the session of the verb."""

    session: Session
    subscriber: Subscriber
    circumstances: Circumstances
    shown_in: str

    def change(self, changes: Changes) -> frozenset[str]:
        """Change it all, and return the names of what is different now; see `Own.change`."""
        fields = {
            "first_name": changes.first_name,
            "last_name": changes.last_name,
            "language": changes.language,
            "timezone": changes.timezone,
        }
        values = {name: text for name, text in fields.items() if text is not None}
        changed = set(store.change_subscriber(self.session, self.subscriber, now=self.circumstances.at, values=values))
        done = {
            "join": [self._join(name) for name in changes.join],
            "leave": [self._leave(name) for name in changes.leave],
            "rejoin": [self._rejoin(newsletter) for newsletter in changes.rejoin],
        }
        changed |= {name for name, results in done.items() if any(results)}
        return frozenset(changed)

    def _agreed(self) -> Circumstances:
        """The circumstances with the words that stood on the page, which are kept."""
        words = own_consent_words(self.shown_in or self.subscriber.language or ENGLISH)
        at = self.circumstances.at
        store.put_wording(self.session, version=words.version, language=words.language, text=words.text, now=at)
        return replace(self.circumstances, wording_version=words.version, wording_language=words.language)

    def _join(self, name: str) -> bool:
        mailing_list = self._shown(name)
        states = store.memberships_of(self.session, store.id_of(self.subscriber))
        if name in states and states[name].state is MembershipState.CONFIRMED:
            return False
        consent.subscribe(
            self.session,
            subscriber=self.subscriber,
            mailing_list=mailing_list,
            circumstances=self._agreed(),
            proven=True,
        )
        return True

    def _leave(self, name: str) -> bool:
        return consent.leave(
            self.session,
            subscriber=self.subscriber,
            mailing_list=store.get_list(self.session, name),
            circumstances=self.circumstances,
        )

    def _rejoin(self, newsletter: str) -> bool:
        return consent.come_back(
            self.session, subscriber=self.subscriber, newsletter=newsletter, circumstances=self._agreed()
        )

    def _shown(self, name: str) -> MailingList:
        """The list of this name; one that is private to others does not exist for the person."""
        mailing_list = store.find_list(self.session, name)
        if mailing_list is not None:
            state = store.membership_state(
                self.session,
                subscriber_id=store.id_of(self.subscriber),
                list_id=store.list_id_of(mailing_list),
            )
            if mailing_list.public or state in SHOWN:
                return mailing_list
        raise UnknownList(name)
