"""Observations: accounts as they were known on past days, and what came of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.accounts.queries import list_product_features
from app.churn.model.horizon import Horizon, HorizonBasis
from app.churn.model.panel import Panel
from app.churn.training import observation_queries
from app.core.errors import NotFoundError
from app.features.queries import list_default_product_features
from app.features.table import FeatureTable, TableSpec
from app.features.table_queries import AccountDay, load_feature_table
from app.features.values import FeatureMap, ReachSource
from app.workspaces.queries import find_workspace

MAX_EVENT_COLUMNS = 40
YEAR_DAYS = 364

Treatments = Mapping[str, Sequence[date]]
"""When something was done about an account's risk."""


@dataclass(frozen=True, slots=True)
class ObservedPanel:
    """A panel, and which accounts its rows are of."""

    panel: Panel
    moments: Sequence[AccountDay]
    table: FeatureTable


def build_table_spec(
    session: Session,
    workspace_id: str,
    *,
    as_of: date,
    horizon: Horizon,
    event_names: Sequence[str] | None = None,
) -> TableSpec:
    """Say how accounts are looked at. ``event_names``: those that a model was trained with.

    Where nobody has named product features, those events are what breadth counts.
    """
    workspace = find_workspace(session, workspace_id)
    if workspace is None:
        raise NotFoundError("workspace", workspace_id)
    named = [
        (n, row.key)
        for row in list_product_features(session, workspace_id)
        for n in row.event_names
    ]
    if event_names is None:
        found = list_default_product_features(
            session, workspace_id, as_of=as_of, window_days=YEAR_DAYS // 2
        )
        event_names = found[:MAX_EVENT_COLUMNS]
    return TableSpec(
        FeatureMap(named or [(name, name) for name in event_names]),
        ReachSource(workspace.reach, workspace.reach_events),
        workspace.base_currency,
        event_names,
        horizon.days,
    )


def list_observation_days(
    session: Session, workspace_id: str, *, until: date, horizon: Horizon
) -> list[AccountDay]:
    """List accounts and days whose horizon has passed by ``until``, by day and key.

    Month ends; for contracts that run for months, every 30 days of the horizon before a renewal.
    """
    last = until - timedelta(days=horizon.days)
    since = observation_queries.find_first_day(session, workspace_id, horizon.basis)
    if since is None:
        return []
    found = [
        (account_id, day)
        for day in _month_ends(since, last)
        for account_id in observation_queries.list_active_accounts(
            session, workspace_id, day=day, horizon=horizon, short_only=True
        )
    ]
    if horizon.basis is HorizonBasis.SUBSCRIPTION:
        leads = range(30, horizon.days + 1, 30)
        found += observation_queries.list_days_before_renewals(
            session, workspace_id, leads=leads or [horizon.days], since=since, until=last
        )
    return sorted(set(found), key=lambda moment: (moment[1], moment[0]))


def build_panel(
    session: Session,
    workspace_id: str,
    *,
    until: date,
    horizon: Horizon,
    lens: TableSpec,
    treatments: Treatments | None = None,
) -> Panel:
    """Observe every account of a workspace. ``until``: the last day that is over."""
    moments = list_observation_days(session, workspace_id, until=until, horizon=horizon)
    return observe_accounts(
        session, workspace_id, moments, horizon=horizon, lens=lens, treatments=treatments
    ).panel


def observe_accounts(
    session: Session,
    workspace_id: str,
    moments: Sequence[AccountDay],
    *,
    horizon: Horizon,
    lens: TableSpec,
    treatments: Treatments | None = None,
) -> ObservedPanel:
    """Observe accounts on given days; who could not churn any more on the day is left out."""
    table = load_feature_table(session, workspace_id, moments, lens=lens)
    lives = can_churn(table, horizon)
    kept = [moment for moment, there in zip(moments, lives, strict=True) if there]
    stays = observation_queries.load_retained(session, workspace_id, kept, horizon=horizon)
    ids = sorted({account_id for account_id, _ in kept})
    places = {account_id: place for place, account_id in enumerate(ids)}
    panel = Panel(
        names=table.names,
        x=table.x[lives],
        y=(~stays).astype(float),
        day=np.array([day.toordinal() for _, day in kept], dtype=np.int64),
        account=np.array([places[account_id] for account_id, _ in kept], dtype=np.int64),
        treated=_treated(kept, treatments or {}, horizon),
        horizon_days=horizon.days,
    )
    return ObservedPanel(panel, kept, table)


def can_churn(table: FeatureTable, horizon: Horizon) -> NDArray[np.bool_]:
    """Tell who is there on the day: pays, or where nobody pays, was seen within the horizon."""
    there = (
        table.standing.pays
        if horizon.basis is HorizonBasis.SUBSCRIPTION
        else table.column("recency") < horizon.days
    )
    found: NDArray[np.bool_] = there & ~table.standing.excluded
    return found


def _treated(
    moments: Sequence[AccountDay], treatments: Treatments, horizon: Horizon
) -> NDArray[np.bool_]:
    """Mark the rows within whose horizon something was done about the risk."""
    return np.array(
        [
            any(0 < (on - day).days <= horizon.days for on in treatments.get(account_id, ()))
            for account_id, day in moments
        ],
        dtype=bool,
    )


def _month_ends(since: date, until: date) -> list[date]:
    first = since.replace(day=1)
    months = (until.year - first.year) * 12 + until.month - first.month + 2
    starts = [
        date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1)
        for n in range(months + 1)
    ]
    ends = [start - timedelta(days=1) for start in starts]
    return [day for day in ends if since <= day <= until]
