from collections.abc import Collection
from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.alerts.rule_values import RiskValue
from app.churn.tables import ChurnRisk, ChurnRiskHistory


def load_risks(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> dict[str, RiskValue]:
    """Return the current churn risks by account; accounts without a risk level are omitted."""
    rows = session.execute(
        select(
            ChurnRisk.account_id, ChurnRisk.probability, ChurnRisk.level, ChurnRisk.model_version
        ).where(
            ChurnRisk.workspace_id == workspace_id,
            ChurnRisk.account_id.in_(account_ids),
            ChurnRisk.level.is_not(None),
        )
    )
    return {
        row.account_id: RiskValue(row.probability, row.level, row.model_version) for row in rows
    }


def load_risks_on(
    session: Session, workspace_id: str, account_ids: Collection[str], *, day: date
) -> dict[str, RiskValue]:
    """Return the last churn risks on or before a day, by account."""
    table = ChurnRiskHistory
    rows = session.execute(
        select(table.account_id, table.probability, table.level, table.model_version)
        .ext(distinct_on(table.account_id))
        .where(
            table.workspace_id == workspace_id,
            table.account_id.in_(account_ids),
            table.as_of <= day,
        )
        .order_by(table.account_id, table.as_of.desc())
    )
    return {
        row.account_id: RiskValue(row.probability, row.level, row.model_version) for row in rows
    }
