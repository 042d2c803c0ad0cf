"""
Every error that `subscribers` raises, as one tree.

    SubscribersError
    ├── InvalidAddress          text that is no email address
    ├── InvalidLanguage         text that is no language tag
    ├── InvalidValue            a field of a subscriber, list or segment that cannot be stored
    ├── UnknownField            a column, field or attribute that does not exist
    ├── UnknownList             a list that does not exist
    ├── UnknownSegment          a saved segment that does not exist
    ├── UnknownSubscriber       nobody has this address
    ├── UnknownTag              a tag that nobody has
    ├── ListExists              the name of a list is taken
    ├── SegmentExists           the name of a segment is taken
    ├── SubscriberExists        the address belongs to a subscriber already
    ├── SegmentSyntaxError      an expression that cannot be read, with its place
    ├── SegmentCycle            saved segments that refer to each other in a circle
    ├── ImportRefused           a file that is not imported at all, with the place of the reason
    ├── TooManyRemovals         a sync that would end more memberships than it may
    └── TokenRefused            a link that is forged, damaged or made for another purpose

The docstring of a class is its default message; facts are attributes. No message contains an address in clear.
"""

# ruff: noqa: N818 - an error is called what went wrong, in the words of the design

from collections.abc import Iterable
from difflib import get_close_matches


class SubscribersError(Exception):
    """Something about subscribers went wrong."""

    def __init__(self, message: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        super().__init__(self.message)


class InvalidAddress(SubscribersError):
    """Not an email address."""

    def __init__(self, reason: str | None = None) -> None:
        #: Why, in words an officer understands; never the address itself.
        self.reason = reason or "Not an email address."
        super().__init__(self.reason)


class InvalidLanguage(SubscribersError):
    """Not a language tag."""

    def __init__(self, tag: str, reason: str = "write a tag like fr or fr-BE") -> None:
        #: The text that was given.
        self.tag = tag
        super().__init__(f"“{tag}” is not a language tag: {reason}.")


class InvalidValue(SubscribersError):
    """A value that cannot be stored."""

    def __init__(self, field: str, reason: str) -> None:
        #: The field that was to be set.
        self.field = field
        #: Why it cannot be, in words.
        self.reason = reason
        super().__init__(f"{field}: {reason}.")


class _Unknown(SubscribersError):
    """A name that means nothing here, with the nearest one that does."""

    what = "name"

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        #: The name that was given.
        self.name = name
        #: The known name that looks most like it, if any does.
        self.hint = _nearest(name, known)
        suggestion = f"; did you mean “{self.hint}”?" if self.hint else "."
        super().__init__(f"There is no {self.what} “{name}”{suggestion}")


class UnknownField(_Unknown):
    """There is no such field."""

    what = "field"

    def __init__(self, name: str, known: Iterable[str] = (), column: int | None = None) -> None:
        #: Where it stands in the expression or file, counted from 1; None outside of both.
        self.column = column
        super().__init__(name, known)


class UnknownList(_Unknown):
    """There is no such list."""

    what = "list"


class UnknownSegment(_Unknown):
    """There is no such segment."""

    what = "segment"


class UnknownTag(_Unknown):
    """Nobody has this tag."""

    what = "tag"


class UnknownSubscriber(SubscribersError):
    """No subscriber has this address."""


class ListExists(SubscribersError):
    """A list of this name exists already."""

    def __init__(self, name: str) -> None:
        #: The name that is taken.
        self.name = name
        super().__init__(f"A list “{name}” exists already.")


class SegmentExists(SubscribersError):
    """A segment of this name exists already."""

    def __init__(self, name: str) -> None:
        #: The name that is taken.
        self.name = name
        super().__init__(f"A segment “{name}” exists already.")


class SubscriberExists(SubscribersError):
    """A subscriber with this address exists already."""


class SegmentSyntaxError(SubscribersError):
    """An expression that cannot be read."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1, expression: str = "") -> None:
        #: What is wrong and what was expected, in words.
        self.problem = message
        #: Line of the expression, counted from 1.
        self.line = line
        #: Column in that line, counted from 1.
        self.column = column
        #: The whole expression as it was given.
        self.expression = expression
        super().__init__(f"line {line}, column {column}: {message}")

    @property
    def pointer(self) -> str:
        """The line at fault with a caret under the place, two lines of text."""
        lines = self.expression.splitlines() or [""]
        text = lines[min(self.line, len(lines)) - 1].replace("\t", " ")
        return f"{text}\n{' ' * (self.column - 1)}^"


class SegmentCycle(SubscribersError):
    """Saved segments refer to each other in a circle."""

    def __init__(self, names: Iterable[str]) -> None:
        #: The names on the circle, in order; the first stands at the end again.
        self.names = tuple(names)
        super().__init__(f"Segments refer to each other in a circle: {' → '.join(self.names)}.")


class ImportRefused(SubscribersError):
    """A file that cannot be imported."""

    def __init__(
        self, message: str, *, file: str = "", line: int | None = None, column: str | int | None = None
    ) -> None:
        #: What is wrong, in words.
        self.problem = message
        #: Name of the file, without its folder.
        self.file = file
        #: Line of the file, counted from 1; None when the whole file is meant.
        self.line = line
        #: Name of the column, or its number counted from 1 where it has no name.
        self.column = column
        super().__init__(f"{self._place()}{message}")

    def _place(self) -> str:
        parts = (
            self.file,
            f"line {self.line}" if self.line is not None else "",
            f"column {self.column}" if self.column is not None else "",
        )
        place = ", ".join(filter(None, parts))
        return f"{place}: " if place else ""


class TooManyRemovals(SubscribersError):
    """The file lacks more members than may be removed."""

    def __init__(self, *, absent: int, members: int, bound: str) -> None:
        #: Members whose address is not in the file.
        self.absent = absent
        #: Members there are.
        self.members = members
        #: How many may be removed, as it was said.
        self.bound = bound
        super().__init__(
            f"{absent:,} of {members:,} members are not in the file, more than {bound}; nothing was changed. "
            f"If that is right, say --max-removals {absent}."
        )


class TokenRefused(SubscribersError):
    """The link is not valid."""


def _nearest(name: str, known: Iterable[str]) -> str | None:
    matches = get_close_matches(name.lower(), by_lower := {item.lower(): item for item in known}, n=1)
    return by_lower[matches[0]] if matches else None
