"""Counts of an audience for the checks, in both databases."""

import datetime as dt

import pytest
from sqlmodel import col, select

from newsletter.planning.counts import addresses_for_tests, last_audience
from newsletter.planning.models import RunRow, RunState
from newsletter.preflight.audience import is_for_tests
from subscribers.models import Departure, MailingList, Membership, MembershipState, Subscriber


def previous(rows, issue_id):
    with rows.sessions() as session:
        return last_audience(session, issue_id)


def dated(rows, run_id, days):
    """Say when a run was started."""
    with rows.sessions() as session:
        session.get_one(RunRow, run_id).started = rows.now + dt.timedelta(days=days)
        session.commit()


def test_the_first_issue_has_none_before_it(rows):
    assert previous(rows, rows.issue("2026-12")) is None


def test_the_last_issue_is_the_one_whose_run_started_last(rows):
    older, newer = rows.run(5, slug="2026-09", state=RunState.FINISHED), rows.run(7, slug="2026-10")
    dated(rows, older, days=-60)
    dated(rows, newer, days=-30)
    assert previous(rows, rows.issue("2026-12")) == 7
    dated(rows, older, days=-1)
    assert previous(rows, rows.issue("2027-01")) == 5


@pytest.mark.parametrize("state", [RunState.SCHEDULED, RunState.PLANNING, RunState.CANCELLED])
def test_an_issue_that_was_not_sent_is_none_before_it(rows, state):
    rows.run(5, slug="2026-10", state=state)
    assert previous(rows, rows.issue("2026-12")) is None


def test_an_issue_is_not_compared_with_itself(rows):
    run = rows.run(5, slug="2026-12")
    with rows.sessions() as session:
        issue_id = session.get_one(RunRow, run).issue_id
    assert previous(rows, issue_id) is None


@pytest.fixture
def people(rows):
    """A function that stores confirmed readers with these addresses."""

    def store(*addresses):
        with rows.sessions() as session:
            mailing_list = MailingList(name="readers", created=rows.now)
            session.add(mailing_list)
            session.flush()
            for address in addresses:
                reader = Subscriber(
                    address=address, address_key=address, digest=address, created=rows.now, updated=rows.now
                )
                session.add(reader)
                session.flush()
                session.add(
                    Membership(
                        subscriber_id=reader.id,
                        list_id=mailing_list.id,
                        state=MembershipState.CONFIRMED,
                        changed=rows.now,
                    )
                )
            session.commit()

    return store


ADDRESSES = (
    "ada@quay.example",
    "bo@example.com",
    "cy@mail.example.org",
    "test@quay.fr",
    "di@quay.test",
    "ed@quay.fr",
    "attest@quay.fr",
    "fi@example.fr",
    "gu@testexample",
    "100%@quay.fr",
)


def test_addresses_for_tests_are_counted_as_the_rule_says(rows, people):
    people(*ADDRESSES)
    with rows.sessions() as session:
        counted = addresses_for_tests(session, col(Subscriber.id) > 0, newsletter="rivers")
    assert counted == sum(map(is_for_tests, ADDRESSES)) == 5


def test_only_who_would_receive_it_is_counted(rows, people):
    people("ada@quay.example", "bo@quay.example")
    with rows.sessions() as session:
        ada, _ = session.exec(select(Subscriber).order_by(col(Subscriber.id))).all()
        session.add(Departure(subscriber_id=ada.id, newsletter="rivers", at=rows.now))
        session.commit()
        assert addresses_for_tests(session, col(Subscriber.id) > 0, newsletter="rivers") == 1
        assert addresses_for_tests(session, col(Subscriber.id) > 0, newsletter="lakes") == 2
        assert addresses_for_tests(session, col(Subscriber.id) == ada.id, newsletter="rivers") == 0
