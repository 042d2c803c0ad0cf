"""
A content pack as a value: a newsletter, its topics, its entries, its issues, the pictures beside it.

Takes the bytes of a YAML file and the folder it lies in; yields a `ContentPack`, or raises InvalidPack with every
problem of the file at once, each with line, column and path. Touches no database: what only the stored newsletter
knows is checked by `foreign_sections` and `unknown_items`, to which the intake hands it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path as FilePath
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from newsletter.content.entry import Entry
from newsletter.content.fields import Key
from newsletter.content.images import StoredPicture
from newsletter.content.issue import IssuePlan, PlannedItem
from newsletter.content.localised import Value
from newsletter.content.newsletter import Newsletter, Topic
from newsletter.content.pictures import Pictures
from newsletter.content.refusals import problems_of, unknown_key
from newsletter.content.yaml import Document, Path, read
from newsletter.errors import InvalidPack, Problem

_PARTS: Final = ("newsletter", "topics", "entries", "issues")

Member = TypeVar("Member", bound=Value)
"""What stands in a list of a pack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentPack:
    """
    What a file brings: `newsletter` is the full settings, or the slug of a stored newsletter.

    The files of entries' images are the names of `pictures`; `document` knows where everything stands in the file.
    """

    newsletter: Newsletter | str
    topics: tuple[Topic, ...] = ()
    entries: tuple[Entry, ...] = ()
    issues: tuple[IssuePlan, ...] = ()
    pictures: tuple[StoredPicture, ...] = ()
    document: Document = field(repr=False, compare=False)

    @property
    def slug(self) -> str:
        """The slug of the newsletter it is for."""
        return self.newsletter if isinstance(self.newsletter, str) else self.newsletter.slug


def parse_pack(
    raw: bytes, *, name: str | FilePath, folder: FilePath | None = None, sections: Collection[str] = ()
) -> ContentPack:
    """
    Make a pack of a file's bytes; `name` is what messages call it.

    Pictures are taken from `folder` and below; without a folder there are none. `sections` are those that stored issues
    have beside their newsletter's. Raises InvalidPack.
    """
    document = read(raw)
    reading = _Reading(document)
    pack = reading.pack(folder, sections)
    if pack is None or reading.problems:
        by_place = sorted(reading.problems, key=lambda problem: (problem.line or 0, problem.column or 0))
        raise InvalidPack(name, by_place)
    return pack


def foreign_sections(pack: ContentPack, newsletter: Newsletter, *, others: Collection[str] = ()) -> Iterator[Problem]:
    """The problems of entries and items whose section stands neither in `newsletter` nor in an issue or `others`."""
    entries, issues = dict(enumerate(pack.entries)), dict(enumerate(pack.issues))
    yield from _astray(pack.document, newsletter, entries=entries, issues=issues, others=others)


def unknown_items(pack: ContentPack, stored: Collection[str]) -> Iterator[Problem]:
    """The problems of planned items that name no entry, neither in the pack nor among the `stored` keys."""
    known = {*stored, *(entry.key for entry in pack.entries)}
    for index, issue in enumerate(pack.issues):
        for position, item in enumerate(_items(issue)):
            if item.key not in known:
                path = ("issues", index, "items", position, "key")
                yield pack.document.problem(_unknown("entry", item.key, known), path)


