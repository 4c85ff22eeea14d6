"""Who is in which arm of an experiment, and whether the arms have the sizes they should. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from scipy.stats import chi2

CONTROL = "control"
SUSPICIOUS = 0.001
"""Arms whose sizes are less likely than this were not filled by chance alone."""


@dataclass(frozen=True, slots=True)
class Share:
    arm: str
    share: float


def arm_of(salt: str, family: str, shares: Sequence[Share]) -> str:
    """Pick an arm by the hash of a family's first account; what no arm takes is the control."""
    digest = sha256(f"{salt}\x1f{family}".encode()).digest()
    place = int.from_bytes(digest[:8]) / 2**64
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
