"""Which event names each source sends, since when: use before a source began is unknown.

Names and sources of earlier releases count as known since the first event of their workspace.
"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "source_event_name",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("key_id", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "key_id", "name", name=op.f("source_event_name_pkey")
        ),
    )
    op.execute(
        "INSERT INTO source_event_name (workspace_id, key_id, name, first_day)"
        " SELECT k.workspace_id, k.key_id, k.name, f.day FROM ("
        " SELECT workspace_id, '' AS key_id, name FROM event_name"
        " UNION ALL SELECT workspace_id, key_id, '' FROM source"
        ") AS k JOIN ("
        " SELECT workspace_id, min(day) AS day FROM first_use GROUP BY workspace_id"
        ") AS f ON f.workspace_id = k.workspace_id"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("source_event_name")
