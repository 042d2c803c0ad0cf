"""When an address is given up for what comes back softly."""

import datetime as dt

import pytest

from newsletter.feedback.event import Cause
from newsletter.feedback.policy import Taken, Trouble, is_given_up

NOW = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)


def ago(days):
    return NOW - dt.timedelta(days=days)


def troubles(*days, cause=Cause.FULL, at_once=False):
    return [Trouble(cause, f"issue:{day}", ago(day), at_once) for day in days]


@pytest.mark.parametrize("cause", [Cause.FULL, Cause.OTHER, Cause.FORWARDED])
def test_three_issues_in_thirty_days_are_too_many(cause):
    assert not is_given_up(troubles(10, 0, cause=cause), Taken())
    assert is_given_up(troubles(30, 10, 0, cause=cause), Taken())
    assert not is_given_up(troubles(31, 10, 0, cause=cause), Taken())


def test_any_three_in_a_row_count():
    assert is_given_up(troubles(90, 60, 25, 10, 0), Taken())


def test_several_bounces_of_one_issue_are_one():
    assert not is_given_up([*troubles(5), *troubles(5), *troubles(5)], Taken())


def test_a_disabled_mailbox_has_a_week():
    assert not is_given_up(troubles(6, 0, cause=Cause.DISABLED), Taken())
    assert is_given_up(troubles(7, 0, cause=Cause.DISABLED), Taken())
    assert not is_given_up(troubles(7, cause=Cause.DISABLED), Taken())
    assert not is_given_up([*troubles(7, cause=Cause.DISABLED), *troubles(0)], Taken())


@pytest.mark.parametrize("cause", sorted(set(Cause) - {Cause.FULL, Cause.OTHER, Cause.FORWARDED, Cause.DISABLED}))
def test_what_is_not_about_the_address_never_counts(cause):
    assert not is_given_up(troubles(*range(20), cause=cause), Taken())


def test_a_message_that_surely_arrived_ends_what_was_before_it():
    assert not is_given_up(troubles(20, 10, 0), Taken(last=ago(12), surely=ago(12)))
    assert is_given_up(troubles(20, 10, 0), Taken(last=ago(21), surely=ago(21)))


def test_a_message_that_may_still_come_back_ends_only_what_was_refused_at_once():
    """A relay that takes everything tells of a full mailbox days later, when it has taken the next issue already."""
    taken = Taken(last=ago(1), surely=None)

    assert is_given_up(troubles(20, 10, 5), taken)
    assert not is_given_up(troubles(20, 10, 5, at_once=True), taken)


def test_nothing_is_nothing():
    assert not is_given_up([], Taken())
