"""Charts say in words what they show, and are safe to put into a page."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.web.desk.charts import WIDTH, Slice, curve, stacked

SVG = "{http://www.w3.org/2000/svg}"


def drawn(markup):
    return ET.fromstring(str(markup))


def rects(markup):
    return [rect for rect in drawn(markup).iter("rect") if rect.get("class") != "track"]


def test_parts_of_a_bar_are_as_wide_as_what_they_stand_for():
    bar = rects(stacked([Slice(3, "ok", "a"), Slice(1, "err", "b")], name="x", title="t", text="d"))
    assert [(rect.get("class"), float(rect.get("x"))) for rect in bar] == [("ok", 0.0), ("err", 750.0)]
    assert float(bar[0].get("width")) == pytest.approx(748)


def test_a_bar_can_stand_for_more_than_its_parts():
    (part,) = rects(stacked([Slice(1, "ok", "")], name="x", title="t", text="d", full=4))
    assert float(part.get("width")) == pytest.approx(248)


def test_something_small_is_seen_and_nothing_is_not():
    bar = rects(
        stacked([Slice(10**6, "ok", ""), Slice(1, "err", ""), Slice(0, "warn", "")], name="x", title="t", text="d")
    )
    assert [rect.get("class") for rect in bar] == ["ok", "err"]


def test_a_bar_of_nothing_is_empty():
    assert rects(stacked([Slice(0, "ok", "")], name="x", title="t", text="d")) == []


def test_words_stay_words():
    words = '<script>alert("&")</script>'
    markup = stacked([Slice(1, "ok", words)], name="x", title=words, text=words)
    assert "<script" not in markup
    assert [found.text for found in drawn(markup).iter("title")] == [words, words]


def test_a_chart_is_named_and_described_for_those_who_do_not_see_it():
    svg = drawn(curve([1, 2], name="time", title="Over time", text="At most 2."))
    ids = {found.get("id"): found.text for found in svg}
    assert svg.get("role") == "img"
    assert [ids[name] for name in svg.get("aria-labelledby").split()] == ["Over time", "At most 2."]


@given(st.lists(st.integers(0, 10**6), max_size=200))
def test_a_curve_stays_within_its_frame(values):
    for path in drawn(curve(values, name="x", title="t", text="d")).iter("path"):
        numbers = [
            float(part)
            for part in path.get("d").replace("M", "").replace("L", "").replace("Z", "").replace(",", " ").split()
        ]
        assert all(0 <= x <= WIDTH for x in numbers[::2])
        assert all(0 <= y <= 200 for y in numbers[1::2])


def test_one_value_alone_is_a_level():
    line = next(
        path for path in drawn(curve([5], name="x", title="t", text="d")).iter("path") if path.get("class") == "line"
    )
    assert line.get("d") == "M0,0 L1000,0"


def test_nothing_at_all_draws_no_line():
    assert list(drawn(curve([0, 0], name="x", title="t", text="d")).iter("path")) == []
