"""Playbooks of one's own, interventions, experiments and who is in which arm."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "assignment",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("experiment_id", sa.Text(collation="C"), nullable=False),
        sa.Column("arm", sa.Text(collation="C"), nullable=False),
        sa.Column("family", sa.Text(collation="C"), nullable=False),
        sa.Column("signal", sa.Text(collation="C"), nullable=False),
        sa.Column("assigned_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("success", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("assignment_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "account_id", "experiment_id", name=op.f("assignment_pkey")
        ),
    )
    op.create_index(
        "assignment_due_idx", "assignment", ["due_on"], postgresql_where="success IS NULL"
    )
    op.create_index(
        op.f("assignment_workspace_id_experiment_id_account_id_idx"),
        "assignment",
        ["workspace_id", "experiment_id", "account_id"],
    )
    op.create_table(
        "experiment",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("playbook", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("config", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "tally", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("winner", sa.Text(collation="C"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("experiment_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("experiment_pkey")),
    )
    op.create_index(
        "experiment_running_key",
        "experiment",
        ["workspace_id", "playbook"],
        unique=True,
        postgresql_where="state = 'running'",
    )
    op.create_table(
        "intervention",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("playbook", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("signal", sa.Text(collation="C"), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("value_cents", sa.Double(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("experiment_id", sa.Text(collation="C"), nullable=True),
        sa.Column("arm", sa.Text(collation="C"), nullable=True),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("baseline_on", sa.Date(), nullable=True),
        sa.Column("outcome_due_on", sa.Date(), nullable=True),
        sa.Column(
            "outcomes", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("intervention_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("intervention_pkey")),
    )
    op.create_index(
        op.f("intervention_account_id_workspace_id_idx"),
        "intervention",
        ["account_id", "workspace_id"],
    )
    op.create_index(
        "intervention_due_idx",
        "intervention",
        ["outcome_due_on"],
        postgresql_where="outcome_due_on IS NOT NULL",
    )
    op.create_index(
        "intervention_suggested_idx",
        "intervention",
        ["workspace_id", "value_cents", "id"],
        postgresql_where="state = 'suggested'",
    )
    op.create_table(
        "own_playbook",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("config", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("own_playbook_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "key", name=op.f("own_playbook_pkey")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in ("assignment", "experiment", "intervention", "own_playbook"):
        op.drop_table(table)
