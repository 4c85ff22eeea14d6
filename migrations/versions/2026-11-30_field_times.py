"""Accounts and users know when each field was stated, so that late calls change the right ones.

Rows get no times here: until a call arrives, the fields of a row are as old as the row. So no row
is rewritten, and the lock is short.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

TABLES = ("account", "user")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in TABLES:
        op.add_column(
            table,
            sa.Column("field_times", postgresql.JSONB(), server_default="{}", nullable=False),
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in TABLES:
        op.drop_column(table, "field_times")
