"""Proof and trial: audit an issue's dispatch, explain one delivery, send one message as a test."""

import datetime as dt

from sqlmodel import Session

from newsletter.assembly import store as issues
from newsletter.assembly.models import IssueRow
from newsletter.compilation import store as artifacts
from newsletter.compilation.artifact import Artifact
from newsletter.dispatch.audit import Check, audit
from newsletter.dispatch.ledger import attempts_of
from newsletter.dispatch.story import Doubt, Story, tell
from newsletter.errors import WrongState
from newsletter.pipeline.mailings import UNSENT, mailing_of_issue
from newsletter.pipeline.parts import Parts
from newsletter.planning import store
from newsletter.planning.forgetting import forgotten_since
from newsletter.planning.models import DeliveryRow, DeliveryState, RunState
from subscribers.address import parse_address
from subscribers.suppression import digest_of, suppressed_among


class Proof:
    """The verbs that look at what was sent, and the one that sends a trial."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def audit(self, slug: str, *, newsletter: str | None) -> list[Check]:
        """Check the invariants of an issue's dispatch."""
        with self._parts.sessions() as session:
            issue = issues.get_issue(session, slug, newsletter)
            if store.latest_run(session, issue.id or 0) is None:
                raise WrongState(f"issue {slug} was never queued: there is nothing to audit")
            checks = audit(session, mailing_of_issue(session, issue))
            checks.append(self._same_bytes(session, issue))
        return checks

    def explain(self, address: str, slug: str, *, newsletter: str | None) -> Story:
        """Tell the whole story of one person's delivery of an issue."""
        with self._parts.sessions() as session:
            issue = issues.get_issue(session, slug, newsletter)
            mailing = mailing_of_issue(session, issue)
            digest = digest_of(self._parts.keys, address)
            delivery = store.delivery_of(session, mailing, digest)
            attempts = attempts_of(session, delivery.id or 0) if delivery else ()
            dispatch = self._parts.settings.dispatch
            runs = {run.id: run for run in store.runs_of(session, issue.id or 0)}
            own = delivery.run_id if delivery else None
            return tell(
                address,
                slug,
                delivery=delivery,
                attempts=attempts,
                suppressed=suppressed_among(session, [digest]).get(digest),
                run=runs.get(own),
                others=[run for run in runs.values() if run.id != own],
                doubt=Doubt(policy=dispatch.uncertain, hold=dt.timedelta(seconds=dispatch.uncertain_hold)),
                forgotten=forgotten_since(session, mailing),
            )

    def test(self, slug: str, *, to: str, artifact: Artifact, number: int = 0) -> str:
        """
        Plan one message of an artifact to one address, beside any run; returns its mailing.

        `number` tells apart those that are planned at the same instant.

        The address is kept only until the message has ended.
        """
        now = self._parts.now()
        address = parse_address(to)
        with self._parts.sessions() as session:
            artifacts.put(session, artifact, now=now)
            mailing = f"test:{artifact.newsletter}/{slug}/{now:%Y%m%dT%H%M%S%f}" + (f"-{number}" if number else "")
            store.add_single(
                session,
                DeliveryRow(
                    mailing=mailing,
                    digest=digest_of(self._parts.keys, address),
                    address=address.text,
                    language=artifact.language,
                    artifact=artifact.digest,
                    changed=now,
                ),
            )
            session.commit()
        return mailing

    def is_open(self, mailing: str) -> bool:
        """Whether a delivery of a mailing may still go out."""
        with self._parts.sessions() as session:
            counts = store.states_of(session, mailing)
        return any(counts[state] for state in (*UNSENT, DeliveryState.SENDING))

    def how_it_ended(self, mailing: str) -> str:
        """How the only delivery of a mailing stands, with what the relay said."""
        with self._parts.sessions() as session:
            delivery = store.only_delivery(session, mailing)
            attempts = attempts_of(session, delivery.id or 0)
        said = f": {attempts[-1].text}" if attempts else ": the relay could not be reached; it goes out when it is back"
        return f"{delivery.state.value}{said}"

    def unended(self) -> int:
        """How many deliveries of running runs have not ended, for progress bars."""
        with self._parts.sessions() as session:
            running = store.runs(session, states=(RunState.RUNNING,))
            return sum(store.open_deliveries(session, run.id or 0, uncertain_is_open=False) for run in running)

    def _same_bytes(self, session: Session, issue: IssueRow) -> Check:
        """What is stored of each approved artifact still has the digest that was approved."""
        pinned = artifacts.get_many(session, artifacts.pins(session, issue.id or 0).values())
        wrong = sum(not artifact.is_whole for artifact in pinned.values())
        return Check(code="I7", words="the stored bytes are those that were approved", violations=wrong)
