"""Statistics count hints; old errors and look-up tables of imports, which hold values, are removed.

Until now messages of row errors could quote a cell, and look-up tables stayed in ended jobs.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None
TABLES = ("ingest_tally", "ingest_hour")
CLEAR_ERRORS = """
    UPDATE import_error SET message =
        'A field is missing or invalid. The message was removed, as it could quote the row.'
    WHERE code IN ('invalid_row', 'unstorable')
"""
CLEAR_LOOKUPS = """
    UPDATE job SET config = config || '{"lookups": {}}'
    WHERE state = 'done' AND config ? 'lookups' AND config -> 'lookups' <> '{}'
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(CLEAR_ERRORS)
    op.execute(CLEAR_LOOKUPS)
    for table in TABLES:  # last: ingestion waits from here to the commit
        op.add_column(table, sa.Column("warned", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in TABLES:
        op.execute(f"DELETE FROM {table} WHERE warned > 0")  # noqa: S608 - a constant
        op.drop_column(table, "warned")
