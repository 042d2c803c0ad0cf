"""
A segment over a million subscribers is counted about as fast as by the best SQL that a person writes for that question.

The short form asks the same of fifty thousand: that the answers are the same, and that the list is read by its index.
"""

import os
import time
from collections.abc import Callable
from statistics import median

import pytest
from benchmarks.crowd import NOW, make
from faults.postgres import Postgres
from sqlalchemy import Engine, event, select, text
from sqlalchemy.orm import Session

import newsletter.tables  # noqa: F401  registers every table
from newsletter.database import open_engine
from subscribers import store
from subscribers.columns import Base
from subscribers.models import Subscriber
from subscribers.segments import parse, to_condition

MILLION = int(os.environ.get("NEWSLETTER_TESTS_MILLION", "1000000"))
SHORT = 50_000
TIMES = 5

EXPRESSION = 'list = "members" and language = "fr" and population >= 500000'
FEW = 'list = "board" and language = "fr"'

JOINED = "SELECT count(*) FROM membership m JOIN subscriber s ON s.id = m.subscriber_id WHERE {member} AND {rest}"
WITHIN = (
    "SELECT count(*) FROM subscriber s WHERE {rest} AND s.id IN (SELECT subscriber_id FROM membership m WHERE {member})"
)
EXISTING = (
    "SELECT count(*) FROM subscriber s WHERE {rest}"
    " AND EXISTS (SELECT 1 FROM membership m WHERE m.subscriber_id = s.id AND {member})"
)
MEMBER = "m.list_id = 1 AND m.state = 'confirmed'"
FRENCH = "s.language = 'fr' AND "
POPULATED = {
    "sqlite": [
        (
            "CASE WHEN json_type(s.attributes, '$.population') IN ('integer', 'real')"
            " THEN json_extract(s.attributes, '$.population') END >= 500000"
        )
    ],
    "postgresql": [
        (
            "CASE WHEN jsonb_typeof(s.attributes -> 'population') = 'number'"
            " THEN (s.attributes ->> 'population')\\:\\:numeric END >= 500000"
        ),
        "s.attributes @@ '$.population >= 500000'",
    ],
}
"""What a person who knows the database would write; the guards are against the one value that is no number."""


def by_hand(engine):
    """Every statement by hand for the question of `EXPRESSION`."""
    for populated in POPULATED[engine.dialect.name]:
        for shape in (JOINED, WITHIN, EXISTING):
            yield text(shape.format(member=MEMBER, rest=FRENCH + populated))


def condition():
    return to_condition(parse(EXPRESSION), now=NOW)


def timed(count: Callable[[Session], int], engine: Engine) -> tuple[int, float]:
    """The answer, and the median of the seconds that it takes once the pages are in memory."""
    seconds = []
    with Session(engine) as session:
        count(session)
        for _ in range(TIMES):
            began = time.perf_counter()
            answer = count(session)
            seconds.append(time.perf_counter() - began)
    return answer, median(seconds)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def empty(request, tmp_path_factory):
    """An engine over tables without rows, in either database."""
    server = Postgres() if request.param == "postgresql" else None
    if server:
        server.do("CREATE DATABASE crowd")
    url = server.url("crowd") if server else f"sqlite:///{tmp_path_factory.mktemp('crowd') / 'newsletter.sqlite'}"
    engine = open_engine(url)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()
    if server:
        server.close()


def emptied(engine):
    with engine.begin() as connection:
        for table in ("membership", "mailing_list", "subscriber"):
            connection.execute(text(f"DELETE FROM {table}"))


def plan(engine, expression):
    """How the database goes about a segment, in its own words."""
    wanted = select(Subscriber.id).where(to_condition(parse(expression), now=NOW))
    explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "

    def explained(_connection, _cursor, statement, parameters, _context, _many):
        return explain + statement, parameters

    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", explained, retval=True)
        return "\n".join(str(row[-1]) for row in connection.execute(wanted).cursor.fetchall())


def test_a_count_reads_the_list_by_its_index_and_answers_as_sql_by_hand_does(empty):
    emptied(empty)
    make(empty, SHORT)
    with Session(empty) as session:
        answers = {session.scalar(statement) for statement in by_hand(empty)}
        assert answers == {store.count_subscribers(session, condition())}
        assert store.count_subscribers(session, condition(), at_most=100) == 100
    if empty.dialect.name == "sqlite":
        [searched] = [line for line in plan(empty, FEW).splitlines() if line.startswith("SEARCH subscriber")]
        assert "rowid=?" in searched, "it begins with the few"
        assert "USING COVERING INDEX ix_membership_list_id" in plan(empty, EXPRESSION)
    else:
        assert "Semi Join" in plan(empty, EXPRESSION)
        assert "Anti Join" in plan(empty, f"not ({FEW})") + plan(empty, 'not list = "board"')
        assert "SubPlan" not in plan(empty, EXPRESSION)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_million_are_counted_in_twice_the_time_of_the_best_sql_by_hand(empty):
    emptied(empty)
    make(empty, MILLION)
    hands = [timed(lambda session, each=each: session.scalar(each), empty) for each in by_hand(empty)]
    answer, ours = timed(lambda session: store.count_subscribers(session, condition()), empty)
    best = min(seconds for _, seconds in hands)
    tried = ", ".join(f"{seconds:.3f}" for _, seconds in hands)
    print(
        f"\n{empty.dialect.name}: {answer:,} of {MILLION:,} counted in {ours:.3f} s, "
        f"by hand in {best:.3f} s at best (of {tried}): {ours / best:.2f} times"
    )
    assert {found for found, _ in hands} == {answer}
    assert ours <= 2 * best
