"""The model card: what a model learnt from, how good it is, and what it was compared with. Pure."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, SupportsInt

from app.churn.model import drift
from app.churn.model import evaluation_metrics as metrics
from app.churn.model.artifacts import current_versions
from app.churn.model.panel import Panel
from app.churn.model.promotion import PromotionCheck
from app.churn.model.training import TrainingResult, UnseenPredictions
from app.core.arrays import Floats, np

METRICS = {
    "auc": metrics.auc,
    "log_loss": lambda y, p: float(metrics.log_losses(y, p).mean()) if y.size else None,
    "lift_top_10": metrics.lift,
    "calibration_slope": metrics.calibration_slope,
    "observed_over_expected": metrics.observed_over_expected,
}


def build_card(
    panel: Panel,
    trained: TrainingResult,
    checks: Sequence[PromotionCheck],
    *,
    current_x: Floats,
    seed: int,
    sha256: str,
    seconds: float,
) -> dict[str, Any]:
    """Describe everything that a person needs to decide whether to rely on a model."""
    learnt = panel.untreated
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
        "failed_candidates": trained.errors,
        "unseen": None if trained.unseen is None else _describe_unseen(trained.unseen, seed),
        "checks": [asdict(check) for check in checks],
        "profile": drift.build_profile(panel.names, current_x, trained.model),
    }


def _describe_unseen(unseen: UnseenPredictions, seed: int) -> dict[str, Any]:
    samples = metrics.bootstrap_rows(unseen.account, seed)
    references = {"base_rate": unseen.base, "recency": unseen.recency}
    return {
        "later": unseen.is_later,
        "from": _day(unseen.day.min()),
        "through": _day(unseen.day.max()),
        "rows": len(unseen.y),
        "churned_rows": int(unseen.y.sum()),
        "figures": {
            name: asdict(metrics.estimate_metric(metric, unseen.y, unseen.p, samples))
            for name, metric in METRICS.items()
        },
        "compared": {
            reference: {name: METRICS[name](unseen.y, p) for name in ("auc", "log_loss")}
            for reference, p in references.items()
        },
        "calibration": metrics.reliability(unseen.y, unseen.p),
        "slope_error": metrics.slope_error(unseen.y, unseen.p, unseen.account),
    }


def _day(ordinal: SupportsInt) -> str:
    return date.fromordinal(int(ordinal)).isoformat()
