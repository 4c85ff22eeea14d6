"""How much of the risk a playbook takes away: what is supposed, moved by what was measured. Pure.

Both churn rates have a beta prior worth ``PRIOR_UNITS`` units: the control's at the base rate, the
treated one's where the supposed uplift puts it. With no data the uplift is the supposed one; with
many units it is the measured one.
"""

from dataclasses import dataclass

from app.interventions.experiments.sequential import ArmSample

PRIOR_UNITS = 100.0
BASE_UNITS, BASE_CHURN = 20.0, 0.1


@dataclass(frozen=True, slots=True)
class Uplift:
    """The share of churn that is taken away, and how many decided units say so."""

    share: float
    units: int

    @property
    def evidence(self) -> str:
        return "measured" if self.units else "prior"


def estimate_uplift(supposed: float, treated: ArmSample, control: ArmSample) -> Uplift:
    """Successes are those who stayed. Below 0 the playbook does harm; -1 is the least."""
    left_treated = treated.trials - treated.successes
    left_control = control.trials - control.successes
    units = treated.trials + control.trials
    base = (BASE_UNITS * BASE_CHURN + left_treated + left_control) / (BASE_UNITS + units)
    as_control = (PRIOR_UNITS * base + left_control) / (PRIOR_UNITS + control.trials)
    supposedly = PRIOR_UNITS * base * (1 - supposed)
    as_treated = (supposedly + left_treated) / (PRIOR_UNITS + treated.trials)
    return Uplift(max(-1.0, 1 - as_treated / as_control), units)
