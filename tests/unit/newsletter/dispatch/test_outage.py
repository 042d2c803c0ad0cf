import contextlib
import sqlite3

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, ProgrammingError

from newsletter.dispatch.outage import Outage, may_pass


def of_sqlite(statement):
    """What SQLite's driver raises for a statement."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection, pytest.raises(sqlite3.Error) as raised:
        connection.execute(statement)
    return raised.value


class Full(sqlite3.OperationalError):
    """As the driver reports a full disk."""

    sqlite_errorcode = sqlite3.SQLITE_FULL


class Log:
    def __init__(self):
        self.lines = []

    def error(self, event, **facts):
        self.lines.append(("error", event, facts))

    def warning(self, event, **facts):
        self.lines.append(("warning", event, facts))


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("COMMIT", {}, Exception("the database system is starting up")),
        OperationalError("COMMIT", {}, Full("database or disk is full")),
        InterfaceError("COMMIT", {}, Exception("connection already closed")),
        DBAPIError("COMMIT", {}, Exception("gone"), connection_invalidated=True),
        psycopg.errors.AdminShutdown("terminating connection"),
        psycopg.errors.DiskFull("no space left on device"),
        Full("database or disk is full"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_waiting_may_mend(error):
    assert may_pass(error)


@pytest.mark.parametrize(
    "error",
    [
        IntegrityError("INSERT", {}, Exception("unique")),
        ProgrammingError("SELECT", {}, Exception("no such column")),
        DBAPIError("SELECT", {}, Exception("of another kind")),
        ValueError("not the database's"),
        KeyError("operational"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_waiting_will_not_mend(error):
    assert not may_pass(error)


def test_sqlite_calls_a_wrong_statement_operational_too():
    wrong = of_sqlite("SELECT nothing FROM nowhere")

    assert isinstance(wrong, sqlite3.OperationalError)
    assert not may_pass(wrong)
    assert not may_pass(OperationalError("SELECT", {}, wrong))


def test_an_outage_is_told_once_at_its_beginning_and_once_at_its_end():
    log = Log()
    outage = Outage(log)

    outage.ended(now=0.0)
    for second in range(5):
        outage.began(OperationalError("COMMIT", {}, Exception("disk\n full")), now=float(second))
    outage.ended(now=7.25)
    outage.ended(now=8.0)

    assert log.lines == [
        ("error", "database away: nothing is sent that cannot be recorded", {"words": "disk full"}),
        ("warning", "database back", {"seconds": 7.2}),
    ]


def test_an_error_of_the_driver_itself_is_told_in_its_own_words():
    log = Log()

    Outage(log).began(Full("database or disk is full"), now=0.0)

    assert log.lines[0][2] == {"words": "database or disk is full"}
