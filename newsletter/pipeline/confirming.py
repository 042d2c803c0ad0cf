"""
Confirming what waited for it: lists, or another address.

Takes a request whose link was followed by its person; yields memberships or the new address, and the proof in the
consent log: when it was asked for, which mailing carried the link, when and from where it was confirmed.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session

from newsletter.pipeline import limits
from newsletter.planning.forgetting import move_unsent
from subscribers import consent, store
from subscribers.address import parse_address
from subscribers.consent import Circumstances
from subscribers.models import ConfirmationRequest, MailingList, MembershipState, RequestKind, Subscriber
from subscribers.tokens import Keys

SOURCE = "confirmation"
"""How the consent log calls what came by a confirmation link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirming:
    """Confirms one request within the session of the verb."""

    session: Session
    keys: Keys
    request: ConfirmationRequest
    subscriber: Subscriber
    now: dt.datetime

    def confirm(self, *, origin: str) -> bool:
        """Confirm, and return whether this call did it; raises SubscriberExists for an address that was taken since."""
        if self.request.confirmed is not None or self.request.asked < self.now - limits.VALID:
            return False
        address = self.request.address
        if not store.confirm_request(self.session, self.request.key, now=self.now):
            return False
        self.session.refresh(self.request)
        if self.request.kind is RequestKind.ADDRESS:
            self._move(address or self.subscriber.address)
        else:
            self._join(origin)
        limits.forgive(self.session, self.subscriber.digest)
        return True

    def received(self) -> list[MailingList]:
        """The lists of the request that the person is a member of now."""
        states = store.memberships_of(self.session, store.id_of(self.subscriber))
        return [
            each
            for each in self._lists()
            if each.name in states and states[each.name].state is MembershipState.CONFIRMED
        ]

    def _lists(self) -> Iterator[MailingList]:
        found = (store.find_list(self.session, name) for name in self.request.lists)
        return (each for each in found if each is not None)

    def _join(self, origin: str) -> None:
        circumstances = Circumstances(
            at=self.now,
            source=SOURCE,
            wording_version=self.request.wording_version,
            wording_language=self.request.wording_language,
            origin=origin,
            newsletter=self.request.newsletter,
            asked=self.request.asked,
            mailing=self.request.mailing,
        )
        for each in self._lists():
            consent.confirm(self.session, subscriber=self.subscriber, mailing_list=each, circumstances=circumstances)
        consent.come_back(
            self.session,
            subscriber=self.subscriber,
            newsletter=self.request.newsletter,
            circumstances=circumstances,
        )
        store.delete_suppression(self.session, self.subscriber.digest, reasons=consent.OWN_WISH)
        store.change_subscriber(self.session, self.subscriber, now=self.now, values=self.request.given)

    def _move(self, address: str) -> None:
        before = self.subscriber.digest
        store.change_address(
            self.session, self.keys, subscriber=self.subscriber, address=parse_address(address), now=self.now
        )
        key = store.id_of(self.subscriber)
        store.add_former_address(self.session, subscriber_id=key, digest=before, until=self.now)
        move_unsent(self.session, subscriber_id=key, old=before, new=self.subscriber.digest, now=self.now)
        store.delete_suppression(self.session, self.subscriber.digest, reasons=consent.OWN_WISH)
