import pytest

from subscribers.errors import UnknownField
from subscribers.segments import (
    Reaction,
    attribute_names,
    check_attributes,
    list_names,
    named_lists,
    named_segments,
    named_tags,
    parse,
    reactions,
)


def test_the_lists_that_are_meant_are_those_under_no_negation():
    text = """(list = "a" or list in ("b", "c")) and not list = "d" and list != "e" and list not in ("f")
        and not list != "g" and not (not list = "h" and x = 1) and list like "i*" and list is not empty"""
    assert list_names(parse(text)) == {"a", "b", "c", "g", "h"}
    assert named_lists(parse(text)) == {"a", "b", "c", "d", "e", "f", "g", "h"}


def test_attributes_are_all_names_without_a_meaning_of_their_own():
    expression = parse('population > 5 and not city = "x" or vip = true')
    assert attribute_names(expression) == {"population", "vip"}
    check_attributes(expression, ["population", "vip"])


def test_an_attribute_that_nobody_has_is_told_with_the_nearest_name():
    with pytest.raises(UnknownField) as error:
        check_attributes(parse('all or langage = "fr"'), ["population"])
    assert (error.value.hint, error.value.column) == ("language", 8)


def test_a_list_that_is_stood_to_is_meant_where_its_members_are():
    text = """list "a" is confirmed or joined "b" since today or list "c" is pending or left "d" since today
        or not list "e" is confirmed or not (not joined "f" since today and x = 1)"""
    assert list_names(parse(text)) == {"a", "b", "f"}
    assert named_lists(parse(text)) == {"a", "b", "c", "d", "e", "f"}


def test_tags_and_segments_are_named_exactly_or_not_at_all():
    text = 'has tag "a" or not tag in ("b", "c") or tag like "d*" or tag is empty or segment = "s" or segment != "t"'
    assert named_tags(parse(text)) == {"a", "b", "c"}
    assert named_segments(parse(text)) == {"s", "t"}


def test_reactions_name_their_issues():
    text = 'received "a" or not received in ("b", "c") or clicked since today or opened is empty or a = 1'
    assert reactions(parse(text)) == {
        Reaction.RECEIVED: {"a", "b", "c"},
        Reaction.CLICKED: set(),
        Reaction.OPENED: set(),
    }
