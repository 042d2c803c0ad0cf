"""Real databases: a SQLite file and a PostgreSQL server of our own, and a run with deliveries in either."""

import datetime as dt

import psycopg
import pytest
from databases import CHOSEN, FILES, KINDS, SERVED, tables_in, url_of
from integration.sent_scene import prepared
from integration.signing import Clock
from pages import every_page_once
from sqlmodel import col, select

import newsletter.tables  # noqa: F401  registers every table
from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.content.models import NewsletterRow
from newsletter.database import open_engine, session_factory
from newsletter.dispatch.ledger import attempts_of
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from subscribers.columns import Base

COMPILERS = frozenset({"test_compilation_theme", "test_themes"})
"""Tests of the pages themselves; to all others they are what they work with."""


@pytest.fixture(scope="module", autouse=True)
def pages(request):
    """Pages are made once in a process, but where they are the matter."""
    if request.path.stem in COMPILERS:
        yield
        return
    with every_page_once():
        yield


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server on a socket of its own, for as long as the tests last; yields the folder of its socket."""
    server = SERVED.server
    server.do("CREATE DATABASE ready")
    engine = open_engine(server.url("ready"))
    tables_in(engine)
    engine.dispose()
    return server.folder


def _url(folder, name):
    return f"postgresql://tests@/{name}?host={folder}"


def emptied(folder):
    """Leave no row in the database of the tests and count ids from one again: a tenth of what a new one takes."""
    rows = [f"DELETE FROM {table.name}" for table in reversed(Base.metadata.sorted_tables)]
    rows += [f"DELETE FROM procrastinate_{kept}" for kept in ("events", "jobs", "workers")]
    counts = "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"
    with _connected(folder, "ready") as connection:
        connection.execute("; ".join(["SET session_replication_role = replica", *rows, counts]))


def _connected(folder, name):
    return psycopg.connect(host=str(folder), user="tests", dbname=name, autocommit=True)


@pytest.fixture
def postgres_engine(postgres):
    """An empty database on the server."""
    emptied(postgres)
    engine = open_engine(_url(postgres, "ready"))
    yield engine
    engine.dispose()


@pytest.fixture
def bare_postgres_engine(postgres):
    """A database without tables on the server."""
    with _connected(postgres, "postgres") as connection:
        connection.execute("CREATE DATABASE bare")
        engine = open_engine(_url(postgres, "bare"))
        yield engine
        engine.dispose()
        connection.execute("DROP DATABASE bare")


@pytest.fixture(scope="session")
def sqlite_ready(tmp_path_factory):
    """A SQLite file with the tables and no rows."""
    file = tmp_path_factory.mktemp("ready") / "newsletter.sqlite"
    engine = open_engine(FILES.address(file))
    Base.metadata.create_all(engine)
    engine.dispose()
    return file


@pytest.fixture(scope="session")
def ready(request, tmp_path_factory):
    """The tables and no rows in a database of the kind that is chosen, to be copied: see `databases.copy_of`."""
    if FILES.name == CHOSEN:
        return request.getfixturevalue("sqlite_ready")
    file = tmp_path_factory.mktemp("ready") / "newsletter.sqlite"
    engine = open_engine(url_of(file))
    tables_in(engine)
    engine.dispose()
    return file


@pytest.fixture
def sqlite_engine(sqlite_ready, tmp_path):
    """A SQLite file of one's own."""
    file = tmp_path / "newsletter.sqlite"
    FILES.copy(sqlite_ready, file)
    engine = open_engine(FILES.address(file))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def approved(tmp_path_factory):
    """The folder of a database with an approved issue, made once, to be copied: see `sent_scene.copied`."""
    return prepared(tmp_path_factory.mktemp("approved"))


@pytest.fixture(scope="module")
def people_desk(ready, tmp_path_factory):
    """People, and operators of every role at the desk; tests take it by `at_desk`."""
    from integration.desk_people import surroundings

    with surroundings(ready, tmp_path_factory.mktemp("people")) as those:
        yield those


@pytest.fixture
def at_desk(people_desk):
    """The people and the operators as they were at first."""
    return people_desk.restored()


@pytest.fixture(scope="module")
def checking(ready, tmp_path_factory):
    """An issue that waits to be checked; each test begins with `again`."""
    from integration.checking import opened_scene

    with opened_scene(ready, tmp_path_factory.mktemp("checks")) as scene:
        yield scene


