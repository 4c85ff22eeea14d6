"""Accounts with a score and open signals, as a refresh of suggestions expects them."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.interventions import suggestion_service
from app.tables import AccountSignal, HealthHistory, HealthScore, Intervention, Message
from tests import factories
from tests.conftest import NOW

TODAY = NOW.date()
PROFILE = {"industry": "retail", "employees": 50, "end_customers": 900}


def create_account(
    session: Session,
    account_id: str = "a1",
    *signals: str,
    severity: str = "medium",
    status: str = "ok",
    band: str = "watch",
    mrr_cents: int = 100_00,
    **columns: Any,  # noqa: ANN401
) -> None:
    """Create an account with a score and a complete profile."""
    factories.account(session, account_id, **{**PROFILE, **columns})
    session.add(
        HealthScore(
            workspace_id="acme",
            account_id=account_id,
            as_of=TODAY,
            score=40.0,
            band=band,
            status=status,
            mrr_cents=mrr_cents,
            details={"currency": "USD", "inputs": {"active_users": 4}, "seats": 10},
            computed_at=NOW,
        )
    )
    for name in signals:
        open_signal(session, account_id, name, severity=severity)
    session.flush()


def open_signal(
    session: Session,
    account_id: str,
    name: str,
    *,
    severity: str = "medium",
    **evidence: Any,  # noqa: ANN401
) -> AccountSignal:
    row = AccountSignal(
        workspace_id="acme",
        account_id=account_id,
        signal=name,
        key="",
        severity=severity,
        since=TODAY - timedelta(days=3),
        evidence=evidence,
        opened_at=NOW - timedelta(days=3),
        changed_at=NOW,
    )
    session.add(row)
    session.flush()
    return row


def record_history(
    session: Session,
    account_id: str,
    day: date,
    *,
    status: str = "ok",
    score: float | None,
    paid_until: date | None = None,
) -> None:
    """Write a row of score history on a past day."""
    session.add(
        HealthHistory(
            workspace_id="acme",
            account_id=account_id,
            as_of=day,
            change=0,
            score=score,
            band="watch",
            status=status,
            coverage=1.0,
            mrr_cents=100_00,
            details={
                "measures": [{"name": "breadth", "score": score}],
                "inputs": {"paid_until": paid_until and paid_until.isoformat()},
            },
            computed_at=NOW,
        )
    )
    session.flush()


def refresh(session: Session, *account_ids: str, days: int = 0, silent: bool = False) -> int:
    """Refresh suggestions as of a number of days from now; return how many rows changed."""
    now = NOW + timedelta(days=days)
    ids = sorted(account_ids or ["a1"])
    return suggestion_service.refresh(
        session, "acme", ids, as_of=now.date(), now=now, silent=ids if silent else ()
    )


def suggested_playbooks(session: Session, account_id: str = "a1") -> list[str]:
    """Return the suggested playbooks in the order of their rank."""
    session.expire_all()
    rows = session.scalars(
        select(Intervention)
        .where(Intervention.account_id == account_id, Intervention.state == "suggested")
        .order_by(Intervention.rank)
    )
    return [row.playbook for row in rows]


def sent_messages(session: Session) -> list[tuple[str, str | None]]:
    rows = session.execute(
        select(Message.type, Message.account_id).order_by(Message.created_at, Message.id)
    )
    return [(kind, account_id) for kind, account_id in rows]
