"""Which playbooks fit an account, and which of them are worth most (docs/adr/0024). Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from app.health.assess import Status
from app.health.scorecard import Band
from app.interventions.playbooks import Business, Lifecycle, Playbook, Playbooks
from app.interventions.templates import Fact, Money
from app.interventions.uplift import Uplift

MOST = 3
ASSUMED_ARR_CENTS = 120_000.0
BY_BAND: Mapping[Band, float] = {
    Band.AT_RISK: 0.30,
    Band.WATCH: 0.15,
    Band.HEALTHY: 0.05,
    Band.UNKNOWN: 0.15,
}
BY_SEVERITY: Mapping[str, float] = {"info": 1.0, "low": 0.5, "medium": 0.8, "high": 1.0}
"""How much of a playbook's uplift is to be had: little is to be saved where little is wrong."""
PROFILE = ("industry", "employees", "end_customers")


@dataclass(frozen=True, slots=True)
class Driver:
    """What a suggestion answers: an open signal, or what is derived here in the same form."""

    name: str
    severity: str
    since: date
    evidence: Mapping[str, Any]


class Basis(StrEnum):
    """What the risk rests on: a trained model, or the band where there is no probability."""

    MODEL = "model"
    BAND = "band"


@dataclass(frozen=True, slots=True)
class Case:
    """An account with all that bears on what to do about it. ``drivers``: the gravest first.

    ``blocked``: playbooks that are open, recent or dismissed. ``matched``: those whose filter lets
    the account through.
    """

    account_id: str
    business: Business
    status: Status
    band: Band
    mrr_cents: int
    probability: float | None
    drivers: Sequence[Driver]
    facts: Mapping[str, Fact | Money] = field(default_factory=dict)
    blocked: Collection[str] = ()
    matched: Collection[str] = ()

    @property
    def lifecycle(self) -> Lifecycle:
        if self.status is Status.CHURNED:
            return Lifecycle.CHURNED
        if any(driver.name == "dormant" for driver in self.drivers):
            return Lifecycle.DORMANT
        return Lifecycle.NEW if self.status is Status.NEW else Lifecycle.ACTIVE

    @property
    def risk(self) -> float:
        if self.status is Status.CHURNED:
            return 1.0
        return BY_BAND[self.band] if self.probability is None else self.probability

    @property
    def basis(self) -> Basis:
        return Basis.BAND if self.probability is None else Basis.MODEL

    @property
    def arr_cents(self) -> float:
        """What it pays a year; an assumed sum where it pays nothing, as trials and those gone."""
        return self.mrr_cents * 12 or ASSUMED_ARR_CENTS


@dataclass(frozen=True, slots=True)
class Fit:
    """A playbook that would do for an account, and what it would answer there."""

    key: str
    driver: Driver


@dataclass(frozen=True, slots=True)
class Ranked:
    """A fit with its place, its expected effect on the risk, and what that is worth."""

    fit: Fit
    rank: int
    share: float
    uplift: Uplift
    value_cents: float


def fitting(case: Case, playbooks: Playbooks) -> list[Fit]:
    """Return what could be done for an account, in the order of the playbooks."""
    if case.status is Status.EXCLUDED:
        return []
    names = {driver.name for driver in case.drivers}
    return [
        Fit(key, next(driver for driver in case.drivers if driver.name in playbook.signals))
        for key, playbook in playbooks.items()
        if names.intersection(playbook.signals) and _is_for(playbook, key, case, names)
    ]


def _is_for(playbook: Playbook, key: str, case: Case, names: Collection[str]) -> bool:
    audience = playbook.audience
    return (
        playbook.enabled
        and key not in case.blocked
        and key in case.matched
        and case.business in audience.business
        and case.lifecycle in audience.lifecycle
        and case.band in audience.bands
        and (not playbook.also or any(name in names for name in playbook.also))
    )


def rank(
    case: Case, fits: Sequence[Fit], playbooks: Playbooks, uplifts: Mapping[str, Uplift]
) -> list[Ranked]:
    """Sort by P(churn) x ARR x expected uplift - cost, and keep the first three."""
    found = []
    for fit in fits:
        playbook = playbooks[fit.key]
        uplift = uplifts.get(fit.key) or Uplift(playbook.uplift, 0)
        share = uplift.share * BY_SEVERITY[fit.driver.severity]
        value = case.risk * case.arr_cents * share - playbook.cost_cents
        found.append((value, fit, share, uplift))
    ordered = sorted(found, key=lambda each: (-each[0], each[1].key))[:MOST]
    return [
        Ranked(fit, place, share, uplift, round(value, 2))
        for place, (value, fit, share, uplift) in enumerate(ordered, start=1)
    ]


def profile_gaps(known: Mapping[str, object], since: date) -> Driver | None:
    """Say what is not known of an account, as a signal of the lowest severity."""
    missing = [name for name in PROFILE if known.get(name) is None]
    return Driver("profile_gaps", "low", since, {"missing": missing}) if missing else None
