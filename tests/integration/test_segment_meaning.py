"""Both databases mean by an expression whom a second reading of it in Python means: nobody more, nobody less."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import BigInteger, cast, literal, null, select, union_all
from sqlalchemy.orm import Session
from unit.subscribers.segments.oracle import Somebody, holds
from unit.subscribers.segments.trees import EXPRESSIONS, NAMES, NUMBERS, TEXTS, WORDS

from subscribers import store
from subscribers.address import parse_address
from subscribers.models import MembershipState, Subscriber
from subscribers.segments import Reaction, to_condition
from subscribers.tokens import Keys

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
KEYS = Keys(signing=(("k1", b"s" * 32),), suppression=b"d" * 32)
PEOPLE = 50
ATTRIBUTES = [*TEXTS, *NUMBERS, True, False, "2026-11-21T08:00", "2026-11-02 08:00", "2026-99-99", "many", None]


def moment(chance):
    return NOW - timedelta(days=chance.choice([0, 0, 1, 10, 20, 40, 400]), hours=chance.choice([0, 9, 10]))


def people():
    """People of all sorts, the same in every run."""
    chance = random.Random(5)
    for number in range(PEOPLE):
        some = WORDS["email"][number : number + 1] or [f"p{number}@{chance.choice(['liege', 'other'])}.example"]
        fields = ("city", "organisation", "first_name")
        spelled = {name: chance.choice(["", *WORDS[name]]) for name in ("language", "country", "timezone")}
        attributes = {name: chance.choice(ATTRIBUTES) for name in ("population", "renews")}
        yield Somebody(
            address=some[0],
            values={name: chance.choice(TEXTS) for name in fields} | spelled,
            attributes={name: value for name, value in attributes.items() if value is not None},
            tags=tuple(chance.sample(["press", "EU-project", "ab", "a_b"], chance.randint(0, 2))),
            created=moment(chance),
            memberships={
                name: (chance.choice(list(MembershipState)), moment(chance)) for name in chance.sample(NAMES, 2)
            },
            reactions={
                (reaction, issue): moment(chance)
                for reaction in Reaction
                for issue in chance.sample(["a", "b"], chance.randint(0, 2))
            },
        )


EVERYBODY = list(people())


def stored(session, person):
    subscriber = store.add_subscriber(
        session,
        KEYS,
        address=parse_address(person.address),
        now=person.created,
        values=person.values,
        attributes=person.attributes,
        tags=person.tags,
    )
    for name, (state, at) in person.memberships.items():
        found = store.find_list(session, name) or store.create_list(session, name, now=NOW)
        store.set_membership(session, subscriber_id=subscriber.id, list_id=found.id, state=state, now=at)
    return subscriber.id


@pytest.fixture
def ask(engine):
    """Says which of everybody an expression means, by their places."""
    with Session(engine) as session:
        ids = [stored(session, person) for person in EVERYBODY]
        session.commit()

        def engagement(reaction, asked):
            met = [
                identity
                for identity, person in zip(ids, EVERYBODY, strict=True)
                for (kind, issue), at in person.reactions.items()
                if kind == reaction and (issue == asked if isinstance(asked, str) else at >= asked)
            ]
            return (
                union_all(*(select(literal(each)) for each in met), select(cast(null(), BigInteger)))
                .subquery()
                .select()
            )

        def ask(expression):
            condition = to_condition(expression, now=NOW, engagement=engagement)
            return {ids.index(each) for each in session.scalars(select(Subscriber.id).where(condition))}

        yield ask


def compare(ask, expression):
    assert ask(expression) == {place for place, person in enumerate(EVERYBODY) if holds(expression, person, NOW)}


EXAMPLES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@settings(EXAMPLES, max_examples=100)
@given(EXPRESSIONS)
def test_a_database_means_by_an_expression_whom_it_means(ask, expression):
    compare(ask, expression)


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(EXAMPLES, max_examples=5000)
@given(EXPRESSIONS)
def test_a_database_means_by_five_thousand_expressions_whom_they_mean(ask, expression):
    compare(ask, expression)
