"""A list that is paged keeps an unknown MRR as null, and that of a missing score as 0."""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

RECORDED = ("score", "mrr_cents", "band", "renewal_on", "trend7", "trend28")
TRANSACTION = "CAST(CAST(pg_current_xact_id() AS text) AS bigint)"
UPDATES = """
CREATE OR REPLACE FUNCTION record_health_score_updates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sort_change (
        workspace_id, account_id, source, transaction_id, created_at, {names})
    SELECT o.workspace_id, o.account_id, 'health_score', {transaction}, clock_timestamp(), {values}
    FROM old_rows o JOIN new_rows n
        ON n.workspace_id = o.workspace_id AND n.account_id = o.account_id
    WHERE {is_changed};
    RETURN NULL;
END $$
"""
EXISTENCE = """
CREATE OR REPLACE FUNCTION record_health_score_sort_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO sort_change (
            workspace_id, account_id, source, transaction_id, created_at, unused{mrr})
        VALUES (NEW.workspace_id, NEW.account_id, 'health_score', {transaction},
                clock_timestamp(), '[]'{zero});
    ELSE
        INSERT INTO sort_change (
            workspace_id, account_id, source, transaction_id, created_at, {names})
        VALUES (OLD.workspace_id, OLD.account_id, 'health_score', {transaction},
                clock_timestamp(), {values});
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _replace(knows_unknown=True)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _replace(knows_unknown=False)


def _replace(*, knows_unknown: bool) -> None:
    before, after = (_columns(row, knows_unknown=knows_unknown) for row in ("o", "n"))
    old, new = _unused("o"), _unused("n")
    is_changed = (
        f"({', '.join(before.values())}) IS DISTINCT FROM ({', '.join(after.values())})"
        f" OR o.status = 'overridden' OR n.status = 'overridden' OR {old} <> {new}"
    )
    values = before | {
        "machine_value": _machine_value("o"),
        "unused": f"CASE WHEN {old} <> {new} THEN {old} END",
    }
    op.execute(UPDATES.format(**_lists(values), is_changed=is_changed))
    values = _columns("OLD", knows_unknown=knows_unknown) | {
        "machine_value": _machine_value("OLD"),
        "unused": _unused("OLD"),
    }
    mrr, zero = (", mrr_cents", ", 0") if knows_unknown else ("", "")
    op.execute(EXISTENCE.format(**_lists(values), mrr=mrr, zero=zero))


def _lists(values: dict[str, str]) -> dict[str, str]:
    names, parts = ", ".join(values), ", ".join(values.values())
    return {"names": names, "values": parts, "transaction": TRANSACTION}


def _columns(row: str, *, knows_unknown: bool) -> dict[str, str]:
    values = {name: f"{row}.{name}" for name in RECORDED}
    if knows_unknown:
        values["mrr_cents"] = (
            f"CASE WHEN {row}.price_status IS DISTINCT FROM 'no_rate' THEN {row}.mrr_cents END"
        )
    return values


def _machine_value(row: str) -> str:
    """Return the computed score below an override, which the list of overrides is sorted by."""
    is_object = f"jsonb_typeof({row}.details -> 'machine') = 'object'"
    return (
        f"CASE WHEN {row}.status = 'overridden' AND {is_object}"
        f" THEN CAST({row}.details #>> '{{machine,value}}' AS double precision)"
        f" ELSE {row}.score END"
    )


def _unused(row: str) -> str:
    return f"coalesce({row}.details #> '{{entitlement,unused}}', '[]')"
