"""People for tests of the desk: an installation with lists, people and segments, and operators who look at them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from databases import copy_of
from integration.desk import DeskClient, desk_client
from integration.kept import Kept
from integration.signing import KEYS, NOW, Clock
from sqlmodel import Session

from newsletter.accounts.operator import Role
from newsletter.bootstrap import Pipeline
from newsletter.content.newsletter import Newsletter
from newsletter.content.store import save_newsletter
from newsletter.database import open_engine, session_factory
from newsletter.links import Links
from newsletter.pipeline.parts import Parts
from newsletter.settings import Settings

RIVERS = Newsletter.model_validate(
    {
        "slug": "rivers",
        "list_id": "rivers.news.example",
        "name": {"en": "Rivers", "fr": "Rivières"},
        "languages": ["en", "fr"],
        "timezone": "Europe/Brussels",
        "sender": {"name": "Rivers", "address": "news@rivers.example"},
        "sections": [{"key": "news", "title": {"en": "News", "fr": "Nouvelles"}}],
    }
)
HOSTILE = "<script>alert(1)</script>"


def people_pipeline(engine, *, public_url: str = "http://localhost") -> Pipeline:
    """A newsletter, two lists and four people; its clock stands still."""
    made = Pipeline(
        parts=Parts(
            settings=Settings(public_url=public_url),
            engine=engine,
            sessions=session_factory(engine, operator="grace"),
            keys=KEYS,
            links=Links(public_url),
            operator="grace",
            now=Clock(),
        )
    )
    with made.parts.sessions() as session:
        _newsletter(session)
        session.commit()
    made.people.lists.create("members", public=True, description="Who belongs")
    made.people.lists.create("press", double_opt_in=False, opt_in_reason="journalists ask by telephone")
    for address, given in (
        ("ada@town.example", {"first_name": "Ada", "last_name": "Dupont", "language": "fr", "tags": "board"}),
        ("bob@harbour.example", {"first_name": "Bob", "last_name": "Lindmann", "language": "en", "population": "5000"}),
        ("cleo@town.example", {"first_name": "Émile", "last_name": "Kovacs", "language": "fr"}),
        ("dora@hill.example", {}),
    ):
        made.people.add(address, list_name="members", given=given)
    made.people.add("bob@harbour.example", list_name="press", given={})
    made.people.segments.create("in French", 'list = "members" and language = "fr"')
    return made


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The pipeline, and an operator of each role; what tests do to the database is taken back by `restored`."""

    pipeline: Pipeline
    officer: DeskClient
    admin: DeskClient
    viewer: DeskClient
    kept: Kept

    def restored(self) -> "Surroundings":
        """The surroundings as they were at first."""
        self.kept.put_back()
        self.pipeline.parts.now.instant = NOW  # type: ignore[attr-defined]  # the clock of `people_pipeline`
        return self


@contextmanager
def surroundings(ready: Path, folder: Path) -> Iterator[Surroundings]:
    """People and operators over a file of their own, a copy of one with the tables and no rows."""
    engine = open_engine(copy_of(ready, folder / "newsletter.sqlite"))
    pipeline = people_pipeline(engine)
    officer = desk_client(pipeline, role=Role.OFFICER)
    others = {role.value: desk_client(pipeline, role=role, app=officer.app) for role in (Role.ADMIN, Role.VIEWER)}
    yield Surroundings(pipeline=pipeline, officer=officer, kept=Kept(engine), **others)
    engine.dispose()


def _newsletter(session: Session) -> None:
    save_newsletter(session, RIVERS, now=NOW)
