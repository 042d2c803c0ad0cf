"""
SQLite's checks and the index of open deliveries say `a = 'x' OR a = 'y'` instead of `a IN ('x', 'y')`.

For a list of more than two SQLite fills a table of its own, each time it looks: at every insert, and twice an update for
an index. A delivery's way through the ledger takes two thirds of what it took. What the words mean, and so what the
file holds, stays as it is: they are changed as SQLite's page on ALTER TABLE says (section 7, `PRAGMA writable_schema`).
"""

import re
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

VALUE = "'[^']*'"
LISTED = re.compile(rf"(\w+) IN \(({VALUE}(?:, {VALUE})*)\)")
COMPARED = re.compile(rf"\((\w+) = {VALUE}(?: OR \1 = {VALUE})*\)")
INDEX = "ix_delivery_open"


def upgrade() -> None:
    say_again(lambda words: LISTED.sub(lambda found: compared(found[1], re.findall(VALUE, found[2])), words))


def downgrade() -> None:
    say_again(lambda words: COMPARED.sub(lambda found: listed(found[1], re.findall(VALUE, found[0])), words))


def compared(column: str, values: Sequence[str]) -> str:
    """The words that SQLite compares by."""
    return f"({' OR '.join(f'{column} = {value}' for value in values)})"


def listed(column: str, values: Sequence[str]) -> str:
    """The words that SQLAlchemy writes."""
    return f"{column} IN ({', '.join(values)})"


def say_again(words_of: Callable[[str], str]) -> None:
    """Write the schema's words anew where they differ; a kill leaves all of them or none."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    known = connection.execute(sa.text("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
    changed = [
        {"kind": kind, "name": name, "words": words_of(words)}
        for kind, name, words in known
        if (kind == "table" or name == INDEX) and words_of(words) != words
    ]
    version = connection.execute(sa.text("PRAGMA schema_version")).scalar_one()
    connection.execute(sa.text("PRAGMA writable_schema = ON"))
    try:
        for each in changed:
            update = sa.text("UPDATE sqlite_master SET sql = :words WHERE type = :kind AND name = :name")
            connection.execute(update, each)
        connection.execute(sa.text(f"PRAGMA schema_version = {version + 1}"))
    finally:
        connection.execute(sa.text("PRAGMA writable_schema = RESET"))  # reads the schema again
