"""Find the playbooks eligible for an account and rank them by value (docs/adr/0024). Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from app.churn.scoring.revenue import ASSUMED_PERCENT, is_at_risk
from app.health.definition.scorecard import Band
from app.health.scoring.assess import HealthStatus
from app.interventions.experiments.uplift import Uplift
from app.interventions.playbooks.definition import (
    CustomerType,
    EligiblePlaybook,
    LifecycleStage,
    Playbook,
    Playbooks,
)
from app.interventions.playbooks.templates import FieldValue, Money
from app.signals.signal import Severity, Signal

MAX_SUGGESTIONS = 3
ASSUMED_ARR_CENTS = 120_000.0
ASSUMED_RISK = ASSUMED_PERCENT / 100
RISK_BY_BAND: Mapping[Band, float] = {
    Band.AT_RISK: ASSUMED_RISK,
    Band.WATCH: 0.15,
    Band.HEALTHY: 0.05,
    Band.UNKNOWN: 0.15,
}
"""What stands for the probability where there is none. It weighs suggestions: of an account that is
not at risk no amount that follows from it is called revenue at risk."""
UPLIFT_BY_SEVERITY: Mapping[Severity, float] = {
    Severity.INFO: 1.0,
    Severity.LOW: 0.5,
    Severity.MEDIUM: 0.8,
    Severity.HIGH: 1.0,
}
"""The share of a playbook's uplift that is expected: a minor problem offers little to save."""
PROFILE_FIELDS = ("industry", "employees", "end_customers")


class RiskBasis(StrEnum):
    """The basis of the risk: a trained model, or without one a high level by rules or the band."""

    MODEL = "model"
    LEVEL = "level"
    BAND = "band"


@dataclass(frozen=True, slots=True)
class Case:
    """An account with everything that decides what is suggested for it.

    ``drivers``: open signals, most severe first, and derived signals. ``field_values``: the
    values of placeholders in templates. ``blocked``: playbooks that are open, recent or dismissed.
    ``matched``: playbooks whose filter matches the account.
    """

    account_id: str
    business: CustomerType
    status: HealthStatus
    band: Band
    mrr_cents: int | None
    probability: float | None
    drivers: Sequence[Signal]
    level: str | None = None
    field_values: Mapping[str, FieldValue | Money] = field(default_factory=dict)
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
        if self.probability is not None:
            return self.probability
        return ASSUMED_RISK if is_at_risk(self.band, self.level) else RISK_BY_BAND[self.band]

    @property
    def basis(self) -> RiskBasis:
        if self.probability is not None:
            return RiskBasis.MODEL
        return RiskBasis.LEVEL if is_at_risk(None, self.level) else RiskBasis.BAND

    @property
    def arr_cents(self) -> float:
        """The yearly revenue; an assumed amount where it is nothing or unknown."""
        return (self.mrr_cents or 0) * 12 or ASSUMED_ARR_CENTS


@dataclass(frozen=True, slots=True)
class RankedPlaybook:
    """An eligible playbook with rank and value. ``share``: the part of the risk to be prevented."""

    eligible: EligiblePlaybook
    rank: int
    share: float
    uplift: Uplift
    value_cents: float


def eligible_playbooks(case: Case, playbooks: Playbooks) -> list[EligiblePlaybook]:
    """Return the playbooks that an account is eligible for, in the order of the playbooks."""
    if case.status is HealthStatus.EXCLUDED:
        return []
    names = {driver.name for driver in case.drivers}
    eligible = []
    for key, playbook in playbooks.items():
        reasons = [driver for driver in case.drivers if driver.name in playbook.signals]
        if _is_reason(playbook, reasons) and _is_for(playbook, key, case, names):
            eligible.append(EligiblePlaybook(key, reasons[0]))
    return eligible


def _is_reason(playbook: Playbook, reasons: Sequence[Signal]) -> bool:
    """Whether a signal is severe enough: for most playbooks the severity low is not."""
    above_low = any(each.severity is not Severity.LOW for each in reasons)
    return above_low or (playbook.on_low and bool(reasons))


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
    eligible: Sequence[EligiblePlaybook],
    playbooks: Playbooks,
    uplifts: Mapping[str, Uplift],
) -> list[RankedPlaybook]:
    """Sort by P(churn) x ARR x expected uplift - cost; keep the first ``MAX_SUGGESTIONS``."""
    valued = []
    for each in eligible:
        playbook = playbooks[each.key]
        uplift = uplifts.get(each.key) or Uplift(playbook.uplift, 0)
        share = uplift.share * UPLIFT_BY_SEVERITY[each.driver.severity]
        value = case.risk * case.arr_cents * share - playbook.cost_cents
        valued.append((value, each, share, uplift))
    best = sorted(valued, key=lambda entry: (-entry[0], entry[1].key))[:MAX_SUGGESTIONS]
    return [
        RankedPlaybook(each, rank, share, uplift, round(value, 2))
        for rank, (value, each, share, uplift) in enumerate(best, start=1)
    ]


def profile_gaps(profile: object, since: date) -> Signal | None:
    """Return the missing profile fields of an account as a signal of severity low."""
    missing = [name for name in PROFILE_FIELDS if getattr(profile, name) is None]
    return Signal("profile_gaps", Severity.LOW, since, {"missing": missing}) if missing else None
