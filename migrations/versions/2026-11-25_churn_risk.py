"""Churn risks: the newest, their history, and what they are held against."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "churn_yardstick",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("basis", sa.Text(collation="C"), nullable=False),
        sa.Column("event_names", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("medians", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("computed_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("churn_yardstick_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("churn_yardstick_pkey")),
    )
    op.create_table(
        "churn_risk",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column("level", sa.Text(collation="C"), nullable=True),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("risk", sa.Float(), nullable=True),
        sa.Column("stage", sa.Text(collation="C"), nullable=False),
        sa.Column("model_version", sa.Integer(), nullable=True),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("mrr_cents", sa.BigInteger(), nullable=False),
        sa.Column("revenue_at_risk_cents", sa.BigInteger(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", name=op.f("churn_risk_pkey")),
    )
    op.create_index(
        op.f("churn_risk_workspace_id_risk_account_id_idx"),
        "churn_risk",
        ["workspace_id", "risk", "account_id"],
        unique=False,
    )
    op.create_table(
        "churn_risk_history",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column("level", sa.Text(collation="C"), nullable=True),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("risk", sa.Float(), nullable=True),
        sa.Column("stage", sa.Text(collation="C"), nullable=False),
        sa.Column("model_version", sa.Integer(), nullable=True),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("revenue_at_risk_cents", sa.BigInteger(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "account_id", "as_of", name=op.f("churn_risk_history_pkey")
        ),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("churn_risk_history")
    op.drop_table("churn_risk")
    op.drop_table("churn_yardstick")
