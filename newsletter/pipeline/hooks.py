"""
The verbs about webhooks: take in what a provider has proven to have said.

Takes reports that still hold addresses; makes events of them that hold digests, and has those absorbed. A report names
its delivery by our Message-ID or return path, whose code proves it; where a provider keeps neither, its signature
proves the address, and that is enough to suppress it.
"""

from collections.abc import Iterator, Mapping, Sequence

from newsletter.database import reading
from newsletter.dispatch.names import Names
from newsletter.feedback.event import Event, Proof, said
from newsletter.feedback.providers import seen
from newsletter.feedback.providers.report import Heard, Report
from newsletter.feedback.store import deliveries_by_id
from newsletter.logs import logger
from newsletter.pipeline.feedback import Absorbed, Feedback
from newsletter.pipeline.parts import Parts
from newsletter.planning.models import DeliveryRow
from subscribers.errors import InvalidAddress
from subscribers.suppression import digest_of


class Hooks:
    """The verbs about what providers tell."""

    def __init__(self, parts: Parts, *, feedback: Feedback) -> None:
        self._parts = parts
        self._feedback = feedback
        self._names = Names(parts.keys)
        self._log = logger("feedback")

    def absorb(self, provider: str, heard: Heard) -> Absorbed:
        """
        Absorb what a provider told in one request; the same request again changes nothing.

        It is remembered only when all of it is absorbed, so that a request that failed may be repeated.
        """
        with reading(self._parts.engine) as session:
            if heard.once and seen.has_heard(session, provider, heard.once):
                return Absorbed(known=len(heard.reports))
            wanted = {name.delivery for report in heard.reports for name in report.names}
            events = list(self._events(provider, heard.reports, deliveries_by_id(session, wanted)))
        absorbed = self._feedback.absorb(events) if events else Absorbed()
        if heard.once:
            now = self._parts.now()
            with self._parts.sessions() as session:
                seen.remember(session, provider, heard.once, now=now)
                seen.forget(session, now=now)
                session.commit()
        self._log.info("webhook heard", provider=provider, reports=len(heard.reports), new=absorbed.new)
        return absorbed

    def _events(
        self, provider: str, reports: Sequence[Report], deliveries: Mapping[int, DeliveryRow]
    ) -> Iterator[Event]:
        for report in reports:
            delivery = self._meant(report, deliveries)
            digest = None if delivery else self._digest(report.address)
            if delivery is None and digest is None:
                continue  # about nobody whom we could know
            yield Event(
                id=report.id,
                kind=report.meaning.kind,
                cause=report.meaning.cause,
                at=report.at or self._parts.now(),
                source=provider,
                proof=Proof.SIGNATURE,
                delivery=delivery.id if delivery else None,
                digest=digest,
                status=report.status,
                text=said(report.text),
            )

    def _meant(self, report: Report, deliveries: Mapping[int, DeliveryRow]) -> DeliveryRow | None:
        """The delivery that a report names and knows the code of."""
        for name in report.names:
            row = deliveries.get(name.delivery)
            if row is not None and self._names.is_genuine(name, mailing=row.mailing, digest=row.digest):
                return row
        return None

    def _digest(self, address: str) -> str | None:
        try:
            return digest_of(self._parts.keys, address)
        except InvalidAddress:
            return None