class _Reading:
    """One reading of a document; collects what is wrong with it, so that all of it is said at once."""

    def __init__(self, document: Document) -> None:
        self.problems = list(document.problems)
        self._document = document

    def pack(self, folder: FilePath | None, sections: Collection[str]) -> ContentPack | None:
        """Return the pack as far as it can be read, None where not even its newsletter can."""
        data = self._document.data
        if not isinstance(data, dict):
            if data is not None:
                self._refuse("a pack is a mapping of newsletter, topics, entries and issues", ())
            return None
        unknown = (key for key in data if key not in _PARTS)
        self.problems += (self._document.problem(unknown_key(key, _PARTS), (key,), at_key=True) for key in unknown)
        self.problems += _repeated(self._document)
        newsletter = self._newsletter(data.get("newsletter"))
        topics, entries = self._members("topics", Topic), self._members("entries", Entry)
        issues = self._members("issues", IssuePlan)
        if isinstance(newsletter, Newsletter):
            self.problems += _astray(self._document, newsletter, entries=entries, issues=issues, others=sections)
        pictures = Pictures(self._document, folder)
        illustrated = tuple(pictures.taken(entry, ("entries", index)) for index, entry in entries.items())
        self.problems += pictures.problems
        if newsletter is None:
            return None
        return ContentPack(
            newsletter=newsletter,
            topics=tuple(topics.values()),
            entries=illustrated,
            issues=tuple(issues.values()),
            pictures=pictures.stored,
            document=self._document,
        )

    def _refuse(self, message: str, path: Path, *, absent: str = "") -> None:
        self.problems.append(self._document.problem(message, path, absent=absent))

    def _newsletter(self, data: Any) -> Newsletter | str | None:
        if data is None:
            message = "say which newsletter this is for: its slug, or its full settings"
            self._refuse(message, ("newsletter",), absent="" if "newsletter" in self._document.data else "newsletter")
            return None
        if isinstance(data, dict):
            return self._value(Newsletter, data, ("newsletter",))
        try:
            return TypeAdapter(Key).validate_python(data)
        except ValidationError:
            self._refuse("give the slug of a newsletter, or its settings", ("newsletter",))
            return None

    def _members(self, part: str, model: type[Member]) -> dict[int, Member]:
        data = self._document.data.get(part)
        if data is not None and not isinstance(data, list):
            self._refuse("this is a list: begin each member with a dash", (part,))
        members = data if isinstance(data, list) else []
        found = {index: self._value(model, member, (part, index)) for index, member in enumerate(members)}
        return {index: value for index, value in found.items() if value is not None}

    def _value(self, model: type[Member], data: Any, path: Path) -> Member | None:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            self.problems += problems_of(error, model, document=self._document, path=path)
            return None


def _astray(
    document: Document,
    newsletter: Newsletter,
    *,
    entries: Mapping[int, Entry],
    issues: Mapping[int, IssuePlan],
    others: Collection[str],
) -> Iterator[Problem]:
    in_issue = {
        index: [section.key for section in plan.settings(newsletter).sections] for index, plan in issues.items()
    }
    known = {
        *others,
        *(section.key for section in newsletter.sections),
        *(key for keys in in_issue.values() for key in keys),
    }
    for index, entry in entries.items():
        if entry.section not in known:
            yield document.problem(_unknown("section", entry.section, known), ("entries", index, "section"))
    for index, plan in issues.items():
        for position, item in enumerate(_items(plan)):
            if item.section is not None and item.section not in in_issue[index]:
                path = ("issues", index, "items", position, "section")
                yield document.problem(_unknown("section", item.section, in_issue[index]), path)


def _items(plan: IssuePlan) -> tuple[PlannedItem, ...]:
    return () if plan.items == "auto" else plan.items


def _unknown(what: str, name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"there is no {what} {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")


def _repeated(document: Document) -> Iterator[Problem]:
    for path, name in _keyed_lists(document.data):
        lines: dict[str, int] = {}
        for index, member in enumerate(_list_at(document.data, path)):
            key = member.get(name) if isinstance(member, dict) else None
            if not isinstance(key, str):
                continue
            here = (*path, index, name)
            if key in lines:
                yield document.problem(f"the {name} {key!r} stands here twice, first in line {lines[key]}", here)
            lines.setdefault(key, document.place(here)[1].line)


def _keyed_lists(data: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    yield from ((("newsletter", "sections"), "key"), (("topics",), "key"), (("entries",), "key"), (("issues",), "slug"))
    yield from ((("entries", index, "sittings"), "key") for index, _ in enumerate(_list_at(data, ("entries",))))
    yield from ((("issues", index, "sections"), "key") for index, _ in enumerate(_list_at(data, ("issues",))))


def _list_at(data: Any, path: Path) -> list[Any]:
    for step in path:
        data = data[step] if isinstance(step, int) else data.get(step) if isinstance(data, dict) else None
    return data if isinstance(data, list) else []
