"""Following the data: traces, statistics, silent sources."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COUNTS = (
    *("received", "accepted", "duplicates", "quarantined", "erased"),
    *("late", "unattributed", "attributed", "replayed"),
)
SUMMARIES = "text_bloom_ops(n_distinct_per_range=5000, false_positive_rate=0.004)"


def key(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=nullable)


def instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def counts() -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), server_default="0", nullable=False) for name in COUNTS]


def number() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("event", key("account_by", nullable=True))
    op.add_column("event", sa.Column("known_on", sa.Date(), nullable=True))
    op.create_index(
        "event_message_id_idx",
        "event",
        ["message_id"],
        postgresql_using="brin",
        postgresql_ops={"message_id": SUMMARIES},
        postgresql_with={"pages_per_range": 128, "autosummarize": "on"},
    )
    change_quarantine()
    op.create_table(
        "ingest_tally",
        *(key("workspace_id"), key("key_id"), key("sdk"), key("code")),
        instant("at"),
        *counts(),
    )
    op.create_table(
        "ingest_hour",
        *(key("workspace_id"), key("key_id"), instant("hour"), key("sdk"), key("code")),
        instant("last_at", nullable=True),
        *counts(),
        sa.PrimaryKeyConstraint(
            *("workspace_id", "key_id", "hour", "sdk", "code"), name=op.f("ingest_hour_pkey")
        ),
    )
    op.create_table(
        "source",
        *(key("workspace_id"), key("key_id")),
        instant("last_event_at"),
        *(
            instant(name, nullable=True)
            for name in ("check_at", "silent_since", "noticed_at", "resumed_at")
        ),
        sa.PrimaryKeyConstraint("workspace_id", "key_id", name=op.f("source_pkey")),
    )
    op.create_table(
        "stale_account",
        *(key("workspace_id"), key("account_id"), key("key_id")),
        sa.PrimaryKeyConstraint(
            "workspace_id", "account_id", "key_id", name=op.f("stale_account_pkey")
        ),
    )
    op.create_table(
        "due_binding",
        number(),
        *(key("workspace_id"), key("user_id", nullable=True), key("anonymous_id", nullable=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("due_binding_pkey")),
    )
    op.create_index(
        op.f("user_alias_user_id_workspace_id_idx"), "user_alias", ["user_id", "workspace_id"]
    )


def change_quarantine() -> None:
    """Keep what it takes to read an event again; of those that wait the dialect is guessed."""
    op.add_column("quarantined_event", key("dialect", nullable=True))
    op.execute(
        """
        UPDATE quarantined_event SET dialect = CASE
            WHEN payload ~ '"(messageId|userId|anonymousId|groupId|previousId)":'
            THEN 'segment' ELSE 'native' END
        """
    )
    op.alter_column("quarantined_event", "dialect", nullable=False)
    op.add_column("quarantined_event", instant("sent_at", nullable=True))
    op.add_column(
        "quarantined_event",
        sa.Column("historical", sa.Boolean(), server_default="false", nullable=False),
    )
    op.create_index(
        op.f("quarantined_event_message_id_workspace_id_idx"),
        "quarantined_event",
        ["message_id", "workspace_id"],
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index(op.f("user_alias_user_id_workspace_id_idx"), "user_alias")
    for table in ("due_binding", "stale_account", "source", "ingest_hour", "ingest_tally"):
        op.drop_table(table)
    op.drop_index(op.f("quarantined_event_message_id_workspace_id_idx"), "quarantined_event")
    for name in ("historical", "sent_at", "dialect"):
        op.drop_column("quarantined_event", name)
    op.drop_index("event_message_id_idx", "event")
    for name in ("known_on", "account_by"):
        op.drop_column("event", name)
