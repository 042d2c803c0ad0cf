"""Who works on an upload, and the octets of uploads where machines share no folder."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    text = sqlmodel.sql.sqltypes.AutoString
    op.add_column("import_run", sa.Column("taken_by", text(length=40), nullable=False, server_default=""))
    op.create_table(
        "upload_part",
        sa.Column("upload_id", number, autoincrement=False, nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["import_run.id"], name=op.f("fk_upload_part_upload_id_import_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("upload_id", "refused", "number", name=op.f("pk_upload_part")),
    )


def downgrade() -> None:
    op.drop_table("upload_part")
    op.drop_column("import_run", "taken_by")
