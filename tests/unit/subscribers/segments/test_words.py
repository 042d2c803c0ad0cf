import pytest

from subscribers.segments import outline, parse, to_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("all", "All subscribers."),
        (
            'list = "members" and language in ("fr", "fr-BE") and population > 100000 and not tag = "press"',
            (
                "Subscribers who are members of “members” and whose language is one of “fr”, “fr-BE” "
                "and whose population is more than 100,000 and who do not have the tag “press”."
            ),
        ),
        (
            'list in ("a", "b") or tag is empty',
            "Subscribers who are members of at least one of “a”, “b” or who have no tag.",
        ),
        (
            'tag = "x" and (city = "A" or city = "B")',
            "Subscribers who have the tag “x” and (whose city is “A” or whose city is “B”).",
        ),
        ('not city = "A"', "Subscribers who are not among those whose city is “A”."),
        ("not (a = 1 or b = 2)", "Subscribers who are not among those (whose a is 1 or whose b is 2)."),
        ("not list is empty", "Subscribers who are members of some list."),
        ('not segment in ("x")', "Subscribers who are in none of the segments “x”."),
        ('not tag like "x*"', "Subscribers who are not among those who have a tag like “x*”."),
        ("all and vip = true", "Subscribers whoever they are and whose vip is true."),
        ("vip != false", "Subscribers whose vip is known and not false."),
        ("created >= 2026-01-05", "Subscribers who were added on or after 5 January 2026."),
        ("created = today", "Subscribers who were added on the day of sending."),
        ("created < 30 days ago", "Subscribers who were added before 30 days before the day of sending."),
        ("joined < 2026-01-05", "Subscribers whose joined is before 5 January 2026."),
        ("created != today", "Subscribers who were not added on the day of sending."),
        ("created on 1 day ago", "Subscribers who were added on 1 day before the day of sending."),
        (
            "created in the last 3 months",
            "Subscribers who were added in the 3 months up to the day of sending.",
        ),
        ("renews in the last week", "Subscribers whose renews is in the 1 week up to the day of sending."),
        ('list "x" is confirmed', "Subscribers who are confirmed members of “x”."),
        (
            'list "x" is not pending',
            "Subscribers who are not among those who have asked for “x” and not confirmed it yet.",
        ),
        ('list "x" is left or list "y" is removed', "Subscribers who have left “x” or who were taken off “y”."),
        (
            'joined "x" before 2026-01-05',
            "Subscribers who became confirmed members of “x” before 5 January 2026 and are so still.",
        ),
        (
            'left "x" in the last 30 days',
            "Subscribers who left “x” in the 30 days up to the day of sending and have not come back.",
        ),
        (
            'asked "x" before 1 week ago',
            "Subscribers who asked for “x” before 1 week before the day of sending and have not confirmed it yet.",
        ),
        ('received "2027-01"', "Subscribers who received issue “2027-01”."),
        ('opened in ("a", "b")', "Subscribers who opened at least one of the issues “a”, “b”."),
        ("clicked is not empty", "Subscribers who followed a link in some issue."),
        ("received is empty", "Subscribers who received no issue."),
        (
            "not clicked in the last 90 days",
            "Subscribers who are not among those who followed a link in some issue in the 90 days up to the day of sending.",
        ),
        ("joined = 2026-01-05", "Subscribers whose joined is 5 January 2026."),
        ("share_of_votes <= 0.5", "Subscribers whose share of votes is at most 0.5."),
        ('domain like "*.example"', "Subscribers whose address's domain is like “*.example”."),
        ("timezone is not empty", "Subscribers whose time zone is known."),
    ],
)
def test_an_expression_is_said_in_words(text, words):
    assert to_words(parse(text)) == words


def test_an_outline_has_a_line_for_every_part():
    expression = parse('list = "a" and not (vip = true or not tag = "b") and not city = "c"')
    assert [(part.depth, part.words) for part in outline(expression)] == [
        (0, "all of these:"),
        (1, "who are members of “a”"),
        (1, "not:"),
        (2, "at least one of these:"),
        (3, "whose vip is true"),
        (3, "who do not have the tag “b”"),
        (1, "who are not among those whose city is “c”"),
    ]


def test_the_outline_of_one_condition_is_one_line():
    assert [part.words for part in outline(parse("all"))] == ["whoever they are"]
