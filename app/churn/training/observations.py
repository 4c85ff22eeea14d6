"""Observations: accounts as they were known on past days, with their outcomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from app.accounts.catalog.tables import ProductFeature
from app.accounts.renewals import grace_days
from app.churn.model.horizon import Horizon, HorizonBasis
from app.churn.model.panel import Panel
from app.churn.training import queries
from app.core.arrays import Booleans, np
from app.core.errors import NotFoundError
from app.core.row_queries import list_all_rows
from app.engagement.first_event import find_first_event_day
from app.features.queries import list_default_product_features
from app.features.table import FeatureTable, TableSpec
from app.features.table_queries import AccountDay, load_feature_table
from app.features.values import FeatureMap, ReachSource
from app.workspaces.queries import find_workspace

MAX_EVENT_COLUMNS = 40
YEAR_DAYS = 364
KNOWN_USE = timedelta(days=83)
"""Accounts that pay are observed from the end of the first whole window of use (84 days) on: before
the first event that was received, use is unknown and not zero."""

Treatments = Mapping[str, Sequence[date]]
"""The days on which an intervention on an account's risk was done, by account."""


@dataclass(frozen=True, slots=True)
class ObservedPanel:
    """A panel with the account, the day and the outcome of each row."""

    panel: Panel
    account_days: Sequence[AccountDay]
    outcomes: Sequence[queries.Outcome]


def build_table_spec(
    session: Session,
    workspace_id: str,
    *,
    as_of: date,
    horizon: Horizon,
    event_names: Sequence[str] | None = None,
) -> TableSpec:
    """Describe the feature table of a workspace.

    ``event_names``: the event columns that a model was trained with; by default the events that
    most accounts use. If no product features are configured, these events count for breadth.
    """
    workspace = find_workspace(session, workspace_id)
    if workspace is None:
        raise NotFoundError("workspace", workspace_id, in_workspace=False)
    configured = [
        (n, row.key)
        for row in list_all_rows(session, workspace_id, ProductFeature)
        for n in row.event_names
    ]
    if event_names is None:
        event_names = list_default_product_features(
            session, workspace_id, as_of=as_of, window_days=YEAR_DAYS // 2
        )[:MAX_EVENT_COLUMNS]
    return TableSpec(
        FeatureMap(configured or [(name, name) for name in event_names]),
        ReachSource(workspace.reach, workspace.reach_events),
        workspace.base_currency,
        event_names,
        horizon.days,
        grace_days(session),
    )


def list_observation_days(
    session: Session, workspace_id: str, *, until: date, horizon: Horizon
) -> list[AccountDay]:
    """List accounts and the month ends whose horizon has passed by ``until``, by day and key."""
    last = until - timedelta(days=horizon.days)
    since = queries.find_first_day(session, workspace_id, horizon.basis)
    if since is None:
        return []
    first_event_on = find_first_event_day(session, workspace_id, as_of=until)
    if first_event_on and horizon.basis is HorizonBasis.SUBSCRIPTION:
        since = max(since, first_event_on + KNOWN_USE)
    return [
        (account_id, day)
        for day in _month_ends(since, last)
        for account_id in queries.list_active_accounts(
            session, workspace_id, day=day, horizon=horizon
        )
    ]


def build_panel(
    session: Session,
    workspace_id: str,
    *,
    until: date,
    horizon: Horizon,
    spec: TableSpec,
    treatments: Treatments | None = None,
) -> Panel:
    """Build the training panel of a workspace. ``until``: the last day that is over."""
    account_days = list_observation_days(session, workspace_id, until=until, horizon=horizon)
    return observe_accounts(
        session,
        workspace_id,
        account_days,
        until=until,
        horizon=horizon,
        spec=spec,
        treatments=treatments,
    ).panel


def observe_accounts(
    session: Session,
    workspace_id: str,
    account_days: Sequence[AccountDay],
    *,
    until: date,
    horizon: Horizon,
    spec: TableSpec,
    treatments: Treatments | None = None,
) -> ObservedPanel:
    """Observe accounts on the given days. Accounts that cannot churn after a day are left out.

    ``until``: the last day of which anything is known.
    """
    table = load_feature_table(session, workspace_id, account_days, spec=spec)
    active = can_churn(table, horizon)
    observed = [each for each, is_active in zip(account_days, active, strict=True) if is_active]
    outcomes = queries.load_outcomes(session, workspace_id, observed, horizon=horizon, until=until)
    _, account = np.unique([account_id for account_id, _ in observed], return_inverse=True)
    panel = Panel(
        names=table.names,
        x=table.x[active],
        y=np.array([each.has_churned for each in outcomes], dtype=float),
        day=np.array([day.toordinal() for _, day in observed], dtype=np.int64),
        account=account,
        treated=_treated(observed, treatments or {}, horizon),
        horizon_days=horizon.days,
    )
    return ObservedPanel(panel, observed, outcomes)


def can_churn(table: FeatureTable, horizon: Horizon) -> Booleans:
    """Return whether the account of each row is active on its day and not excluded.

    An active account pays; in a workspace where no account pays, it was used within the horizon.
    """
    active = (
        table.eligibility.pays
        if horizon.basis is HorizonBasis.SUBSCRIPTION
        else table.column("recency") < horizon.days
    )
    return np.asarray(active & ~table.eligibility.excluded)


def _treated(
    account_days: Sequence[AccountDay], treatments: Treatments, horizon: Horizon
) -> Booleans:
    """Mark the rows with an intervention within their horizon."""
    marks = [
        any(0 < (on - day).days <= horizon.days for on in treatments.get(account_id, ()))
        for account_id, day in account_days
    ]
    return np.array(marks, dtype=bool)


def _month_ends(since: date, until: date) -> list[date]:
    months = np.arange(np.datetime64(since, "M"), np.datetime64(until, "M") + 2)
    ends: list[date] = (months.astype("datetime64[D]") - 1).tolist()
    return [day for day in ends if since <= day <= until]
