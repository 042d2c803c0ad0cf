"""
Decides what each column of a file is.

Takes headings and what the operator said about them; yields one target a column; promises that every heading is
either understood, turned into an attribute, or left out: because the
operator said so, or for what is known about the program that made the file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from subscribers.errors import UnknownField
from subscribers.importing.origins import (
    ADDRESS,
    ATTRIBUTES,
    LEFT_OUT,
    NAME,
    STANDING,
    TAGS,
    UNKNOWN,
    Origin,
    words_of,
)
from subscribers.importing.table import Table
from subscribers.segments import RESERVED
from subscribers.store import FIELDS, clean_attribute_name, identifier

MAX_COLUMNS = 64
"""Columns that are imported: more attributes than anybody asks for."""

_SPECIAL = frozenset({ADDRESS, TAGS, LEFT_OUT, STANDING, NAME, ATTRIBUTES, *FIELDS})
"""Targets that are no attributes."""

_STANDING_SIGNS = words_of(
    "status state subscribed unsubscribed subscription_status opt_in opt_out optin optout unsubscribed_at"
)
"""Headings under which other programs say who left."""

_ALIASES = {
    ADDRESS: "email e_mail mail address email_address e_mail_address mail_address courriel adresse_email "
    "adresse_e_mail adresse_electronique e_mail_adresse emailadresse correo correo_electronico indirizzo_email",
    "first_name": "first_name firstname first given_name forename prenom vorname nombre nome voornaam",
    "last_name": "last_name lastname last surname family_name nom nom_de_famille nachname apellido apellidos "
    "cognome achternaam",
    "language": "language lang locale language_code langue sprache idioma lingua taal",
    "country": "country country_code pays land pais paese",
    "city": "city town ville stadt ciudad citta stad",
    "organisation": "organisation organization company organisme societe entreprise firma unternehmen "
    "organizacion organizzazione organisatie",
    "timezone": "timezone time_zone tz fuseau_horaire zeitzone zona_horaria",
    TAGS: "tags tag labels etiquettes schlagworte etiquetas",
    NAME: "full_name nom_complet vollstandiger_name nombre_completo",
}
"""Headings that other programs and people write, as `identifier` makes them."""

_OWN = frozenset({"created", "lists"})
"""Columns of our own export that say nothing an import could take; they can still be mapped to an attribute."""

_MEANINGS = {alias: field for field, aliases in _ALIASES.items() for alias in aliases.split()}


@dataclass(frozen=True, slots=True)
class Column:
    """One column that is imported.

    Attributes:
        index: its place in the row, from 0.
        heading: as it stands in the file, for messages.
        target: `email`, `tags`, one of `store.FIELDS`, the name of an attribute, or what `origins` has for its own.
    """

    index: int
    heading: str
    target: str


class _Word(IntEnum):
    """Whose word says what a column is; of two columns for the same, the one with the lower number is it."""

    #: The operator's.
    OPERATOR = 0
    #: That of the program that made the file.
    PROGRAM = 1
    #: That of the heading itself.
    HEADING = 2
    #: What that program has guessed about people.
    GUESS = 3


_GUESSED = frozenset({"country", "timezone"})
"""What other programs take from the network somebody came from: a column that the owners made knows better."""


def plan_columns(
    table: Table, mapping: Mapping[str, str] | None = None, origin: Origin = UNKNOWN
) -> tuple[Column, ...]:
    """Return what is imported from a file, column by column.

    Args:
        table: the file.
        mapping: target by heading, where the operator says so: a field, `tags`, an attribute, or `-` for nothing;
            also `full-name`, and `standing-there` for how they stand where the file comes from. Letter case does not
            matter.
        origin: the program that made the file, see `origins.origin_of`.

    Raises:
        UnknownField: the mapping names a column that the file does not have.
        InvalidValue: it names a target that cannot be.
        ImportRefused: there is no address, too many columns, or two columns would be the same.
    """
    columns = tuple(column for column in all_columns(table, mapping, origin) if column.target != LEFT_OUT)
    _refuse_twins(table, columns)
    if all(column.target != ADDRESS for column in columns):
        raise table.refusal(
            "no column holds the address; call it email, or say which one it is with --map COLUMN=email",
            line=table.first_line,
        )
    if len(columns) > MAX_COLUMNS:
        raise table.refusal(
            f"there are more than {MAX_COLUMNS} columns; leave some out with --map COLUMN=-", line=table.first_line
        )
    return columns


def all_columns(table: Table, mapping: Mapping[str, str] | None = None, origin: Origin = UNKNOWN) -> tuple[Column, ...]:
    """Return every column of a file, also those that are left out (`-`), whether or not it can be imported so.

    Raises:
        UnknownField, InvalidValue: as `plan_columns` does.
    """
    wanted = _wanted(table.headings, mapping or {})
    planned = [_planned(index, heading, wanted, origin) for index, heading in enumerate(table.headings)]
    settled = planned if origin is UNKNOWN else _settled(planned)
    return tuple(column for _, column in settled)


def doubtful_headings(columns: Iterable[Column]) -> list[str]:
    """Return the headings of attributes that look as if they said who left."""
    return [column.heading for column in columns if column.target.rstrip("_") in _STANDING_SIGNS]


def _planned(index: int, heading: str, wanted: Mapping[str, str], origin: Origin) -> tuple[_Word, Column]:
    if (target := wanted.get(heading.casefold())) is not None:
        return _Word.OPERATOR, Column(index, heading, target)
    name = identifier(heading)
    if (target := origin.targets.get(name)) is not None:
        return _Word.GUESS if target in _GUESSED and not origin.literal else _Word.PROGRAM, Column(
            index, heading, target
        )
    if origin.literal and heading:
        return _Word.HEADING, Column(index, heading, clean_attribute_name(heading))
    return _Word.HEADING, Column(index, heading, _meaning(index, heading))


def _settled(planned: Iterable[tuple[_Word, Column]]) -> list[tuple[_Word, Column]]:
    """Give every target to one column only: a file that another program made is not the operator's to mend."""
    taken: set[str] = set()
    settled = []
    for word, column in sorted(planned, key=lambda each: (each[0], each[1].index)):
        target = column.target
        if target in taken and target != LEFT_OUT and word is not _Word.OPERATOR:
            target = LEFT_OUT if word is not _Word.HEADING else f"{identifier(column.heading)}_"
        taken.add(target)
        settled.append((word, Column(column.index, column.heading, target)))
    return sorted(settled, key=lambda each: each[1].index)


def _wanted(headings: Iterable[str], mapping: Mapping[str, str]) -> dict[str, str]:
    known = {heading.casefold(): heading for heading in headings}
    wanted = {}
    for heading, target in mapping.items():
        if heading.strip().casefold() not in known:
            raise UnknownField(heading, known.values())
        wanted[heading.strip().casefold()] = _target(target.strip().lower())
    return wanted


def _target(name: str) -> str:
    return name if name in _SPECIAL else clean_attribute_name(name)


def _meaning(index: int, heading: str) -> str:
    name = identifier(heading)
    if name in _OWN:
        return LEFT_OUT
    if name in _MEANINGS:
        return _MEANINGS[name]
    if not name:
        # A heading in another script still becomes an attribute; a column without heading is spreadsheet debris.
        return f"column_{index + 1}" if heading else LEFT_OUT
    return f"{name}_" if name in RESERVED else name


def _refuse_twins(table: Table, columns: Iterable[Column]) -> None:
    seen: dict[str, str] = {}
    for column in columns:
        if column.target in seen:
            raise table.refusal(
                f"“{seen[column.target]}” and “{column.heading}” would both be {column.target}; "
                "say with --map which one is",
                line=table.first_line,
                column=column.heading,
            )
        seen[column.target] = column.heading
