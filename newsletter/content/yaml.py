"""
YAML 1.2 as plain data that knows where each of its parts stands.

Takes the bytes of a file somebody wrote by hand; yields a `Document` of mappings, lists, texts and None, with the line
and column of every part, and the problems found on the way. Promises to end: nesting and what aliases unfold to are
bounded, and no tag makes an object.

Every scalar stays the text it was written as, so that a title may be 2027, a key 1.10 and a language no; the values
that take the data know which of their fields are numbers, days or yes and no. Only an empty place and `null` are None.

The only module that knows ruamel.yaml, whose parser alone is used: it is the part that gives positions, and three times
as fast as loading for a round trip.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from newsletter.errors import Problem

DEEPEST: Final = 60
"""Levels of nesting: a pack has nine, and everything that walks through one recursively must survive."""

MOST_PARTS: Final = 2_000_000
"""Keys and values with all aliases unfolded: what 20 MB of real entries hold, far less than an alias bomb."""

_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
"""YAML 1.2.2 §10.3.2, tag:yaml.org,2002:null."""

_CORE_TAGS: Final = (
    "!",
    *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "seq", "map")),
)
"""Tags that say nothing which the fields do not know themselves."""

Path = Sequence[str | int]
"""The keys and indices that lead to a part."""


@dataclass(slots=True)
class Place:
    """Where a part stands: its value and, in a mapping, its key; lines and columns from 1."""

    line: int
    column: int
    key_line: int
    key_column: int
    members: dict[str | int, "Place"] = field(default_factory=dict)
    parts: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """
    The data of a file and where it stands.

    `data` is None where the file could not be read to its end; `problems` then says why.
    """

    data: Any
    root: Place
    problems: tuple[Problem, ...] = ()

    def place(self, path: Path) -> tuple[tuple[str | int, ...], Place]:
        """The place of the part at `path`, or of the nearest one around it, with the path that was found."""
        place, found = self.root, []
        for step in path:
            if step in place.members:
                place = place.members[step]
                found.append(step)
        return tuple(found), place

    def problem(self, message: str, path: Path, *, at_key: bool = False, absent: str = "") -> Problem:
        """A problem with the part at `path` (with its key, or with the `absent` key inside it)."""
        found, place = self.place(path)
        line, column = (place.key_line, place.key_column) if at_key else (place.line, place.column)
        return Problem(message=message, path=written([*found, *([absent] if absent else [])]), line=line, column=column)


def written(path: Path) -> str:
    """A path as people write it: `entries[3].sittings[0].end`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def read(raw: bytes) -> Document:
    """Read one YAML document. What is wrong with it stands in `problems`; nothing is raised."""
    builder = _Builder()
    try:
        builder.build(_text(raw))
    except _Refused as refused:
        builder.problems.append(refused.problem)
        return Document(data=None, root=_START, problems=tuple(builder.problems))
    if builder.data is None:
        builder.problems.append(Problem(message="the file is empty", line=1, column=1))
    return Document(data=builder.data, root=builder.root, problems=tuple(builder.problems))


_START: Final = Place(1, 1, 1, 1)


