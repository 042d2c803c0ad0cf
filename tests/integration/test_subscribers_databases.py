"""Subscribers on the two real databases: the same answers, the same names, the same end after an interruption."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, event, func, inspect, select
from sqlalchemy.orm import Session

from subscribers import consent, privacy, store, suppression
from subscribers.address import parse_address
from subscribers.columns import Base
from subscribers.importing import Listeners, import_subscribers
from subscribers.models import ConsentEntry, Membership, Subscriber, SubscriberTag, SuppressionReason
from subscribers.segments import parse, to_condition
from subscribers.tokens import Keys

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
KEYS = Keys(signing=(("k1", b"s" * 32),), suppression=b"d" * 32)
TABLES = [
    Base.metadata.tables[name]
    for name in [
        "subscriber",
        "subscriber_tag",
        "mailing_list",
        "membership",
        "departure",
        "former_address",
        "segment",
        "suppression",
        "consent_entry",
        "wording",
        "asking",
        "confirmation_request",
        "tally",
    ]
]
HEADINGS = "email,first_name,city,country,language,timezone,tags,population,vip,code\n"


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request, tmp_path):
    if request.param == "sqlite":
        engine = create_engine(f"sqlite:///{tmp_path}/subscribers.db")
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA secure_delete=ON"))
    else:
        engine = create_engine(request.getfixturevalue("bare_postgres_engine").url)
    Base.metadata.create_all(engine, tables=TABLES)
    yield engine
    Base.metadata.drop_all(engine, tables=TABLES)
    engine.dispose()


@pytest.fixture
def session(engine):
    with Session(engine) as session:
        store.create_list(session, "members", now=NOW)
        session.commit()
        yield session


@pytest.fixture
def load(engine, session, tmp_path):
    def run(content: str, **facts):
        path = tmp_path / "people.csv"
        path.write_text(content)
        facts = {"list_name": "members", "keys": KEYS, "operator": "marie", "now": NOW} | facts
        return import_subscribers(lambda: Session(engine), path, **facts)

    return run


PEOPLE = (
    HEADINGS
    + "anne@liege.example,Anne,Liège,be,fr_be,europe/brussels,press;EU-project,197355,true,0100\n"
    + "ben@rotterdam.example,Ben,Rotterdam_1,nl,en,,,655468.5,false,100\n"
    + "cem@sub.liege.example,Cem,100%,,,,,many,,\n"
    + "dora@other.example,Dora,,,,,,,,\n"
)


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('list = "members" and not tag = "PRESS"', "Ben Cem Dora"),
        ('tag like "eu*"', "Anne"),
        ('language = "fr-be"', "Anne"),
        ('not language = "en"', "Anne Cem Dora"),
        ('city < "M"', "Anne Cem"),
        ('city like "rotterdam_1"', "Ben"),
        (r'city like "100\%"', "Cem"),
        ("population > 100000", "Anne Ben"),
        ("not population > 200000", "Anne Cem Dora"),
        ("population != 197355", "Ben"),
        ("population = 655468.5", "Ben"),
        ('population = "many"', "Cem"),
        ('population != "many"', "Anne Ben"),
        ('population > "a"', "Cem"),
        ("population in (197355, 655468.5)", "Anne Ben"),
        ("population not in (197355)", "Ben"),
        ("population is empty", "Dora"),
        ('code = "0100"', "Anne"),
        ('code = "100"', "Ben"),
        ("vip = true", "Anne"),
        ("not vip = true", "Ben Cem Dora"),
        ('vip = "false"', "Ben"),
        ("vip is not empty", "Anne Ben"),
        ('domain = "liege.example"', "Anne"),
        ("created = today", "Anne Ben Cem Dora"),
        ("created > 1 day ago and nothing = 1", ""),
    ],
)
def test_a_segment_means_the_same_people_on_both(load, session, expression, names):
    load(PEOPLE)
    condition = to_condition(parse(expression), now=NOW)
    assert " ".join(sorted(session.scalars(select(Subscriber.first_name).where(condition)))) == names
    others = session.scalars(select(Subscriber.first_name).where(~condition))
    assert len(names.split()) + len(list(others)) == 4


def test_what_was_stored_comes_back_alike(load, session):
    load(PEOPLE)
    anne = store.get_subscriber(session, "anne@liege.example")
    assert (anne.created, anne.created.tzinfo) == (NOW, UTC)
    assert anne.attributes == {"population": 197355, "vip": True, "code": "0100"}
    assert store.attribute_names(session) == ["code", "population", "vip"]
    assert store.slot_values(session, [anne.id])[anne.id].city == "Liège"
    assert store.list_counts(session) == {"members": {"confirmed": 4}}
    rows = {row["email"]: row for row in privacy.export_subscribers(session)}
    assert (rows["anne@liege.example"]["tags"], rows["anne@liege.example"]["lists"]) == ("EU-project;press", "members")


def test_importing_twice_changes_nothing_and_a_change_is_stored(load, session):
    assert load(PEOPLE).new == 4
    assert load(PEOPLE).unchanged == 4
    assert load(PEOPLE.replace("Rotterdam_1", "Delft").replace("many", "7")).changed == 2
    assert store.get_subscriber(session, "ben@rotterdam.example").city == "Delft"
    assert store.get_subscriber(session, "cem@sub.liege.example").attributes == {"population": 7}


class KilledError(Exception):
    """Stands for a kill between two transactions."""


def test_an_import_that_was_killed_ends_in_the_same_state_when_it_is_started_again(load, session, engine):
    content = HEADINGS + "".join(f"p{n}@x.example,P{n},,,,,a;b,{n},,\n" for n in range(4500))

    def kill(done: int, total: int) -> None:
        raise KilledError

    with pytest.raises(KilledError):
        load(content, listeners=Listeners(progress=kill))
    assert 0 < store.count_subscribers(session) < 4500
    report = load(content)
    assert (report.new, report.unchanged) == (2500, 2000)
    sizes = [session.scalar(select(func.count()).select_from(t)) for t in (Subscriber, Membership, ConsentEntry)]
    assert sizes == [4500, 4500, 4500]
    assert session.scalar(select(func.count()).select_from(SubscriberTag)) == 9000
    # Ids of an import and of a form must not meet.
    added = store.add_subscriber(session, KEYS, address=parse_address("late@x.example"), now=NOW)
    assert added.id > max(session.scalars(select(Subscriber.id).where(Subscriber.id != added.id)))


def test_the_audience_and_consent_work_on_both(load, session):
    load(PEOPLE)
    form = consent.Circumstances(at=NOW, source="form", origin="192.0.2.1")
    anne, ben = (store.get_subscriber(session, a) for a in ("anne@liege.example", "ben@rotterdam.example"))
    consent.leave_newsletter(session, subscriber=anne, newsletter="river", lists=["members"], circumstances=form)
    suppression.suppress(session, KEYS, address=ben.address, reason=SuppressionReason.COMPLAINT, now=NOW)
    session.commit()
    everybody = to_condition(parse("all"), now=NOW)
    assert store.count_audience(session, everybody, newsletter="river") == 2
    assert store.audience_languages(session, everybody, newsletter="river") == {None: 2}
    assert len(session.execute(store.audience_query(everybody, newsletter="river")).all()) == 2
    assert load(PEOPLE).counts() | {"rows": 4} == {
        "rows": 4,
        "new": 0,
        "changed": 0,
        "unchanged": 2,
        "invalid": 0,
        "suppressed": 1,
        "refused": 1,
    }


def test_after_erasure_the_address_is_in_no_table_and_no_import_brings_it_back(load, session, engine, tmp_path):
    load(PEOPLE)
    assert privacy.erase(session, KEYS, address="Anne@liege.example", now=NOW)
    session.commit()
    for table in TABLES:
        rows = session.execute(select(table)).all()
        assert "anne" not in str(rows).lower()
    assert load(PEOPLE).counts()["suppressed"] == 1
    assert store.find_subscriber(session, "anne@liege.example") is None
    if engine.dialect.name == "sqlite":
        session.close()
        engine.dispose()
        assert b"anne@liege" not in (tmp_path / "subscribers.db").read_bytes().lower()


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_every_constraint_is_called_the_same_on_both(engine, session):
    found = inspect(session.connection())
    assert found.get_pk_constraint("membership")["name"] == "pk_membership"
    assert {key["name"] for key in found.get_foreign_keys("membership")} == {
        "fk_membership_subscriber_id_subscriber",
        "fk_membership_list_id_mailing_list",
    }
    assert {key["name"] for key in found.get_unique_constraints("subscriber")} == {
        "uq_subscriber_uid",
        "uq_subscriber_address_key",
        "uq_subscriber_digest",
    }
    assert {check["name"] for check in found.get_check_constraints("membership")} == {"ck_membership_state"}
    assert "ix_consent_entry_forgotten" in {index["name"] for index in found.get_indexes("consent_entry")}
