"""
Putting one person on a list by an administrator's word, and changing what is known about them.

Takes `KEY=VALUE` as an operator writes them, with the meaning they have as columns of an import; yields stored rows.
Promises the same verdict on a single person as on a row of a file: nobody who left or is suppressed comes back.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from newsletter.errors import WrongState
from newsletter.pipeline.person import barred
from subscribers import consent, store
from subscribers.address import Address
from subscribers.importing import Row
from subscribers.importing.chunk import Decision, Target, Verdict, decide, look_up
from subscribers.models import Attribute, ConsentAction, MailingList, MembershipState, Subscriber, SuppressionReason
from subscribers.tokens import Keys

TAGS: Final = "tags"
"""Said like a field and stored as labels, divided by `;`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What is said about a person: an empty text clears a field, None an attribute; without `tags` they stay."""

    values: Mapping[str, str]
    attributes: Mapping[str, Attribute | None]
    tags: frozenset[str] | None

    @property
    def row(self) -> tuple[dict[str, str], dict[str, Attribute], tuple[str, ...]]:
        """Values, attributes and tags as a file would bring them: what is empty says nothing."""
        values = {name: store.clean(name, text) or "" for name, text in self.values.items() if text}
        known = {name: value for name, value in self.attributes.items() if value is not None}
        return values, store.clean_attributes(known), tuple(sorted(self.tags or ()))


def described(given: Mapping[str, str]) -> Description:
    """Sort `KEY=VALUE` into fields, attributes and tags; raises InvalidValue for a tag that is too long."""
    texts = {key.strip().lower(): text.strip() for key, text in given.items()}
    tags = texts.pop(TAGS, None)
    others = {name: text for name, text in texts.items() if name not in store.FIELDS}
    return Description(
        values={name: text for name, text in texts.items() if name in store.FIELDS},
        attributes={name: store.typed(text) if text else None for name, text in others.items()},
        tags=None
        if tags is None
        else frozenset(store.clean_name("tag", tag) for tag in tags.split(";") if tag.strip()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """Where somebody is to be put, by whom, and when."""

    session: Session
    mailing_list: MailingList
    keys: Keys
    circumstances: consent.Circumstances

    def enrol(self, address: Address, description: Description) -> Verdict:
        """Put somebody on the list and return what that changed; raises WrongState where it may not be."""
        decision = self._decide(address, description)
        self._refuse(decision)
        now = self.circumstances.at
        subscriber = store.find_subscriber(self.session, address)
        if subscriber is None:
            subscriber = store.add_subscriber(self.session, self.keys, address=address, now=now)
        values, attributes, tags = description.row
        store.change_subscriber(self.session, subscriber, now=now, values=values, attributes=attributes)
        store.add_tags(self.session, subscriber_id=store.id_of(subscriber), tags=tags)
        if decision.joins:
            self._join(subscriber)
        return decision.verdict

    def _decide(self, address: Address, description: Description) -> Decision:
        values, attributes, tags = description.row
        row = Row(line=1, address=address, values=values, attributes=attributes, tags=tags)
        target = Target(
            list_id=store.list_id_of(self.mailing_list),
            list_name=self.mailing_list.name,
            state=MembershipState.CONFIRMED,
            keys=self.keys,
            operator=self.circumstances.operator,
            now=self.circumstances.at,
        )
        standing, digests = look_up(self.session, target, [row])
        return decide(row, digests[0], standing=standing, state=target.state)

    def _refuse(self, decision: Decision) -> None:
        if decision.verdict is Verdict.REFUSED:
            raise WrongState("this person has left: only their own new consent brings them back")
        found = barred(store.find_suppression(self.session, decision.digest))
        if found is not None:
            lifted = "`newsletter subscribers unsuppress ADDRESS --reason TEXT` would lift that"
            if found.reason is SuppressionReason.ERASED:
                lifted = "only their own new consent brings them back"
            raise WrongState(f"this address must not be written to ({found.words}); {lifted}")

    def _join(self, subscriber: Subscriber) -> None:
        store.set_membership(
            self.session,
            subscriber_id=store.id_of(subscriber),
            list_id=store.list_id_of(self.mailing_list),
            state=MembershipState.CONFIRMED,
            now=self.circumstances.at,
        )
        consent.record(
            self.session,
            subscriber=subscriber,
            action=ConsentAction.IMPORTED,
            circumstances=self.circumstances,
            list_name=self.mailing_list.name,
        )


def change(session: Session, subscriber: Subscriber, description: Description, *, now: dt.datetime) -> frozenset[str]:
    """Change what is said about a person, and return the names of what is different now."""
    changed = store.change_subscriber(
        session, subscriber, now=now, values=description.values, attributes=description.attributes
    )
    if description.tags is None:
        return changed
    key = store.id_of(subscriber)
    surplus = frozenset(store.tags_of(session, [key]).get(key, ())) - description.tags
    store.remove_tags(session, subscriber_id=key, tags=surplus)
    new = store.add_tags(session, subscriber_id=key, tags=description.tags)
    return changed | {TAGS} if new or surplus else changed
