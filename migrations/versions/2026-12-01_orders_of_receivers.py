"""Limits, warnings and orders of webhook endpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column(
        "webhook_endpoint", sa.Column("warned", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("webhook_endpoint", sa.Column("max_per_second", sa.Integer(), nullable=True))
    op.add_column(
        "webhook_endpoint", sa.Column("next_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name in ("next_at", "max_per_second", "warned"):
        op.drop_column("webhook_endpoint", name)
