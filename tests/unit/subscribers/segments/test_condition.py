from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import literal, null, select, union_all
from sqlalchemy.dialects import postgresql, sqlite

from subscribers import store
from subscribers.errors import SegmentSyntaxError
from subscribers.models import Subscriber
from subscribers.segments import And, Comparison, Not, Operator, Or, Reaction, parse, to_condition
from subscribers.segments.expansion import MAX_EXPANDED_DEPTH

CEM = {"population": "many", "code": "", "joined": "long ago", "renews": "never"}
"""Attributes that hold no numbers and no days where those of others do."""


@pytest.fixture
def found(session, now):
    """The first names of those who are meant."""

    def names(text: str, *, at: datetime = now) -> str:
        condition = to_condition(parse(text), now=at, resolve=store.resolver(session))
        meant = set(session.scalars(select(Subscriber.first_name).where(condition)))
        others = set(session.scalars(select(Subscriber.first_name).where(~condition)))
        assert meant | others == set(session.scalars(select(Subscriber.first_name)))
        return " ".join(sorted(meant))

    return names


@pytest.fixture(autouse=True)
def people(session, add_person, now):
    add_person(
        "anne@liege.example",
        first_name="Anne",
        lists=["members"],
        tags=["press", "EU-project"],
        language="fr-BE",
        country="BE",
        city="Liège",
        timezone="Europe/Brussels",
        attributes={
            "population": 197355,
            "vip": True,
            "code": "0100",
            "joined": "2025-03-01",
            "renews": "2026-10-01T08:00",
        },
        at=now - timedelta(days=40),
    )
    add_person(
        "ben@rotterdam.example",
        first_name="Ben",
        lists=["members", "board"],
        language="en",
        country="NL",
        city="Rotterdam_1",
        attributes={"population": 655468.5, "vip": False, "code": 100, "joined": "2026-11-21", "renews": "2027-01-31"},
        at=now - timedelta(days=2),
    )
    add_person("cem@sub.liege.example", first_name="Cem", city="100%", attributes=CEM)
    add_person("dora@other.example", first_name="Dora", attributes={})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("all", "Anne Ben Cem Dora"),
        ("not all", ""),
        ('list = "members"', "Anne Ben"),
        ('list != "members"', "Cem Dora"),
        ('list in ("board", "nothing")', "Ben"),
        ('list not in ("board")', "Anne Cem Dora"),
        ('list like "m*"', "Anne Ben"),
        ("list is empty", "Cem Dora"),
        ("list is not empty", "Anne Ben"),
        ('tag = "press"', "Anne"),
        ('tag = "PRESS"', "Anne"),
        ('has tag "eu-project"', "Anne"),
        ('not tag = "press"', "Ben Cem Dora"),
        ('tag in ("press", "x")', "Anne"),
        ('tag like "eu*"', "Anne"),
        ("tag is empty", "Ben Cem Dora"),
        ('language = "fr-be"', "Anne"),
        ('language = "fr"', ""),
        ('language like "fr*"', "Anne"),
        ('language != "en"', "Anne"),
        ('not language = "en"', "Anne Cem Dora"),
        ('language not in ("en", "de")', "Anne"),
        ('language in ("en", "")', "Ben"),
        ("language is empty", "Cem Dora"),
        ("timezone is not empty", "Anne"),
        ('country = "be"', "Anne"),
        ('city = "Liège"', "Anne"),
        ('city = "liège"', ""),
        ('city like "liè*"', "Anne"),
        ('city like "*"', "Anne Ben Cem"),
        ('city like "Rotterdam_1"', "Ben"),
        ('city like "Rotterdam?1"', ""),
        ('city like "1__"', ""),
        (r'city like "100\%"', "Cem"),
        (r'city like "10%\%"', "Cem"),
        (r'city like "Li\\*"', ""),
        ('city < "M"', "Anne Cem"),
        ('city != "Liège"', "Ben Cem"),
        ("city is empty", "Dora"),
        ('email = "ANNE@liege.example"', "Anne"),
        ('email != "anne@liege.example"', "Ben Cem Dora"),
        ('email like "*@liege.example"', "Anne"),
        ('domain = "liege.example"', "Anne"),
        ('domain in ("liege.example", "other.example")', "Anne Dora"),
        ('domain != "liege.example"', "Ben Cem Dora"),
        ('domain not in ("liege.example")', "Ben Cem Dora"),
        ('domain like "*liege.example"', "Anne Cem"),
        ("population > 100000", "Anne Ben"),
        ("population = 655468.5", "Ben"),
        ("population != 197355", "Ben"),
        ("not population = 197355", "Ben Cem Dora"),
        ("not population > 100000", "Cem Dora"),
        ("population in (197355, 1)", "Anne"),
        ("population not in (197355, 1)", "Ben"),
        ('population = "many"', "Cem"),
        ('population != "many"', "Anne Ben"),
        ('population in ("many", 197355)', "Anne Cem"),
        ('population like "1973*"', "Anne"),
        ("population is empty", "Dora"),
        ("population is not empty", "Anne Ben Cem"),
        ('code = "0100"', "Anne"),
        ("code = 100", "Ben"),
        ('code = "100"', "Ben"),
        ("code is empty", "Cem Dora"),
        ("vip = true", "Anne"),
        ("vip = false", "Ben"),
        ("vip != true", "Ben"),
        ("not vip = true", "Ben Cem Dora"),
        ("vip in (true, false)", "Anne Ben"),
        ('vip = "true"', "Anne"),
        ("vip = 1", ""),
        ("vip is not empty", "Anne Ben"),
        ("joined < 2026-01-01", "Anne"),
        ('joined >= "2025-03-01"', "Anne Ben Cem"),
        ("joined >= 2025-03-01", "Anne Ben"),
        ("joined = today", "Ben"),
        ("joined > 2020-01-01", "Anne Ben"),
        ("joined != today", "Anne"),
        ("joined in (today, 2025-03-01)", "Anne Ben"),
        ("joined not in (today)", "Anne"),
        ("joined in the last 21 months", "Anne Ben"),
        ("joined in the last 20 months", "Ben"),
        ("joined in the last year", "Ben"),
        ("not joined in the last year", "Anne Cem Dora"),
        ("population > 1000-01-01", ""),
        ("renews > today", "Ben"),
        ("renews in the last 9 weeks", "Anne"),
        ("renews on 2026-10-01", "Anne"),
        ("renews is not empty", "Anne Ben Cem"),
        ("nothing = 1", ""),
        ("not nothing = 1", "Anne Ben Cem Dora"),
        ("created = today", "Cem Dora"),
        ("created != today", "Anne Ben"),
        ("created < 30 days ago", "Anne"),
        ("created <= 2 days ago", "Anne Ben"),
        ("created > 2 days ago", "Cem Dora"),
        ("created >= 2026-11-19", "Ben Cem Dora"),
        ("created since 2 days ago", "Ben Cem Dora"),
        ("created before 2 days ago", "Anne"),
        ("created on 2026-11-19", "Ben"),
        ("created in the last 2 days", "Ben Cem Dora"),
        ("created in the last month", "Ben Cem Dora"),
        ("created in the last 6 weeks", "Anne Ben Cem Dora"),
        ('list = "members" and not tag = "press" or city = "100%"', "Ben Cem"),
        ('list = "members" and (tag = "press" or vip = false)', "Anne Ben"),
    ],
)
def test_the_right_people_are_meant(found, text, names):
    assert found(text) == names


