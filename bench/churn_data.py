"""Data sets for the benchmark of churn models, imported as a customer would import them."""

import csv
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.churn.model.horizon import DEFAULT_DAYS, Horizon, HorizonBasis
from app.churn.model.panel import Panel
from app.churn.training import observations
from app.core.db import transaction
from app.features.table_queries import AccountDay, load_feature_table
from app.imports import local_import
from app.imports.kinds import ImportKind
from app.imports.plan import ImportPlan
from app.imports.records import FileFormat
from app.jobs.tables import JobState
from bench.rig.rig import Rig, create_tenant, now

CRM_HORIZON = Horizon(30, HorizonBasis.SUBSCRIPTION)
SERVED_HORIZON = Horizon(DEFAULT_DAYS, HorizonBasis.SUBSCRIPTION)
NOVA_HORIZON = Horizon(90, HorizonBasis.SILENCE)
CRM_SUBSCRIPTIONS = (
    "account_id=acct-{account_id}",
    "subscription_id=product",
    "mrr=mrr",
    "starts_on=start_date",
    "ends_on=end_date",
    "plan=product[units=users]",
    "seats=quantity[units=users]",
    "billing_period_months=bill_period_months",
    "discount_share=discount",
)
CRM_EVENTS = (
    "event=t",
    "timestamp=ts",
    "account_id=acct-{account_id}",
    "user_id=acct-{account_id}:{u}",
)
NOVA_EVENTS = ("event=areas", "timestamp=ts", "account_id=account", "user_id=user")

COUNT_SUFFIX = "_28avg_84obs"
"""Of the simulator's counts: over 84 days, per 28 days."""


@dataclass(frozen=True, slots=True)
class CrmData:
    """``served``: month ends with the horizon of the service. ``cut``: the last day to learn from.

    ``recorded_churn``: the outcome of each row of ``panel`` in the file. ``counts``: counts of the
    simulator's own SQL. ``unequal_counts``: those that differ from ours.
    """

    panel: Panel
    served: Panel
    cut: int
    recorded_churn: NDArray[np.float64]
    counts: int
    unequal_counts: int


@dataclass(frozen=True, slots=True)
class SimulatorCount:
    """A count of the simulator: the events of a name before a day, per 28 days."""

    account_id: str
    day: date
    event_name: str
    per_28_days: float
    tenure: float

    @property
    def account_day(self) -> AccountDay:
        """Our key of the same window: it ends with the day before."""
        return f"acct-{self.account_id}", self.day - timedelta(days=1)

    @property
    def events(self) -> int:
        """The events within 84 days, or within the tenure if that is shorter."""
        return round(self.per_28_days * min(84.0, self.tenure) / 28)


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        yield from csv.DictReader(file)


def import_files(rig: Rig, name: str, files: Mapping[Path, ImportPlan]) -> str:
    """Import files into a new workspace; return its id."""
    tenant = create_tenant(rig, name)
    for path, plan in files.items():
        result = local_import.import_file(
            rig.sessions, tenant.id, path, plan, clock=now, on_page=lambda _: None
        )
        if result.state is not JobState.DONE:
            raise RuntimeError(f"{path.name}: {result.error}")
    rig.maintain()
    return tenant.id


def load_nova(rig: Rig, folder: Path) -> Panel:
    plan = ImportPlan(ImportKind.EVENTS, FileFormat.CSV, NOVA_EVENTS, {}, "+", dry_run=False)
    path = folder / "nova_commit_events.csv.gz"
    workspace_id = import_files(rig, "nova", {path: plan})
    last = max(int(row["ts"]) for row in read_rows(path))
    until = datetime.fromtimestamp(last, UTC).date()
    with transaction(rig.sessions) as session:
        spec = observations.build_table_spec(
            session, workspace_id, as_of=until, horizon=NOVA_HORIZON
        )
        return observations.build_panel(
            session, workspace_id, until=until, horizon=NOVA_HORIZON, spec=spec
        )


