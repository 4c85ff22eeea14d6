"""Lists stay stable while they are paged: values by which they are sorted are kept for a while.

Triggers write the old values, so that no writer can forget it. docs/adr/0033 has the reason.
"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

SOURCES = {
    "account": ("name",),
    "health_score": ("score", "mrr_cents", "band", "renewal_on", "trend7", "trend28"),
    "churn_risk": ("probability", "level", "risk", "revenue_at_risk_cents"),
    "intervention": ("value_cents",),
}

FUNCTION = """
CREATE FUNCTION record_{source}_sort_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO sort_change (workspace_id, account_id, source, transaction_id, created_at)
        VALUES (NEW.workspace_id, NEW.account_id, '{source}',
                CAST(CAST(pg_current_xact_id() AS text) AS bigint), clock_timestamp());
    ELSE
        INSERT INTO sort_change (
            workspace_id, account_id, source, transaction_id, created_at, {names})
        VALUES (OLD.workspace_id, OLD.account_id, '{source}',
                CAST(CAST(pg_current_xact_id() AS text) AS bigint), clock_timestamp(), {values});
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "sort_change",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("source", sa.Text(collation="C"), nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("score", sa.Double()),
        sa.Column("mrr_cents", sa.BigInteger()),
        sa.Column("band", sa.Text(collation="C")),
        sa.Column("renewal_on", sa.Text(collation="C")),
        sa.Column("trend7", sa.Double()),
        sa.Column("trend28", sa.Double()),
        sa.Column("machine_value", sa.Double()),
        sa.Column("probability", sa.Double()),
        sa.Column("level", sa.Text(collation="C")),
        sa.Column("risk", sa.Double()),
        sa.Column("revenue_at_risk_cents", sa.BigInteger()),
        sa.Column("intervention_id", sa.Text(collation="C")),
        sa.Column("value_cents", sa.Double()),
        sa.PrimaryKeyConstraint(
            "workspace_id",
            "account_id",
            "source",
            "transaction_id",
            "number",
            name="sort_change_pkey",
        ),
    )
    op.create_index(
        "sort_change_workspace_id_transaction_id_idx",
        "sort_change",
        ["workspace_id", "transaction_id"],
    )
    op.create_index("sort_change_created_at_idx", "sort_change", ["created_at"])
    for source, columns in SOURCES.items():
        _create_triggers(source, columns)


def _create_triggers(source: str, columns: tuple[str, ...]) -> None:
    values = {name: f"OLD.{name}" for name in columns}
    is_changed = f"({_row('OLD', columns)}) IS DISTINCT FROM ({_row('NEW', columns)})"
    if source == "health_score":  # the list of overrides is sorted by the computed score
        values["machine_value"] = (
            "CASE WHEN OLD.status = 'overridden' AND jsonb_typeof(OLD.details -> 'machine') ="
            " 'object' THEN CAST(OLD.details #>> '{machine,value}' AS double precision)"
            " ELSE OLD.score END"
        )
        is_changed += " OR OLD.status = 'overridden' OR NEW.status = 'overridden'"
    if source == "intervention":
        values["intervention_id"] = "OLD.id"
    names, old_values = ", ".join(values), ", ".join(values.values())
    op.execute(FUNCTION.format(source=source, names=names, values=old_values))
    _create_trigger(source, f"UPDATE ON {source} FOR EACH ROW WHEN ({is_changed})")
    if source in {"health_score", "churn_risk"}:  # an account may gain and lose these rows
        _create_trigger(source, f"INSERT ON {source} FOR EACH ROW")
        _create_trigger(source, f"DELETE ON {source} FOR EACH ROW")


def _create_trigger(source: str, event: str) -> None:
    name = f"{source}_sort_{event.partition(' ')[0].lower()}"
    function = f"record_{source}_sort_change()"
    op.execute(f"CREATE TRIGGER {name} AFTER {event} EXECUTE FUNCTION {function}")


def _row(side: str, columns: tuple[str, ...]) -> str:
    return ", ".join(f"{side}.{name}" for name in columns)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for source in SOURCES:
        op.execute(f"DROP FUNCTION record_{source}_sort_change CASCADE")
    op.drop_table("sort_change")
