"""What another scorecard would change: bands, movers, rank correlation. Pure."""

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
    """An account whose score or band would be another; either score may be missing."""

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
    """``bands`` counts accounts by band before and after; ``spearman`` is of those with both."""

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
    """Both lists hold the same accounts in the same order."""
    pairs = [
        Mover(one.account_id, one.score, other.score, one.band, other.band, other.mrr_cents)
        for one, other in zip(before, after, strict=True)
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
    counted = Counter((pair.band_before, pair.band_after) for pair in pairs)
    return {one: {other: counted[one, other] for other in Band} for one in Band}


def spearman(x: Floats, y: Floats) -> float | None:
    """Pearson's correlation of mid-ranks: (n,), (n,) -> -1 to 1; None where one does not vary."""
    one, other = _ranks(x), _ranks(y)
    varies = one.size > 0 and np.ptp(one) > 0 and np.ptp(other) > 0
    return float(np.corrcoef(one, other)[0, 1]) if varies else None


def _ranks(values: Floats) -> Floats:
    """The mean rank of equal values, from 0: (n,) -> (n,)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle: Floats = np.cumsum(counts) - (counts + 1) / 2
    return middle[place]
