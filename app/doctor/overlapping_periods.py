"""End the periods of a subscription that imports of older versions let run beside a newer one."""

from collections.abc import Iterator

from app.accounts.refresh_queue import Priority, mark_due
from app.core.db import transaction
from app.core.sql import load_sql
from app.doctor.faults import Fault, Run
from app.imports.subscription_rows import end_superseded_periods

SQL = load_sql(__file__)


def check_periods(run: Run) -> Iterator[Fault]:
    """End each period where a newer one of its subscription starts, in past reports too."""
    with transaction(run.sessions) as session:
        found = session.execute(SQL.overlapping, {"workspace_id": run.workspace_id}).all()
    for account_id, subscription_ids in found:
        with run.repair() as session:
            subscriptions = [(account_id, each) for each in subscription_ids]
            end_superseded_periods(session, run.workspace_id, subscriptions)
            mark_due(
                session, run.workspace_id, [account_id], priority=Priority.SILENT, notify=False
            )
        names = ", ".join(subscription_ids)
        text = f"Periods run on beside a newer one of the same subscription, and add up: {names}."
        yield Fault(account_id, text, "Each ends where the newer one starts.")
