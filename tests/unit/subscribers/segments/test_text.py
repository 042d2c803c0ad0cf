import pytest
from hypothesis import given
from unit.subscribers.segments.trees import EXPRESSIONS

from subscribers.segments import parse, to_text


@pytest.mark.parametrize(
    "text",
    [
        "all",
        'not (city = "x" or tag is empty)',
        "(a = 1 and b = 2) and c = 3 or (d = 4 or e = 5) or f is not empty",
        r'city like "100\\%" and motto = "say \"hi\""',
        'vip = true and vip != false and a = -1.50 and b in (1, "x", today, 2026-01-31)',
        'list "x" is pending or joined "y" in the last 1 month or left "z" before 30 days ago',
        'received "x" and opened in ("a", "b") and clicked in the last 90 days and opened since 1 year ago',
        "clicked is empty and created < 0 weeks ago and renews in the last 2 years",
        "a = 0.00001",
    ],
)
def test_what_was_written_in_the_one_way_is_written_so_again(text):
    assert to_text(parse(text)) == text.replace("-1.50", "-1.5")


@given(EXPRESSIONS)
def test_every_expression_is_read_again_as_it_was_written(expression):
    assert parse(to_text(expression)) == expression
