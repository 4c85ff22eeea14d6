"""The refresh queue is ordered by workspace, so that workspaces take turns."""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_constraint("due_pkey", "due", type_="primary")
    op.create_primary_key("due_pkey", "due", ["priority", "workspace_id", "id"])


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_constraint("due_pkey", "due", type_="primary")
    op.create_primary_key("due_pkey", "due", ["priority", "id"])