def load_crm(rig: Rig, folder: Path) -> CrmData:
    event_names = {"t": local_import.read_lookup(folder / "event_types.csv.gz")}
    files = {
        folder / "subscriptions.csv.gz": ImportPlan(
            ImportKind.SUBSCRIPTIONS, FileFormat.CSV, CRM_SUBSCRIPTIONS, {}, None, dry_run=False
        ),
        folder / "events.csv.gz": ImportPlan(
            ImportKind.EVENTS, FileFormat.CSV, CRM_EVENTS, event_names, None, dry_run=False
        ),
    }
    workspace_id = import_files(rig, "crm", files)
    churn = {
        (f"acct-{row['account_id']}", date.fromisoformat(row["obs_date"])): float(row["churn"])
        for row in read_rows(folder / "observations.csv.gz")
    }
    account_days = sorted(churn, key=lambda account_day: account_day[1])
    days = sorted({day for _, day in account_days})
    cut = days[int(0.6 * len(days))]
    until = days[-1] + timedelta(days=CRM_HORIZON.days)
    with transaction(rig.sessions) as session:
        spec = observations.build_table_spec(session, workspace_id, as_of=cut, horizon=CRM_HORIZON)
        observed = observations.observe_accounts(
            session,
            workspace_id,
            account_days,
            until=until,
            horizon=CRM_HORIZON,
            spec=spec,
        )
        served = observations.build_panel(
            session,
            workspace_id,
            until=until,
            horizon=SERVED_HORIZON,
            spec=replace(spec, silence_days=SERVED_HORIZON.days),
        )
    recorded = np.array([churn[account_day] for account_day in observed.account_days])
    counts = _read_simulator_counts(folder / "oracle_metrics.csv.gz")
    unequal = _count_unequal(rig, workspace_id, counts)
    return CrmData(observed.panel, served, cut.toordinal(), recorded, len(counts), unequal)


def _read_simulator_counts(path: Path) -> list[SimulatorCount]:
    metrics = list(read_rows(path))
    tenure = {
        (row["account_id"], row["metric_time"]): float(row["metric_value"])
        for row in metrics
        if row["metric_name"] == "account_tenure"
    }
    return [
        SimulatorCount(
            row["account_id"],
            date.fromisoformat(row["metric_time"]),
            row["metric_name"].removesuffix(COUNT_SUFFIX),
            float(row["metric_value"]),
            tenure[row["account_id"], row["metric_time"]],
        )
        for row in metrics
        if row["metric_name"].endswith(COUNT_SUFFIX)
    ]


def _count_unequal(rig: Rig, workspace_id: str, counts: list[SimulatorCount]) -> int:
    """Return how many counts of the simulator differ from the event columns of our features."""
    names = sorted({count.event_name for count in counts})
    positions: dict[AccountDay, int] = {}
    for count in counts:
        positions.setdefault(count.account_day, len(positions))
    with transaction(rig.sessions) as session:
        as_of = max(day for _, day in positions)
        spec = observations.build_table_spec(
            session, workspace_id, as_of=as_of, horizon=CRM_HORIZON, event_names=names
        )
        table = load_feature_table(session, workspace_id, list(positions), spec=spec)
    columns = {name: table.column(f"events_84:{name}") for name in names}
    return sum(
        columns[count.event_name][positions[count.account_day]] != count.events for count in counts
    )


def read_table_panel(path: Path, target: str, excluded: set[str]) -> Panel:
    """Read a plain table without time: text becomes one column for each of its values."""
    rows = list(read_rows(path))
    columns: dict[str, list[float]] = {}
    for name in rows[0].keys() - {target, "rownames", *excluded}:
        cells = [row[name] for row in rows]
        try:
            columns[name] = [float(cell) if cell not in {"", "NA"} else np.nan for cell in cells]
        except ValueError:
            for level in sorted(set(cells)):
                columns[f"{name}={level}"] = [float(cell == level) for cell in cells]
    count = len(rows)
    ordered = sorted(columns)
    return Panel(
        tuple(ordered),
        np.array([columns[name] for name in ordered]).T,
        np.array([row[target].lower() == "yes" for row in rows], float),
        np.zeros(count, np.int64),
        np.arange(count),
        np.zeros(count, bool),
        30,
    )