@pytest.fixture(params=KINDS)
def engine(request):
    """The same tables in either database."""
    return _engine_of(request, request.param)


@pytest.fixture
def chosen_engine(request):
    """One database; of a test that asks for `signing.BOTH`, either."""
    return _engine_of(request, getattr(request, "param", CHOSEN))


def _engine_of(request, name):
    return request.getfixturevalue("sqlite_engine" if name == "sqlite" else "postgres_engine")


@pytest.fixture
def clock():
    """The clock of `signing.bare_pipeline`, to be moved."""
    return Clock()


@pytest.fixture
def spoilt(engine):
    """For a test that changes tables: the next one finds them as they were."""
    yield
    if engine.dialect.name == "postgresql":
        Base.metadata.drop_all(engine)
        Base.metadata.create_all(engine)


@pytest.fixture
def rows(engine, now):
    """The rows of one issue, and questions about them."""
    return Rows(engine, now)


@pytest.fixture
def chosen_rows(chosen_engine, now):
    """The same where one database is enough."""
    return Rows(chosen_engine, now)


@pytest.fixture
def sqlite_rows(sqlite_engine, now):
    """The same in a file, where there is one dispatcher."""
    return Rows(sqlite_engine, now)


@pytest.fixture
def postgres_rows(postgres_engine, now):
    """The same on a server, where there are several dispatchers."""
    return Rows(postgres_engine, now)


class Rows:
    """Makes issues, runs and deliveries, and says how they stand; all of it committed at once."""

    def __init__(self, engine, now):
        self.engine, self.sessions = engine, session_factory(engine)
        self.now = now

    def issue(self, slug="2026-12", state=IssueState.SENDING):
        with self.sessions() as session:
            owner = session.scalars(select(NewsletterRow)).first()
            if owner is None:
                owner = NewsletterRow(slug="rivers", settings={}, created=self.now, changed=self.now)
                session.add(owner)
                session.flush()
            day = dt.date(2026, 12, 1)
            dates = {"date": day, "period_from": day, "period_to": day, "created": self.now, "changed": self.now}
            issue = IssueRow(newsletter_id=owner.id, slug=slug, state=state, plan={}, **dates)
            session.add(issue)
            session.commit()
            return issue.id

    def run(self, count=0, *, slug="2026-12", state=RunState.RUNNING, issue_id=None, **values):
        """A run with `count` planned deliveries to d0, d1 … ; `values` are those of the deliveries."""
        issue_id = issue_id or self.issue(slug)
        mailing = f"issue:rivers/{slug}"
        with self.sessions() as session:
            began = None if state in {RunState.SCHEDULED, RunState.PLANNING} else self.now
            run = RunRow(
                issue_id=issue_id,
                mailing=mailing,
                segment="everybody",
                expression="all",
                state=state,
                due_at=self.now,
                dated=began,
                started=began,
                operator="anna",
                created=self.now,
                total=count,
            )
            session.add(run)
            session.flush()
            session.add_all(self._delivery(mailing, f"d{number}", run.id, values) for number in range(count))
            session.commit()
            return run.id

    def single(self, digest="single", **values):
        """A delivery of a mailing of its own; returns its id."""
        with self.sessions() as session:
            delivery = self._delivery(f"test:{digest}", digest, None, {"address": "anna@lakes.example", **values})
            session.add(delivery)
            session.commit()
            return delivery.id

    def _delivery(self, mailing, digest, run_id, values):
        plain = {"language": "en", "artifact": "a" * 64, "changed": self.now}
        return DeliveryRow(mailing=mailing, digest=digest, run_id=run_id, **{**plain, **values})

    def delivery(self, digest="d0"):
        with self.sessions() as session:
            return session.scalars(select(DeliveryRow).where(col(DeliveryRow.digest) == digest)).one()

    def attempts(self, digest="d0"):
        delivery = self.delivery(digest)
        with self.sessions() as session:
            return attempts_of(session, delivery.id)

    def states(self):
        """How many deliveries stand in each state that occurs."""
        with self.sessions() as session:
            found = [delivery.state for delivery in session.scalars(select(DeliveryRow))]
        return {state: found.count(state) for state in DeliveryState if state in found}

    def get(self, model, key):
        with self.sessions() as session:
            return session.get(model, key)

    def change(self, statement):
        with self.sessions() as session:
            session.execute(statement)
            session.commit()
