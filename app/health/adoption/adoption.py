"""Who pays for a product feature, who uses it, and whose use of it begins or ends."""

from dataclasses import dataclass
from enum import StrEnum


class AdoptionStatus(StrEnum):
    """How an account stands to a product feature; all but the last are entitled to it.

    ``unused``: pays and has not adopted it. ``gained``, ``lost``: adopted now and not in the
    window before, or the other way round. ``unentitled``: has adopted what it is not entitled to.
    """

    UNUSED = "unused"
    ADOPTED = "adopted"
    GAINED = "gained"
    LOST = "lost"
    UNENTITLED = "unentitled"


class AdoptionGrouping(StrEnum):
    ALL = "all"
    SEGMENT = "segment"
    PLAN = "plan"


@dataclass(frozen=True, slots=True)
class Adoption:
    """Counts of accounts; all but ``unentitled`` are of those entitled to the product feature.

    ``value_leak_cents``: what the feature stands for in the price of those who pay and have not
    adopted it, a month.
    """

    by: AdoptionGrouping
    name: str | None
    entitled: int
    paying: int
    adopted: int
    adopted_before: int
    gained: int
    lost: int
    unused: int
    unentitled: int
    value_leak_cents: int

    @property
    def adopted_share(self) -> float | None:
        return round(self.adopted / self.entitled, 4) if self.entitled else None

    @property
    def adopted_share_before(self) -> float | None:
        return round(self.adopted_before / self.entitled, 4) if self.entitled else None


@dataclass(frozen=True, slots=True)
class AccountAdoption:
    """An account and a product feature. ``cents``: what it pays for it a month in vain.

    ``money`` is what the list is sorted by: ``cents`` where these are asked for, else the MRR.
    """

    account_id: str
    name: str | None
    segment: str | None
    plan: str | None
    mrr_cents: int
    adopted: bool
    adopted_before: bool
    cents: int | None
    money: int
