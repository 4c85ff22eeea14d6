"""External ids, parents, plans with prices, exchange rates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PLAN_COLUMNS = ("price_shares", "seat_price_cents", "limits")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("account", sa.Column("parent_id", sa.Text(collation="C"), nullable=True))
    op.add_column(
        "account",
        sa.Column(
            "rollup", sa.Text(collation="C"), server_default="revenue_weighted", nullable=False
        ),
    )
    op.create_index(
        "account_parent_idx",
        "account",
        ["parent_id", "workspace_id", "account_id"],
        unique=False,
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )
    op.create_table(
        "external_id",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("system", sa.Text(collation="C"), nullable=False),
        sa.Column("external_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("external_id_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "system", "external_id", name=op.f("external_id_pkey")
        ),
    )
    op.create_index(
        op.f("external_id_account_id_workspace_id_idx"),
        "external_id",
        ["account_id", "workspace_id"],
        unique=False,
    )
    for name in ("price_shares", "limits"):
        op.add_column(
            "plan",
            sa.Column(
                name, postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
            ),
        )
    op.add_column("plan", sa.Column("seat_price_cents", sa.BigInteger(), nullable=True))
    op.create_table(
        "exchange_rate",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("currency", sa.Text(collation="C"), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("rate", sa.Numeric(), nullable=False),
        sa.CheckConstraint("rate > 0", name=op.f("exchange_rate_rate_check")),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("exchange_rate_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "currency", "starts_on", name=op.f("exchange_rate_pkey")
        ),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("exchange_rate")
    for name in PLAN_COLUMNS:
        op.drop_column("plan", name)
    op.drop_table("external_id")
    op.drop_index("account_parent_idx", table_name="account")
    op.drop_column("account", "rollup")
    op.drop_column("account", "parent_id")
