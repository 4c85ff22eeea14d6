"""The adoption of a product feature: statuses, counts and accounts. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class AdoptionStatus(StrEnum):
    """Which accounts to list: all but ``unentitled`` are entitled to the product feature.

    ``unused``: the account pays and has not adopted it. ``gained``, ``lost``: adopted in this
    window and not in the window before, or the other way round. ``unentitled``: adopted without
    entitlement.
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
    """Counts of accounts; all but ``unentitled`` count accounts that are entitled to the feature.

    ``value_leak_cents``: the monthly price of the feature for the accounts that pay and have not
    adopted it.
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
    """An account and a product feature. ``cents``: the monthly price that it pays without using it.

    ``money`` is the sort key of the list: ``cents`` for the status ``unused``, else the MRR.
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
