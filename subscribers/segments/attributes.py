"""
What the database says about one attribute of a subscriber.

Takes the name of an attribute; yields expressions of SQLAlchemy over `Subscriber.attributes` that read the same on
SQLite and PostgreSQL: as a number, a day, a truth value or text, and NULL where the attribute is nothing of the kind.
"""

from typing import Any

from sqlalchemy import Float, String, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col

from subscribers.models import Subscriber


class _OfAttribute(FunctionElement[Any]):
    """Something about one attribute; its arguments are the column, the name, and the name as a SQLite path."""

    inherit_cache = True

    def __init__(self, name: str) -> None:
        super().__init__(col(Subscriber.attributes), literal(name, String()), literal(f'$."{name}"', String()))


class Number(_OfAttribute):
    """The attribute where it is stored as a number, else NULL."""

    inherit_cache = True
    type = Float()


class Text(_OfAttribute):
    """The attribute as text, whatever it is stored as; NULL where there is none."""

    inherit_cache = True
    type = String()


class Truth(_OfAttribute):
    """The attribute as `true` or `false` where it is stored as a truth value, else NULL."""

    inherit_cache = True
    type = String()


class Date(_OfAttribute):
    """The day, like 2027-01-31, with which the attribute begins (a time may follow), else NULL."""

    inherit_cache = True
    type = String()


@compiles(Number, "sqlite")
def _number_on_sqlite(element: Number, compiler: SQLCompiler, **kw: Any) -> str:
    column, path = _column_and_path(element, compiler, **kw)
    return f"CASE WHEN json_type({column}, {path}) IN ('integer', 'real') THEN json_extract({column}, {path}) END"


@compiles(Number, "postgresql")
def _number_on_postgresql(element: Number, compiler: SQLCompiler, **kw: Any) -> str:
    # The guard is a CASE because a plain AND may be evaluated in any order, and a bad cast ends the query.
    column, name = _column_and_name(element, compiler, **kw)
    return f"CASE WHEN jsonb_typeof({column} -> {name}) = 'number' THEN ({column} ->> {name})::double precision END"


@compiles(Text, "sqlite")
def _text_on_sqlite(element: Text, compiler: SQLCompiler, **kw: Any) -> str:
    # json_extract gives 1 and 0 for truth values; json_type gives the words that PostgreSQL gives.
    column, path = _column_and_path(element, compiler, **kw)
    kind = f"json_type({column}, {path})"
    return f"CASE WHEN {kind} IN ('true', 'false') THEN {kind} ELSE CAST(json_extract({column}, {path}) AS TEXT) END"


@compiles(Text, "postgresql")
def _text_on_postgresql(element: Text, compiler: SQLCompiler, **kw: Any) -> str:
    column, name = _column_and_name(element, compiler, **kw)
    return f"({column} ->> {name})"


@compiles(Truth, "sqlite")
def _truth_on_sqlite(element: Truth, compiler: SQLCompiler, **kw: Any) -> str:
    column, path = _column_and_path(element, compiler, **kw)
    return f"CASE WHEN json_type({column}, {path}) IN ('true', 'false') THEN json_type({column}, {path}) END"


@compiles(Truth, "postgresql")
def _truth_on_postgresql(element: Truth, compiler: SQLCompiler, **kw: Any) -> str:
    column, name = _column_and_name(element, compiler, **kw)
    return f"CASE WHEN jsonb_typeof({column} -> {name}) = 'boolean' THEN {column} ->> {name} END"


@compiles(Date, "sqlite")
def _date_on_sqlite(element: Date, compiler: SQLCompiler, **kw: Any) -> str:
    column, path = _column_and_path(element, compiler, **kw)
    value, digit = f"json_extract({column}, {path})", "[0-9]"
    shape = f"{digit * 4}-{digit * 2}-{digit * 2}*"
    return f"CASE WHEN {value} GLOB '{shape}' THEN substr({value}, 1, 10) END"


@compiles(Date, "postgresql")
def _date_on_postgresql(element: Date, compiler: SQLCompiler, **kw: Any) -> str:
    column, name = _column_and_name(element, compiler, **kw)
    value = f"({column} ->> {name})"
    return f"CASE WHEN {value} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}' THEN left({value}, 10) END"


def _column_and_name(element: _OfAttribute, compiler: SQLCompiler, **kw: Any) -> tuple[str, str]:
    column, name, _ = element.clauses
    return compiler.process(column, **kw), compiler.process(name, **kw)


def _column_and_path(element: _OfAttribute, compiler: SQLCompiler, **kw: Any) -> tuple[str, str]:
    column, _, path = element.clauses
    return compiler.process(column, **kw), compiler.process(path, **kw)
