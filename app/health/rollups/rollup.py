"""Combine the scores of an account hierarchy into one. Pure."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from app.accounts.hierarchy import Rollup
from app.health.definition.scorecard import Band
from app.health.scoring.assess import HealthStatus

INACTIVE_STATUSES = frozenset({HealthStatus.CHURNED, HealthStatus.EXCLUDED})
DIGITS = 4


@dataclass(frozen=True, slots=True)
class HierarchyAccount:
    """An account of a hierarchy with its own newest score.

    ``no_rate``: it pays in a currency without a rate, so its money is unknown.
    """

    account_id: str
    value: float | None
    band: str
    status: str
    mrr_cents: int
    no_rate: bool = False

    @property
    def is_inactive(self) -> bool:
        return self.status in INACTIVE_STATUSES

    @property
    def pays(self) -> bool:
        return not self.is_inactive and (self.mrr_cents > 0 or self.no_rate)


class BandCountOut(BaseModel):
    """The number and MRR of the child accounts in one band."""

    accounts: int = Field(examples=[4])
    mrr_cents: int = Field(examples=[199600])


BANDS_EXAMPLE = {
    "at_risk": {"accounts": 1, "mrr_cents": 9900},
    "watch": {"accounts": 0, "mrr_cents": 0},
    "healthy": {"accounts": 4, "mrr_cents": 199600},
    "unknown": {"accounts": 1, "mrr_cents": 0},
}


class RollupOut(BaseModel):
    """The score of an account combined with those of all accounts below it."""

    method: Rollup
    value: float | None = Field(
        description="0 to 100; null if none of the accounts has a score.", examples=[58.25]
    )
    band: Band
    scored: int = Field(description="Number of scores that were combined.", examples=[5])
    children: int = Field(
        description="Accounts below it at any depth that are neither churned nor excluded.",
        examples=[6],
    )
    gone: int = Field(description="Accounts below it that are churned or excluded.", examples=[1])
    mrr_cents: int = Field(
        description="Monthly recurring revenue of the account and its children.", examples=[259400]
    )
    exclusions: dict[str, int] = Field(
        description="How many accounts the money leaves out. `no_rate`: their currency has no rate;"
        " `revenue_weighted` leaves out their scores too.",
        examples=[{"no_rate": 0}],
    )
    by_band: dict[Band, BandCountOut] = Field(
        description="The children, by band of their own score.", examples=[BANDS_EXAMPLE]
    )


def roll_up_scores(
    method: Rollup,
    own: HierarchyAccount,
    below: Sequence[HierarchyAccount],
    band_of: Callable[[float | None], Band],
) -> RollupOut:
    """Combine the score of an account with those of all accounts below it.

    Each account counts with its own score at any depth: a parent in between counts only for what
    it pays itself. The account's own score counts if the account pays, or if no other one counts.
    ``band_of`` returns the band of a value.
    """
    children = [account for account in below if not account.is_inactive]
    scored = _scored(method, own, children)
    value = _value(method, scored)
    return RollupOut(
        method=method,
        value=value,
        band=band_of(value),
        scored=len(scored),
        children=len(children),
        gone=len(below) - len(children),
        mrr_cents=sum(account.mrr_cents for account in [own, *children]),
        exclusions={"no_rate": sum(account.no_rate for account in [own, *children])},
        by_band={each: _band_count(children, each) for each in Band},
    )


def _scored(
    method: Rollup, own: HierarchyAccount, children: Sequence[HierarchyAccount]
) -> list[tuple[float, int]]:
    """Return the scores to be combined, each with the MRR of its account."""
    others = [] if method is Rollup.OWN else children
    accounts = [own, *others] if own.pays else [*others]
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


def _band_count(accounts: Sequence[HierarchyAccount], band: Band) -> BandCountOut:
    mrr_cents = [account.mrr_cents for account in accounts if account.band == band]
    return BandCountOut(accounts=len(mrr_cents), mrr_cents=sum(mrr_cents))
