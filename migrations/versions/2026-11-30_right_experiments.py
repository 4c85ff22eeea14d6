"""An account keeps the assignments to experiments of the accounts that are merged into it."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

KEY = ("workspace_id", "account_id", "experiment_id")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column(
        "assignment",
        sa.Column("merge_id", sa.Text(collation="C"), server_default="", nullable=False),
    )
    op.drop_constraint("assignment_pkey", "assignment")
    op.create_primary_key("assignment_pkey", "assignment", [*KEY, "merge_id"])


def downgrade() -> None:
    """Drop the assignments that came with merges beside the account's own."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        "DELETE FROM assignment s USING assignment o WHERE s.merge_id > o.merge_id"
        " AND (o.workspace_id, o.account_id, o.experiment_id)"
        " = (s.workspace_id, s.account_id, s.experiment_id)"
    )
    op.drop_constraint("assignment_pkey", "assignment")
    op.drop_column("assignment", "merge_id")
    op.create_primary_key("assignment_pkey", "assignment", [*KEY])
