"""Estimate the share of churn that a playbook prevents, from its assumed uplift and data. Pure.

Both churn rates have a beta prior worth ``PRIOR_UNITS`` units: the control's at the base rate, the
treated arm's at the rate under the assumed uplift. Without data the estimate is the assumed uplift;
with many units it is the measured one (docs/adr/0024).
"""

from dataclasses import dataclass

from app.interventions.experiments.sequential import ArmSample

PRIOR_UNITS = 100.0
BASE_UNITS, BASE_CHURN = 20.0, 0.1


@dataclass(frozen=True, slots=True)
class Uplift:
    """The share of churn that is prevented, and the number of decided families behind it."""

    share: float
    units: int

    @property
    def evidence(self) -> str:
        return "measured" if self.units else "prior"


def estimate_uplift(assumed: float, treated: ArmSample, control: ArmSample) -> Uplift:
    """Estimate the share of churn that is prevented; a success in a sample is a retained family.

    A negative share, at least -1, means that the playbook does harm.
    """
    churned_treated = treated.trials - treated.successes
    churned_control = control.trials - control.successes
    units = treated.trials + control.trials
    base = (BASE_UNITS * BASE_CHURN + churned_treated + churned_control) / (BASE_UNITS + units)
    control_rate = (PRIOR_UNITS * base + churned_control) / (PRIOR_UNITS + control.trials)
    prior_churned = PRIOR_UNITS * base * (1 - assumed)
    treated_rate = (prior_churned + churned_treated) / (PRIOR_UNITS + treated.trials)
    return Uplift(max(-1.0, 1 - treated_rate / control_rate), units)
