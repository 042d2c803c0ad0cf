"""Somebody who has got issues of a newsletter, and what a test of feedback asks about them."""

import datetime as dt

from sqlmodel import col, select

from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.content.models import NewsletterRow
from newsletter.database import session_factory
from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.names import Names
from newsletter.dispatch.outcome import Fault, Phase
from newsletter.links import Links
from newsletter.pipeline.feedback import Feedback
from newsletter.pipeline.parts import Parts
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.settings import Settings
from subscribers import consent, store
from subscribers.address import parse_address
from subscribers.models import ConsentEntry, Membership, Subscriber, Suppression
from subscribers.suppression import digest_of
from subscribers.tokens import Keys

ANNA = "anna.brook@lakes.example"
NOW = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
KEYS = Keys(signing=(("k1", b"a secret for signing"),), suppression=b"a secret for digests")

MEMBERS = "list = 'members'"

RIVERS = {
    "slug": "rivers",
    "name": "River News",
    "languages": ["en"],
    "timezone": "Europe/Brussels",
    "sender": {"name": "River network", "address": "news@rivers.example"},
    "list_id": "rivers.rivers.example",
    "sections": [{"key": "news"}],
}


class Scene:
    """Anna is on the list `members`, to which all issues go."""

    def __init__(self, engine, settings=None):
        self.sessions = session_factory(engine)
        self.parts = Parts(
            settings=settings or Settings(),
            engine=engine,
            sessions=self.sessions,
            keys=KEYS,
            links=Links("https://news.example"),
            operator="grace",
            now=lambda: NOW,
        )
        self.feedback = Feedback(self.parts)
        with self.sessions() as session:
            owner = NewsletterRow(slug="rivers", settings=RIVERS, created=NOW, changed=NOW)
            session.add(owner)
            members = store.create_list(session, "members", double_opt_in=False, now=NOW)
            anna = store.add_subscriber(session, KEYS, address=parse_address(ANNA), now=NOW)
            joined = consent.Circumstances(at=NOW, source="form")
            consent.subscribe(session, subscriber=anna, mailing_list=members, circumstances=joined)
            session.flush()
            self._owner, self._anna = owner.id, anna.id
            session.commit()

    def delivery(
        self, slug, *, who=ANNA, mailing=None, known=True, state=DeliveryState.ACCEPTED, expression=MEMBERS, **values
    ):
        """A delivery of an issue; returns its id. With `known` False, or for others than Anna, to no subscriber."""
        run = None if mailing else self._run(slug, expression)
        with self.sessions() as session:
            row = DeliveryRow(
                **{
                    "mailing": mailing or f"issue:rivers/{slug}",
                    "run_id": run,
                    "subscriber_id": self._anna if known and who == ANNA else None,
                    "digest": self.digest(who),
                    "language": "en",
                    "artifact": "a" * 64,
                    "state": state,
                    "changed": NOW,
                    **values,
                }
            )
            session.add(row)
            session.commit()
            return row.id

    def _run(self, slug, expression=MEMBERS):
        mailing = f"issue:rivers/{slug}"
        with self.sessions() as session:
            known = session.scalars(select(RunRow).where(col(RunRow.mailing) == mailing)).first()
            if known is not None:
                return known.id
            day = dt.date(2026, 12, 1)
            dates = {"date": day, "period_from": day, "period_to": day, "created": NOW, "changed": NOW}
            issue = IssueRow(newsletter_id=self._owner, slug=slug, state=IssueState.SENDING, plan={}, **dates)
            session.add(issue)
            session.flush()
            run = RunRow(
                issue_id=issue.id,
                mailing=mailing,
                segment="members",
                expression=expression,
                state=RunState.RUNNING,
                operator="grace",
                created=NOW,
                started=NOW,
            )
            session.add(run)
            session.commit()
            return run.id

    def attempt(self, delivery, *, number=1, fault=Fault.RECIPIENT, phase=Phase.RCPT, **values):
        with self.sessions() as session:
            session.add(
                AttemptRow(
                    delivery_id=delivery,
                    number=number,
                    epoch=1,
                    worker="w",
                    relay="relay.example:25",
                    fault=fault,
                    phase=int(phase),
                    at=NOW,
                    **values,
                )
            )
            session.commit()

    def name(self, delivery):
        with self.sessions() as session:
            row = session.get(DeliveryRow, delivery)
            return Names(KEYS).of(row.id, row.mailing, row.digest)

    def digest(self, who=ANNA):
        return digest_of(KEYS, who)

    def state(self, delivery):
        with self.sessions() as session:
            return session.get(DeliveryRow, delivery).state

    def suppression(self, who=ANNA):
        with self.sessions() as session:
            found = session.get(Suppression, self.digest(who))
            return found.reason if found else None

    def membership(self):
        with self.sessions() as session:
            return session.scalars(select(Membership).where(col(Membership.subscriber_id) == self._anna)).one().state

    def consents(self):
        with self.sessions() as session:
            return [entry.action for entry in session.scalars(select(ConsentEntry).order_by(col(ConsentEntry.id)))]

    def subscriber(self):
        with self.sessions() as session:
            return session.get(Subscriber, self._anna)
