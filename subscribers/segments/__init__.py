"""
Segments: a small language that says who is meant, such as `list = "members" and language in ("fr", "fr-BE")`.

Takes text; yields a frozen `Expression`, a condition for the database and a sentence in English; promises that text
can only ever ask about subscribers, that every value is bound, and that no condition is ever NULL: a comparison with
something that is not known is false, and `not` of it true.

The language:

- `list = "members"` (confirmed members), `tag = "press"`, `has tag "press"`, `segment = "saved one"`, `all`
- the fields `language`, `country`, `city`, `organisation`, `timezone`, `email`, `domain`, `first_name`, `last_name`,
  `created`; every other name is an attribute
- `=` `!=` `<` `<=` `>` `>=` `in (…)` `not in (…)` `like "…*"` `is empty` `is not empty`
- text in quotes, numbers, `true`, `false`, dates as `2027-01-31`, `today`, `30 days ago`
- `and`, `or`, `not`, parentheses; `and` binds closer than `or`

Letter case matters to `=` except for languages, countries, addresses and tags; it does not matter to `like`.
"""

from subscribers.segments.condition import Condition, to_condition
from subscribers.segments.expression import (
    RESERVED,
    And,
    Comparison,
    Everybody,
    Expression,
    Not,
    Operator,
    Or,
    Resolve,
    attribute_names,
    check_attributes,
    expand,
    list_names,
    named_lists,
)
from subscribers.segments.words import to_words


def parse(text: str) -> Expression:
    """Read an expression; see `grammar.parse`, which is imported with its parser when the first text is to be read."""
    from subscribers.segments.grammar import parse as read

    return read(text)


__all__ = [
    "RESERVED",
    "And",
    "Comparison",
    "Condition",
    "Everybody",
    "Expression",
    "Not",
    "Operator",
    "Or",
    "Resolve",
    "attribute_names",
    "check_attributes",
    "expand",
    "list_names",
    "named_lists",
    "parse",
    "to_condition",
    "to_words",
]
