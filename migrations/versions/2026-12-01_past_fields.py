"""Segments and starts of accounts are kept before they change, for figures of past days."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column(
        "account_before_merge",
        sa.Column("is_change", sa.Boolean(), server_default="false", nullable=False),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DELETE FROM account_before_merge WHERE is_change")
    op.drop_column("account_before_merge", "is_change")
