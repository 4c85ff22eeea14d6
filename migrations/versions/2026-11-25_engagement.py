"""Onboarding, tickets, surveys, feedback, goals, loyalty tiers, incidents, roles of people."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "feedback_item",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("feedback_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("user_id", sa.Text(collation="C"), nullable=True),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("product_feature", sa.Text(collation="C"), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("status", sa.Text(collation="C"), server_default="open", nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_known_on", sa.Date(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("feedback_item_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "feedback_id", name=op.f("feedback_item_pkey")),
    )
    op.create_index(
        op.f("feedback_item_account_id_workspace_id_at_idx"),
        "feedback_item",
        ["account_id", "workspace_id", "at"],
        unique=False,
    )
    op.create_table(
        "goal",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("goal_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(collation="C"), nullable=False),
        sa.Column("event_names", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("trait", sa.Text(), nullable=True),
        sa.Column("baseline", sa.Double(), nullable=False),
        sa.Column("target", sa.Double(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("goal_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "goal_id", name=op.f("goal_pkey")),
    )
    op.create_index(
        op.f("goal_account_id_workspace_id_idx"),
        "goal",
        ["account_id", "workspace_id"],
        unique=False,
    )
    op.create_table(
        "incident",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("incident_id", sa.Text(collation="C"), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_known_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("incident_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "incident_id", name=op.f("incident_pkey")),
    )
    op.create_table(
        "incident_account",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("incident_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("apology_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("apology_known_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("incident_account_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "incident_id", "account_id", name=op.f("incident_account_pkey")
        ),
    )
    op.create_index(
        op.f("incident_account_account_id_workspace_id_idx"),
        "incident_account",
        ["account_id", "workspace_id"],
        unique=False,
    )
    op.create_table(
        "loyalty_tier",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("metric", sa.Text(collation="C"), nullable=False),
        sa.Column("event_names", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("trait", sa.Text(), nullable=True),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("loyalty_tier_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "key", name=op.f("loyalty_tier_pkey")),
    )
    op.create_table(
        "onboarding_completion",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("step_key", sa.Text(collation="C"), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("onboarding_completion_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id",
            "account_id",
            "step_key",
            "known_on",
            name=op.f("onboarding_completion_pkey"),
        ),
    )
    op.create_table(
        "onboarding_step",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("event_names", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("trait", sa.Text(), nullable=True),
        sa.Column("target_days", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("onboarding_step_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "key", name=op.f("onboarding_step_pkey")),
    )
    op.create_table(
        "person_role",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("user_id", sa.Text(collation="C"), nullable=False),
        sa.Column("role", sa.Text(collation="C"), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("person_role_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "user_id", "role", "known_on", name=op.f("person_role_pkey")
        ),
    )
    op.create_table(
        "survey_response",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("response_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("user_id", sa.Text(collation="C"), nullable=True),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("ticket_id", sa.Text(collation="C"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("survey_response_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "response_id", name=op.f("survey_response_pkey")),
    )
    op.create_index(
        op.f("survey_response_account_id_workspace_id_at_idx"),
        "survey_response",
        ["account_id", "workspace_id", "at"],
        unique=False,
    )
    op.create_table(
        "ticket",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("ticket_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=True),
        sa.Column("user_id", sa.Text(collation="C"), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("priority", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("ticket_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "ticket_id", name=op.f("ticket_pkey")),
    )
    op.create_index(
        op.f("ticket_account_id_workspace_id_opened_at_idx"),
        "ticket",
        ["account_id", "workspace_id", "opened_at"],
        unique=False,
    )
    op.create_table(
        "ticket_moment",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("ticket_id", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "ticket_id"],
            ["ticket.workspace_id", "ticket.ticket_id"],
            name=op.f("ticket_moment_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "ticket_id", "kind", "at", "known_on", name=op.f("ticket_moment_pkey")
        ),
    )
    op.add_column(
        "workspace",
        sa.Column(
            "semantic_events",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("workspace", "semantic_events")
    op.drop_table("ticket_moment")
    op.drop_index(op.f("ticket_account_id_workspace_id_opened_at_idx"), table_name="ticket")
    op.drop_table("ticket")
    op.drop_index(
        op.f("survey_response_account_id_workspace_id_at_idx"), table_name="survey_response"
    )
    op.drop_table("survey_response")
    op.drop_table("person_role")
    op.drop_table("onboarding_step")
    op.drop_table("onboarding_completion")
    op.drop_table("loyalty_tier")
    op.drop_index(
        op.f("incident_account_account_id_workspace_id_idx"), table_name="incident_account"
    )
    op.drop_table("incident_account")
    op.drop_table("incident")
    op.drop_index(op.f("goal_account_id_workspace_id_idx"), table_name="goal")
    op.drop_table("goal")
    op.drop_index(op.f("feedback_item_account_id_workspace_id_at_idx"), table_name="feedback_item")
    op.drop_table("feedback_item")
