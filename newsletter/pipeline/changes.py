"""
The verbs by which an operator changes people: one, or as many as are named.

Takes addresses and what is to be different, yields for each what became different or why nothing could be. Promises
that one who cannot be changed keeps nobody else from it, that a dry run tells what would happen and stores nothing, and
that the consent log or the audit log says who did it. Commits in chunks, so that nobody waits long for the database.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.errors import NewsletterError, WrongState
from newsletter.pipeline import enrolment
from newsletter.pipeline.enrolment import Description, Enrolment, described
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.person import barred
from newsletter.pipeline.stopping import Stopped, stop_unmeant
from newsletter.planning.forgetting import move_unsent
from subscribers import consent, store, suppression
from subscribers.address import parse_address
from subscribers.errors import SubscribersError
from subscribers.models import MembershipState, Subscriber, SuppressionReason

CHUNK: Final = 100
"""People changed in one transaction: some ten milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of one person: the names of what is different now, deliveries stopped, or why nothing could be."""

    address: str
    changed: tuple[str, ...] = ()
    stopped: int = 0
    problem: NewsletterError | SubscribersError | None = None


class LetGo(Protocol):
    """Lets a person leave, and stops what was planned for them."""

    def __call__(
        self, session: Session, subscriber: Subscriber, *, newsletter: str | None, list_name: str | None
    ) -> Stopped:
        """Leave a newsletter, a list, both, or everything."""
        ...


Act = Callable[[Session, Subscriber], "tuple[Sequence[str], int]"]
"""Changes one person; returns the names of what is different now, and how many deliveries were stopped."""


class Changes:
    """The verbs about several people at once."""

    def __init__(self, parts: Parts, *, let_go: LetGo) -> None:
        self._parts = parts
        self._let_go = let_go

    def set_one(self, address: str, given: Mapping[str, str]) -> list[str]:
        """Change fields, attributes and tags of a person, see `set`; raises what makes it impossible."""
        description = described(given)
        with self._parts.sessions() as session:
            changed, _ = self._set(session, store.get_subscriber(session, address), description)
            session.commit()
        return list(changed)

    def set(self, addresses: Iterable[str], given: Mapping[str, str], *, dry_run: bool = False) -> list[Done]:
        """
        Change fields, attributes and tags of people.

        An empty text clears a field and takes an attribute away; `tags` replaces all tags.
        """
        description = described(given)
        return self._each(addresses, lambda session, person: self._set(session, person, description), dry_run=dry_run)

    def tag(
        self, addresses: Iterable[str], *, add: Iterable[str] = (), remove: Iterable[str] = (), dry_run: bool = False
    ) -> list[Done]:
        """Put tags on people and take tags off; raises InvalidValue for a tag that cannot be stored."""
        new, old = ([store.clean_name("tag", tag) for tag in tags] for tags in (add, remove))

        def act(session: Session, person: Subscriber) -> tuple[Sequence[str], int]:
            key = store.id_of(person)
            gone = store.remove_tags(session, subscriber_id=key, tags=old)
            come = store.add_tags(session, subscriber_id=key, tags=new)
            changed = [*(f"-{tag}" for tag in sorted(gone)), *(f"+{tag}" for tag in sorted(come))]
            self._note(session, person, changed, about=f"tags {' '.join(changed)}")
            return changed, 0

        return self._each(addresses, act, dry_run=dry_run)

    def move(self, addresses: Iterable[str], *, source: str, target: str, dry_run: bool = False) -> list[Done]:
        """
        Move confirmed members from one list to another, by an administrator's word.

        Whoever left the other list, or must not be written to, stays where they are. Raises UnknownList.
        """
        with self._parts.sessions() as session:
            for name in (source, target):
                store.get_list(session, name)
            session.rollback()

        def act(session: Session, person: Subscriber) -> tuple[Sequence[str], int]:
            return self._move(session, person, source=source, target=target)

        return self._each(addresses, act, dry_run=dry_run)

    def unsubscribe(
        self,
        addresses: Iterable[str],
        *,
        newsletter: str | None = None,
        list_name: str | None = None,
        dry_run: bool = False,
    ) -> list[Done]:
        """Let people leave a newsletter, a list, or both; where neither is named, everything for good."""

        def act(session: Session, person: Subscriber) -> tuple[Sequence[str], int]:
            done = self._let_go(session, person, newsletter=newsletter, list_name=list_name)
            left = [name for name in (newsletter, list_name) if name] or ["everything"]
            return left if done.changed else (), done.deliveries

        return self._each(addresses, act, dry_run=dry_run)

    def rename(self, old: str, new: str, *, reason: str = "", dry_run: bool = False) -> bool:
        """
        Give a person another address; returns False where it is the same one.

        Lists, consent and what has not gone out yet go along, and so does a suppression that was the person's own wish
        or an operator's; the old address is kept as a digest alone. Raises UnknownSubscriber, InvalidAddress,
        SubscriberExists, and WrongState where the new address must not be written to.
        """
        address, now = parse_address(new), self._parts.now()
        with self._parts.sessions() as session:
            person = store.get_subscriber(session, old)
            before, shown = person.digest, person.address
            self._refuse_barred(session, suppression.digest_of(self._parts.keys, address), unless=before)
            store.change_address(session, self._parts.keys, subscriber=person, address=address, now=now)
            if person.digest != before:
                self._follow(session, person, before, now=now)
            if changed := person.address != shown:
                self._note(session, person, ["email"], deed=Deed.ADDRESS_CHANGED, reason=reason)
            if dry_run:
                session.rollback()
            session.commit()
        return changed

    def _each(self, addresses: Iterable[str], act: Act, *, dry_run: bool) -> list[Done]:
        return list(self._in_chunks(addresses, act, dry_run=dry_run))

    def _in_chunks(self, addresses: Iterable[str], act: Act, *, dry_run: bool) -> Iterator[Done]:
        for chunk in store.in_batches(list(addresses), CHUNK):
            with self._parts.sessions() as session:
                done = [self._one(session, address, act) for address in chunk]
                if dry_run:
                    session.rollback()
                session.commit()
            yield from done

    def _one(self, session: Session, address: str, act: Act) -> Done:
        try:
            with session.begin_nested():
                changed, stopped = act(session, store.get_subscriber(session, address))
        except (SubscribersError, NewsletterError) as error:
            return Done(address=address, problem=error)
        return Done(address=address, changed=tuple(changed), stopped=stopped)

    def _set(self, session: Session, person: Subscriber, description: Description) -> tuple[Sequence[str], int]:
        changed = sorted(enrolment.change(session, person, description, now=self._parts.now()))
        self._note(session, person, changed, about=", ".join(changed))
        return changed, 0

    def _move(self, session: Session, person: Subscriber, *, source: str, target: str) -> tuple[Sequence[str], int]:
        left, joined = store.get_list(session, source), store.get_list(session, target)
        state = store.membership_state(session, subscriber_id=store.id_of(person), list_id=store.list_id_of(left))
        if state is not MembershipState.CONFIRMED:
            raise WrongState(f"is no confirmed member of {source}")
        circumstances = consent.Circumstances(
            at=self._parts.now(), source=self._parts.source, operator=self._parts.operator
        )
        place = Enrolment(session=session, mailing_list=joined, keys=self._parts.keys, circumstances=circumstances)
        place.enrol(parse_address(person.address), Description(values={}, attributes={}, tags=None))
        if source == target:
            return (), 0
        consent.remove(session, subscriber=person, mailing_list=left, circumstances=circumstances)
        stopped = stop_unmeant(session, person, reason="moved to another list", now=self._parts.now())
        return [f"-{source}", f"+{target}"], stopped

    def _refuse_barred(self, session: Session, digest: str, *, unless: str) -> None:
        found = barred(store.find_suppression(session, digest)) if digest != unless else None
        if found is not None:
            raise WrongState(f"the new address must not be written to ({found.words})")

    def _follow(self, session: Session, person: Subscriber, before: str, *, now: dt.datetime) -> None:
        """What hangs on the address goes along to the new one."""
        key, wish = store.id_of(person), store.find_suppression(session, before)
        if wish is not None and wish.reason is not SuppressionReason.HARD_BOUNCE:
            store.put_suppression(session, digest=person.digest, reason=wish.reason, now=wish.since, note=wish.note)
        store.add_former_address(session, subscriber_id=key, digest=before, until=now)
        move_unsent(session, subscriber_id=key, old=before, new=person.digest, now=now)

    def _note(
        self,
        session: Session,
        person: Subscriber,
        changed: Sequence[str],
        *,
        about: str = "",
        reason: str = "",
        deed: Deed = Deed.CHANGED,
    ) -> None:
        if changed:
            note_deed(
                session,
                deed,
                operator=self._parts.operator,
                at=self._parts.now(),
                subscriber_id=person.id,
                digest=person.digest,
                about=about,
                reason=reason,
            )
