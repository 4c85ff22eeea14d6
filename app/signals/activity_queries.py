"""Use of accounts in the quarter up to a whole day, added up once a day or whenever it changes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts.tables import User
from app.features.statements import PLAN_FOR_MANY_ROWS
from app.features.values import ReachSource
from app.signals.activity import ActivityRow
from app.signals.activity_statements import (
    MASK_DAYS,
    SELECT_ACTIVITY,
    UPSERT_ACTIVITY,
    activity_statement,
)
from app.signals.inputs import QUARTER_DAYS, RECENT_DAYS, SPAN_DAYS, SPANS
from app.signals.tables import AccountActivity


@dataclass(frozen=True, slots=True)
class Quarter:
    """``through``: its last day, a whole one; ``as_of``: the day on which it was known so.

    ``champions``: people who were named so, by account.
    """

    through: date
    as_of: date
    reach: ReachSource
    champions: Mapping[str, Collection[str]] = field(default_factory=dict)


def load_activity(
    session: Session, workspace_id: str, account_ids: Sequence[str], quarter: Quarter
) -> dict[str, ActivityRow]:
    """Add up use; accounts without any are left out."""
    excluded = _excluded(session, workspace_id)
    return _added_up(
        session, workspace_id, account_ids, quarter, form=SELECT_ACTIVITY, excluded=excluded
    )


def refresh_activity(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    quarter: Quarter,
    *,
    unchanged: Collection[str],
) -> dict[str, ActivityRow]:
    """Like ``read``, and write down what was added up.

    Of ``unchanged`` accounts no use up to ``through`` has come, and nobody has been named or bound,
    since they were last kept: what was written down then holds, if it is of the quarter and was
    counted in the same way. The scores of the accounts are locked by the caller.
    """
    excluded = _excluded(session, workspace_id)
    rows = session.execute(
        select(AccountActivity.account_id, AccountActivity.said).where(
            AccountActivity.workspace_id == workspace_id,
            AccountActivity.account_id.in_([key for key in account_ids if key in unchanged]),
            AccountActivity.through == quarter.through,
            AccountActivity.counted_as == _counted_as(quarter.reach, excluded),
        )
    )
    known = {row.account_id: row.said for row in rows}
    others = [key for key in account_ids if key not in known]
    known |= _added_up(
        session, workspace_id, others, quarter, form=UPSERT_ACTIVITY, excluded=excluded
    )
    return {key: said for key, said in known.items() if said is not None}


def _excluded(session: Session, workspace_id: str) -> str:
    """Tell one set of excluded people from another; nothing where there are none."""
    people = select(func.count(), func.sum(func.hashtext(User.user_id)))
    of_workspace = people.where(User.workspace_id == workspace_id, User.excluded)
    count, digest = session.execute(of_workspace).one()
    return f"{count} people, {digest}" if count else ""


def _counted_as(reach: ReachSource, excluded: str) -> str:
    return "\n".join([reach.kind, *reach.events, excluded])


def _added_up(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    quarter: Quarter,
    *,
    form: str,
    excluded: str,
) -> dict[str, ActivityRow]:
    if not account_ids:
        return {}
    session.execute(PLAN_FOR_MANY_ROWS)
    statement = activity_statement(form, quarter.reach.kind, some_users_excluded=bool(excluded))
    named = [(key, user_id) for key, some in quarter.champions.items() for user_id in some]
    values: dict[str, Any] = {
        "workspace_id": workspace_id,
        "account_ids": list(account_ids),
        "as_of": quarter.as_of,
        "through": quarter.through,
        "settled": quarter.through - timedelta(days=RECENT_DAYS),
        "since": quarter.through - timedelta(days=QUARTER_DAYS),
        "named_in": [account_id for account_id, _ in named],
        "named": [user_id for _, user_id in named],
        "span_days": SPAN_DAYS,
        "mask_days": MASK_DAYS,
        "spans": SPANS,
    }
    if form == UPSERT_ACTIVITY:
        values["counted_as"] = _counted_as(quarter.reach, excluded)
    if quarter.reach.kind == "events":
        values["reach_events"] = list(quarter.reach.events)
    return {row.account_id: row.said for row in session.execute(statement, values)}
