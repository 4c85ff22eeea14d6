"""How long before the renewal notice must be given."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("subscription", sa.Column("notice_days", sa.Integer(), nullable=True))
    op.create_check_constraint(
        op.f("subscription_notice_check"), "subscription", "notice_days >= 0"
    )
    said = sa.Computed("details ->> 'notice_on'::text", persisted=True)
    op.add_column("health_score", sa.Column("notice_on", sa.Text(collation="C"), said))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("health_score", "notice_on")
    op.drop_column("subscription", "notice_days")
