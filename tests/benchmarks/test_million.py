"""A million recipients: planned about as fast as the database can insert them, dispatched in flat memory."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from benchmarks.scene import ISSUE, an_installation

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

TOTAL = int(os.environ.get("NEWSLETTER_TESTS_MILLION", "1000000"))
HERE = Path(__file__).parent

PEOPLE = """
INSERT INTO subscriber (uid, address, address_key, digest, first_name, last_name, organisation, city, country, language,
    attributes, created, updated)
WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < :total)
SELECT printf('%016d', number), address, address, lower(hex(randomblob(32))), 'Ana', '', '', '', '',
    CASE number % 4 WHEN 0 THEN 'en' WHEN 1 THEN 'fr-BE' WHEN 2 THEN 'de' END, '{}', :now, :now
FROM (SELECT number, printf('q%d@town%d.example', number, number % 50) AS address FROM numbers)
"""

MEMBERS = """
INSERT INTO membership (subscriber_id, list_id, state, changed)
SELECT id, (SELECT id FROM mailing_list WHERE name = 'all'), 'confirmed', :now FROM subscriber WHERE true ON CONFLICT DO NOTHING
"""

BARE = """
INSERT INTO delivery (mailing, run_id, subscriber_id, digest, language, artifact, state, epoch, attempts, repeats,
    changed)
SELECT 'issue:bare', :run, subscriber.id, digest, coalesce(language, 'en'), :artifact, 'planned', 0, 0, 0, :now
FROM subscriber JOIN membership ON membership.subscriber_id = subscriber.id AND membership.state = 'confirmed'
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """An installation with a queued issue for a million people, and its pipeline."""
    folder = tmp_path_factory.mktemp("million")
    pipeline, artifact = an_installation(folder, f"sqlite:///{folder / 'newsletter.sqlite'}", people=1, start=False)
    with closing(sqlite3.connect(folder / "newsletter.sqlite")) as connection, connection:
        values = {"total": TOTAL - 1, "now": "2026-11-01 08:00:00.000000"}
        connection.execute(PEOPLE, values)
        connection.execute(MEMBERS, values)
    yield folder, pipeline, artifact
    pipeline.parts.engine.dispose()


def bare_insert(file: Path, artifact: str) -> float:
    """Seconds that the database takes for the same rows in one statement, in a copy of the file."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -65536")
        began = time.perf_counter()
        with connection:
            connection.execute(BARE, {"run": 1, "artifact": artifact, "now": "2026-11-01 08:00:00.000000"})
        return time.perf_counter() - began


def test_a_million_are_planned_about_as_fast_as_rows_can_be_inserted_and_sent_in_flat_memory(filled, tmp_path):
    folder, pipeline, artifact = filled
    with closing(sqlite3.connect(folder / "newsletter.sqlite")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    bare = bare_insert(shutil.copy(folder / "newsletter.sqlite", tmp_path), artifact.digest)
    began = time.perf_counter()
    pipeline.sending.start_due(pipeline.parts.now())
    planned = time.perf_counter() - began
    assert pipeline.control.status(ISSUE, newsletter=None).total == TOTAL
    command = [sys.executable, HERE / "million.py", f"sqlite:///{folder / 'newsletter.sqlite'}", TOTAL]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent.parent)}
    done = subprocess.run(
        [str(part) for part in command], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    sent = json.loads(done.stdout.splitlines()[-1])
    print(
        f"\n{TOTAL:,} planned in {planned:.1f} s, bare INSERT … SELECT {bare:.1f} s; dispatched in {sent['seconds']:.0f} s"
        f" ({TOTAL / sent['seconds']:,.0f}/s), memory {sent['early'] / 1024:.0f} MB after a tenth,"
        f" {sent['late'] / 1024:.0f} MB at the end, {sent['peak'] / 1024:.0f} MB at most"
    )
    assert sent["taken"] == TOTAL
    assert planned <= 1.5 * bare
    assert sent["peak"] < 200 * 1024
    assert sent["late"] <= 1.1 * sent["early"]
    assert all(check.holds for check in pipeline.proof.audit(ISSUE, newsletter=None))
