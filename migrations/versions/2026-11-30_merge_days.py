"""Reports know how accounts and answers were before a merge, and when an exclusion changed.

Accounts that were merged earlier are noted without their attributes, which were not stored.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import DATEMULTIRANGE

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

EXCLUDED, ANSWERS = ("account", "user"), ("survey_response", "feedback_item")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in EXCLUDED:
        op.add_column(table, sa.Column("excluded_on", sa.Date()))
    for table in ANSWERS:
        op.add_column(table, _array("merged_from", sa.Text()))
        op.add_column(table, _array("merged_on", sa.Date()))
    op.create_table(
        "account_before_merge",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("merged_on", sa.Date(), nullable=False),
        sa.Column("is_source", sa.Boolean(), nullable=False),
        sa.Column("segment", sa.Text()),
        sa.Column("started_on", sa.Date()),
        sa.Column("trial_started_on", sa.Date()),
        sa.Column("excluded", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("excluded_days", DATEMULTIRANGE()),
        sa.Column("excluded_on", sa.Date()),
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", "merged_on"),
    )
    op.execute(
        "INSERT INTO account_before_merge (workspace_id, account_id, merged_on, is_source)"
        " SELECT workspace_id, account_id, CAST(timezone('UTC', requested_at) AS date), true"
        " FROM id_change WHERE kind = 'merge' AND account_id IS NOT NULL ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("account_before_merge")
    for table in ANSWERS:
        op.drop_column(table, "merged_on")
        op.drop_column(table, "merged_from")
    for table in EXCLUDED:
        op.drop_column(table, "excluded_on")


def _array(name: str, kind: "sa.types.TypeEngine[object]") -> "sa.Column[object]":
    return sa.Column(name, sa.ARRAY(kind), server_default="{}", nullable=False)
