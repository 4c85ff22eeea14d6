"""Which playbooks fit an account, and which of them are worth most (docs/adr/0024). Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from app.health.definition.scorecard import Band
from app.health.scoring.assess import HealthStatus
from app.interventions.experiments.uplift import Uplift
from app.interventions.playbooks.definition import CustomerType, LifecycleStage, Playbook, Playbooks
from app.interventions.playbooks.templates import FieldValue, Money
from app.signals.signal import Severity, Signal

MAX_SUGGESTIONS = 3
ASSUMED_ARR_CENTS = 120_000.0
RISK_BY_BAND: Mapping[Band, float] = {
    Band.AT_RISK: 0.30,
    Band.WATCH: 0.15,
    Band.HEALTHY: 0.05,
    Band.UNKNOWN: 0.15,
}
UPLIFT_BY_SEVERITY: Mapping[Severity, float] = {
    Severity.INFO: 1.0,
    Severity.LOW: 0.5,
    Severity.MEDIUM: 0.8,
    Severity.HIGH: 1.0,
}
"""How much of a playbook's uplift is to be had: little is to be saved where little is wrong."""
PROFILE_FIELDS = ("industry", "employees", "end_customers")


class RiskBasis(StrEnum):
    """What the risk rests on: a trained model, or the band where there is no probability."""

    MODEL = "model"
    BAND = "band"


@dataclass(frozen=True, slots=True)
class Case:
    """An account with all that bears on what to do about it.

    ``drivers``: open signals, the gravest first, and what is derived here in the same form.
    ``blocked``: playbooks that are open, recent or dismissed. ``matched``: those whose filter lets
    the account through.
    """

    account_id: str
    business: CustomerType
    status: HealthStatus
    band: Band
    mrr_cents: int
    probability: float | None
    drivers: Sequence[Signal]
    facts: Mapping[str, FieldValue | Money] = field(default_factory=dict)
    blocked: Collection[str] = ()
    matched: Collection[str] = ()

    @property
    def lifecycle(self) -> LifecycleStage:
        if self.status is HealthStatus.CHURNED:
            return LifecycleStage.CHURNED
        if any(driver.name == "dormant" for driver in self.drivers):
            return LifecycleStage.DORMANT
        return LifecycleStage.NEW if self.status is HealthStatus.NEW else LifecycleStage.ACTIVE

    @property
    def risk(self) -> float:
        if self.status is HealthStatus.CHURNED:
            return 1.0
        return RISK_BY_BAND[self.band] if self.probability is None else self.probability

    @property
    def basis(self) -> RiskBasis:
        return RiskBasis.BAND if self.probability is None else RiskBasis.MODEL

    @property
    def arr_cents(self) -> float:
        """What it pays a year; an assumed sum where it pays nothing, as trials and those gone."""
        return self.mrr_cents * 12 or ASSUMED_ARR_CENTS


@dataclass(frozen=True, slots=True)
class EligiblePlaybook:
    """A playbook that would do for an account, and what it would answer there."""

    key: str
    driver: Signal


@dataclass(frozen=True, slots=True)
class RankedPlaybook:
    """A fit with its place, its expected effect on the risk, and what that is worth."""

    fit: EligiblePlaybook
    rank: int
    share: float
    uplift: Uplift
    value_cents: float


def eligible_playbooks(case: Case, playbooks: Playbooks) -> list[EligiblePlaybook]:
    """Return what could be done for an account, in the order of the playbooks."""
    if case.status is HealthStatus.EXCLUDED:
        return []
    names = {driver.name for driver in case.drivers}
    found = []
    for key, playbook in playbooks.items():
        reasons = [driver for driver in case.drivers if driver.name in playbook.signals]
        if _is_reason(playbook, reasons) and _is_for(playbook, key, case, names):
            found.append(EligiblePlaybook(key, reasons[0]))
    return found


def _is_reason(playbook: Playbook, reasons: Sequence[Signal]) -> bool:
    """A signal of severity low is worth knowing, and for most playbooks no more than that."""
    graver = any(each.severity is not Severity.LOW for each in reasons)
    return graver or (playbook.on_low and bool(reasons))


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


def rank_playbooks(
    case: Case,
    fits: Sequence[EligiblePlaybook],
    playbooks: Playbooks,
    uplifts: Mapping[str, Uplift],
) -> list[RankedPlaybook]:
    """Sort by P(churn) x ARR x expected uplift - cost, and keep the first three."""
    found = []
    for fit in fits:
        playbook = playbooks[fit.key]
        uplift = uplifts.get(fit.key) or Uplift(playbook.uplift, 0)
        share = uplift.share * UPLIFT_BY_SEVERITY[fit.driver.severity]
        value = case.risk * case.arr_cents * share - playbook.cost_cents
        found.append((value, fit, share, uplift))
    ordered = sorted(found, key=lambda each: (-each[0], each[1].key))[:MAX_SUGGESTIONS]
    return [
        RankedPlaybook(fit, place, share, uplift, round(value, 2))
        for place, (value, fit, share, uplift) in enumerate(ordered, start=1)
    ]


def profile_gaps(known: object, since: date) -> Signal | None:
    """Say what is not known of an account, as a signal of the lowest severity."""
    missing = [name for name in PROFILE_FIELDS if getattr(known, name) is None]
    return Signal("profile_gaps", Severity.LOW, since, {"missing": missing}) if missing else None