def test_only_confirmed_members_are_members(found, session, now):
    anne, members = store.get_subscriber(session, "anne@liege.example"), store.get_list(session, "members")
    store.set_membership(session, subscriber_id=anne.id, list_id=members.id, state="left", now=now)
    assert found('list = "members"') == "Ben"


@pytest.fixture
def movements(session, now):
    """Anne left the members ten days ago; Cem asked three days ago; Dora was taken off; Ben joined when he was added."""
    members = store.get_list(session, "members")
    states = {
        "anne@liege.example": ("left", 10),
        "cem@sub.liege.example": ("pending", 3),
        "dora@other.example": ("removed", 1),
    }
    for address, (state, days) in states.items():
        person, at = store.get_subscriber(session, address), now - timedelta(days=days)
        store.set_membership(session, subscriber_id=person.id, list_id=members.id, state=state, now=at)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('list "members" is confirmed', "Ben"),
        ('list "members" is pending', "Cem"),
        ('list "members" is left', "Anne"),
        ('list "members" is removed', "Dora"),
        ('list "members" is not pending', "Anne Ben Dora"),
        ('list "nothing" is pending', ""),
        ('left "members" in the last 10 days', "Anne"),
        ('left "members" in the last 9 days', ""),
        ('left "members" on 10 days ago', "Anne"),
        ('left "members" after 10 days ago', ""),
        ('asked "members" before 2 days ago', "Cem"),
        ('asked "members" since 2 days ago', ""),
        ('joined "members" since today', "Ben"),
        ('not joined "members" since today', "Anne Cem Dora"),
        ('joined "members" before today', ""),
    ],
)
def test_how_somebody_stands_to_a_list_can_be_asked_and_since_when(found, movements, text, names):
    assert found(text, at=datetime(2026, 11, 21, 12, tzinfo=UTC)) == names


