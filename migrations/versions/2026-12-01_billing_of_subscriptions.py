"""Subscriptions know how they are billed and renewed, and their discount."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

COLUMNS = {
    "billing_period_months": sa.Integer(),
    "term_months": sa.Integer(),
    "auto_renews": sa.Boolean(),
    "discount_share": sa.Double(),
}
CHECK = "billing_period_months > 0 AND term_months > 0 AND discount_share BETWEEN 0 AND 1"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name, kind in COLUMNS.items():
        op.add_column("subscription", sa.Column(name, kind, nullable=True))
    op.create_check_constraint(op.f("subscription_billing_check"), "subscription", CHECK)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name in COLUMNS:
        op.drop_column("subscription", name)
