"""Dates of B2B events count by their own time, and old ids know whether they were merged.

Dates that are stored without a time count as stated at the start of their day.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    dates = sa.Column(
        "lifecycle_dates",
        postgresql.JSONB(astext_type=sa.Text()),
        server_default="{}",
        nullable=False,
    )
    op.add_column("account", dates)
    op.add_column("account_alias", sa.Column("merged_as", sa.Text(collation="C")))
    op.execute(
        "UPDATE account_alias a SET merged_as = a.account_id WHERE EXISTS ("
        " SELECT FROM account_before_merge b WHERE b.workspace_id = a.workspace_id"
        " AND b.account_id = a.account_id AND b.is_source)"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("account_alias", "merged_as")
    op.drop_column("account", "lifecycle_dates")
