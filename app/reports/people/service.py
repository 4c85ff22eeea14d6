"""Load the people of an account."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.core.pagination import Page, Paging
from app.reports.people import queries
from app.reports.people.schemas import AccountPerson


def load_people(
    session: Session, workspace_id: str, account_id: str, paging: Paging, *, now: datetime
) -> Page[AccountPerson]:
    """Load one page with one statement: people with a role, then who stopped, then all others."""
    rows = queries.list_people(
        session,
        workspace_id,
        account_id,
        after=paging.position(int, str) or queries.START,
        today=now.date(),
        limit=paging.fetch_limit,
    )
    return paging.page(rows, AccountPerson.from_row, lambda row: (row.rank, row.user_id))
