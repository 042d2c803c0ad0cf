import pytest

from subscribers.segments import parse, to_words


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
        ("joined = 2026-01-05", "Subscribers whose joined is 5 January 2026."),
        ("share_of_votes <= 0.5", "Subscribers whose share of votes is at most 0.5."),
        ('domain like "*.example"', "Subscribers whose address's domain is like “*.example”."),
        ("timezone is not empty", "Subscribers whose time zone is known."),
    ],
)
def test_an_expression_is_said_in_words(text, words):
    assert to_words(parse(text)) == words
