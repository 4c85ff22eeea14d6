"""The signing secret of a billing source is sealed; a plain one is, when its next event comes."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("billing_source", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.alter_column("billing_source", "signing_secret", nullable=True)


def downgrade() -> None:
    """Sources whose secret cannot be read without the key have to be connected again."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DELETE FROM billing_source WHERE signing_secret IS NULL")
    op.alter_column("billing_source", "signing_secret", nullable=False)
    op.drop_column("billing_source", "sealed")
