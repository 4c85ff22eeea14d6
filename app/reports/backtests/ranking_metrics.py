"""How well a ranking of accounts would have predicted churn on past days. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.churn.model.evaluation_metrics import auc, lift
from app.core.arrays import Booleans, Floats, Integers, np

TOP_SHARES = (0.05, 0.1)
SAFE_BANDS = {"healthy", "low"}
WARNING_BANDS = {"at_risk", "high"}


@dataclass(frozen=True, slots=True)
class RankedRows:
    """One row for each account and day. A higher ``risk`` ranks higher.

    ``y``: 1 if the account churned within the horizon. ``recency``: days since its last use.
    ``days_left``: after how many days it churned; nan if it did not within the horizon.
    """

    account: Integers
    y: Floats
    risk: Floats
    band: Sequence[str]
    recency: Floats
    days_left: Floats

    def __len__(self) -> int:
        return len(self.y)


def evaluate_ranking(rows: RankedRows) -> dict[str, Any]:
    """Compute churn by band, precision and recall of the riskiest rows, lead time, AUC and lift.

    AUC and lift of recency alone are the reference. The keys are those of the API.
    """
    bands = np.array(rows.band, dtype=str)
    churned = rows.y > 0
    safe = np.isin(bands, list(SAFE_BANDS))
    base_rate = float(rows.y.mean()) if len(rows) else None
    return {
        "rows": len(rows),
        "accounts": len(np.unique(rows.account)),
        "churned_rows": int(churned.sum()),
        "churned_accounts": len(np.unique(rows.account[churned])),
        "base_rate": _rounded(base_rate),
        "bands": [
            {
                "band": str(band),
                "rows": int((bands == band).sum()),
                "churned_rows": int((churned & (bands == band)).sum()),
                "churned_share": _rounded(float(rows.y[bands == band].mean())),
            }
            for band in np.unique(bands)
        ],
        "churned_while_healthy": int((churned & safe).sum()),
        "churned_while_healthy_share": _rounded(
            float((churned & safe).sum() / churned.sum()) if churned.any() else None
        ),
        "top": [_top(rows, share) for share in TOP_SHARES if len(rows)],
        "lead_days_median": _median_lead(rows, np.isin(bands, list(WARNING_BANDS))),
        "auc": _rounded(auc(rows.y, rows.risk)),
        "auc_of_recency": _rounded(auc(rows.y, rows.recency)),
        "lift_top_10": _rounded(lift(rows.y, rows.risk)),
        "lift_top_10_of_recency": _rounded(lift(rows.y, rows.recency)),
    }


def compare_rankings(rows: RankedRows, p: Floats) -> dict[str, Any]:
    """Compute the AUC of a ranking, of recency and of a model's probabilities ``p`` of the rows."""
    return {
        "rows": len(rows),
        "churned_accounts": len(np.unique(rows.account[rows.y > 0])),
        "auc": _rounded(auc(rows.y, rows.risk)),
        "auc_of_recency": _rounded(auc(rows.y, rows.recency)),
        "auc_of_model": _rounded(auc(rows.y, p)),
    }


def _top(rows: RankedRows, share: float) -> dict[str, float | None]:
    """Describe the riskiest ``share`` of the rows. ``recall``: None if no row churned."""
    count = max(1, round(share * len(rows)))
    first = np.argsort(-rows.risk, kind="stable")[:count]
    caught, churned = rows.y[first].sum(), rows.y.sum()
    return {
        "share": share,
        "rows": count,
        "precision": round(float(caught / count), 4),
        "recall": round(float(caught / churned), 4) if churned else None,
    }


def _median_lead(rows: RankedRows, warned: Booleans) -> float | None:
    """Return the median, over warned accounts that churned, of days from first warning to churn.

    Only warnings within the horizon before the churn count.
    """
    index = warned & ~np.isnan(rows.days_left)
    first_warning: dict[int, float] = {}
    for account, days in zip(rows.account[index], rows.days_left[index], strict=True):
        key = int(account)
        first_warning[key] = max(first_warning.get(key, 0.0), float(days))
    return float(np.median(list(first_warning.values()))) if first_warning else None


def _rounded(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else round(value, 4)
