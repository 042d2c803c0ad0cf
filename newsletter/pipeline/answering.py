"""
Answering what was asked for in a form: all that depends on who the address belongs to.

Takes a stored form, after whoever sent it has had their response; yields memberships, a request that waits for its
confirmation, and one letter or none. Promises that an address which must not be written to gets nothing, that none gets
more than the limits allow, and that nothing about a known person changes before they have confirmed.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from newsletter.compilation.single import LetterKind
from newsletter.content.newsletter import Newsletter
from newsletter.pipeline import limits
from newsletter.pipeline.card import PAGE
from newsletter.pipeline.letters import Post, mailing_of_letter
from newsletter.pipeline.parts import Parts
from subscribers import consent, store
from subscribers.address import parse_address
from subscribers.consent import Circumstances
from subscribers.models import (
    Asking,
    ConfirmationRequest,
    MailingList,
    MembershipState,
    RequestKind,
    Subscriber,
    new_uid,
)

FORM = "form"
"""How the consent log calls what came by a sign-up form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Answers one form within the session of the verb."""

    session: Session
    parts: Parts
    settings: Newsletter
    asking: Asking

    def give(self) -> None:
        """Do what was asked for, as far as it may be done."""
        if self.asking.kind is RequestKind.ADDRESS:
            self._move()
        else:
            self._join()

    def _move(self) -> None:
        """Ask at a new address whether it is theirs, and tell the present one; another's address is told so itself."""
        subscriber = self.session.get(Subscriber, self.asking.subscriber_id)
        if subscriber is None or self._is_barred() or not self._may_write():
            return
        holder = store.find_by_digest(self.session, self.asking.digest)
        if holder is not None:
            self._write(LetterKind.ALREADY, holder, ())
            return
        store.withdraw_address_requests(self.session, store.id_of(subscriber))
        request = self._request(subscriber, kind=RequestKind.ADDRESS, lists=(), confirmed=None)
        request.address, request.given = self.asking.address, {}
        request.mailing = mailing_of_letter(LetterKind.ADDRESS, newsletter=self.settings.slug, key=request.key)
        store.add_request(self.session, request)
        self._post.plan_to(
            LetterKind.ADDRESS,
            key=request.key,
            address=self.asking.address,
            digest=self.asking.digest,
            language=subscriber.language,
        )
        self._warn(subscriber, request.key)

    def _warn(self, subscriber: Subscriber, key: str) -> None:
        """Tell the present address of a new one, if it can be written to at all."""
        is_suppressed = store.find_suppression(self.session, subscriber.digest) is not None
        now = self.parts.now()
        if not is_suppressed and limits.may_write(self.session, subscriber.digest, now=now, warning=True):
            self._post.plan(LetterKind.MOVING, key=key, subscriber=subscriber)

    def _join(self) -> None:
        lists = [found for found in store.public_lists(self.session) if found.name in self.asking.lists]
        if not lists or self._is_barred() or not self._may_write():
            return
        subscriber = store.find_by_digest(self.session, self.asking.digest)
        if subscriber is None:
            self._welcome(self._newcomer(), lists, is_new=True)
        else:
            self._welcome(subscriber, lists, is_new=False)

    def _is_barred(self) -> bool:
        found = store.find_suppression(self.session, self.asking.digest)
        return found is not None and found.reason not in consent.OWN_WISH

    def _may_write(self) -> bool:
        return limits.may_write(self.session, self.asking.digest, now=self.parts.now())

    def _newcomer(self) -> Subscriber:
        address, language = parse_address(self.asking.address), self.asking.language
        values = {"language": language} if language else {}
        return store.add_subscriber(self.session, self.parts.keys, address=address, now=self.asking.at, values=values)

    def _welcome(self, subscriber: Subscriber, lists: Sequence[MailingList], *, is_new: bool) -> None:
        """Note the wish, and ask for its confirmation where it needs one."""
        key = store.id_of(subscriber)
        states = {name: membership.state for name, membership in store.memberships_of(self.session, key).items()}
        wanted = [each for each in lists if states.get(each.name) is not MembershipState.CONFIRMED]
        waiting = [each for each in wanted if self._subscribe(subscriber, each) is not MembershipState.CONFIRMED]
        has_left = self.settings.slug in store.departures_of(self.session, key)
        if waiting or has_left or store.find_suppression(self.session, subscriber.digest) is not None:
            self._write(LetterKind.CONFIRM, subscriber, waiting)
        elif wanted:
            if is_new:
                store.change_subscriber(self.session, subscriber, now=self.asking.at, values=given(self.asking))
            self._write(LetterKind.WELCOME, subscriber, wanted)
        else:
            self._write(LetterKind.ALREADY, subscriber, ())

    def _subscribe(self, subscriber: Subscriber, mailing_list: MailingList) -> MembershipState:
        return consent.subscribe(
            self.session, subscriber=subscriber, mailing_list=mailing_list, circumstances=self._circumstances()
        )

    def _circumstances(self) -> Circumstances:
        return Circumstances(
            at=self.asking.at,
            source=FORM,
            wording_version=self.asking.wording_version,
            wording_language=self.asking.wording_language,
            origin=self.asking.origin.partition("/")[0],
            newsletter=self.settings.slug,
        )

    def _write(self, kind: LetterKind, subscriber: Subscriber, lists: Sequence[MailingList]) -> None:
        # What needs no confirmation is kept like what has one: the link in the letter leaves these lists.
        confirmed = None if kind is LetterKind.CONFIRM else self.asking.at
        request = self._request(subscriber, kind=RequestKind.LISTS, lists=lists, confirmed=confirmed)
        write(self._post, kind, subscriber=subscriber, request=request, lists=lists)

    def _request(
        self,
        subscriber: Subscriber,
        *,
        kind: RequestKind,
        lists: Sequence[MailingList],
        confirmed: dt.datetime | None,
    ) -> ConfirmationRequest:
        return ConfirmationRequest(
            key=new_uid(),
            kind=kind,
            subscriber_id=store.id_of(subscriber),
            newsletter=self.settings.slug,
            mailing="",
            lists=[each.name for each in lists],
            given=given(self.asking),
            language=subscriber.language or self.asking.language or self.asking.wording_language,
            wording_version=self.asking.wording_version,
            wording_language=self.asking.wording_language,
            source=FORM if self.asking.kind is RequestKind.LISTS else PAGE,
            asked=self.asking.at,
            confirmed=confirmed,
        )

    @property
    def _post(self) -> Post:
        return Post(session=self.session, links=self.parts.links, settings=self.settings, now=self.parts.now())


def write(
    post: Post,
    kind: LetterKind,
    *,
    subscriber: Subscriber,
    request: ConfirmationRequest,
    lists: Sequence[MailingList],
) -> None:
    """Store a request and send the letter that is about it; it names the lists where there is more than one to have."""
    request.mailing = mailing_of_letter(kind, newsletter=post.settings.slug, key=request.key)
    store.add_request(post.session, request)
    named = lists if len(store.public_lists(post.session)) > 1 or kind is LetterKind.INVITE else ()
    post.plan(kind, key=request.key, subscriber=subscriber, lists=named, language=request.language)


def given(asking: Asking) -> dict[str, str]:
    """The fields that a form gave along, without those it left empty."""
    fields = {"first_name": asking.first_name, "last_name": asking.last_name, "language": asking.language}
    return {name: text for name, text in fields.items() if text}
