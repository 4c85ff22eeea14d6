"""HTTP bodies of accounts, users and subscriptions."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from app.accounts.hierarchy import Rollup
from app.accounts.tables import Account, ExternalId
from app.accounts.traits import BYTE_ORDER_MARK, SYSTEM_PATTERN, is_shortened
from app.core.schemas import (
    NO_OTHER_KEYS,
    Count,
    Flag,
    Id,
    JsonObject,
    NewDay,
    RequestModel,
    ResponseModel,
    Text,
)

LARGEST_MRR_CENTS = 10**14

NO_SPACE = r"[^\x00\s\x1c-\x1f\x85\ufeff]"
"""Any character but those that Python strips as spaces; the class of JSON Schema has fewer."""


def _check_new_id(value: object) -> object:
    """Raise ValueError for an id that must not be stored."""
    if isinstance(value, str) and value != value.strip():
        raise ValueError("An id must not begin or end with a space: remove the spaces.")
    if isinstance(value, str) and BYTE_ORDER_MARK in value:
        raise ValueError("An id must not contain a byte-order mark (U+FEFF): remove it.")
    if isinstance(value, str) and is_shortened(value):
        raise ValueError(
            "The id was shortened by a spreadsheet, so digits are lost: send all its digits."
        )
    return value


NewId = Annotated[
    Id,
    Field(json_schema_extra={"pattern": rf"^{NO_SPACE}([^\x00\ufeff]*{NO_SPACE})?$"}),
    BeforeValidator(_check_new_id),
]
"""An id that may be stored. Ids that were stored before with spaces can be read and erased."""

Traits = Annotated[
    JsonObject,
    Field(
        description="Any other data, at most 64 KiB and 32 levels deep.",
        examples=[{"region": "emea", "csat": 4.5}],
    ),
]


SystemName = Annotated[str, Field(pattern=SYSTEM_PATTERN, examples=["crm"])]
ExternalIds = Annotated[list[NewId], Field(min_length=1, max_length=100)]
ParentId = Annotated[
    NewId | None, Field(description="The id of the parent account.", examples=["acme-holding"])
]


class AccountFields(RequestModel):
    name: Text | None = Field(None, examples=["Acme Corp"])
    segment: Text | None = Field(None, examples=["mid_market"])
    owner: Text | None = Field(
        None, description="The person who looks after the account.", examples=["Ines Okafor"]
    )
    plan: Text | None = Field(None, description="The key of a plan.", examples=["pro"])
    industry: Text | None = Field(None, examples=["retail"])
    employees: Count | None = Field(None, examples=[250])
    end_customers: Count | None = Field(
        None, description="The number of customers that the account itself has.", examples=[12000]
    )
    started_on: NewDay | None = Field(
        None, description="The first day of the account as a customer.", examples=["2024-05-01"]
    )
    parent_id: ParentId = None


class AccountIn(AccountFields):
    """All fields of an account. Fields that are not sent are reset."""

    traits: Traits = Field({})
    feature_exceptions: Annotated[dict[Id, Flag], NO_OTHER_KEYS] = Field(
        {},
        description="Product features that are granted (true) or denied (false) to this account "
        "regardless of its plan.",
        examples=[{"sso": True}],
    )
    external_ids: Annotated[dict[SystemName, NewId | ExternalIds], NO_OTHER_KEYS] | None = Field(
        None,
        description="Ids of the account in other systems, by system. Null: existing ids stay.",
        examples=[{"salesforce": "0015g00000A1b2C", "stripe": "cus_9s6XKzkNRiz8i3"}],
    )
    rollup: Rollup = Field(
        Rollup.REVENUE_WEIGHTED,
        description="How its score and those of the accounts below it become one.",
    )
    excluded: Flag = Field(
        default=False,
        description="True for a test or internal account: it has no score and is on no list.",
    )


class AccountPatch(AccountFields):
    """The fields to change. Traits and feature exceptions are merged by name; null removes one."""

    traits: Traits = Field(default_factory=dict)
    feature_exceptions: Annotated[dict[Id, Flag | None], NO_OTHER_KEYS] = Field(
        default_factory=dict, examples=[{"sso": True, "api": None}]
    )
    external_ids: Annotated[dict[SystemName, NewId | ExternalIds | None], NO_OTHER_KEYS] = Field(
        default_factory=dict,
        description="Ids of the account in other systems, by system. Null removes those of a "
        "system.",
        examples=[{"salesforce": "0015g00000A1b2C", "hubspot": None}],
    )
    rollup: Rollup = Field(default_factory=lambda: Rollup.REVENUE_WEIGHTED)
    excluded: Flag = Field(default_factory=bool)


class AccountColumns(ResponseModel):
    """The stored columns of an account."""

    account_id: str = Field(examples=["acme"])
    name: str | None = Field(examples=["Acme Corp"])
    segment: str | None = Field(examples=["mid_market"])
    owner: str | None = Field(examples=["Ines Okafor"])
    plan: str | None = Field(examples=["pro"])
    industry: str | None = Field(examples=["retail"])
    employees: int | None = Field(examples=[250])
    end_customers: int | None = Field(examples=[12000])
    started_on: date | None = Field(examples=["2024-05-01"])
    trial_started_on: date | None = Field(examples=["2024-04-17"])
    trial_ends_on: date | None = Field(examples=["2024-05-01"])
    deleted_on: date | None = Field(
        description="The day on which the account was deleted in the product."
    )
    traits: dict[str, Any] = Field(examples=[{"region": "emea", "csat": 4.5}])
    feature_exceptions: dict[str, bool] = Field(examples=[{"sso": True}])
    parent_id: str | None = Field(examples=["acme-holding"])
    rollup: Rollup
    excluded: bool
    created_at: datetime


class AccountOut(AccountColumns):
    external_ids: dict[str, str | list[str]] = Field(
        description="Ids in other systems, by system; a list if there are several.",
        examples=[{"salesforce": "0015g00000A1b2C"}],
    )

    @classmethod
    def of(cls, account: Account, external_ids: Iterable[ExternalId]) -> "AccountOut":
        by_system: dict[str, list[str]] = {}
        for each in external_ids:
            by_system.setdefault(each.system, []).append(each.external_id)
        ids = {
            name: several[0] if len(several) == 1 else several
            for name, several in by_system.items()
        }
        return cls.from_row(account, external_ids=ids)


class AccountMrr(ResponseModel):
    account_id: str = Field(examples=["acme"])
    on: date
    known_on: date
    mrr_cents: dict[str, int] = Field(
        description="MRR in cents by currency; empty if nothing was paid.",
        examples=[{"USD": 120000}],
    )


class UserFields(RequestModel):
    account_id: NewId | None = Field(None, description="The account that the user belongs to.")
    email: Text | None = Field(None, examples=["ada@acme.example"])
    name: Text | None = Field(None, examples=["Ada Byron"])
    role: Text | None = Field(None, examples=["admin"])
    traits: Traits = Field(default_factory=dict)
    excluded: Flag | None = Field(
        None,
        description="Whether the user's usage is excluded from every count. Null: decided by the "
        "workspace's internal domains.",
    )


class UserIn(UserFields):
    """All fields of a user. Fields that are not sent are reset."""


class UserPatch(UserFields):
    """The fields to change. Traits are merged by name; null removes one."""


class UserOut(ResponseModel):
    user_id: str = Field(examples=["ada"])
    account_id: str | None = Field(examples=["acme"])
    email: str | None = Field(examples=["ada@acme.example"])
    name: str | None = Field(examples=["Ada Byron"])
    role: str | None = Field(examples=["admin"])
    traits: dict[str, Any] = Field(examples=[{"region": "emea"}])
    excluded: bool
    created_at: datetime
