"""Compare the scores of two scorecards: bands, movers, rank correlation. Pure."""

from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel, Field

from app.core.arrays import Floats, np
from app.health.definition.scorecard import Band
from app.health.scoring.assess import Assessment

MAX_MOVERS = 100


class MoverOut(BaseModel):
    """An account whose score or band would change."""

    account_id: str = Field(examples=["acme"])
    before: float | None = Field(description="Score under the active version.", examples=[61.5])
    after: float | None = Field(description="Score under the simulated version.", examples=[48.0])
    points: float = Field(description="after - before; 0 if either is missing.", examples=[-13.5])
    band_before: Band
    band_after: Band
    mrr_cents: int | None = Field(
        description="Null: a part of the price has no exchange rate.", examples=[49900]
    )


class SimulationOut(BaseModel):
    """What would change today if the simulated version were active. Nothing is stored."""

    accounts: int = Field(examples=[300])
    scored_before: int = Field(
        description="Accounts with a score under the active version.", examples=[280]
    )
    scored_after: int = Field(
        description="Accounts with a score under the simulated version.", examples=[280]
    )
    spearman: float | None = Field(
        description="Rank correlation of the two sets of scores.", examples=[0.97]
    )
    mean_change: float | None = Field(description="Mean change in points.", examples=[-0.4])
    bands: dict[Band, dict[Band, int]] = Field(
        description="Number of accounts by band before and band after.",
        examples=[{"watch": {"healthy": 3}}],
    )
    movers: list[MoverOut] = Field(description="The 100 accounts with the largest change.")


def compare_assessments(before: Sequence[Assessment], after: Sequence[Assessment]) -> SimulationOut:
    """Compare two assessments of the same accounts in the same order.

    ``spearman`` and ``mean_change`` use the accounts with both scores, None without any.
    """
    scores = np.array([[x.score for x in before], [x.score for x in after]], dtype=np.float64)
    bands = Counter((old.band, new.band) for old, new in zip(before, after, strict=True))
    known = ~np.isnan(scores)
    both = scores[:, known.all(axis=0)]
    points = np.nan_to_num(scores[1] - scores[0])
    moved = [n for n in range(len(after)) if points[n] or before[n].band != after[n].band]
    moved.sort(key=lambda n: (-abs(points[n]), -(after[n].mrr_cents or 0), after[n].account_id))
    return SimulationOut(
        accounts=len(after),
        scored_before=int(known[0].sum()),
        scored_after=int(known[1].sum()),
        spearman=spearman(*both),
        mean_change=(both[1] - both[0]).mean() if both.size else None,
        bands={old: {new: bands[old, new] for new in Band} for old in Band},
        movers=[_mover(before[n], after[n], points[n]) for n in moved[:MAX_MOVERS]],
    )


def _mover(before: Assessment, after: Assessment, points: float) -> MoverOut:
    return MoverOut(
        account_id=after.account_id,
        before=before.score,
        after=after.score,
        points=points,
        band_before=before.band,
        band_after=after.band,
        mrr_cents=after.mrr_cents,
    )


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
