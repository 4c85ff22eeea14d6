"""Compare the scores of two scorecards: bands, movers, rank correlation. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.health.definition.benchmark import Floats
from app.health.definition.scorecard import Band
from app.health.scoring.assess import Assessment

MAX_MOVERS = 100


@dataclass(frozen=True, slots=True)
class Mover:
    """An account whose score or band would change; either score may be missing."""

    account_id: str
    before: float | None
    after: float | None
    band_before: Band
    band_after: Band
    mrr_cents: int

    @property
    def points(self) -> float:
        if self.before is None or self.after is None:
            return 0.0
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class ScorecardComparison:
    """``bands``: number of accounts by band before and band after.

    ``spearman`` and ``mean_change`` use the accounts with both scores, None without any.
    """

    accounts: int
    scored_before: int
    scored_after: int
    spearman: float | None
    mean_change: float | None
    bands: dict[Band, dict[Band, int]]
    movers: Sequence[Mover]


def compare_assessments(
    before: Sequence[Assessment], after: Sequence[Assessment]
) -> ScorecardComparison:
    """Compare two assessments of the same accounts in the same order."""
    pairs = [
        Mover(old.account_id, old.score, new.score, old.band, new.band, new.mrr_cents)
        for old, new in zip(before, after, strict=True)
    ]
    both = [pair for pair in pairs if pair.before is not None and pair.after is not None]
    scores = np.array([(pair.before, pair.after) for pair in both], dtype=np.float64).reshape(-1, 2)
    moved = [pair for pair in pairs if pair.points or pair.band_before != pair.band_after]
    moved.sort(key=lambda pair: (-abs(pair.points), -pair.mrr_cents, pair.account_id))
    return ScorecardComparison(
        accounts=len(pairs),
        scored_before=sum(pair.before is not None for pair in pairs),
        scored_after=sum(pair.after is not None for pair in pairs),
        spearman=spearman(scores[:, 0], scores[:, 1]),
        mean_change=float((scores[:, 1] - scores[:, 0]).mean()) if both else None,
        bands=_migration(pairs),
        movers=moved[:MAX_MOVERS],
    )


def _migration(pairs: Sequence[Mover]) -> dict[Band, dict[Band, int]]:
    counts = Counter((pair.band_before, pair.band_after) for pair in pairs)
    return {before: {after: counts[before, after] for after in Band} for before in Band}


def spearman(x: Floats, y: Floats) -> float | None:
    """Return Pearson's correlation of mid-ranks of (n,) and (n,); None if either is constant."""
    ranks_x, ranks_y = _ranks(x), _ranks(y)
    varies = ranks_x.size > 0 and np.ptp(ranks_x) > 0 and np.ptp(ranks_y) > 0
    return float(np.corrcoef(ranks_x, ranks_y)[0, 1]) if varies else None


def _ranks(values: Floats) -> Floats:
    """Return ranks from 0, with the mean rank for equal values: (n,) -> (n,)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle: Floats = np.cumsum(counts) - (counts + 1) / 2
    return middle[place]
