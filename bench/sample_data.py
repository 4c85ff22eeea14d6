"""Small made-up data sets in the formats of the real ones, for the smallest size of ``models``.

``crm``: accounts that pay by the month, use the product at random and stop paying at random; those
that use it less stop more often. ``nova``: accounts that commit every week until they fall silent.
``tables``: rows with numbers and words. Each outcome depends on a column, so that models can learn.
"""

import csv
import gzip
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

CRM_ACCOUNTS, CRM_MONTHS, MONTH_DAYS = 60, 8, 30
CRM_START = date(2024, 1, 10)
CRM_EVENTS = ("search", "meeting")
NOVA_ACCOUNTS, NOVA_WEEKS = 60, 78
NOVA_START = date(2024, 1, 1)
TABLE_ROWS = 160
COUNTED_DAYS = 84

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CrmAccount:
    """``per_month``: its average events. ``months``: how long it pays; all months: it stays."""

    id: int
    per_month: int
    months: int

    @property
    def stays(self) -> bool:
        return self.months == CRM_MONTHS

    @property
    def start(self) -> date:
        return CRM_START + timedelta(days=self.id % MONTH_DAYS)

    @property
    def end(self) -> date:
        return self.start + timedelta(days=MONTH_DAYS * self.months)


@dataclass(frozen=True, slots=True)
class CrmEvent:
    account_id: int
    at: datetime
    kind: int
    user: int


def write_sample_data(folder: Path, *, seed: int = 0) -> None:
    """Write all data sets into a folder, as ``models.run`` reads them."""
    random = Random(seed)  # noqa: S311 - no secret
    _write_crm(folder / "crm", random)
    _write(folder / "nova" / "nova_commit_events.csv.gz", _nova_rows(random))
    for name, extra in (("wa_churn.csv", {}), ("mlc_churn.csv", {"state": "KS"})):
        _write(folder / "tables" / name, _table_rows(random, extra))


def _write_crm(folder: Path, random: Random) -> None:
    accounts = [_crm_account(n, random) for n in range(CRM_ACCOUNTS)]
    events = [event for account in accounts for event in _crm_events(account, random)]
    kinds = [{"event_type_id": n, "event_type_name": name} for n, name in enumerate(CRM_EVENTS)]
    _write(folder / "event_types.csv.gz", kinds)
    _write(folder / "subscriptions.csv.gz", _subscription_rows(accounts))
    _write(folder / "events.csv.gz", [_event_row(event) for event in events])
    _write(folder / "observations.csv.gz", _observation_rows(accounts))
    _write(folder / "oracle_metrics.csv.gz", _metric_rows(accounts, events))


def _crm_account(number: int, random: Random) -> CrmAccount:
    per_month = random.choice((3, 12))
    hazard = 0.25 if per_month == 3 else 0.05  # noqa: PLR2004 - the smaller of the two
    months = 2
    while months < CRM_MONTHS and random.random() > hazard:
        months += 1
    return CrmAccount(number, per_month, months)


def _crm_events(account: CrmAccount, random: Random) -> list[CrmEvent]:
    start = datetime.combine(account.start, datetime.min.time(), UTC)
    seconds = MONTH_DAYS * account.months * 86_400
    return [
        CrmEvent(
            account.id,
            start + timedelta(seconds=random.randrange(seconds)),
            random.randrange(len(CRM_EVENTS)),
            random.randrange(3),
        )
        for _ in range(account.per_month * account.months)
    ]


def _event_row(event: CrmEvent) -> Row:
    return {
        "account_id": event.account_id,
        "ts": int(event.at.timestamp()),
        "t": event.kind,
        "u": event.user,
        "v": "",
    }


def _subscription_rows(accounts: Sequence[CrmAccount]) -> list[Row]:
    return [
        {
            "account_id": account.id,
            "product": "standard_mthly",
            "start_date": account.start + timedelta(days=MONTH_DAYS * month),
            "end_date": account.start + timedelta(days=MONTH_DAYS * (month + 1)),
            "mrr": 100 + account.id,
            "quantity": 5,
            "units": "users",
            "bill_period_months": 1,
            "discount": 0.0,
        }
        for account in accounts
        for month in range(account.months)
    ]


def _observation_rows(accounts: Sequence[CrmAccount]) -> list[Row]:
    """Observe each account five days before each renewal whose outcome is known."""
    rows: list[Row] = []
    for account in accounts:
        for month in range(1, account.months + (not account.stays)):
            renewal = account.start + timedelta(days=MONTH_DAYS * month)
            rows.append(
                {
                    "account_id": account.id,
                    "obs_date": renewal - timedelta(days=5),
                    "renewal_date": renewal,
                    "churn": int(month == account.months),
                }
            )
    return rows


def _metric_rows(accounts: Sequence[CrmAccount], events: Sequence[CrmEvent]) -> list[Row]:
    """Count the events of 84 days, per 28 days or scaled to a shorter tenure."""
    day = CRM_START + timedelta(days=MONTH_DAYS * 5)
    end = datetime.combine(day, datetime.min.time(), UTC)
    rows: list[Row] = []
    for account in accounts:
        tenure = (day - account.start).days
        rows.append(_metric_row(account, day, "account_tenure", tenure))
        for kind, name in enumerate(CRM_EVENTS):
            count = sum(
                event.account_id == account.id
                and event.kind == kind
                and end - timedelta(days=COUNTED_DAYS) <= event.at < end
                for event in events
            )
            per_28_days = count * 28 / min(COUNTED_DAYS, tenure)
            rows.append(_metric_row(account, day, f"{name}_28avg_84obs", per_28_days))
    return rows


def _metric_row(account: CrmAccount, day: date, name: str, value: float) -> Row:
    return {
        "account_id": account.id,
        "metric_time": day,
        "metric_name": name,
        "metric_value": value,
    }


def _nova_rows(random: Random) -> list[Row]:
    """Let half of the accounts fall silent, after weeks with fewer commits."""
    rows: list[Row] = []
    for account in range(NOVA_ACCOUNTS):
        leaves = account % 2
        last_week = _nova_last_week(account) if leaves else NOVA_WEEKS
        for week in range(last_week):
            is_fading = leaves and last_week - week <= 8  # noqa: PLR2004 - weeks
            if random.random() < (0.3 if is_fading else 0.8):
                day = NOVA_START + timedelta(days=7 * week + account % 7)
                at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=9)
                rows.append(
                    {
                        "ts": int(at.timestamp()),
                        "account": f"a{account}",
                        "user": f"a{account}-u{random.randrange(2)}",
                        "files": random.randrange(1, 9),
                        "areas": random.choice(("core", "core+test", "build")),
                    }
                )
    return sorted(rows, key=lambda row: str(row["ts"]))


def _nova_last_week(account: int) -> int:
    """Two thirds leave early, so that a model can learn from them, and one third late."""
    return 6 + account // 4 if account % 3 else 38 + account // 3


def _table_rows(random: Random, extra: Row) -> list[Row]:
    rows: list[Row] = []
    for number in range(TABLE_ROWS):
        months = random.randrange(1, 60)
        churns = random.random() < (0.6 if months < 20 else 0.1)  # noqa: PLR2004 - months
        rows.append(
            {
                "rownames": number,
                **extra,
                "tenure": months,
                "contract": random.choice(("Month-to-month", "One year")),
                "monthly_charges": round(random.uniform(20, 90), 2),
                "churn": "Yes" if churns else "No",
            }
        )
    return rows


def _write(path: Path, rows: Iterable[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = list(rows)
    with gzip.open(path, "wt") if path.suffix == ".gz" else path.open("w") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
