"""Which accounts a list holds, and in which order."""

from dataclasses import dataclass
from enum import StrEnum

from app.health.assess import Status
from app.health.scorecard import Band


class Sort(StrEnum):
    """What a list can be ordered by; a leading minus reverses it."""

    SCORE = "score"
    MRR = "mrr"
    NAME = "name"
    ACCOUNT_ID = "account_id"


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """Only what is set filters. Without a status, churned and excluded accounts are left out."""

    band: Band | None = None
    status: Status | None = None
    segment: str | None = None
    owner: str | None = None
    plan: str | None = None
    min_mrr_cents: int | None = None
    sort: Sort = Sort.ACCOUNT_ID
    descending: bool = False
