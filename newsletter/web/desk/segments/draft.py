"""
A segment while it is written: what the form of the editor says.

Takes the fields of a form; yields a `Draft` whose rows and text agree, or that says why they cannot: an expression that
rows do not show stays text. A row is called by its group and its place, as in `field.0.2`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from newsletter.web.form import Form
from subscribers.errors import SegmentSyntaxError
from subscribers.segments import parse
from subscribers.segments.building import (
    MAX_ROWS,
    Group,
    Row,
    Shape,
    row_of,
    row_text,
    shape_of,
    span_of,
    to_text,
)
from subscribers.segments.relations import Form as Beside

BLANK: Final = Row(field="list", relation=row_of("list", "is").relation)
"""The row that is added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """
    What is being written.

    `was` is the name under which it is saved, "" for a new one; `shape` is None where rows cannot show the text;
    `problem` says what is wrong with the text, and where; `rows_at_fault` says so of rows, by (group, row).
    """

    name: str = ""
    was: str = ""
    text: str = ""
    shape: Shape | None = None
    problem: SegmentSyntaxError | None = None
    rows_at_fault: Mapping[tuple[int, int], str] = field(default_factory=dict)

    @property
    def can_be_read(self) -> bool:
        """Whether the grammar takes it."""
        return self.problem is None and not self.rows_at_fault


def of_text(text: str, *, name: str = "", was: str = "") -> Draft:
    """Return the draft of a text, as rows too where they can show it."""
    try:
        shape = shape_of(parse(text))
    except SegmentSyntaxError as error:
        return Draft(name=name, was=was, text=text, problem=error)
    return Draft(name=name, was=was, text=text, shape=shape)


def of_shape(shape: Shape, *, name: str = "", was: str = "") -> Draft:
    """Return the draft of rows; those that say nothing the grammar takes are at fault."""
    faults = {}
    for place, group in enumerate(shape.groups):
        for number, row in enumerate(group.rows):
            if words := _fault(row):
                faults[place, number] = words
    return Draft(name=name, was=was, text=to_text(shape), shape=shape, rows_at_fault=faults)


def of_form(form: Form) -> Draft:
    """Return what a form says, with what its pressed button asks for: `do` is what, and at which row or group."""
    name, was = " ".join(form.get("name").split()), form.get("was")
    if form.get("edited") == "text" or form.get("do") == "text":
        return of_text(form.get("text"), name=name, was=was)
    return of_shape(_asked(_shape(form), form.get("do")), name=name, was=was)


def _fault(row: Row) -> str:
    try:
        parse(row_text(row))
    except SegmentSyntaxError as error:
        return error.problem
    return ""


def _shape(form: Form) -> Shape:
    groups = tuple(
        Group(
            rows=tuple(_row(form, key) for key in form.all("row")[:MAX_ROWS] if key.partition(".")[0] == place),
            any_of=form.get(f"join.{place}") == "any",
        )
        for place in form.all("group")[:MAX_ROWS]
    )
    return Shape(groups=groups, any_of=form.get("join") == "any")


def _row(form: Form, key: str) -> Row:
    def said(name: str) -> str:
        return form.get(f"{name}.{key}")

    name = said("attribute") if said("field") == "attribute" and said("attribute") else said("field")
    row = row_of(name, said("relation"), value=said("value"), when=said("when"), negated=said("negated") == "not")
    if row.form is Beside.SPAN:
        number, unit = said("number"), said("unit")
        before = span_of(row.when if row.is_standing else row.value)
        span = f"{number or before[0]} {unit or before[1]}{'' if (number or before[0]) == '1' else 's'}"
        row = replace(row, when=span) if row.is_standing else replace(row, value=span)
    return row


def _asked(shape: Shape, wanted: str) -> Shape:
    what, _, place = wanted.partition(":")
    group, _, row = place.partition(".")
    groups = list(shape.groups)
    match what:
        case "group":
            return replace(shape, groups=(*groups, Group(rows=(BLANK,))))
        case "row" if _is_place(group, groups):
            chosen = groups[int(group)]
            groups[int(group)] = replace(chosen, rows=(*chosen.rows, BLANK))
        case "row":
            groups.append(Group(rows=(BLANK,)))
        case "remove" if _is_place(group, groups) and _is_place(row, groups[int(group)].rows):
            chosen = groups[int(group)]
            rows = tuple(each for number, each in enumerate(chosen.rows) if number != int(row))
            groups[int(group)] = replace(chosen, rows=rows)
    return replace(shape, groups=tuple(each for each in groups if each.rows))


def _is_place(text: str, among: "list[Group] | tuple[Row, ...]") -> bool:
    return text.isascii() and text.isdecimal() and int(text) < len(among)
