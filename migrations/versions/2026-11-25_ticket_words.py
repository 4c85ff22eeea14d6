"""What is said of a ticket stands with the moment at which it was said."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("ticket", "said_at")
    for name in ("subject", "priority", "channel"):
        op.add_column("ticket_moment", sa.Column(name, sa.Text(), nullable=True))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name in ("channel", "priority", "subject"):
        op.drop_column("ticket_moment", name)
    op.add_column(
        "ticket",
        sa.Column("said_at", sa.DateTime(timezone=True), server_default="now()", nullable=False),
    )
