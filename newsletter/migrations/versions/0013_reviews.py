"""Who wrote last, the log of approvals, and what reviewers without an account answered."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import subscribers.columns

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    for table in ("entry", "issue"):
        op.add_column(
            table, sa.Column("author", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False, server_default="")
        )
        op.add_column(table, sa.Column("written", subscribers.columns.UTCDateTime(timezone=True), nullable=True))
    op.create_table(
        "approval_entry",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("issue_id", number, autoincrement=False, nullable=False),
        sa.Column("at", subscribers.columns.UTCDateTime(timezone=True), nullable=False),
        sa.Column("operator", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(length=1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issue.id"], name=op.f("fk_approval_entry_issue_id_issue"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_entry")),
    )
    op.create_index(op.f("ix_approval_entry_issue_id"), "approval_entry", ["issue_id"])
    op.create_table(
        "review",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("issue_id", number, autoincrement=False, nullable=False),
        sa.Column("uid", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("edition", sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
        sa.Column("reader", sqlmodel.sql.sqltypes.AutoString(length=120), nullable=False),
        sa.Column("operator", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("created", subscribers.columns.UTCDateTime(timezone=True), nullable=False),
        sa.Column("expires", subscribers.columns.UTCDateTime(timezone=True), nullable=False),
        sa.Column("revoked", subscribers.columns.UTCDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_review_issue_id_issue"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("uid", name=op.f("uq_review_uid")),
    )
    op.create_index(op.f("ix_review_issue_id"), "review", ["issue_id"])
    op.create_table(
        "review_answer",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("review_id", number, autoincrement=False, nullable=False),
        sa.Column("at", subscribers.columns.UTCDateTime(timezone=True), nullable=False),
        sa.Column("artifact", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("place", sqlmodel.sql.sqltypes.AutoString(length=170), nullable=True),
        sa.Column("passage", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=False),
        sa.Column("words", sqlmodel.sql.sqltypes.AutoString(length=4000), nullable=False),
        sa.Column("done", subscribers.columns.UTCDateTime(timezone=True), nullable=True),
        sa.Column("done_by", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name=op.f("fk_review_answer_review_id_review"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_answer")),
    )
    op.create_index(op.f("ix_review_answer_review_id"), "review_answer", ["review_id"])


def downgrade() -> None:
    op.drop_table("review_answer")
    op.drop_table("review")
    op.drop_table("approval_entry")
    for table in ("issue", "entry"):
        op.drop_column(table, "written")
        op.drop_column(table, "author")
