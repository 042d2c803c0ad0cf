"""Growing up: a database of 200,000 people and three sent issues goes from SQLite to PostgreSQL, and nothing is lost."""

import datetime as dt
import os
import resource
import subprocess
import sys
import time

import pytest
from databases import FILES, SERVED
from sqlalchemy import insert, select, text
from sqlmodel import Session, col

from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.content.models import NewsletterRow
from newsletter.database import migrate, open_engine
from newsletter.dispatch.audit import audit
from newsletter.dispatch.models import AttemptRow, WorkerRow
from newsletter.dispatch.outcome import Phase, Verdict
from newsletter.dispatch.seals import Tried, seal
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

PEOPLE = int(os.environ.get("NEWSLETTER_TESTS_MOVED", "200000"))
ISSUES = ("2026-10", "2026-11", "2026-12")
NOW = dt.datetime(2026, 12, 1, 8, 0, 0, 250_000, tzinfo=dt.UTC)
CHUNK = 20_000

SUBSCRIBERS = """
INSERT INTO subscriber (id, uid, address, address_key, digest, first_name, last_name, organisation, city, country, language,
    attributes, created, updated)
WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < :total)
SELECT number, printf('%016d', number), printf('q%d@town%d.example', number, number % 50),
    printf('q%d@town%d.example', number, number % 50), printf('%064d', number), 'Ána' || char(9) || 'b\\', '', '', '', 'BE',
    'fr', json_object('population', number, 'Zoë', number / 7.0), :now, :now
FROM numbers
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A SQLite database with everybody and everything."""
    file = tmp_path_factory.mktemp("move") / "newsletter.sqlite"
    engine = open_engine(FILES.address(file))
    migrate(engine)
    with Session(engine) as session:
        owner = NewsletterRow(slug="rivers", settings={"languages": ["en", "fr"]}, created=NOW, changed=NOW)
        life = {"name": "w", "connections": 8, "started": NOW, "heartbeat": NOW, "ended": NOW}
        session.add_all([owner, WorkerRow(**life)])
        session.execute(text(SUBSCRIBERS), {"total": PEOPLE, "now": "2026-11-01 08:00:00.000000"})
        session.flush()
        for number, slug in enumerate(ISSUES):
            sent(session, slug, owner=owner.id, number=number)
        session.commit()
    engine.dispose()
    return file


def sent(session, slug, *, owner, number):
    """An issue that everybody has got."""
    dates = {"date": NOW.date(), "period_from": NOW.date(), "period_to": NOW.date(), "created": NOW, "changed": NOW}
    issue = IssueRow(newsletter_id=owner, slug=slug, state=IssueState.SENT, plan={}, **dates)
    session.add(issue)
    session.flush()
    instants = {"due_at": NOW, "dated": NOW, "created": NOW, "started": NOW, "ended": NOW}
    run = {"issue_id": issue.id, "mailing": f"issue:rivers/{slug}", "segment": "all", "expression": "all"}
    row = RunRow(**run, **instants, state=RunState.FINISHED, operator="anna", total=PEOPLE)
    session.add(row)
    session.flush()
    first = number * PEOPLE + 1
    for begin in range(first, first + PEOPLE, CHUNK):
        ids = range(begin, min(begin + CHUNK, first + PEOPLE))
        tries = [
            Tried(each, 1, 1, "w", "r", "accepted", None, int(Phase.CONTENT), 250, None, "ok", NOW, NOW) for each in ids
        ]
        seals = [seal(None, each) for each in tries]
        common = {"mailing": row.mailing, "run_id": row.id, "language": "en", "artifact": "a" * 64, "changed": NOW}
        ended = {"state": DeliveryState.ACCEPTED, "epoch": 1, "attempts": 1, "repeats": 0}
        deliveries = [
            {"id": each, "subscriber_id": each - first + 1, "digest": f"{each:064}", "seal": sealed, **common, **ended}
            for each, sealed in zip(ids, seals, strict=True)
        ]
        session.execute(insert(DeliveryRow), deliveries)
        told = {"relay": "r", "verdict": Verdict.ACCEPTED, "phase": int(Phase.CONTENT), "code": 250, "text": "ok"}
        attempts = [
            {
                "delivery_id": each,
                "number": 1,
                "epoch": 1,
                "worker": "w",
                "at": NOW,
                "began": NOW,
                "seal": sealed,
                **told,
            }
            for each, sealed in zip(ids, seals, strict=True)
        ]
        session.execute(insert(AttemptRow), attempts)


def test_a_large_database_grows_up_and_its_issues_stand_the_audit_on_both_sides(file, tmp_path):
    target = SERVED.address(tmp_path / "grown.sqlite")
    settings = {"NEWSLETTER_DATABASE__URL": FILES.address(file), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "newsletter"]
    subprocess.run([*command, "keys", "list"], env=settings, cwd=tmp_path, check=True, capture_output=True)
    began = time.monotonic()
    subprocess.run([*command, "database", "move", FILES.address(file), target], env=settings, cwd=tmp_path, check=True)
    seconds = time.monotonic() - began
    megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{PEOPLE:,} people and {len(ISSUES) * PEOPLE:,} deliveries: {seconds:.0f} s, {megabytes:.0f} MB")
    assert megabytes < 400
    for url in (FILES.address(file), target):
        engine = open_engine(url)
        with Session(engine) as session:
            for slug in ISSUES:
                checks = audit(session, f"issue:rivers/{slug}")
                assert [check.code for check in checks if not check.holds] == []
            ids = select(col(DeliveryRow.id)).order_by(col(DeliveryRow.id).desc()).limit(1)
            assert session.scalar(ids) == len(ISSUES) * PEOPLE
        engine.dispose()
