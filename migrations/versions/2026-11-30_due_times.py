"""Standards for replies are settings, and accounts wake at their deadlines.

Accounts with a ticket that waits for its first reply are marked due once, so that their deadline is
stored before the next sweep.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "reply_standards",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("standards", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("reply_standards_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("reply_standards_pkey")),
    )
    op.create_table(
        "account_deadline",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("account_deadline_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "account_id", "kind", name=op.f("account_deadline_pkey")
        ),
    )
    op.create_index("account_deadline_due_at_idx", "account_deadline", ["due_at"])
    op.execute("""
        INSERT INTO due (workspace_id, account_id, priority, notify)
        SELECT DISTINCT workspace_id, account_id, 1, true FROM ticket
        WHERE account_id IS NOT NULL AND replied_at IS NULL AND closed_at IS NULL
    """)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("account_deadline")
    op.drop_table("reply_standards")
