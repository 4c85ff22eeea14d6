"""Combine the scores of an account hierarchy into one. Pure."""

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
    """An account of a hierarchy with its own newest score."""

    account_id: str
    value: float | None
    band: str
    status: str
    mrr_cents: int

    @property
    def is_inactive(self) -> bool:
        return self.status in INACTIVE_STATUSES


@dataclass(frozen=True, slots=True)
class BandCount:
    """The number of accounts in a band, and their MRR."""

    accounts: int
    mrr_cents: int


@dataclass(frozen=True, slots=True)
class RollupResult:
    """A hierarchy as one account.

    ``value``: None if no account in it has a score. ``scored``: the number of scores that were
    combined, with the account's own score if it counts. ``children``: all accounts below it at any
    depth, without the churned and excluded ones, which are ``gone``. ``mrr_cents``: of the children
    and of the account itself.
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
    band_of: Callable[[float | None], Band],
) -> RollupResult:
    """Combine the score of an account with those of all accounts below it.

    Each account counts with its own score at any depth: a parent in between counts only for what
    it pays itself. The account's own score counts if the account pays, or if there is no other.
    ``band_of`` returns the band of a value.
    """
    children = [account for account in below if not account.is_inactive]
    scored = _scored(method, own, children)
    value = _value(method, scored)
    return RollupResult(
        method=method,
        value=value,
        band=band_of(value),
        scored=len(scored),
        children=len(children),
        gone=len(below) - len(children),
        mrr_cents=sum(account.mrr_cents for account in [own, *children]),
        by_band={each: _band_count(children, each) for each in Band},
    )


def _scored(
    method: Rollup, own: HierarchyAccount, children: Sequence[HierarchyAccount]
) -> list[tuple[float, int]]:
    """Return the values that count, each with its MRR."""
    own_pays = own.mrr_cents > 0 and not own.is_inactive
    others = [] if method is Rollup.OWN else children
    accounts = [own, *others] if own_pays else [*others]
    scored = [(each.value, each.mrr_cents) for each in accounts if each.value is not None]
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
    mean = math.fsum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)
    return min(max(round(mean, DIGITS), min(values)), max(values))


def _band_count(accounts: Sequence[HierarchyAccount], band: Band) -> BandCount:
    mrr_cents = [account.mrr_cents for account in accounts if account.band == band]
    return BandCount(len(mrr_cents), sum(mrr_cents))
