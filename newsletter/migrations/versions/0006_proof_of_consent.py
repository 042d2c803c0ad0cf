"""What an administrator gave as proof of a consent."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


# PostgreSQL's trigger compares whole lines.
HOLDS = """
    CREATE TRIGGER consent_entry_holds BEFORE UPDATE OF id, digest, action, list_name, newsletter, wording_version,
        wording_language, source, operator, origin, {proof}at, state, asked, mailing ON consent_entry
    BEGIN SELECT RAISE(ABORT, 'the consent log is never changed'); END
"""


def upgrade() -> None:
    op.add_column("consent_entry", sa.Column("proof", sa.String(), nullable=False, server_default=""))
    _hold("proof, ")


def downgrade() -> None:
    _hold("")
    op.drop_column("consent_entry", "proof")


def _hold(proof: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER consent_entry_holds")
        op.execute(HOLDS.format(proof=proof))
