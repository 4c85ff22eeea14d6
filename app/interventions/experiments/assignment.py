"""Assign families to the arms of an experiment, and test the sizes of the arms. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

CONTROL = "control"
MISMATCH_P_VALUE = 0.001
"""Arm sizes less likely than this are a mismatch: they were not filled by chance alone."""
HASH_DIGITS = 32


@dataclass(frozen=True, slots=True)
class ArmShare:
    arm: str
    share: float


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
    """Return the p-value of the arm sizes: Pearson's chi-square test; 1 if all are empty."""
    from scipy.stats import chi2

    total = sum(counts.values())
    if total == 0:
        return 1.0
    expected = {arm: share * total for arm, share in expected_shares(shares).items()}
    statistic = sum((counts.get(arm, 0) - n) ** 2 / n for arm, n in expected.items())
    return float(chi2.sf(statistic, len(expected) - 1))
