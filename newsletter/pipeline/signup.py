"""
The verbs of signing up: offer a form, ask, look at a confirmation link, confirm.

Takes what stands in a form or a link; yields values for pages. Promises that whoever asks learns nothing about the
address they gave (`ask` runs the same statements whether it is known or not, and all that differs waits for `answer`),
that looking changes nothing, and that nobody becomes a member of a double opt-in list without having confirmed.
"""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlmodel import Session

from newsletter.content.newsletter import Newsletter
from newsletter.content.store import list_newsletters, only_newsletter
from newsletter.database import reading
from newsletter.dispatch.composer import CONFIRM, PREFERENCES
from newsletter.errors import FormStale, NotFound, NothingChosen
from newsletter.logs import logger
from newsletter.pipeline import limits
from newsletter.pipeline.offering import (
    Consent,
    ListOffer,
    NewsletterOffer,
    consent_words,
    gone_newsletter,
    list_offer,
    newsletter_offer,
)
from newsletter.pipeline.parts import Parts
from subscribers import consent, store
from subscribers.address import Address, masked, parse_address
from subscribers.errors import InvalidAddress, TokenRefused, UnknownList
from subscribers.models import Asking, ConfirmationRequest, MailingList, RequestKind, Subscriber
from subscribers.tokens import Keys, address_digest, sign, verify

FORM_STAMP: Final = "form"
"""Purpose of the token in a form; its payload is when it was shown, what was to be agreed to, and the newsletter."""

SOONEST: Final = dt.timedelta(seconds=3)
"""Nobody reads and fills a form in less; machines do."""

LATEST: Final = dt.timedelta(days=1)
"""How long a form can be sent after it was shown."""

GIVEN_UP: Final = dt.timedelta(days=1)
"""A form that could not be answered for so long is dropped, with the address in it."""

AT_ONCE: Final = 100
"""Forms answered in one go; more follow a second later."""

