"""Find the alerts of an account, resolved ones too, for its timeline."""

from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_index(
        op.f("alert_account_id_workspace_id_idx"), "alert", ["account_id", "workspace_id"]
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index(op.f("alert_account_id_workspace_id_idx"), table_name="alert")
