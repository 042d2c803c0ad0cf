"""
The verbs about addresses that must never be written to.

Takes addresses and an operator's reason, yields whether that changed anything; promises that the audit log says who
did it and why, and that nobody's own wish is lifted by anybody else: not an erasure at all, a complaint only by
somebody who says that they mean it.
"""

import datetime as dt
from dataclasses import dataclass

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.database import reading
from newsletter.errors import InvalidInput, WrongState
from newsletter.logs import logger
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.stopping import Stopped, stop_all
from subscribers import store, suppression
from subscribers.models import SuppressionReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """A suppression; `address` is known only while its owner is a subscriber, else empty."""

    digest: str
    address: str
    reason: SuppressionReason
    note: str
    since: dt.datetime


class Barring:
    """The verbs about suppressions."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._log = logger("people")

    def suppress(self, address: str, *, reason: str = "", dry_run: bool = False) -> Stopped:
        """Never write to an address again, whoever it belongs to; memberships stay as they are."""
        digest, now = suppression.digest_of(self._parts.keys, address), self._parts.now()
        with self._parts.sessions() as session:
            changed = suppression.suppress_digest(
                session, digest=digest, reason=SuppressionReason.MANUAL, now=now, note=reason
            )
            stopped = stop_all(session, digest, reason="suppressed", now=now)
            if changed:
                self._note(session, Deed.SUPPRESSED, digest, reason=reason)
            if dry_run:
                session.rollback()
            session.commit()
        if not dry_run:
            self._log.info("address suppressed", operator=self._parts.operator, changed=changed, stopped=stopped)
        return Stopped(changed, stopped)

    def unsuppress(self, address: str, *, reason: str, even_complaints: bool = False, dry_run: bool = False) -> bool:
        """
        Lift the suppression of an address; returns whether there was one. Lists that were left stay left.

        Raises InvalidInput without a reason; WrongState for a complaint unless `even_complaints`, and for somebody who
        was erased, whom only their own new consent brings back.
        """
        if not reason.strip():
            raise InvalidInput("say why with --reason: lifting a suppression has to be accounted for")
        digest = suppression.digest_of(self._parts.keys, address)
        with self._parts.sessions() as session:
            self._refuse(session, digest, even_complaints=even_complaints)
            lifted = suppression.unsuppress(session, self._parts.keys, address=address)
            if lifted:
                self._note(session, Deed.UNSUPPRESSED, digest, reason=reason)
            if dry_run:
                session.rollback()
            session.commit()
        if not dry_run:
            self._log.info("suppression lifted", operator=self._parts.operator, changed=lifted)
        return lifted

    def page(self, *, limit: int, after: str = "", reason: SuppressionReason | None = None) -> list[Suppressed]:
        """The next suppressions, by digest; `after` is that of the last one of the page before."""
        with reading(self._parts.engine) as session:
            found = store.suppressions(session, after=after, limit=limit, reason=reason)
            known = store.addresses_of(session, [each.digest for each in found])
            return [
                Suppressed(
                    digest=each.digest,
                    address=known.get(each.digest, ""),
                    reason=each.reason,
                    note=each.note,
                    since=each.since,
                )
                for each in found
            ]

    def _refuse(self, session: Session, digest: str, *, even_complaints: bool) -> None:
        found = store.find_suppression(session, digest)
        if found is None:
            return
        if found.reason is SuppressionReason.ERASED:
            raise WrongState("this person was erased: only their own new consent brings them back")
        if found.reason is SuppressionReason.COMPLAINT and not even_complaints:
            raise WrongState("this person reported a message as spam: --even-complaints lifts that all the same")

    def _note(self, session: Session, deed: Deed, digest: str, *, reason: str) -> None:
        owner = store.find_by_digest(session, digest)
        note_deed(
            session,
            deed,
            operator=self._parts.operator,
            at=self._parts.now(),
            subscriber_id=owner.id if owner else None,
            digest=digest,
            reason=reason,
        )
