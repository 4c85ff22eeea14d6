"""Imports note the days of each period, so that a dry run counts shortened periods as well."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

INDEX = "import_period_import_id_subscription_idx"
DAYS = ("starts_on", "known_on", "ends_on")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("import_period", sa.Column("subscription", sa.LargeBinary(), nullable=True))
    for name in DAYS:
        op.add_column("import_period", sa.Column(name, sa.Date(), nullable=True))
    op.create_index(INDEX, "import_period", ["import_id", "subscription"])


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index(INDEX, table_name="import_period")
    for name in (*DAYS, "subscription"):
        op.drop_column("import_period", name)
