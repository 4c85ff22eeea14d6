"""A billing source says whether events of test mode and of connected accounts count.

Prices are computed by new rules, so workers compute those of all customers again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column(
        "billing_source",
        sa.Column("test_mode", sa.Boolean(), server_default="false", nullable=False),
    )
    op.add_column(
        "billing_source",
        sa.Column(
            "connected_accounts",
            sa.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
        ),
    )
    op.execute("UPDATE billing_customer SET needs_reconcile = true WHERE NOT erased")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("billing_source", "connected_accounts")
    op.drop_column("billing_source", "test_mode")