def engagement(reaction, asked):
    """Anne received 2027-01 an hour ago and opened it; somebody without a name received it too; nobody clicked."""
    sent = datetime(2026, 11, 21, 8, tzinfo=UTC)
    is_meant = asked == "2027-01" if isinstance(asked, str) else asked <= sent
    anne = select(Subscriber.id).where(Subscriber.first_name == "Anne", literal(is_meant))
    if reaction is Reaction.CLICKED:
        anne = anne.where(literal(value=False))
    return union_all(anne, select(null())).subquery().select()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('received "2027-01"', "Anne"),
        ('received "2026-12"', ""),
        ('not received "2027-01"', "Ben Cem Dora"),
        ('received in ("2026-12", "2027-01")', "Anne"),
        ("received is not empty", "Anne"),
        ("received is empty", "Ben Cem Dora"),
        ("received since today", "Anne"),
        ("received in the last 30 days", "Anne"),
        ('opened "2027-01" and not clicked "2027-01"', "Anne"),
        ("clicked in the last year", ""),
        ("clicked is empty", "Anne Ben Cem Dora"),
    ],
)
def test_who_reacted_is_asked_of_who_knows(session, now, text, names):
    condition = to_condition(parse(text), now=now, engagement=engagement)
    for wanted, told in ((condition, names), (~condition, None)):
        found = " ".join(sorted(session.scalars(select(Subscriber.first_name).where(wanted))))
        assert told is None or found == told
        assert told is not None or len(found.split()) == 4 - len(names.split())


def test_on_postgresql_who_reacted_is_a_join_also_under_not(now):
    statement = select(Subscriber.id).where(to_condition(parse('not received "x"'), now=now, engagement=engagement))
    assert "NOT (EXISTS (SELECT" in str(statement.compile(dialect=postgresql.psycopg.dialect()))
    assert " IN (SELECT" in str(statement.compile(dialect=sqlite.dialect()))


def test_without_anybody_who_knows_reactions_cannot_be_asked(now):
    with pytest.raises(SegmentSyntaxError, match="column 8: “opened” cannot be asked here"):
        to_condition(parse('all or opened "x"'), now=now)


