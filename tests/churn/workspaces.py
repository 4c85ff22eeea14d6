"""A small workspace with accounts that stay and accounts that leave."""

from datetime import date, timedelta

from sqlalchemy.orm import Session

from app.churn.model.horizon import Horizon
from app.churn.model.panel import Panel
from app.churn.training import observations, queries
from app.features.table import TableSpec
from app.tables import EventName
from tests import factories

UNTIL = date(2026, 3, 17)
"""The last day that is over."""
STARTED_ON = date(2025, 6, 10)


def add_usage(
    session: Session, account_id: str, since: date, until: date, *, every: int = 2, events: int = 3
) -> None:
    """Add usage every ``every`` days, from ``since`` to the day before ``until``."""
    factories.first_use(session, since, account_id=account_id)
    for n in range(0, (until - since).days, every):
        day = since + timedelta(days=n)
        factories.usage(session, day, account_id=account_id, events=events)


def create_customers(session: Session, *, stay: int = 6, leave: int = 3, apart: int = 50) -> None:
    """Create accounts that keep paying, and accounts that fall quiet and then stop paying.

    The first one stops in November, the next ``apart`` days later, and so on.
    """
    factories.workspace(session)
    session.add(
        EventName(
            workspace_id="acme", name="Export", is_view=False, first_seen_at=factories.LONG_AGO
        )
    )
    for n in range(stay + leave):
        account_id = f"a{n}"
        factories.account(session, account_id)
        left = None if n < stay else date(2025, 11, 20) + timedelta(days=apart * (n - stay))
        factories.subscription(
            session, account_id, starts_on=STARTED_ON, known_on=STARTED_ON, ends_on=left, seats=3
        )
        quiet = (left or UNTIL + timedelta(days=1)) - timedelta(days=20 if left else 0)
        add_usage(session, account_id, STARTED_ON, quiet)


def load_horizon(session: Session, days: int | None = None) -> Horizon:
    return queries.load_horizon(session, "acme", as_of=UNTIL, days=days)


def build_table_spec(session: Session, horizon: Horizon) -> TableSpec:
    return observations.build_table_spec(session, "acme", as_of=UNTIL, horizon=horizon)


def observe_panel(session: Session, *, until: date = UNTIL, days: int | None = None) -> Panel:
    horizon = load_horizon(session, days)
    return observations.build_panel(
        session, "acme", until=until, horizon=horizon, spec=build_table_spec(session, horizon)
    )
