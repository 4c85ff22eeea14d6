"""Indexes in the order of revenue at risk."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_index(
        "churn_risk_at_stake_idx",
        "churn_risk",
        ["workspace_id", sa.literal_column("revenue_at_risk_cents DESC"), "account_id"],
        unique=False,
        postgresql_where="probability IS NOT NULL",
    )
    op.create_index(
        "health_score_at_stake_idx",
        "health_score",
        ["workspace_id", sa.literal_column("mrr_cents DESC"), "account_id"],
        unique=False,
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("health_score_at_stake_idx", table_name="health_score")
    op.drop_index("churn_risk_at_stake_idx", table_name="churn_risk")
