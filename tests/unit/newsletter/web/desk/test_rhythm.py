"""A cadence in words: what a form says becomes a cron line, and the line the form again."""

import pytest

from newsletter.content.cron import Cron
from newsletter.web.desk.newsletters.rhythm import Every, Rhythm


@pytest.mark.parametrize(
    ("line", "every"),
    [
        (None, Every.NEVER),
        ("0 9 1 * *", Every.DAY),
        ("30 17 L * *", Every.DAY),
        ("0 9 * * mon#1", Every.WEEKDAY),
        ("5 0 * * sun#4", Every.WEEKDAY),
        ("0 9 * * mon,thu", Every.WEEK),
        ("0 9 31 * *", Every.LINE),
        ("0 9 1 jan *", Every.LINE),
        ("*/5 9 1 * *", Every.LINE),
        ("0 9 * * *", Every.LINE),
    ],
)
def test_a_line_is_said_in_words_and_becomes_the_same_line(line, every):
    rhythm = Rhythm.of(line)
    assert rhythm.every is every
    assert rhythm.cron == line


def test_a_form_without_a_time_or_a_weekday_is_no_line():
    fields = {"every": "week", "time": "9 o’clock"}
    rhythm = Rhythm.read(lambda name: fields.get(name, ""), ())
    with pytest.raises(ValueError, match="cannot be read"):
        Cron.parse(rhythm.cron)


def test_what_is_none_of_the_choices_is_the_usual_one():
    rhythm = Rhythm.read(
        {"every": "hourly", "day": "40", "nth": "x", "weekday": "", "time": "", "line": ""}.get, ("xyz",)
    )
    assert rhythm == Rhythm(weekdays=(), time="")