def test_what_costs_most_is_asked_last(now):
    costly = 'received "x" and list = "a" and (has tag "b" or x = 1) and x = 2 and city = "c"'
    statement = select(Subscriber.id).where(to_condition(parse(costly), now=now, engagement=engagement))
    sql = str(statement.compile(dialect=sqlite.dialect())).partition("WHERE")[2]
    places = [sql.index(word) for word in ("city", "json_type", "membership", "subscriber_tag", "first_name")]
    assert places == sorted(places)


def test_days_are_those_of_the_zone_in_which_it_is_asked(found, add_person):
    add_person("late@x.example", first_name="Late", at=datetime(2026, 11, 20, 23, 30, tzinfo=UTC))
    in_brussels = datetime(2026, 11, 21, 12, tzinfo=ZoneInfo("Europe/Brussels"))
    assert "Late" in found("created = today", at=in_brussels)
    assert "Late" not in found("created = today", at=in_brussels.astimezone(UTC))


def test_a_saved_segment_is_found_by_name(found, session, now):
    store.create_segment(session, "press", expression='tag = "press"', now=now)
    assert found('not segment = "press" and list = "members"') == "Ben"


def test_without_saved_segments_none_can_be_named(now):
    with pytest.raises(SegmentSyntaxError):
        to_condition(parse('segment = "press"'), now=now)


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE subscriber; --", '" OR 1=1', "%' OR '1'='1", "\\", "$.x", "%(name)s", ":name"]
)
def test_values_are_bound_and_never_part_of_the_statement(text, now):
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    expression = parse(f'city = "{quoted}" or x = "{quoted}" or tag like "{quoted}" or list = "{quoted}"')
    statement = select(Subscriber.id).where(to_condition(expression, now=now))
    for dialect in (sqlite.dialect(), postgresql.psycopg.dialect()):
        assert "DROP" not in str(statement.compile(dialect=dialect))
        assert "OR 1" not in str(statement.compile(dialect=dialect))


def test_postgresql_casts_a_number_only_where_one_is_stored(now):
    expression = parse('population > 5 and vip = true and joined < "2026" and city < "M"')
    statement = select(Subscriber.id).where(to_condition(expression, now=now))
    sql = str(statement.compile(dialect=postgresql.psycopg.dialect()))
    assert "CASE WHEN jsonb_typeof(" in sql
    assert "= 'number' THEN" in sql
    assert "= 'boolean' THEN" in sql
    assert sql.count('COLLATE "C"') == 2


def test_postgresql_takes_a_day_only_from_text_that_begins_with_one(now):
    statement = select(Subscriber.id).where(to_condition(parse("joined > 2026-01-31"), now=now))
    sql = str(statement.compile(dialect=postgresql.psycopg.dialect()))
    assert "~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}' THEN left(" in sql


def test_no_other_table_can_be_reached(now):
    everything = 'list = "a" and tag = "b" and x = 1 and city like "c" and created = today and domain = "d.example"'
    statement = str(
        select(Subscriber.id).where(to_condition(parse(everything), now=now)).compile(dialect=sqlite.dialect())
    )
    assert "suppression" not in statement
    assert "consent_entry" not in statement


def test_the_deepest_expression_can_be_compiled(session, now):
    node = Comparison("a", Operator.EQUAL, (1,))
    for _ in range((MAX_EXPANDED_DEPTH - 1) // 2):
        node = Not(Or((node, And((Comparison("b", Operator.EQUAL, (1,)), Comparison("c", Operator.EQUAL, ("x",)))))))
    assert store.count_subscribers(session, to_condition(node, now=now)) >= 0


LEAVES = st.sampled_from(
    [
        "population > 5",
        'city = "Liège"',
        'list = "members"',
        'tag = "press"',
        "vip = true",
        'language != "fr"',
        "code is empty",
    ]
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda part: f"not ({part})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: f"({' '.join(parts)})"),
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(EXPRESSIONS)
def test_everybody_is_meant_or_not_meant_and_never_neither(found, text):
    assert set(found(text).split()).isdisjoint(found(f"not ({text})").split())
    assert len(found(text).split()) + len(found(f"not ({text})").split()) == 4
