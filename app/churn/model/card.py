"""The card of a model: what it learnt from, how good it is, and what it was held against. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from app.churn.model import drift, evaluation_metrics
from app.churn.model.artifacts import current_versions
from app.churn.model.panel import Panel
from app.churn.model.preprocessing import Floats
from app.churn.model.promotion import PromotionCheck, checks_to_json
from app.churn.model.training import TrainingResult, UnseenPredictions

METRICS = {
    "auc": evaluation_metrics.auc,
    "log_loss": lambda y, p: float(evaluation_metrics.log_losses(y, p).mean()) if y.size else None,
    "lift_top_10": evaluation_metrics.lift,
    "calibration_slope": evaluation_metrics.calibration_slope,
    "observed_over_expected": evaluation_metrics.observed_over_expected,
}


def build_card(
    panel: Panel,
    trained: TrainingResult,
    found: Sequence[PromotionCheck],
    *,
    today: Floats,
    seed: int,
    sha256: str,
    seconds: float,
) -> dict[str, Any]:
    """Tell all that somebody needs who must decide whether to rely on a model."""
    learnt = panel.rows(~panel.treated)
    return {
        "kind": trained.kind,
        "seed": seed,
        "sha256": sha256,
        "versions": current_versions(),
        "seconds": round(seconds, 1),
        "data": {
            "from": _day(panel.day.min()),
            "through": _day(panel.day.max()),
            "rows": len(learnt),
            "treated_rows_left_out": len(panel) - len(learnt),
            "accounts": len(np.unique(learnt.account)),
            "churned_accounts": learnt.churned_accounts,
            "churned_rows": int(learnt.y.sum()),
        },
        "features": panel.names,
        "candidates": trained.losses,
        "unseen": None if trained.unseen is None else _unseen(trained.unseen, seed),
        "checks": checks_to_json(found),
        "profile": drift.build_profile(panel.names, today, trained.model),
    }


def _unseen(unseen: UnseenPredictions, seed: int) -> dict[str, Any]:
    drawn = evaluation_metrics.bootstrap_rows(unseen.account, seed)
    others: Mapping[str, Floats] = {"base_rate": unseen.base, "recency": unseen.recency}
    return {
        "later": unseen.is_later,
        "from": _day(unseen.day.min()),
        "through": _day(unseen.day.max()),
        "rows": len(unseen.y),
        "churned_rows": int(unseen.y.sum()),
        "figures": {
            name: evaluation_metrics.estimate_metric(figure, unseen.y, unseen.p, drawn).to_json()
            for name, figure in METRICS.items()
        },
        "compared": {
            name: {figure: METRICS[figure](unseen.y, p) for figure in ("auc", "log_loss")}
            for name, p in others.items()
        },
        "calibration": evaluation_metrics.reliability(unseen.y, unseen.p),
    }


def _day(ordinal: np.int64) -> str:
    return date.fromordinal(int(ordinal)).isoformat()
