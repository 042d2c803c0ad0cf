import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.bidi import Balance, balanced

marks = st.text(st.sampled_from("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069ab"), max_size=40)


@given(marks)
def test_balancing_twice_is_the_same_as_once(text):
    assert balanced(balanced(text)) == balanced(text)


@given(marks)
def test_words_stay(text):
    assert [char for char in balanced(text) if char in "ab"] == [char for char in text if char in "ab"]


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("plain", "plain"),
        ("\u202eabc", "\u202eabc\u202c"),
        ("\u2067a\u202eb\u2069c", "\u2067a\u202eb\u2069c"),
        ("\u202ea\u2067b\u202cc", "\u202ea\u2067bc\u2069\u202c"),
        ("a\u2069b\u202cc", "abc"),
    ],
)
def test_everything_opened_is_closed(text, closed):
    assert balanced(text) == closed


def test_deeper_marks_than_anybody_follows_are_left_out():
    assert len(balanced("\u202e" * 500)) == 250


def test_a_paragraph_may_come_in_pieces():
    balance = Balance()
    assert balance.feed("\u2067a") + balance.feed("b\u2069") + balance.close() == "\u2067ab\u2069"
