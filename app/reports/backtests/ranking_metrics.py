"""How well a ranking of accounts would have told who leaves, over days that are over. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.churn.model.evaluation_metrics import auc, lift
from app.churn.model.preprocessing import Floats

TOP_SHARES = (0.05, 0.1)
SAFE_BANDS = {"healthy", "low"}
WARNING_BANDS = {"at_risk", "high"}


@dataclass(frozen=True, slots=True)
class RankedRows:
    """One for each account and day. ``risk`` orders them, the higher the riskier.

    ``days_left``: how many days later the account left; nan if it did not within the horizon.
    """

    account: NDArray[np.int64]
    y: Floats
    risk: Floats
    band: Sequence[str]
    recency: Floats
    days_left: Floats

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True, slots=True)
class TopShare:
    """Those at the top of the ranking. Null: nobody left."""

    share: float
    rows: int
    precision: float
    recall: float | None


def evaluate_ranking(rows: RankedRows) -> dict[str, Any]:
    """Say what came of each band and of the top, beside the base rate and recency."""
    bands = np.array(rows.band, dtype=str)
    left = rows.y > 0
    safe = np.isin(bands, list(SAFE_BANDS))
    base = float(rows.y.mean()) if len(rows) else None
    return {
        "rows": len(rows),
        "accounts": len(np.unique(rows.account)),
        "churned_rows": int(left.sum()),
        "churned_accounts": len(np.unique(rows.account[left])),
        "base_rate": _rounded(base),
        "bands": [
            {
                "band": str(band),
                "rows": int((bands == band).sum()),
                "churned_rows": int((left & (bands == band)).sum()),
                "churned_share": _rounded(float(rows.y[bands == band].mean())),
            }
            for band in np.unique(bands)
        ],
        "churned_while_healthy": int((left & safe).sum()),
        "churned_while_healthy_share": _rounded(
            float((left & safe).sum() / left.sum()) if left.any() else None
        ),
        "top": [asdict(_top(rows, share)) for share in TOP_SHARES if len(rows)],
        "lead_days_median": _lead(rows, np.isin(bands, list(WARNING_BANDS))),
        "auc": _rounded(auc(rows.y, rows.risk)),
        "auc_of_recency": _rounded(auc(rows.y, rows.recency)),
        "lift_top_10": _rounded(lift(rows.y, rows.risk)),
        "lift_top_10_of_recency": _rounded(lift(rows.y, rows.recency)),
    }


def _top(rows: RankedRows, share: float) -> TopShare:
    count = max(1, round(share * len(rows)))
    first = np.argsort(-rows.risk, kind="stable")[:count]
    found, all_left = rows.y[first].sum(), rows.y.sum()
    return TopShare(
        share,
        count,
        round(float(found / count), 4),
        round(float(found / all_left), 4) if all_left else None,
    )


def _lead(rows: RankedRows, warned: NDArray[np.bool_]) -> float | None:
    """How many days before it left an account was first warned of; the median of those that were.

    Only warnings within the horizon before the account left count.
    """
    places = warned & ~np.isnan(rows.days_left)
    first: dict[int, float] = {}
    for account, days in zip(rows.account[places], rows.days_left[places], strict=True):
        first[int(account)] = max(first.get(int(account), 0.0), float(days))
    return float(np.median(list(first.values()))) if first else None


def _rounded(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else round(value, 4)
