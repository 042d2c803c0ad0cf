from datetime import timedelta

import pytest

from subscribers import store
from subscribers.errors import SegmentCycle, SegmentExists, SegmentSyntaxError, UnknownList, UnknownSegment
from subscribers.segments import expand, parse


def test_a_segment_is_saved_once_and_found(session, members, now):
    saved = store.create_segment(session, " cities ", expression='list = "members"', now=now)
    assert store.get_segment(session, "cities") is saved
    assert list(store.all_segments(session)) == [saved]
    with pytest.raises(SegmentExists):
        store.create_segment(session, "cities", expression="all", now=now)


def test_an_unknown_segment_is_told_with_the_nearest(session, now):
    store.create_segment(session, "cities", expression="all", now=now)
    with pytest.raises(UnknownSegment) as error:
        store.get_segment(session, "citys")
    assert error.value.hint == "cities"


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("list =", SegmentSyntaxError),
        ('list = "membres"', UnknownList),
        ('not list = "membres"', UnknownList),
        ('segment = "nothing"', UnknownSegment),
        ('segment = "cities"', SegmentCycle),
    ],
)
def test_what_could_not_be_evaluated_is_not_saved(session, members, now, expression, error):
    with pytest.raises(error):
        store.create_segment(session, "cities", expression=expression, now=now)
    assert store.find_segment(session, "cities") is None


def test_a_change_cannot_close_a_circle(session, now):
    store.create_segment(session, "a", expression="all", now=now)
    store.create_segment(session, "b", expression='segment = "a"', now=now)
    with pytest.raises(SegmentCycle):
        store.set_segment(session, "a", expression='segment = "b"', now=now)


def test_a_changed_segment_means_somebody_else(session, now):
    store.create_segment(session, "a", expression="all", now=now)
    later = now + timedelta(hours=1)
    changed = store.set_segment(session, "a", expression='city = "x"', now=later)
    assert (changed.expression, changed.updated, changed.created) == ('city = "x"', later, now)
    assert expand(parse('segment = "a"'), store.resolver(session)) == parse('city = "x"')


def test_a_deleted_segment_can_no_longer_be_named(session, now):
    store.create_segment(session, "a", expression="all", now=now)
    store.create_segment(session, "b", expression='segment = "a"', now=now)
    store.delete_segment(session, "a")
    with pytest.raises(UnknownSegment):
        store.checked_expression(session, 'segment = "b"')


def test_an_expression_that_is_not_saved_is_checked_too(session, members):
    assert store.checked_expression(session, 'list = "members"') == parse('list = "members"')
