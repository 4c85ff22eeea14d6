"""Assign families to the arms of an experiment, and test the sizes of the arms. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import exp, lgamma, log

CONTROL = "control"
MISMATCH_P_VALUE = 0.001
"""Arm sizes with a lower p-value are a mismatch: they were not filled by chance alone."""
PRIOR_FAMILIES = 50.0
"""The weight of the prior of the sample ratio test: it is most sensitive at a few times as many."""
HASH_DIGITS = 32


@dataclass(frozen=True, slots=True)
class ArmShare:
    arm: str
    share: float


@dataclass(frozen=True, slots=True)
class FamilyArm:
    """The arm of a family, and the hash under which the family is counted."""

    arm: str
    family: str


def family_hash(salt: str, root: str) -> str:
    """Return the salted hash of a family's root account: the same for all of its accounts."""
    return sha256(f"{salt}\x1f{root}".encode()).hexdigest()[:HASH_DIGITS]


def assign_arm(family: str, shares: Sequence[ArmShare]) -> str:
    """Return the arm of a family; a family outside of all shares is in the control."""
    position = int(family, 16) / 16**HASH_DIGITS
    for each in shares:
        if position < each.share:
            return each.arm
        position -= each.share
    return CONTROL


def expected_shares(shares: Sequence[ArmShare]) -> dict[str, float]:
    """Return the share of every arm, including the control."""
    rest = 1 - sum(each.share for each in shares)
    return {each.arm: each.share for each in shares} | {CONTROL: rest}


def sample_ratio_p_value(counts: Mapping[str, int], shares: Sequence[ArmShare]) -> float:
    """Return the always-valid p-value of the arm sizes; 1 if all are empty.

    If chance alone fills the arms, it ever falls to p with a probability of at most p, however
    often and at whatever sizes it is computed (docs/adr/0023).
    """
    expected = expected_shares(shares)
    log_evidence = _log_mixture(counts, expected) - sum(
        counts.get(arm, 0) * log(share) for arm, share in expected.items()
    )
    return exp(min(0.0, -log_evidence))


def _log_mixture(counts: Mapping[str, int], expected: Mapping[str, float]) -> float:
    """Return the log likelihood of the sizes, averaged over a Dirichlet prior around the shares."""
    total = sum(counts.get(arm, 0) for arm in expected)
    seen = sum(
        lgamma(PRIOR_FAMILIES * share + counts.get(arm, 0)) - lgamma(PRIOR_FAMILIES * share)
        for arm, share in expected.items()
    )
    return seen - lgamma(PRIOR_FAMILIES + total) + lgamma(PRIOR_FAMILIES)
