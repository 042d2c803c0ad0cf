import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.errors import InvalidValue
from subscribers.importing.flattening import flattened
from subscribers.store import clean_attributes


def flat(**attributes):
    return flattened(json.dumps(attributes))


def test_plain_values_keep_their_type_and_objects_are_joined():
    values, attributes = flat(
        vip=True, size=5, share=0.5, note=" a\n b ", none=None, empty="", nested={"Post Code": "4000"}
    )
    assert values == {}
    assert attributes == {"vip": True, "size": 5, "share": 0.5, "note": "a b", "nested_post_code": 4000}


def test_lists_become_text():
    assert flat(a=["x", 1, True], b=[{"c": 1}], d=[])[1] == {"a": "x;1;true", "b": '[{"c": 1}]'}


def test_what_is_a_field_of_ours_is_that_field_if_it_can_be():
    assert flat(city="Liège", country="Belgium", language="fr") == (
        {"city": "Liège", "country": "BE", "language": "fr"},
        {},
    )
    assert flat(country="Atlantis", language="klingon", timezone="here", list="x") == (
        {},
        {"country_": "Atlantis", "language_": "klingon", "timezone_": "here", "list_": "x"},
    )


def test_numbers_that_cannot_be_stored_become_text():
    assert flattened('{"a": 1e999, "b": 12345678901234567890}')[1] == {"a": "inf", "b": "12345678901234567890"}


def test_a_name_that_is_none_is_left_out():
    assert flattened('{"¿": 1, "": 2}') == ({}, {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[" * 4000, "not JSON"),
        ("[1]", "no JSON object"),
        ('{"a":' * 9 + "1" + "}" * 9, "nested more than 8"),
        (json.dumps({"a": "x\x01"}), "control character"),
    ],
)
def test_what_cannot_be_stored_is_refused_in_words(text, words):
    with pytest.raises(InvalidValue, match=words):
        flattened(text)


@given(
    st.dictionaries(
        st.text(max_size=20),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=8,
        ),
        max_size=5,
    )
)
def test_whatever_comes_out_can_be_stored(parsed):
    try:
        _, attributes = flattened(json.dumps(parsed))
    except InvalidValue:
        return
    assert clean_attributes(attributes) == attributes