class _Refused(Exception):  # noqa: N818  ends the reading, never leaves this module
    def __init__(self, message: str, line: int, column: int) -> None:
        self.problem = Problem(message=message, line=line, column=column)
        super().__init__(message)


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being filled."""

    data: dict[str, Any] | list[Any]
    place: Place
    anchor: str | None
    key: str | None = None
    key_place: tuple[int, int] = (1, 1)
    repeated: bool = False


class _Builder:
    """Builds data from events, without recursion, whatever the file says."""

    def __init__(self) -> None:
        self.data: Any = None
        self.root = _START
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, Place]] = {}
        self._parts = 0
        self._documents = 0

    def build(self, text: str) -> None:
        for event in _events(text):
            match event:
                case ScalarEvent():
                    self._scalar(event)
                case MappingStartEvent():
                    self._begin(event, {})
                case SequenceStartEvent():
                    self._begin(event, [])
                case MappingEndEvent() | SequenceEndEvent():
                    self._end()
                case AliasEvent():
                    self._alias(event)
                case DocumentStartEvent():
                    self._documents += 1
                    if self._documents > 1:
                        raise _refused("a second document begins here; a pack is one", event)

    def _scalar(self, event: Any) -> None:
        _check_tag(event)
        if self._awaits_key():
            self._key(event)
            return
        plain = event.style in {None, ""} and event.value in _NOTHING
        value = None if plain and not _is_text(event) else event.value
        place = self._place(event)
        if value is None:
            # Nothing stands nowhere; the parser would point at what comes next.
            place.line, place.column = place.key_line, place.key_column
        self._remember(event.anchor, value, place)
        self._put(value, place, event)

    def _begin(self, event: Any, data: dict[str, Any] | list[Any]) -> None:
        _check_tag(event)
        if self._awaits_key():
            raise _refused("a key is a plain word", event)
        if len(self._open) >= DEEPEST:
            raise _refused(f"this is nested more than {DEEPEST} levels deep", event)
        self._open.append(_Open(data, self._place(event), event.anchor))

    def _end(self) -> None:
        done = self._open.pop()
        self._remember(done.anchor, done.data, done.place)
        self._put(done.data, done.place, None)

    def _alias(self, event: Any) -> None:
        if self._awaits_key():
            raise _refused("a key is a plain word", event)
        if event.anchor not in self._anchors:
            raise _refused(f"nothing is called &{event.anchor} before this", event)
        data, meant = self._anchors[event.anchor]
        if len(self._open) + meant.height > DEEPEST:
            raise _refused(f"with its aliases this is nested more than {DEEPEST} levels deep", event)
        place = self._place(event)
        place.members, place.parts, place.height = meant.members, meant.parts, meant.height
        self._put(data, place, event)

    def _key(self, event: Any) -> None:
        top = self._open[-1]
        top.key, top.key_place = event.value, _position(event)
        top.repeated = top.key in top.place.members
        if top.repeated:
            first = top.place.members[event.value].key_line
            path = [step.key if isinstance(step.data, dict) else len(step.data) for step in self._open]
            line, column = top.key_place
            message = f"the key {event.value!r} stands here twice, first in line {first}"
            steps = [step for step in path if step is not None]
            self.problems.append(Problem(message=message, path=written(steps), line=line, column=column))

    def _awaits_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].data, dict) and self._open[-1].key is None

    def _place(self, event: Any) -> Place:
        line, column = _position(event)
        in_mapping = self._open and isinstance(self._open[-1].data, dict)
        return Place(line, column, *(self._open[-1].key_place if in_mapping else (line, column)))

    def _put(self, value: Any, place: Place, event: Any) -> None:
        self._parts += 1 if not isinstance(event, AliasEvent) else place.parts
        if self._parts > MOST_PARTS:
            raise _Refused("the aliases unfold to too much", place.line, place.column)
        if not self._open:
            self.data, self.root = value, place
            return
        top = self._open[-1]
        top.place.parts += place.parts
        top.place.height = max(top.place.height, place.height + 1)
        if isinstance(top.data, list):
            top.place.members[len(top.data)] = place
            top.data.append(value)
        else:
            key, top.key = top.key or "", None
            if not top.repeated:
                top.place.members[key] = place
                top.data[key] = value

    def _remember(self, anchor: str | None, data: Any, place: Place) -> None:
        if anchor:
            self._anchors[anchor] = (data, place)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line_start = before.rfind(b"\n") + 1
        column = len(before[line_start:].decode("utf-8", "replace")) + 1
        message = "this is not UTF-8: save the file with that encoding"
        raise _Refused(message, before.count(b"\n") + 1, column) from error


def _events(text: str) -> Iterator[Event]:
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        raise _Refused(f"the character U+{error.character:04X} cannot stand in a file", line, column) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _Refused(_in_words(error), line, column) from error
    except Exception as error:
        # The parser checks the version and the numbers of characters by assertions and conversions of its own.
        raise _Refused(f"this is not YAML: {' '.join(str(error).split())}", 1, 1) from error


def _in_words(error: MarkedYAMLError) -> str:
    said = " ".join(re.sub(r"\s+", " ", part) for part in (error.context, error.problem) if part)
    if "'\\t'" in said:
        return "a tab stands here: indent with spaces"
    hint = ": put a text with a colon in quotes" if "mapping values are not allowed" in said else ""
    return f"this is not YAML ({said}){hint}"


def _position(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _refused(message: str, event: Any) -> _Refused:
    return _Refused(message, *_position(event))


def _is_text(event: Any) -> bool:
    return str(event.tag or "") in {"!", "tag:yaml.org,2002:str"}


def _check_tag(event: Any) -> None:
    if event.tag and str(event.tag) not in _CORE_TAGS:
        raise _refused(f"the tag {event.tag} means nothing here", event)
