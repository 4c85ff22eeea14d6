from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.interventions.tables import Intervention


def load_treated_days(session: Session, workspace_id: str) -> Mapping[str, Sequence[date]]:
    """Say on which days something was done about which account."""
    done = select(Intervention.account_id, Intervention.done_at).where(
        Intervention.workspace_id == workspace_id, Intervention.done_at.is_not(None)
    )
    found: dict[str, list[date]] = {}
    for account_id, at in session.execute(done):
        if at is not None:
            found.setdefault(account_id, []).append(at.date())
    return found
