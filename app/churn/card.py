"""The card of a model: what it learnt from, how good it is, and what it was held against. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from app.churn import drift, measuring
from app.churn.artifacts import versions
from app.churn.panel import Panel
from app.churn.preparing import Floats
from app.churn.promotion import Check, to_json
from app.churn.training import Trained, Unseen

FIGURES = {
    "auc": measuring.auc,
    "log_loss": lambda y, p: float(measuring.losses(y, p).mean()) if y.size else None,
    "lift_top_10": measuring.lift,
    "calibration_slope": measuring.slope,
    "observed_over_expected": measuring.ratio,
}


def card_of(
    panel: Panel,
    trained: Trained,
    found: Sequence[Check],
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
        "versions": versions(),
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
        "checks": to_json(found),
        "profile": drift.profile(panel.names, today, trained.model),
    }


def _unseen(unseen: Unseen, seed: int) -> dict[str, Any]:
    drawn = measuring.draws(unseen.account, seed)
    others: Mapping[str, Floats] = {"base_rate": unseen.base, "recency": unseen.recency}
    return {
        "later": unseen.later,
        "from": _day(unseen.day.min()),
        "through": _day(unseen.day.max()),
        "rows": len(unseen.y),
        "churned_rows": int(unseen.y.sum()),
        "figures": {
            name: measuring.measured(figure, unseen.y, unseen.p, drawn).to_json()
            for name, figure in FIGURES.items()
        },
        "compared": {
            name: {figure: FIGURES[figure](unseen.y, p) for figure in ("auc", "log_loss")}
            for name, p in others.items()
        },
        "calibration": measuring.reliability(unseen.y, unseen.p),
    }


def _day(ordinal: np.int64) -> str:
    return date.fromordinal(int(ordinal)).isoformat()