PUT_OFF: Final = dt.timedelta(minutes=1)
"""When a form that could not be answered is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """
    What a sign-up form offers.

    `lists` is empty where nobody can sign up. `stamp` goes into a hidden field and comes back with `ask`; a form that
    is kept elsewhere has none, and is shown again with one.
    """

    newsletter: NewsletterOffer
    lists: tuple[ListOffer, ...]
    consent: Consent
    stamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedFor:
    """
    A form as it was sent.

    `lists` may be empty where only one is offered. `language` is the edition that is wanted (empty: not said; letters
    are then in the language of the form). `trap` is a field that people do not see: whoever fills it is a machine, gets
    the same answer as everybody and nothing else. `origin` is the IP address of the request, shortened before it is
    stored.
    """

    newsletter: str
    address: str
    lists: tuple[str, ...] = ()
    first_name: str = ""
    last_name: str = ""
    language: str = ""
    stamp: str = ""
    trap: str = ""
    origin: str = ""


class InvitationState(StrEnum):
    """How a confirmation link stands."""

    #: It waits for the person.
    OPEN = "open"
    #: It has been followed and confirmed.
    CONFIRMED = "confirmed"
    #: It is too old: the person has to ask again.
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """
    What a confirmation link is about; `masked` is the address it was sent to, as strangers may see it.

    `consent` is the words that are agreed to by confirming, as they were shown in the form, or would have been; None of
    an address.

    `preferences` is a token for the page of the person's own where the link has been confirmed, else empty: pages lead
    from POST to GET, and show it there.
    """

    kind: RequestKind
    state: InvitationState
    newsletter: NewsletterOffer
    lists: tuple[ListOffer, ...]
    masked: str
    language: str
    asked: dt.datetime
    preferences: str
    consent: Consent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """
    What a confirmation did.

    `state` as it is now: CONFIRMED also where it was confirmed before (`changed` tells), EXPIRED where nothing
    happened. `lists` are those that the person now receives. `preferences` is a token for the page of their own.
    """

    kind: RequestKind
    state: InvitationState
    changed: bool
    newsletter: NewsletterOffer
    lists: tuple[ListOffer, ...]
    language: str
    preferences: str


class Signup:
    """The verbs of signing up."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._log = logger("people")
        self._put_off: dict[int, dt.datetime] = {}

    def newsletters(self, *, language: str) -> tuple[NewsletterOffer, ...]:
        """Every newsletter, its name in `language` where there is one, by name: for a page that lets one choose."""
        with reading(self._parts.engine) as session:
            offers = [newsletter_offer(settings, language) for _, settings in list_newsletters(session)]
        return tuple(sorted(offers, key=lambda offer: offer.name))

    def offer(self, newsletter: str | None, *, language: str, lists: Sequence[str] = ()) -> Offer:
        """
        What a form offers in `language`; changes nothing.

        `lists` narrows the public lists to those named; unknown or private ones are passed over. Raises NotFound for
        an unknown newsletter, and, where none is named, WrongState if there is none and InvalidInput if there are
        several.
        """
        with reading(self._parts.engine) as session:
            _, settings = only_newsletter(session, newsletter)
            public = [each for each in store.public_lists(session) if not lists or each.name in lists]
            offered = tuple(list_offer(each, language, default=settings.default_language) for each in public)
        consent_to = consent_words(settings, language)
        return Offer(
            newsletter=newsletter_offer(settings, language),
            lists=offered,
            consent=consent_to,
            stamp=sign(self._parts.keys, FORM_STAMP, _stamp(settings.slug, consent_to, self._parts.now())),
        )

    def ask(self, asked: AskedFor) -> None:
        """
        Take a form; the mail follows with `answer`.

        Raises InvalidAddress, InvalidValue, InvalidLanguage, UnknownList (also for a private list), NothingChosen,
        NotFound (newsletter); FormStale where the stamp is missing, forged, younger than three seconds or older than a
        day, or the words to agree to have changed: show the form again, filled in, with a new stamp; TooMany, with
        `retry_after` in seconds, where a limit of the network, the address's domain or the whole installation is
        reached. None of them says whether the address is known.
        """
        now, keys = self._parts.now(), self._parts.keys
        address = writable(asked.address)
        with self._parts.sessions() as session:
            _, settings = only_newsletter(session, asked.newsletter)
            agreed = _agreed(keys, settings, asked.stamp, now=now)
            asking = Asking(
                newsletter=settings.slug,
                address=address.text,
                digest=address_digest(keys, address.key),
                lists=_chosen(session, asked.lists),
                first_name=store.clean("first_name", asked.first_name) or "",
                last_name=store.clean("last_name", asked.last_name) or "",
                language=store.clean("language", asked.language) or "",
                wording_version=agreed.version,
                wording_language=agreed.language,
                origin=consent.shortened_origin(asked.origin),
                at=now,
            )
            if asked.trap:
                self._log.info("form of a machine dropped", newsletter=settings.slug)
                return
            limits.take_room(
                session, keys=keys, settings=self._parts.settings.signup, address=address, origin=asked.origin, now=now
            )
            store.put_wording(session, version=agreed.version, language=agreed.language, text=agreed.text, now=now)
            store.add_asking(session, asking)
            session.commit()

    def answer(self) -> int:
        """
        Do what was asked for since: memberships, confirmation mails, notices; returns how many were answered.

        Scheduler and dispatcher run it every second. It never runs with a request, also not after the response: the
        next request on the same connection would wait for it, and so tell how long it took.
        """
        now = self._parts.now()
        put_off = {asking: at for asking, at in self._put_off.items() if at > now}
        with reading(self._parts.engine) as session:
            waiting = store.waiting_askings(session, limit=AT_ONCE, without=put_off)
            session.expunge_all()  # they outlive the session, and their rows
        self._put_off = put_off
        answered = sum(self._answered(asking) for asking in waiting)
        if waiting:
            with self._parts.sessions() as session:
                limits.sweep(session, now=now)
                store.drop_askings(session, before=now - GIVEN_UP)
                session.commit()
            self._log.info("forms answered", forms=answered)
        return answered

    def _answered(self, asking: Asking) -> bool:
        """Answer one form in a transaction of its own, so that one that cannot be answered keeps back no other."""
        from newsletter.pipeline.answering import Answer

        try:
            with self._parts.sessions() as session:
                if not store.take_asking(session, asking.id or 0):
                    return False
                _, settings = only_newsletter(session, asking.newsletter)
                Answer(session=session, parts=self._parts, settings=settings, asking=asking).give()
                session.commit()
        except Exception as error:  # noqa: BLE001  whatever it is, the form stays and is tried again
            self._put_off[asking.id or 0] = self._parts.now() + PUT_OFF
            self._log.error("form could not be answered", form=asking.id, error=type(error).__name__)
            return False
        return True

    def look(self, token: str) -> Invitation | None:
        """
        What a confirmation link is about; changes nothing. None where the person has been erased since.

        Raises TokenRefused for a link that is not ours.
        """
        key = verify(self._parts.keys, CONFIRM, token).decode()
        with reading(self._parts.engine) as session:
            request = store.find_request(session, key)
            subscriber = session.get(Subscriber, request.subscriber_id) if request else None
            if request is None or subscriber is None:
                return None
            language, state = request.language, state_of(request, now=self._parts.now())
            return Invitation(
                kind=request.kind,
                state=state,
                newsletter=_newsletter(session, request),
                lists=tuple(list_offer(each, language) for each in _lists(session, request.lists)),
                masked=masked(request.address or subscriber.address),
                language=language,
                asked=request.asked,
                preferences=sign(self._parts.keys, PREFERENCES, subscriber.uid) if request.confirmed else "",
                consent=_kept_words(session, request.wording_version),
            )

    def confirm(self, token: str, *, origin: str) -> Confirmed | None:
        """
        Confirm what a link is about: lists, or a new address; twice does no harm. None as `look`.

        Raises TokenRefused, and SubscriberExists where the new address belongs to somebody else by now.
        """
        from newsletter.pipeline.confirming import Confirming

        key = verify(self._parts.keys, CONFIRM, token).decode()
        with self._parts.sessions() as session:
            request = store.find_request(session, key)
            subscriber = session.get(Subscriber, request.subscriber_id) if request else None
            if request is None or subscriber is None:
                return None
            confirming = Confirming(
                session=session, keys=self._parts.keys, request=request, subscriber=subscriber, now=self._parts.now()
            )
            changed = confirming.confirm(origin=origin)
            confirmed = Confirmed(
                kind=request.kind,
                state=state_of(request, now=self._parts.now()),
                changed=changed,
                newsletter=_newsletter(session, request),
                lists=tuple(list_offer(each, request.language) for each in confirming.received()),
                language=subscriber.language or request.language,
                preferences=sign(self._parts.keys, PREFERENCES, subscriber.uid),
            )
            session.commit()
        self._log.info("confirmed", mailing=confirmed.kind.value, changed=changed)
        return confirmed

    def invite(self, list_name: str, *, newsletter: str | None, progress: Callable[[int, int], None]) -> int:
        """
        Send a confirmation mail to everybody who is pending on a list and has none on its way; returns how many.

        Commits in chunks; broken off and called again it goes on. The limits per address hold, the others do not.
        Raises UnknownList, and NotFound, WrongState or InvalidInput for the newsletter as `offer` does.
        """
        from newsletter.pipeline.inviting import Inviting

        with reading(self._parts.engine) as session:
            _, settings = only_newsletter(session, newsletter)
            mailing_list = store.get_list(session, list_name)
            session.expunge(mailing_list)
            total = store.count_pending(session, list_id=store.list_id_of(mailing_list))
        inviting = Inviting(parts=self._parts, settings=settings, mailing_list=mailing_list)
        sent = done = 0
        while chunk := inviting.invite_some():
            sent, done = sent + chunk.sent, done + chunk.people
            progress(done, total)
        self._log.info("people invited", list=list_name, sent=sent)
        return sent


