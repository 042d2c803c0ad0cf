"""
Erasing people: nothing that says who they were stays, in no table and no file of the database.

Takes addresses, or stored people whose term is over; yields how many deliveries were stopped. Promises that the counts
and the audit of past runs still hold, and that whoever asked to be erased does not come back by an import, by none of
their addresses. What is on the wire at that moment is beyond recall; its reply finds no person any more.
"""

import datetime as dt
import re
from collections.abc import Iterable
from typing import Final

from sqlmodel import Session, col, select

from newsletter.accounts.models import Deed
from newsletter.accounts.store import forget_words_about, note_deed
from newsletter.database import leave_no_trace
from newsletter.dispatch.forgetting import forget_words
from newsletter.logs import logger
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.reactions import forget_reactions
from newsletter.pipeline.stopping import Stopped, stop_these
from newsletter.pipeline.upload_files import kept_files
from newsletter.planning import forgetting as planning
from newsletter.planning.models import RunRow
from subscribers import privacy, store
from subscribers.address import Address, parse_address
from subscribers.errors import InvalidAddress
from subscribers.models import Segment, Subscriber, SuppressionReason
from subscribers.tokens import address_digest

NOBODY: Final = "nobody@erased.invalid"
"""What an expression says in place of an erased address: it means as few people as that one would."""

PERSONAL: Final = ("subscriber", "subscriber_tag", "suppression", "audit_entry", "segment", "run", "upload_part")
"""
Tables that held something of a person in clear. Those of the ledger, which may have for a single message, are too large
to be gone through for one person: PostgreSQL's autovacuum does that.
"""

_LITERAL: Final = re.compile(r"[^\s\"'“”()=,<>]+@[^\s\"'“”()=,<>]+")


class Erasure:
    """The verbs that forget people."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._log = logger("people")

    def erase(self, address: str) -> Stopped:
        """
        Forget a person; the keyed digest stays, suppressed, so that no import brings them back.

        The counts of past runs stay: deliveries keep the digest, and lose the tie to the person, the address and what
        relays said. Also of somebody unknown, who is kept out from now on. Raises InvalidAddress.
        """
        [done] = self.erase_each([address])
        return done

    def erase_each(self, addresses: Iterable[str], *, dry_run: bool = False) -> list[Stopped]:
        """Forget several people, a transaction each; returns what each came to. Raises InvalidAddress before any."""
        parsed = [parse_address(address) for address in addresses]
        done = [self._erase(address, dry_run=dry_run) for address in parsed]
        if not dry_run:
            self.leave_no_trace()
        return done

    def leave_no_trace(self) -> None:
        """Have the database give up what it still holds of rows that are gone, and drop files of refused rows."""
        kept_files(self._parts).drop_refused()
        if not leave_no_trace(self._parts.engine, PERSONAL):
            self._log.warning("traces stay in the write-ahead log until it is written over: somebody reads for long")

    def _erase(self, address: Address, *, dry_run: bool) -> Stopped:
        now, digest = self._parts.now(), address_digest(self._parts.keys, address.key)
        with self._parts.sessions() as session:
            subscriber = store.find_subscriber(session, address)
            key = subscriber.id if subscriber else None
            forget_in_expressions(session, address.key, now=now)
            stopped = forget_deliveries(session, subscriber, digest=digest, reason="erased", now=now)
            if key is not None:
                forget_words_about(session, key)
            known = privacy.erase(session, self._parts.keys, address=address, now=now)
            note_deed(session, Deed.ERASED, operator=self._parts.operator, at=now, digest=digest)
            if dry_run:
                session.rollback()
            session.commit()
        if not dry_run:
            self._log.info("person erased", operator=self._parts.operator, known=known, stopped=stopped)
        return Stopped(known, stopped)


def forget_expired(session: Session, subscriber: Subscriber, *, now: dt.datetime) -> list[str]:
    """
    Forget a person whose term is over; returns the digests of their addresses.

    Suppressions stay as they were. Whoever left by their own decision is suppressed for that, else an import could
    bring them back when nothing speaks of it any more; a new consent undoes it.
    """
    left = store.has_left(session, store.id_of(subscriber))
    forget_in_expressions(session, subscriber.address_key, now=now)
    forget_deliveries(session, subscriber, digest=subscriber.digest, reason="term over", now=now)
    forget_words_about(session, store.id_of(subscriber))
    digests = privacy.forget(session, subscriber)
    for digest in digests:
        if left:
            store.put_suppression(session, digest=digest, reason=SuppressionReason.UNSUBSCRIBED, now=now)
        store.clear_note(session, digest)
    return digests


def forget_deliveries(
    session: Session, subscriber: Subscriber | None, *, digest: str, reason: str, now: dt.datetime
) -> int:
    """Stop what has not gone out to a person, and take them out of all that has; returns how many were stopped."""
    key = subscriber.id if subscriber else None
    ids = planning.ids_of_person(session, digest=digest, subscriber_id=key)
    stopped = stop_these(session, ids, reason=reason, now=now)
    forget_words(session, ids)
    forget_reactions(session, digests=[digest], delivery_ids=ids)
    planning.forget_person(session, ids)
    return stopped


def forget_in_expressions(session: Session, key: str, *, now: dt.datetime) -> None:
    """Take an address out of the saved segments and the runs whose expression names it."""
    for segment in session.exec(select(Segment).where(col(Segment.expression).contains("@"))):
        if (told := _without(segment.expression, key)) != segment.expression:
            segment.expression, segment.updated = told, now
    for run in session.exec(select(RunRow).where(col(RunRow.expression).contains("@"))):
        run.expression = _without(run.expression, key)
    session.flush()


def _without(expression: str, key: str) -> str:
    def replaced(found: re.Match[str]) -> str:
        try:
            return NOBODY if parse_address(found[0]).key == key else found[0]
        except InvalidAddress:
            return found[0]

    return _LITERAL.sub(replaced, expression)
