"""A database in memory, keys and a clock that stands still."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from subscribers import store
from subscribers.address import parse_address
from subscribers.columns import Base
from subscribers.models import MailingList, Subscriber
from subscribers.tokens import Keys

NAMES = [
    "subscriber",
    "subscriber_tag",
    "mailing_list",
    "membership",
    "departure",
    "segment",
    "suppression",
    "consent_entry",
    "wording",
    "asking",
    "confirmation_request",
    "former_address",
    "tally",
]
"""The metadata is shared with other packages, whose tables are not needed here."""


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture
def keys() -> Keys:
    return Keys(signing=(("k1", b"s" * 32),), suppression=b"d" * 32)


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=ON"))
    Base.metadata.create_all(engine, tables=[Base.metadata.tables[name] for name in NAMES])
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


@pytest.fixture
def add_person(session, keys, now):
    def add(address: str, *, lists=(), tags=(), attributes=None, at=now, **values) -> Subscriber:
        person = store.add_subscriber(
            session, keys, address=parse_address(address), now=at, values=values, attributes=attributes, tags=tags
        )
        for name in lists:
            found = store.find_list(session, name) or store.create_list(session, name, now=now)
            store.set_membership(session, subscriber_id=person.id, list_id=found.id, state="confirmed", now=now)
        return person

    return add


@pytest.fixture
def members(session, now) -> MailingList:
    return store.create_list(session, "members", now=now)
