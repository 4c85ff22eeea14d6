"""The statistics of ingestion count hints: fields of events that are not read."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None
TABLES = ("ingest_tally", "ingest_hour")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in TABLES:
        op.add_column(table, sa.Column("warned", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in TABLES:
        op.execute(f"DELETE FROM {table} WHERE warned > 0")  # noqa: S608 - a constant
        op.drop_column(table, "warned")
