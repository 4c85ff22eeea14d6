"""The index of days finds the first event of a workspace, and nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("first_use_day_idx", "first_use")
    columns = [sa.text("(workspace_id || '')"), sa.text("(day + 0)")]
    op.create_index("first_use_day_idx", "first_use", columns)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("first_use_day_idx", "first_use")
    op.create_index("first_use_day_idx", "first_use", ["workspace_id", "day"])
