"""Who is in which arm of an experiment, and whether the arms have the sizes they should. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from scipy.stats import chi2

CONTROL = "control"
MISMATCH_P_VALUE = 0.001
"""Arms whose sizes are less likely than this were not filled by chance alone."""
HASH_DIGITS = 32


@dataclass(frozen=True, slots=True)
class ArmShare:
    arm: str
    share: float


def family_hash(salt: str, root: str) -> str:
    """Name a family by a hash of its first account: the same for all of its accounts."""
    return sha256(f"{salt}\x1f{root}".encode()).hexdigest()[:HASH_DIGITS]


def assign_arm(family: str, shares: Sequence[ArmShare]) -> str:
    """Pick the arm of a family; what no arm takes is the control."""
    place = int(family, 16) / 16**HASH_DIGITS
    for each in shares:
        if place < each.share:
            return each.arm
        place -= each.share
    return CONTROL


def expected_shares(shares: Sequence[ArmShare]) -> dict[str, float]:
    """Return the share of every arm, the control's too."""
    rest = 1 - sum(each.share for each in shares)
    return {each.arm: each.share for each in shares} | {CONTROL: rest}


def sample_ratio_p_value(counts: Mapping[str, int], shares: Sequence[ArmShare]) -> float:
    """How likely sizes as uneven as these are by chance: Pearson's chi-square, one for no units."""
    total = sum(counts.values())
    if total == 0:
        return 1.0
    wanted = {arm: share * total for arm, share in expected_shares(shares).items()}
    distance = sum((counts.get(arm, 0) - n) ** 2 / n for arm, n in wanted.items())
    return float(chi2.sf(distance, len(wanted) - 1))
