"""Let go of summaries of ranges that rows still come into: each such row would change them."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Ranges that are full keep theirs; autovacuum writes the others when they are."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        "SELECT brin_desummarize_range("
        "    i.indexrelid,"
        "    greatest(pg_relation_size(i.indrelid)"
        "        / CAST(current_setting('block_size') AS int) - 1, 0))"
        " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " JOIN pg_am a ON a.oid = c.relam"
        " JOIN pg_inherits h ON h.inhrelid = i.indrelid"
        " WHERE a.amname = 'brin' AND h.inhparent = to_regclass('event')"
    )


def downgrade() -> None:
    """Nothing is to be undone: summaries are made again by themselves."""
    op.execute("SET LOCAL lock_timeout = '5s'")
