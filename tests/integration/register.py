"""A register of people with what was sent to them, for tests of what becomes of it: on either database."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

from integration.signing import ADA, KEYS, Clock
from sqlalchemy import select as choose
from sqlalchemy import text
from sqlmodel import col, select

from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.content.newsletter import Newsletter
from newsletter.content.store import save_newsletter
from newsletter.database import session_factory
from newsletter.dispatch.ledger import Ledger, Mark, Result
from newsletter.dispatch.outcome import Phase, classify, reply
from newsletter.links import Links
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.people import People
from newsletter.pipeline.retention import Retention
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.settings import Settings, Uncertain
from subscribers import store, suppression
from subscribers.columns import Base

RIVERS = Newsletter.model_validate(
    {
        "slug": "rivers",
        "name": "River News",
        "languages": ["en", "fr"],
        "timezone": "Europe/Brussels",
        "sender": {"name": "River network", "address": "news@rivers.example"},
        "list_id": "rivers.rivers.example",
        "sections": [{"key": "news"}],
    }
)


class Register:
    """People, runs and deliveries over one database, and the verbs about them."""

    def __init__(self, engine, *, operator="grace"):
        self.clock = Clock()
        self.engine = engine
        self.parts = Parts(
            settings=Settings(),
            engine=engine,
            sessions=session_factory(engine),
            keys=KEYS,
            links=Links("https://news.example"),
            operator=operator,
            now=self.clock,
        )
        self.people = People(self.parts)
        self.retention = Retention(self.parts)
        # Before anybody kept an audit log: it begins empty.
        with self.parts.sessions() as session:
            for name in ("members", "press"):
                store.create_list(session, name, now=self.clock())
            session.commit()

    def as_operator(self, operator):
        """The same verbs, done by somebody else."""
        return People(replace(self.parts, operator=operator))

    def add(self, address=ADA, list_name="members", **given):
        self.people.add(address, list_name=list_name, given=given)
        return self.id_of(address)

    def id_of(self, address):
        with self.parts.sessions() as session:
            return store.get_subscriber(session, address).id

    def digest_of(self, address):
        return suppression.digest_of(KEYS, address)

    def run(self, slug="2026-12", *, state=RunState.RUNNING, expression="all", total=0, ended=None):
        """Store a run of an issue of its own; returns its id and mailing."""
        now, day = self.clock(), dt.date(2026, 12, 1)
        with self.parts.sessions() as session:
            owner_id, _ = save_newsletter(session, RIVERS, now=now)
            dates = {"date": day, "period_from": day, "period_to": day, "created": now, "changed": now}
            issue = IssueRow(newsletter_id=owner_id, slug=slug, state=IssueState.SENDING, plan={}, **dates)
            session.add(issue)
            session.flush()
            run = RunRow(
                issue_id=issue.id,
                mailing=f"issue:rivers/{slug}",
                segment="everybody",
                expression=expression,
                state=state,
                dated=now,
                started=now,
                ended=ended,
                due_at=now,
                operator="grace",
                created=now,
                total=total,
            )
            session.add(run)
            session.commit()
            return run.id, run.mailing

    def plan(self, address, run=(None, "test:1"), *, state=DeliveryState.PLANNED, clear=None, **values):
        """Store a delivery to an address; returns its id."""
        run_id, mailing = run
        with self.parts.sessions() as session:
            known = store.find_subscriber(session, address)
            row = DeliveryRow(
                mailing=mailing,
                run_id=run_id,
                subscriber_id=known.id if known else None,
                digest=self.digest_of(address),
                address=clear,
                language="en",
                artifact="0" * 64,
                state=state,
                changed=self.clock(),
                **values,
            )
            session.add(row)
            session.commit()
            return row.id

    def ledger(self):
        """A dispatcher's ledger that has taken over."""
        ledger = Ledger(
            self.parts.sessions, worker="w", uncertain=Uncertain.REPEAT, hold=dt.timedelta(minutes=15), connections=4
        )
        ledger.take_over(self.clock())
        return ledger

    def send(self, *, saying=None):
        """Dispatch what is planned; `saying` gives the code and text of the relay for a digest, else it accepts."""
        ledger, at = self.ledger(), self.clock()
        while claims := ledger.claim(100, at):
            for claim in claims:
                assert ledger.commit([Mark(claim)], at) == [True]
                code, words = (saying or {}).get(claim.digest, (250, "2.0.0 Ok: queued as 77"))
                outcome = classify(Phase.CONTENT if code < 300 else Phase.RCPT, reply(code, words))
                assert ledger.commit([Result(claim, outcome, marked=True, relay="r")], at) == [True]
        ledger.finished_runs(at)
        ledger.sign_off(at)

    def delivery(self, key):
        with self.parts.sessions() as session:
            return session.get(DeliveryRow, key)

    def deliveries(self):
        with self.parts.sessions() as session:
            return session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))).all()

    def count(self, table, where="1 = 1"):
        with self.engine.connect() as connection:
            return connection.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar()

    def everything(self):
        """Every value of every table, as one text."""
        told = []
        with self.engine.connect() as connection:
            for table in Base.metadata.sorted_tables:
                told += [repr(tuple(row)) for row in connection.execute(choose(table))]
        return "\n".join(told)

    def bytes_on_disk(self):
        """All that lies in the files of a SQLite database."""
        files = (Path(f"{self.engine.url.database}{end}") for end in ("", "-wal", "-shm"))
        return b"".join(file.read_bytes() for file in files if file.exists())