def state_of(request: ConfirmationRequest, *, now: dt.datetime) -> InvitationState:
    """How a confirmation link stands."""
    if request.confirmed is not None:
        return InvitationState.CONFIRMED
    return InvitationState.EXPIRED if request.asked < now - limits.VALID else InvitationState.OPEN


def _newsletter(session: Session, request: ConfirmationRequest) -> NewsletterOffer:
    try:
        _, settings = only_newsletter(session, request.newsletter)
    except NotFound:
        return gone_newsletter(request.newsletter)
    return newsletter_offer(settings, request.language)


def _kept_words(session: Session, version: str) -> Consent | None:
    kept = store.wordings(session, [version]).get(version)
    return Consent(text=kept.text, language=kept.language, version=version) if kept else None


def _lists(session: Session, names: Collection[str]) -> list[MailingList]:
    found = (store.find_list(session, name) for name in names)
    return [each for each in found if each is not None]


def writable(text: str) -> Address:
    """Read an address that our mail can be sent to. Raises InvalidAddress."""
    address = parse_address(text)
    if address.needs_smtputf8:
        raise InvalidAddress("The part before the @ has letters that our mail cannot be sent to.")
    return address


def _chosen(session: Session, names: Sequence[str]) -> list[str]:
    """The lists that were chosen, each of them offered; the only one there is goes without saying."""
    offered = [each.name for each in store.public_lists(session)]
    for name in names:
        if name not in offered:
            raise UnknownList(name)
    if names:
        return sorted(set(names))
    if len(offered) != 1:
        raise NothingChosen
    return offered


def _stamp(newsletter: str, agreed: Consent, now: dt.datetime) -> str:
    return f"{int(now.timestamp())}/{agreed.version}/{agreed.language}/{newsletter}"


def _agreed(keys: Keys, settings: Newsletter, stamp: str, *, now: dt.datetime) -> Consent:
    """The words that stood in the form; raises FormStale for one that was not shown like that, or not just now."""
    try:
        shown, version, language, newsletter = verify(keys, FORM_STAMP, stamp).decode().split("/")
    except TokenRefused as error:
        raise FormStale from error
    age = now - dt.datetime.fromtimestamp(int(shown), dt.UTC)
    agreed = consent_words(settings, language)
    if newsletter != settings.slug or agreed.version != version or age > LATEST:
        raise FormStale
    if age < SOONEST:
        raise FormStale(stamp)
    return agreed
