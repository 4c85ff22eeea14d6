from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.tables import Subscription
from app.alerts.tables import AlertRule
from app.churn.tables import ChurnModel
from app.core.pagination import Paging
from app.health.tables import Scorecard
from app.jobs import queries as jobs

MAX_JOBS = 1000


def load_subscription_ends(
    session: Session, workspace_id: str, account_ids: Sequence[str]
) -> dict[str, list[date]]:
    """Return the days from which subscriptions of accounts did not run any more, in order."""
    rows = session.execute(
        select(Subscription.account_id, Subscription.ends_on)
        .where(
            Subscription.workspace_id == workspace_id,
            Subscription.account_id.in_(account_ids),
            Subscription.ends_on > Subscription.starts_on,
            Subscription.mrr_cents > 0,
        )
        .distinct()
        .order_by(Subscription.account_id, Subscription.ends_on)
    )
    found: dict[str, list[date]] = {}
    for account_id, day in rows:
        if day is not None:
            found.setdefault(account_id, []).append(day)
    return found


def list_active_subjects(session: Session, workspace_id: str) -> list[tuple[str, str]]:
    """Name the model, the scorecard and the rules that somebody has activated."""
    model = select(ChurnModel.version).where(
        ChurnModel.workspace_id == workspace_id, ChurnModel.state == "active"
    )
    card = select(Scorecard.version).where(
        Scorecard.workspace_id == workspace_id, Scorecard.state == "active"
    )
    rules = select(AlertRule.key, AlertRule.version).where(
        AlertRule.workspace_id == workspace_id, AlertRule.active
    )
    return [
        *(("model", str(version)) for version in session.scalars(model)),
        *(("scorecard", str(version)) for version in session.scalars(card)),
        *(("alert_rule", key) for key, _ in session.execute(rules)),
    ]


def list_tested_subjects(session: Session, workspace_id: str, kind: str) -> set[tuple[str, str]]:
    """Name what was tried in the jobs that are kept, or is about to be."""
    kept = jobs.list_jobs(session, workspace_id, Paging(MAX_JOBS, None), kinds=[kind])
    return {(each["kind"], each["key"]) for row in kept.rows for each in row.config["subjects"]}
