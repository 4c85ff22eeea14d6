"""Only accounts at risk put revenue at risk; benchmarks know how much data they are fitted to."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("benchmark", sa.Column("accounts_known", sa.Integer()))
    op.add_column("benchmark", sa.Column("usage_rows", sa.Integer()))
    op.add_column("benchmark", sa.Column("checked_at", sa.DateTime(timezone=True)))
    _replace_indexes("probability IS NOT NULL OR level = 'high'", "band = 'at_risk'")
    op.execute(
        "UPDATE churn_risk SET revenue_at_risk_cents ="
        " CASE WHEN level = 'high' THEN (360 * mrr_cents + 50) / 100 ELSE 0 END"
        " WHERE probability IS NULL"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        "UPDATE churn_risk SET revenue_at_risk_cents = 12 * mrr_cents WHERE probability IS NULL"
    )
    op.execute(
        "UPDATE churn_risk SET details = jsonb_set(details, '{revenue_basis}', '\"arr\"')"
        " WHERE probability IS NULL"
    )
    _replace_indexes("probability IS NOT NULL", None)
    for name in ("checked_at", "usage_rows", "accounts_known"):
        op.drop_column("benchmark", name)


def _replace_indexes(of_risks: str, of_scores: str | None) -> None:
    op.drop_index("churn_risk_at_stake_idx", table_name="churn_risk")
    op.drop_index("health_score_at_stake_idx", table_name="health_score")
    op.create_index(
        "churn_risk_at_stake_idx",
        "churn_risk",
        ["workspace_id", sa.literal_column("revenue_at_risk_cents DESC"), "account_id"],
        postgresql_where=of_risks,
    )
    op.create_index(
        "health_score_at_stake_idx",
        "health_score",
        ["workspace_id", sa.literal_column("mrr_cents DESC"), "account_id"],
        postgresql_where=of_scores,
    )
