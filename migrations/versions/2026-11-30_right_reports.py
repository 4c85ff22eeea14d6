"""Reports know since when an account is excluded or merged, and which scores have no rate."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import DATEMULTIRANGE

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("account", sa.Column("excluded_days", DATEMULTIRANGE()))
    op.add_column(
        "subscription",
        sa.Column("merged_from", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
    )
    op.add_column(
        "subscription",
        sa.Column("merged_on", sa.ARRAY(sa.Date()), server_default="{}", nullable=False),
    )
    op.add_column(
        "health_score",
        sa.Column(
            "price_status",
            sa.Text(collation="C"),
            sa.Computed("details ->> 'price_status'::text", persisted=True),
        ),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("health_score", "price_status")
    op.drop_column("subscription", "merged_on")
    op.drop_column("subscription", "merged_from")
    op.drop_column("account", "excluded_days")
