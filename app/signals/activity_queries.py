"""Use of accounts in the quarter up to a whole day, added up once a day or whenever it changes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.features.queries import some_users_excluded
from app.features.statements import PLAN_FOR_MANY_ROWS
from app.features.values import ReachSource
from app.signals.activity import Said
from app.signals.activity_statements import MASK_DAYS, activity_statement
from app.signals.facts import QUARTER_DAYS, SPAN_DAYS, SPANS, UNSETTLED_DAYS
from app.signals.tables import AccountActivity


@dataclass(frozen=True, slots=True)
class Quarter:
    """``through``: its last day, a whole one; ``as_of``: the day on which it was known so.

    ``champions``: people who were named so.
    """

    through: date
    as_of: date
    reach: ReachSource
    champions: Collection[str] = ()


def read(
    session: Session, workspace_id: str, account_ids: Sequence[str], quarter: Quarter
) -> dict[str, Said]:
    """Add up use; accounts without any are left out."""
    return _added_up(session, workspace_id, account_ids, quarter, kept=False)


def keep(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    quarter: Quarter,
    *,
    unchanged: Collection[str],
) -> dict[str, Said]:
    """Like ``read``, and write down what was added up.

    Of ``unchanged`` accounts no use up to ``through`` has come, and nobody has been named, excluded
    or bound, since they were last kept: what was written down then holds, if it is of the quarter.
    The scores of the accounts are locked by the caller.
    """
    reach = _named(quarter.reach)
    rows = session.execute(
        select(AccountActivity.account_id, AccountActivity.said).where(
            AccountActivity.workspace_id == workspace_id,
            AccountActivity.account_id.in_([key for key in account_ids if key in unchanged]),
            AccountActivity.through == quarter.through,
            AccountActivity.reach == reach,
        )
    )
    known = {row.account_id: row.said for row in rows}
    others = [key for key in account_ids if key not in known]
    known |= _added_up(session, workspace_id, others, quarter, kept=True)
    return {key: said for key, said in known.items() if said is not None}


def _added_up(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    quarter: Quarter,
    *,
    kept: bool,
) -> dict[str, Said]:
    if not account_ids:
        return {}
    session.execute(PLAN_FOR_MANY_ROWS)
    statement = activity_statement(
        reach=quarter.reach.kind,
        some_users_excluded=some_users_excluded(session, workspace_id),
        kept=kept,
    )
    values: dict[str, Any] = {
        "workspace_id": workspace_id,
        "account_ids": list(account_ids),
        "as_of": quarter.as_of,
        "through": quarter.through,
        "settled": quarter.through - timedelta(days=UNSETTLED_DAYS),
        "since": quarter.through - timedelta(days=QUARTER_DAYS),
        "named": list(quarter.champions),
        "span_days": SPAN_DAYS,
        "mask_days": MASK_DAYS,
        "spans": SPANS,
    }
    if kept:
        values["reach"] = _named(quarter.reach)
    if quarter.reach.kind == "events":
        values["reach_events"] = list(quarter.reach.events)
    return {row.account_id: row.said for row in session.execute(statement, values)}


def _named(reach: ReachSource) -> str:
    return "\n".join([reach.kind, *reach.events])
