"""
The verbs about what comes back: absorb events, read mail, and show what was absorbed.

Absorbing commits the event, what it changes for the person, and the end of what was planned for them together or not at
all; an event that is known already changes nothing. What nothing proves is kept and counted, and changes nothing.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from sqlmodel import Session

from newsletter.assembly import store as issues
from newsletter.database import reading
from newsletter.dispatch.names import Names
from newsletter.errors import MailboxFault, NotFound
from newsletter.feedback import evidence, store
from newsletter.feedback.event import Event, Kind
from newsletter.feedback.models import ATTEMPTS, EventRow
from newsletter.feedback.policy import COUNTED, is_given_up
from newsletter.logs import logger
from newsletter.oauth import Oauth
from newsletter.pipeline.alerting import Alerting
from newsletter.pipeline.leaving import leave_by
from newsletter.pipeline.mailings import mailing_of_issue
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.stopping import stop_addresses
from newsletter.planning.models import DeliveryRow
from subscribers.address import parse_address
from subscribers.consent import Circumstances
from subscribers.errors import InvalidAddress
from subscribers.models import SuppressionReason
from subscribers.suppression import digest_of, suppress_digests

if TYPE_CHECKING:
    from newsletter.feedback.imap import Authenticate
    from newsletter.feedback.reading import Report

Progress = Callable[[int, int], None]
"""Told how much is done and how much there is; 0 where that is not known."""

CHUNK: Final = 100
"""Events a transaction: dispatching goes on between two of them."""

SETTLED: Final = dt.timedelta(minutes=10)
"""On PostgreSQL rows become visible out of their order; nothing is begun that long before it is committed."""

SUPPRESSED: Final = "suppressed"
"""What an event has done that ended all mail to its address."""

_SUPPRESSING: Final = (SuppressionReason.UNSUBSCRIBED, SuppressionReason.HARD_BOUNCE, SuppressionReason.COMPLAINT)
"""Reasons of which events can be, the weakest first."""

LEFT: Final = "left"
"""What an event has done that was a farewell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absorbed:
    """
    What became of some events.

    `known` were absorbed before, `unproven` are kept and change nothing; `suppressed` addresses are not written to any
    more, `left` people have left a newsletter, `stopped` deliveries were planned and do not go out.
    """

    new: int = 0
    known: int = 0
    unproven: int = 0
    suppressed: int = 0
    left: int = 0
    stopped: int = 0

    def __add__(self, other: "Absorbed") -> "Absorbed":
        names = tuple(self.__dataclass_fields__)
        sums = map(sum, zip(astuple(self), astuple(other), strict=True))
        return Absorbed(**dict(zip(names, sums, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """
    What a message from outside was.

    `kind` is None where nothing happened or nothing was understood; `why` says in words what was not. `is_proven` says
    that it names a message of ours.
    """

    kind: Kind | None
    is_read: bool
    is_proven: bool = False
    why: str = ""
    absorbed: Absorbed = Absorbed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What became of some messages: how many there were, how many of them were not understood, and what they said."""

    messages: int = 0
    failed: int = 0
    absorbed: Absorbed = Absorbed()

    def __add__(self, received: Received) -> "Intake":
        return Intake(
            messages=self.messages + 1,
            failed=self.failed + (not received.is_read),
            absorbed=self.absorbed + received.absorbed,
        )


class Feedback:
    """The verbs about events."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._names = Names(parts.keys)
        self._log = logger("feedback")
        account = parts.settings.bounce.imap.oauth
        self._oauth = Oauth(account) if account.is_set else None

    def absorb(self, events: Iterable[Event]) -> Absorbed:
        """
        Take events in, `CHUNK` a transaction; one whose id is known is passed over, so that trying again is safe.

        A hard bounce and a complaint suppress the address at once, soft ones by `policy`; an unsubscribe leaves the
        newsletter that the message is of. A later chunk that fails leaves those before it absorbed.
        """
        total, waiting = Absorbed(), iter(events)
        while chunk := list(islice(waiting, CHUNK)):
            with self._parts.sessions() as session:
                done = self._absorb(session, chunk)
                session.commit()
            total += done
        if total.new:
            self._log.info("events absorbed", **{name: getattr(total, name) for name in total.__dataclass_fields__})
        return total

    def refusals(self) -> Absorbed:
        """
        Absorb what relays have refused for its recipient's sake since the last time.

        Reads the ledger behind the dispatcher's back, in the order of the attempts, so that dispatching costs nothing
        more. What is seen twice is absorbed once.
        """
        total = Absorbed()
        while True:
            with reading(self._parts.engine) as session:
                attempts = store.failed_attempts(session, after=store.place(session, ATTEMPTS), limit=CHUNK)
                events = [evidence.of_attempt(attempt) for attempt in attempts]
                seen = attempts[-1].id if attempts else None
            if seen is None:
                return total
            total += self.absorb(events)
            self._move_on(seen)

    def receive(self, message: bytes, *, recipients: Sequence[str] = (), source: str = "mail") -> Received:
        """
        Read a message that came by mail and absorb what it says; `recipients` are its envelope's, where known.

        Everything is committed when this returns: whoever delivered the message may forget it then.
        """
        from newsletter.feedback.reading import read

        report, at = read(message, recipients=recipients), self._parts.now()
        if report.kind is None:
            return Received(kind=None, is_read=report.is_read, why=report.why)
        with reading(self._parts.engine) as session:
            delivery = self._meant(session, report)
            if delivery is None:
                event = evidence.unproven(report, message, at=at, source=source)
            else:
                ours = self._is_ours(delivery.digest)
                event = evidence.of_report(report, delivery.id or 0, is_ours=ours, at=at, source=source)
        kind = report.kind if delivery is None else event.kind if event else None
        absorbed = self.absorb([event] if event else [])
        return Received(kind=kind, is_read=True, is_proven=delivery is not None, absorbed=absorbed)

    def read(self, messages: Iterable[bytes], *, progress: Progress = lambda _done, _total: None) -> Intake:
        """Receive messages from files, one after another; tells `progress` how many there were so far."""
        total = Intake()
        for message in messages:
            total += self.receive(message, source="file")
            progress(total.messages, 0)
        return total

    def fetch(self, *, authenticate: "Authenticate | None" = None) -> Intake:
        """
        Receive what lies in the bounce mailbox, and move it there to the folder of what was or was not understood.

        Raises ConfigurationFault where no mailbox is set, MailboxFault where it cannot be read.
        """
        from newsletter.feedback.imap import by_token, visit

        total = Intake()

        def take(message: bytes) -> bool:
            nonlocal total
            received = self.receive(message)
            total += received
            return received.is_read

        settings = self._parts.settings.bounce.imap
        if authenticate is None and self._oauth is not None:
            authenticate = by_token(settings, self._oauth)
        visit(settings, take, authenticate=authenticate)
        return total

    def look(self) -> None:
        """Fetch, for the scheduler: a mailbox that is away is a line in the log, and is tried again."""
        if self._parts.settings.bounce.imap.host is None:
            return
        try:
            intake = self.fetch()
        except MailboxFault as fault:
            self._log.warning("mailbox not read", reason=str(fault))
            Alerting(self._parts).mailbox_failed(str(fault))
            return
        Alerting(self._parts).mailbox_read()
        if intake.failed:
            self._log.warning("messages not understood", number=intake.failed)

    def page(
        self,
        *,
        limit: int,
        before: int | None = None,
        kind: Kind | None = None,
        slug: str | None = None,
        newsletter: str | None = None,
        proven: bool | None = None,
    ) -> list[EventRow]:
        """The newest events, or those before a number: all, of a kind, of an issue, proven or not."""
        with reading(self._parts.engine) as session:
            mailing = mailing_of_issue(session, issues.get_issue(session, slug, newsletter)) if slug else None
            found = store.page(session, limit=limit, before=before, kind=kind, mailing=mailing, proven=proven)
            session.expunge_all()
        return list(found)

    def show(self, event: str) -> EventRow:
        """One event, by its number or its id; raises NotFound."""
        with reading(self._parts.engine) as session:
            found = store.get_event(session, event)
            session.expunge_all()
        if found is None:
            raise NotFound("event", event)
        return found

    def counts(self, slug: str, *, newsletter: str | None) -> dict[Kind, int]:
        """How many deliveries of an issue have events of each kind; kinds without any do not occur."""
        with reading(self._parts.engine) as session:
            return dict(store.kinds_of(session, mailing_of_issue(session, issues.get_issue(session, slug, newsletter))))

    def _absorb(self, session: Session, events: Sequence[Event]) -> Absorbed:
        # The first of those that bear the same id is the one that counts.
        distinct = {event.id: event for event in reversed(events)}
        wanted = {event.delivery for event in events if event.delivery is not None}
        deliveries = store.deliveries_by_id(session, wanted)
        new = store.add_events(session, distinct.values(), deliveries=deliveries, now=self._parts.now())
        fresh = [event for event in distinct.values() if event.id in new]
        proven = [(event, deliveries.get(event.delivery or 0)) for event in fresh if event.is_proven]
        counts = Absorbed(new=len(fresh), known=len(events) - len(fresh), unproven=len(fresh) - len(proven))
        judged = [(event, delivery, self._reason(session, event, delivery)) for event, delivery in proven]
        for reason in _SUPPRESSING:
            meant = {_digest(event, delivery): event for event, delivery, found in reversed(judged) if found is reason}
            counts += self._give_up(session, reason, {digest: meant[digest] for digest in meant if digest})
        return counts + self._let_go(session, [pair for pair in proven if pair[0].kind is Kind.UNSUBSCRIBE])

    def _give_up(self, session: Session, reason: SuppressionReason, meant: Mapping[str, Event]) -> Absorbed:
        """Suppress addresses, by the digest of each the event that says so, all at once."""
        if not meant:
            return Absorbed()
        now = self._parts.now()
        notes = {digest: f"{event.source}: {event.text}".rstrip(": ") for digest, event in meant.items()}
        changed = suppress_digests(session, notes, reason=reason, now=now)
        stopped = stop_addresses(session, list(meant), reason=reason.value, now=now)
        store.set_did(session, [meant[digest].id for digest in changed], SUPPRESSED)
        return Absorbed(suppressed=len(changed), stopped=stopped)

    def _reason(self, session: Session, event: Event, delivery: DeliveryRow | None) -> SuppressionReason | None:
        """Why an event suppresses its address, None where it does not."""
        if event.kind is Kind.COMPLAINT:
            return SuppressionReason.COMPLAINT
        if event.kind is Kind.HARD:
            return SuppressionReason.HARD_BOUNCE
        if event.kind is Kind.UNSUBSCRIBE and delivery is None:  # of which newsletter, nobody knows
            return SuppressionReason.UNSUBSCRIBED
        digest = _digest(event, delivery)
        if event.kind is not Kind.SOFT or event.cause not in COUNTED or digest is None:
            return None
        subscriber_id = delivery.subscriber_id if delivery else None
        taken = store.taken_by(session, subscriber_id, digest, now=self._parts.now())
        return SuppressionReason.HARD_BOUNCE if is_given_up(store.troubles_of(session, digest), taken) else None

    def _let_go(self, session: Session, farewells: Sequence[tuple[Event, DeliveryRow | None]]) -> Absorbed:
        """Let the people of some deliveries leave the newsletters that these are of."""
        total = Absorbed()
        for event, delivery in farewells:
            if delivery is not None:
                circumstances = Circumstances(at=self._parts.now(), source=event.source)
                done = leave_by(session, delivery, circumstances=circumstances)
                store.set_did(session, [event.id] if done.changed else [], LEFT)
                total += Absorbed(left=int(done.changed), stopped=done.deliveries)
        return total

    def _move_on(self, seen: int) -> None:
        """Remember how far the ledger was read; on PostgreSQL not beyond what is settled."""
        with self._parts.sessions() as session:
            if session.get_bind().dialect.name != "sqlite":
                seen = min(seen, store.settled_attempt(session, before=self._parts.now() - SETTLED))
            if seen > store.place(session, ATTEMPTS):
                store.set_place(session, ATTEMPTS, seen)
            session.commit()

    def _meant(self, session: Session, report: "Report") -> DeliveryRow | None:
        """The delivery that a report names and knows the code of."""
        deliveries = store.deliveries_by_id(session, {name.delivery for name in report.names})
        for name in report.names:
            row = deliveries.get(name.delivery)
            if row is not None and self._names.is_genuine(name, mailing=row.mailing, digest=row.digest):
                return row
        return None

    def _is_ours(self, digest: str) -> Callable[[str], bool]:
        def is_ours(address: str) -> bool:
            try:
                return digest_of(self._parts.keys, parse_address(address)) == digest
            except InvalidAddress:
                return False

        return is_ours


def _digest(event: Event, delivery: DeliveryRow | None) -> str | None:
    return delivery.digest if delivery else event.digest
