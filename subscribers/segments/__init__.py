"""
Segments: a small language that says who is meant, such as `list = "members" and language in ("fr", "fr-BE")`.

Takes text; yields a frozen `Expression`, a condition for the database and a sentence in English; promises that text
can only ever ask about subscribers, that every value is bound, and that no condition is ever NULL: a comparison with
something that is not known is false, and `not` of it true.

The language:

- `list = "members"` (confirmed members), `list "members" is pending` (or `confirmed`, `left`, `removed`),
  `joined "members" since 2027-01-31`, `left "members" in the last 30 days`, `asked "members" before 7 days ago`
- `tag = "press"`, `has tag "press"`, `segment = "saved one"`, `all`
- `received "2027-01"`, `opened since 2027-01-31`, `clicked in the last 90 days`, `received is empty`
- the fields `language`, `country`, `city`, `organisation`, `timezone`, `email`, `domain`, `first_name`, `last_name`,
  `created`; every other name is an attribute
- `=` `!=` `<` `<=` `>` `>=` `in (…)` `not in (…)` `like "…*"` `is empty` `is not empty`; for days also `before`,
  `after`, `since`, `on` and `in the last 3 months`
- text in quotes, numbers, `true`, `false`, dates as `2027-01-31`, `today`, `30 days ago` (weeks, months, years)
- `and`, `or`, `not`, parentheses; `and` binds closer than `or`

Letter case matters to `=` except for languages, countries, addresses and tags; it does not matter to `like`.
"""

from subscribers.segments.condition import Condition, Engagement, to_condition
from subscribers.segments.expansion import Resolve, expand
from subscribers.segments.expression import (
    RESERVED,
    And,
    Comparison,
    Everybody,
    Expression,
    Not,
    Operator,
    Or,
    Reaction,
    Standing,
    leaves,
)
from subscribers.segments.naming import (
    attribute_names,
    check_attributes,
    list_names,
    named_lists,
    named_segments,
    named_tags,
    reactions,
)
from subscribers.segments.text import to_text
from subscribers.segments.words import Part, outline, to_words


def parse(text: str) -> Expression:
    """Read an expression; see `grammar.parse`, which is imported with its parser when the first text is to be read."""
    from subscribers.segments.grammar import parse as read

    return read(text)


__all__ = [
    "RESERVED",
    "And",
    "Comparison",
    "Condition",
    "Engagement",
    "Everybody",
    "Expression",
    "Not",
    "Operator",
    "Or",
    "Part",
    "Reaction",
    "Resolve",
    "Standing",
    "attribute_names",
    "check_attributes",
    "expand",
    "leaves",
    "list_names",
    "named_lists",
    "named_segments",
    "named_tags",
    "outline",
    "parse",
    "reactions",
    "to_condition",
    "to_text",
    "to_words",
]
