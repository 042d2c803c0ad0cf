from subscribers.segments import RESERVED, Everybody, leaves, parse
from subscribers.segments.expression import size


def test_reserved_names_are_those_the_grammar_uses():
    assert {"all", "today", "list", "created", "segment"} <= RESERVED


def test_an_expression_is_made_of_leaves_and_has_a_size():
    expression = parse('all and not (city = "x" or list "a" is left)')
    assert list(leaves(expression)) == [Everybody(), parse('city = "x"'), parse('list "a" is left')]
    assert size(expression) == (6, 4)
