import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compilation.comparison import Passage, compared

WORDS = st.lists(st.sampled_from(["one", "two", "three", "four", "five", "six"]), max_size=12).map(" ".join)
TEXTS = st.lists(WORDS, max_size=5).map("\n\n".join)


@pytest.mark.parametrize(
    ("before", "after", "passages"),
    [
        ("We meet at ten.", "We meet at\nten.", []),
        ("We meet at ten.", "We meet at noon.", [("We meet at ten.", "We meet at noon.")]),
        (
            "a b c d e f g at ten. h i j k l m n",
            "a b c d e f g at noon. h i j k l m n",
            [("… d e f g at ten. h i j k l …", "… d e f g at noon. h i j k l …")],
        ),
        (
            "A one b c d e f g h i j k l m n o",
            "A two b c d e f g h i j k l m n p",
            [("A one b c d e f …", "A two b c d e f …"), ("… j k l m n o", "… j k l m n p")],
        ),
        ("One.\n\nTwo.", "One.", [("Two.", "")]),
        ("One.", "One.\n\nTwo.", [("", "Two.")]),
        ("Rain.\n\nEnd.", "Snow.\n\nEnd.", [("Rain.", ""), ("", "Snow.")]),
        ("We meet at ten on Monday.", "We meet at ten.", [("We meet at ten on Monday.", "We meet at ten.")]),
        ("", "", []),
    ],
    ids=["lines", "word", "long", "apart", "less", "more", "another", "shorter", "nothing"],
)
def test_passages_that_differ_are_shown_with_a_few_words_around(before, after, passages):
    assert [(passage.before, passage.after) for passage in compared(before, after)] == passages


def test_a_paragraph_is_compared_with_the_one_it_is_most_like():
    before = "The fair begins at ten on Monday."
    after = "A new paragraph stands here.\n\nThe fair begins at noon on Monday."
    assert compared(before, after) == (
        Passage(before="The fair begins at ten on Monday.", after="The fair begins at noon on Monday."),
        Passage(before="", after="A new paragraph stands here."),
    )


@given(text=TEXTS)
def test_a_text_does_not_differ_from_itself(text):
    assert compared(text, text) == ()


@given(before=TEXTS, after=TEXTS)
def test_every_passage_shows_a_difference(before, after):
    assert all(passage.before != passage.after for passage in compared(before, after))
    assert bool(compared(before, after)) == (_read(before) != _read(after))


def _read(text):
    return [words for paragraph in text.split("\n\n") if (words := " ".join(paragraph.split()))]
