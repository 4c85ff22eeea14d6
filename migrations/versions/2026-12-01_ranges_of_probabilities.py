"""Churn models are recalibrated, churn risks have a range, and their history has the price.

The price of earlier rows follows from what they put at risk.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

RANGE = ("probability_low", "probability_high")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column(
        "churn_model",
        sa.Column(
            "recalibrations", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False
        ),
    )
    for table in ("churn_risk", "churn_risk_history"):
        for name in RANGE:
            op.add_column(table, sa.Column(name, sa.Double(), nullable=True))
    op.add_column("churn_risk_history", sa.Column("mrr_cents", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE churn_risk_history"
        " SET mrr_cents = round(revenue_at_risk_cents / (12 * probability))"
        " WHERE probability > 0"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("churn_risk_history", "mrr_cents")
    for table in ("churn_risk_history", "churn_risk"):
        for name in RANGE:
            op.drop_column(table, name)
    op.drop_column("churn_model", "recalibrations")
