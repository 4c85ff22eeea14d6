"""Data sets for the benchmarks of churn models, taken in through the service's own pipeline."""

import csv
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.bench.server import Rig, now
from app.churn.model.horizon import Horizon, HorizonBasis
from app.churn.model.panel import Panel
from app.churn.training import observations
from app.core.db import transaction
from app.features.table_queries import AccountDay, load_feature_table
from app.imports import local_import
from app.imports.kinds import ImportKind
from app.imports.plan import ImportPlan
from app.imports.records import FileFormat
from app.jobs.states import JobState
from app.workspaces import service as workspaces

CRM = Horizon(30, HorizonBasis.SUBSCRIPTION)
NOVA = Horizon(90, HorizonBasis.SILENCE)
CRM_SUBSCRIPTIONS = (
    "account_id=acct-{account_id}",
    "subscription_id=product",
    "mrr=mrr",
    "starts_on=start_date",
    "ends_on=end_date",
    "plan=product[units=users]",
    "seats=quantity[units=users]",
)
CRM_EVENTS = (
    "event=t",
    "timestamp=ts",
    "account_id=acct-{account_id}",
    "user_id=acct-{account_id}:{u}",
)
NOVA_EVENTS = ("event=areas", "timestamp=ts", "account_id=account", "user_id=user")


@dataclass(frozen=True, slots=True)
class Crm:
    """``cut``: the last day to learn from. ``said``: what the file says came of each row."""

    panel: Panel
    cut: int
    said: NDArray[np.float64]
    counters: int
    unequal: int


def rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        yield from csv.DictReader(file)


def take_in(rig: Rig, name: str, files: Mapping[Path, ImportPlan]) -> str:
    with transaction(rig.sessions) as session:
        owner = workspaces.create_workspace(session, name, actor="bench", now=now())
    for path, plan in files.items():
        ended = local_import.import_file(
            rig.sessions, owner.id, path, plan, clock=now, on_page=lambda _: None
        )
        if ended.state is not JobState.DONE:
            raise RuntimeError(f"{path.name}: {ended.error}")
    rig.maintain()
    return owner.id


def nova(rig: Rig, folder: Path) -> Panel:
    plan = ImportPlan(ImportKind.EVENTS, FileFormat.CSV, NOVA_EVENTS, {}, "+", dry_run=False)
    path = folder / "nova_commit_events.csv.gz"
    owner = take_in(rig, "nova", {path: plan})
    last = max(int(row["ts"]) for row in rows(path))
    until = datetime.fromtimestamp(last, UTC).date()
    with transaction(rig.sessions) as session:
        lens = observations.build_table_spec(session, owner, as_of=until, horizon=NOVA)
        return observations.build_panel(session, owner, until=until, horizon=NOVA, lens=lens)


def crm(rig: Rig, folder: Path) -> Crm:
    names = {"t": local_import.read_lookup(folder / "event_types.csv.gz")}
    files = {
        folder / "subscriptions.csv.gz": ImportPlan(
            ImportKind.SUBSCRIPTIONS, FileFormat.CSV, CRM_SUBSCRIPTIONS, {}, None, dry_run=False
        ),
        folder / "events.csv.gz": ImportPlan(
            ImportKind.EVENTS, FileFormat.CSV, CRM_EVENTS, names, None, dry_run=False
        ),
    }
    owner = take_in(rig, "crm", files)
    observed = sorted(rows(folder / "observations.csv.gz"), key=lambda row: row["obs_date"])
    moments = [(f"acct-{r['account_id']}", date.fromisoformat(r["obs_date"])) for r in observed]
    days = sorted({day for _, day in moments})
    cut = days[int(0.6 * len(days))]
    with transaction(rig.sessions) as session:
        lens = observations.build_table_spec(session, owner, as_of=cut, horizon=CRM)
        found = observations.observe_accounts(session, owner, moments, horizon=CRM, lens=lens)
    outcome = {m: float(r["churn"]) for m, r in zip(moments, observed, strict=True)}
    said = np.array([outcome[moment] for moment in found.moments])
    counters = _counters(rig, owner, folder / "oracle_metrics.csv.gz")
    return Crm(found.panel, cut.toordinal(), said, *counters)


PER_28 = "_28avg_84obs"


def _counters(rig: Rig, owner: str, path: Path) -> tuple[int, int]:
    """Recount what the simulator's own SQL counted over 84 days: how many there are, and differ."""
    told = [
        (r["account_id"], r["metric_time"], r["metric_name"], r["metric_value"]) for r in rows(path)
    ]
    tenure = {(a, day): float(value) for a, day, name, value in told if name == "account_tenure"}
    counts = [row for row in told if row[2].endswith(PER_28)]
    names = sorted({name.removesuffix(PER_28) for _, _, name, _ in counts})
    places: dict[AccountDay, int] = {}
    for account, day, _, _ in counts:
        eve = date.fromisoformat(day) - timedelta(days=1)
        places.setdefault((f"acct-{account}", eve), len(places))
    with transaction(rig.sessions) as session:
        as_of = max(day for _, day in places)
        lens = observations.build_table_spec(
            session, owner, as_of=as_of, horizon=CRM, event_names=names
        )
        table = load_feature_table(session, owner, list(places), lens=lens)
    unequal = 0
    for account, day, name, value in counts:
        moment = f"acct-{account}", date.fromisoformat(day) - timedelta(days=1)
        ours = table.column(f"events_84:{name.removesuffix(PER_28)}")[places[moment]]
        theirs = float(value) * min(84.0, tenure[account, day]) / 28
        unequal += round(theirs) != ours
    return len(counts), unequal


def table_panel(path: Path, target: str, left_out: set[str]) -> Panel:
    """Read a plain table: text becomes a column for each of its values; there is no time."""
    read = list(rows(path))
    columns: dict[str, list[float]] = {}
    for name in read[0].keys() - {target, "rownames", *left_out}:
        cells = [row[name] for row in read]
        try:
            columns[name] = [float(cell) if cell not in {"", "NA"} else np.nan for cell in cells]
        except ValueError:
            for level in sorted(set(cells)):
                columns[f"{name}={level}"] = [float(cell == level) for cell in cells]
    count = len(read)
    ordered = sorted(columns)
    return Panel(
        tuple(ordered),
        np.array([columns[name] for name in ordered]).T,
        np.array([row[target].lower() == "yes" for row in read], float),
        np.zeros(count, np.int64),
        np.arange(count),
        np.zeros(count, bool),
        30,
    )
