"""The health envelope: the health of an account together with its churn risk."""

from sqlalchemy.orm import Session

from app.churn.scoring.risk import current_status
from app.core.languages import Language
from app.health.rollups.queries import roll_up_account
from app.health.schemas import HealthOut
from app.health.status_reasons import status_reason
from app.portfolio.envelope_queries import Envelope, get_envelope
from app.portfolio.schemas import ChurnRiskSummary


class AccountHealthOut(HealthOut):
    """The health of an account: how much value it gets for its price, and its churn risk."""

    churn_risk: ChurnRiskSummary = ChurnRiskSummary()


def build_envelope(row: Envelope, language: Language) -> AccountHealthOut:
    envelope = AccountHealthOut.from_account_health(row)
    envelope.status_reason = status_reason(
        envelope.status,
        envelope.coverage,
        row.details or {},
        language,
        silent_since=row.silent_since,
    )
    risk = ChurnRiskSummary()
    if row.ChurnRisk:
        risk = ChurnRiskSummary.model_validate(row.ChurnRisk)
    risk.revenue_at_risk_cents = row.revenue_at_risk_cents
    risk.revenue_basis = row.revenue_basis
    risk.status = current_status(risk.status, envelope.last_used_on)
    envelope.churn_risk = risk
    return envelope


def read_envelope(
    session: Session, workspace_id: str, account_id: str, language: Language
) -> tuple[Envelope, AccountHealthOut]:
    """Return the row of an account and its envelope, of a parent with its rollup."""
    row = get_envelope(session, workspace_id, account_id)
    envelope = build_envelope(row, language)
    if row.has_children:
        envelope.rollup = roll_up_account(session, workspace_id, account_id)
    return row, envelope
