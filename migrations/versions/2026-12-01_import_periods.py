"""Imports of subscriptions note all periods of a file before they store any."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "import_period",
        sa.Column("import_id", sa.Text(collation="C"), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.Column("lines", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("line_count", sa.BigInteger(), nullable=False),
        sa.Column("is_contradicted", sa.Boolean(), nullable=False),
        sa.Column("is_unnamed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["job.id"], name=op.f("import_period_import_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "key", name=op.f("import_period_pkey")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("import_period")
