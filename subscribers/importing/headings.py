"""
Decides what each column of a file is.

Takes headings and what the operator said about them; yields one target a column; promises that every heading is
either understood, turned into an attribute, or left out because somebody said so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from subscribers.errors import UnknownField
from subscribers.importing.table import Table
from subscribers.segments import RESERVED
from subscribers.store import FIELDS, clean_attribute_name, identifier

ADDRESS = "email"
TAGS = "tags"
LEFT_OUT = "-"
"""What a column is mapped to when it is not to be imported."""

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
        target: `email`, `tags`, one of `store.FIELDS`, or the name of an attribute.
    """

    index: int
    heading: str
    target: str


def plan_columns(table: Table, mapping: Mapping[str, str] | None = None) -> tuple[Column, ...]:
    """Return what is imported from a file, column by column.

    Args:
        table: the file.
        mapping: target by heading, where the operator says so: a field, `tags`, an attribute, or `-` for nothing.
            Letter case does not matter.

    Raises:
        UnknownField: the mapping names a column that the file does not have.
        InvalidValue: it names a target that cannot be.
        ImportRefused: there is no address, or two columns would be the same.
    """
    wanted = _wanted(table.headings, mapping or {})
    planned = (
        Column(index, heading, wanted.get(heading.casefold()) or _meaning(index, heading))
        for index, heading in enumerate(table.headings)
    )
    columns = tuple(column for column in planned if column.target != LEFT_OUT)
    _refuse_twins(table, columns)
    if all(column.target != ADDRESS for column in columns):
        raise table.refusal(
            "no column holds the address; call it email, or say which one it is with --map COLUMN=email",
            line=table.first_line,
        )
    return columns


def _wanted(headings: Iterable[str], mapping: Mapping[str, str]) -> dict[str, str]:
    known = {heading.casefold(): heading for heading in headings}
    wanted = {}
    for heading, target in mapping.items():
        if heading.strip().casefold() not in known:
            raise UnknownField(heading, known.values())
        wanted[heading.strip().casefold()] = _target(target.strip().lower())
    return wanted


def _target(name: str) -> str:
    if name in {ADDRESS, TAGS, LEFT_OUT, *FIELDS}:
        return name
    return clean_attribute_name(name)


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
