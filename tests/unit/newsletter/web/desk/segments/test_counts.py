"""Answers that are remembered for a minute, and no longer."""

import datetime as dt
from itertools import count

from newsletter.web.desk.segments import counts
from newsletter.web.desk.segments.counts import LASTS, Remembered

NOON = dt.datetime(2026, 12, 1, 12, 0, tzinfo=dt.UTC)


def test_an_answer_lasts_for_a_minute():
    times = iter([NOON, NOON + LASTS / 2, NOON + LASTS])
    remembered, numbers = Remembered(lambda: next(times)), count()
    assert [remembered.known("fr", lambda: next(numbers)) for _ in range(3)] == [0, 0, 1]


def test_nothing_is_an_answer_too():
    remembered, numbers = Remembered(lambda: NOON), iter([None, 7])
    assert [remembered.known("slow", lambda: next(numbers)) for _ in range(2)] == [None, None]


def test_it_remembers_so_many_and_then_begins_anew(monkeypatch):
    monkeypatch.setattr(counts, "MOST", 2)
    remembered, numbers = Remembered(lambda: NOON), count()
    assert [remembered.known(asked, lambda: next(numbers)) for asked in "aabca"] == [0, 0, 1, 2, 3]
