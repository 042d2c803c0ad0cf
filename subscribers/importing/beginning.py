"""
Looks at the beginning of a file before anybody imports it.

Takes a path and what an operator says about its columns; yields how the file is written, and every column with a few of
its cells and what it is taken for; promises to read no more of a spreadsheet than that, and to store nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from subscribers.errors import SubscribersError
from subscribers.importing.headings import all_columns, plan_columns
from subscribers.importing.origins import origin_of
from subscribers.importing.source import opened
from subscribers.importing.table import UPLOAD_OCTETS, Layout
from subscribers.store import identifier

SAMPLES = 3
"""Cells of a column that are shown."""

_LONGEST = 80
"""Characters of a cell that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledColumn:
    """A column: its heading, what it is taken for (see `headings.Column`), a name it could have, some of its cells."""

    heading: str
    target: str
    name: str
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """
    How a file is written, and its columns; `problem` says in words why it cannot be imported with them.

    `sheets` are those of a spreadsheet that are not hidden; `origin` the program that made the file, "" if unknown.
    """

    layout: Layout
    origin: str
    sheets: tuple[str, ...]
    columns: tuple[SampledColumn, ...]
    problem: str = ""


def look_at(path: Path, *, name: str, sheet: str | None = None, mapping: Mapping[str, str] | None = None) -> Beginning:
    """Look at a file.

    Args:
        path: where it lies.
        name: what it is called; Mailchimp says in it how everybody in the file stands.
        sheet: which sheet of a spreadsheet; by default the first that is not hidden.
        mapping: target by heading, as in `plan_columns`; headings that the file does not have are passed over.

    Raises:
        ImportRefused: it cannot be taken at all.
    """
    with opened(path, name=name, sheet=sheet, largest=UPLOAD_OCTETS, most=SAMPLES + 2) as table:
        origin = origin_of(table.headings, file=table.name)
        known = {heading.casefold() for heading in table.headings}
        wanted = {heading: target for heading, target in (mapping or {}).items() if heading.casefold() in known}
        problem = ""
        try:
            plan_columns(table, wanted, origin)
        except SubscribersError as error:
            problem = getattr(error, "problem", error.message)
        columns = all_columns(table, _usable(wanted), origin)
        rows = [cells for _, cells in islice(table.rows(), SAMPLES)]
        layout, headings = table.layout, table.headings
    return Beginning(
        layout=layout,
        origin=origin.name,
        sheets=_sheets(path, name=name) if layout.form == "xlsx" else (),
        columns=tuple(
            SampledColumn(
                heading=headings[column.index],
                target=column.target,
                name=identifier(headings[column.index]) or f"column_{column.index + 1}",
                samples=tuple(cells[column.index][:_LONGEST] for cells in rows if column.index < len(cells)),
            )
            for column in columns
        ),
        problem=problem,
    )


def _usable(wanted: Mapping[str, str]) -> dict[str, str]:
    """What is said about columns, without targets that cannot be: those show as they would without a word."""
    return {heading: target for heading, target in wanted.items() if identifier(target) == target or "-" in target}


def _sheets(path: Path, *, name: str) -> tuple[str, ...]:
    from subscribers.importing.spreadsheet import sheet_names

    return tuple(sheet_names(path, name=name))
