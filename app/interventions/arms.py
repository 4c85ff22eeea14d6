"""Who is in which arm of an experiment, and whether the arms have the sizes they should. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from scipy.stats import chi2

CONTROL = "control"
SUSPICIOUS = 0.001
"""Arms whose sizes are less likely than this were not filled by chance alone."""
DIGITS = 32


@dataclass(frozen=True, slots=True)
class Share:
    arm: str
    share: float


def family_of(salt: str, root: str) -> str:
    """Name a family by a hash of its first account: the same for all of its accounts."""
    return sha256(f"{salt}\x1f{root}".encode()).hexdigest()[:DIGITS]


def arm_of(family: str, shares: Sequence[Share]) -> str:
    """Pick the arm of a family; what no arm takes is the control."""
    place = int(family, 16) / 16**DIGITS
    for each in shares:
        if place < each.share:
            return each.arm
        place -= each.share
    return CONTROL


def expected(shares: Sequence[Share]) -> dict[str, float]:
    """Return the share of every arm, the control's too."""
    rest = 1 - sum(each.share for each in shares)
    return {each.arm: each.share for each in shares} | {CONTROL: rest}


def mismatch(counts: Mapping[str, int], shares: Sequence[Share]) -> float:
    """How likely sizes as uneven as these are by chance: Pearson's chi-square, one for no units."""
    total = sum(counts.values())
    if total == 0:
        return 1.0
    wanted = {arm: share * total for arm, share in expected(shares).items()}
    distance = sum((counts.get(arm, 0) - n) ** 2 / n for arm, n in wanted.items())
    return float(chi2.sf(distance, len(wanted) - 1))
