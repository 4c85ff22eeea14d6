"""From the scores of a family of accounts to one: by revenue, the worst, the mean or its own."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.accounts.hierarchy import Rollup
from app.health.definition.scorecard import Band
from app.health.scoring.assess import HealthStatus

INACTIVE_STATUSES = frozenset({HealthStatus.CHURNED, HealthStatus.EXCLUDED})
DIGITS = 4


@dataclass(frozen=True, slots=True)
class HierarchyAccount:
    """An account of a family, by the newest score of its own."""

    account_id: str
    value: float | None
    band: str
    status: str
    mrr_cents: int

    @property
    def is_gone(self) -> bool:
        return self.status in INACTIVE_STATUSES


@dataclass(frozen=True, slots=True)
class BandCount:
    accounts: int
    mrr_cents: int


@dataclass(frozen=True, slots=True)
class RollupResult:
    """A family as one account.

    value: None where nobody in it has a score. scored: how many scores it is made of, the own one
    among them where it counts. children: all below, however deep, without the gone: churned and
    excluded ones. mrr_cents: of these and of the account itself.
    """

    method: Rollup
    value: float | None
    band: Band
    scored: int
    children: int
    gone: int
    mrr_cents: int
    by_band: Mapping[Band, BandCount]


def roll_up_scores(
    method: Rollup,
    own: HierarchyAccount,
    below: Sequence[HierarchyAccount],
    band: Callable[[float | None], Band],
) -> RollupResult:
    """Make one score of an account's own and those of all accounts below it.

    Each account counts by its own score, however deep it stands: a parent in between is no more
    than what it pays itself. The own score counts where the account pays, or where it is the only
    one. ``band`` names the band of a value.
    """
    children = [member for member in below if not member.is_gone]
    scored = _scored(method, own, children)
    value = _value(method, scored)
    return RollupResult(
        method=method,
        value=value,
        band=band(value),
        scored=len(scored),
        children=len(children),
        gone=len(below) - len(children),
        mrr_cents=sum(member.mrr_cents for member in [own, *children]),
        by_band={each: _in_band(children, each) for each in Band},
    )


def _scored(
    method: Rollup, own: HierarchyAccount, children: Sequence[HierarchyAccount]
) -> list[tuple[float, int]]:
    """Take the values that count, each with its MRR."""
    own_pays = own.mrr_cents > 0 and not own.is_gone
    others = [] if method is Rollup.OWN else children
    members = [own, *others] if own_pays else [*others]
    scored = [(m.value, m.mrr_cents) for m in members if m.value is not None]
    if scored or own.value is None:
        return scored
    return [(own.value, own.mrr_cents)]


def _value(method: Rollup, scored: Sequence[tuple[float, int]]) -> float | None:
    if not scored:
        return None
    values = [value for value, _ in scored]
    if method is Rollup.WORST_CHILD:
        return min(values)
    revenue = [mrr_cents for _, mrr_cents in scored]
    by_revenue = method is Rollup.REVENUE_WEIGHTED and any(revenue)
    weights = revenue if by_revenue else [1] * len(values)
    weighed = math.fsum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)
    return min(max(round(weighed, DIGITS), min(values)), max(values))


def _in_band(members: Sequence[HierarchyAccount], band: Band) -> BandCount:
    found = [member.mrr_cents for member in members if member.band == band]
    return BandCount(len(found), sum(found))
