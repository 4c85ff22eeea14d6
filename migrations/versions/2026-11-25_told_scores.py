"""What readers of changes were last told of a score."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("health_score", sa.Column("told_score", sa.Double(), nullable=True))
    op.add_column("health_score", sa.Column("told_band", sa.Text(collation="C"), nullable=True))
    op.add_column("health_score", sa.Column("told_status", sa.Text(collation="C"), nullable=True))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name in ("told_status", "told_band", "told_score"):
        op.drop_column("health_score", name)
