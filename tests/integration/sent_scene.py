"""
A pipeline with an approved issue for a handful of readers, and what became of them, without a dispatcher.

    made = pipeline_over(engine)         # everything but a run
    tried(made, "anna@lakes.example", Verdict.REFUSED, fault=Fault.RECIPIENT, code=550, text="no such user")
"""

from pathlib import Path
from typing import Any

from databases import databases, tables_in, url_of
from sqlalchemy import Engine
from sqlmodel import col, select

import newsletter.tables  # noqa: F401  registers every table
from newsletter.bootstrap import Pipeline, build
from newsletter.database import open_engine
from newsletter.dispatch.entries import LONGEST_REASON
from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Phase, Verdict
from newsletter.planning.models import DeliveryRow, DeliveryState
from newsletter.settings import load
from subscribers.address import parse_address
from subscribers.suppression import digest_of

PACK = Path(__file__).parent / "river-cities.yaml"

NEWSLETTER, ISSUE = "river-cities", "2026-12"

READERS = {
    "anna@lakes.example": "fr",
    "bela@lakes.example": "en",
    "cora@lakes.example": "hu",
    "dana@lakes.example": None,
    "emil@lakes.example": "en",
    "fina@office.example": "fr",
}
"""Addresses and languages; the newsletter is in English and French."""

ENDS = {
    Verdict.ACCEPTED: DeliveryState.ACCEPTED,
    Verdict.REFUSED: DeliveryState.REFUSED,
    Verdict.DEFERRED: DeliveryState.DEFERRED,
    Verdict.UNCERTAIN: DeliveryState.UNCERTAIN,
}


def settings_over(url: str, **given: Any) -> Any:
    """Settings of an installation that is set up."""
    usual = {"smtp": {"host": "relay.example"}, "public_url": "https://news.example"}
    return load(database={"url": url}, **{**usual, **given})


def pipeline_over(engine: Engine, **given: Any) -> Pipeline:
    """An installation with an approved issue, six readers and the segments “all” and “nobody”."""
    made = build(
        settings_over(engine.url.render_as_string(hide_password=False), **given), operator="anne", migrated=False
    )
    made.entries.import_pack(PACK)
    made.people.lists.create("members")
    for address, language in READERS.items():
        made.people.add(address, list_name="members", given={"language": language} if language else {})
    made.people.segments.create("all", 'list = "members"')
    made.people.segments.create("nobody", 'tag = "absent"')
    made.editorial.assemble(ISSUE, newsletter=None)
    made.approval.approve(ISSUE, newsletter=None)
    return made


def tried(made: Pipeline, address: str, verdict: Verdict, *, relay: str = "a", **said: Any) -> None:
    """Write down one try at somebody's delivery, and what it makes of it."""
    now = made.parts.now()
    with made.parts.sessions() as session:
        digest = digest_of(made.parts.keys, parse_address(address))
        row = session.exec(select(DeliveryRow).where(col(DeliveryRow.digest) == digest)).one()
        row.attempts, row.state, row.changed = row.attempts + 1, ENDS[verdict], now
        row.reason = str(said.get("text", ""))[:LONGEST_REASON] or None
        row.worker = None
        given = {"phase": int(Phase.CONTENT), "epoch": row.epoch, "worker": "w", "at": now, **said}
        session.add(AttemptRow(delivery_id=row.id or 0, number=row.attempts, relay=relay, verdict=verdict, **given))
        session.add(row)
        session.commit()


def prepared(folder: Path) -> Path:
    """The folder of a database in which an issue is approved, to be copied."""
    engine = open_engine(url_of(folder / "n.sqlite"))
    tables_in(engine)
    pipeline_over(engine).parts.engine.dispose()
    engine.dispose()
    databases().settle(folder / "n.sqlite")
    return folder


def copied(ready: Path, folder: Path, **given: Any) -> Pipeline:
    """A pipeline over a copy of what was prepared."""
    databases().copy_folder(ready, folder)
    return build(settings_over(url_of(folder / "n.sqlite"), **given), operator="anne", migrated=False)
