import pytest

from subscribers import errors


def test_the_docstring_is_the_default_message():
    assert str(errors.UnknownSubscriber()) == "No subscriber has this address."
    assert str(errors.SubscribersError("something else")) == "something else"
    assert errors.InvalidAddress().reason == "Not an email address."


def test_every_error_has_the_one_root():
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert all(issubclass(error, errors.SubscribersError) for error in classes)


def test_every_error_stands_in_the_drawn_tree():
    public = {name: value for name, value in vars(errors).items() if not name.startswith("_")}
    names = [name for name, value in public.items() if isinstance(value, type) and issubclass(value, Exception)]
    assert all(name in errors.__doc__ for name in names)


def test_an_unknown_name_comes_with_the_nearest_known_one():
    error = errors.UnknownList("Membres", ["members", "press"])
    assert error.hint == "members"
    assert str(error) == "There is no list “Membres”; did you mean “members”?"


def test_an_unknown_name_without_a_likeness_has_no_hint():
    error = errors.UnknownSegment("xyz", ["members"])
    assert error.hint is None
    assert str(error) == "There is no segment “xyz”."


def test_an_unknown_field_knows_its_column():
    assert errors.UnknownField("langage", ["language"], column=12).column == 12


@pytest.mark.parametrize(("error", "words"), [(errors.ListExists, "list"), (errors.SegmentExists, "segment")])
def test_a_taken_name_is_told(error, words):
    assert str(error("press")) == f"A {words} “press” exists already."


def test_a_value_that_cannot_be_stored_names_its_field():
    assert str(errors.InvalidValue("country", "no such country")) == "country: no such country."


def test_the_pointer_puts_a_caret_under_the_place():
    error = errors.SegmentSyntaxError("unexpected", line=2, column=5, expression="all and\n\tx ? 3")
    assert error.pointer == " x ? 3\n    ^"
    assert str(error) == "line 2, column 5: unexpected"


def test_the_pointer_of_an_empty_expression_is_a_caret():
    assert errors.SegmentSyntaxError("empty").pointer == "\n^"


def test_a_circle_of_segments_is_drawn():
    assert "a → b → a" in str(errors.SegmentCycle(["a", "b", "a"]))


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({}, "too large"),
        ({"file": "people.csv"}, "people.csv: too large"),
        ({"file": "people.csv", "line": 3, "column": "city"}, "people.csv, line 3, column city: too large"),
    ],
)
def test_a_refused_file_is_told_with_the_place(facts, message):
    assert str(errors.ImportRefused("too large", **facts)) == message
