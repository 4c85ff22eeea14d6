"""Adoption of a product feature in the API."""

from datetime import date
from enum import StrEnum

from pydantic import Field

from app.core.pagination import Page
from app.core.schemas import ResponseModel
from app.health.scoring.assess import MRR_CENTS


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


class AdoptionCounts(ResponseModel):
    """Numbers of accounts, without churned and excluded ones.

    All but `unentitled` count accounts that are entitled to the product feature.
    """

    entitled: int = Field(examples=[120])
    paying: int = Field(description="Entitled accounts that pay.", examples=[110])
    adopted: int = Field(description="Used it on at least two days of the window.", examples=[66])
    adopted_before: int | None = Field(
        description="Adopted it in the window before; null if that is not known.", examples=[60]
    )
    adopted_share: float | None = Field(
        description="Share of the entitled accounts.", examples=[0.55]
    )
    adopted_share_before: float | None = Field(
        description="Share of the entitled accounts of which it is known.", examples=[0.5]
    )
    gained: int | None = Field(
        description="Adopted it in this window and not in the one before; null if that is not"
        " known.",
        examples=[9],
    )
    lost: int | None = Field(
        description="Adopted it in the window before and not in this one; null if that is not"
        " known.",
        examples=[3],
    )
    unused: int = Field(description="Pay and have not adopted it.", examples=[45])
    value_leak_cents: int = Field(
        description="Monthly price of the feature for the `unused` accounts.", examples=[1250000]
    )
    unentitled: int = Field(description="Adopted it without entitlement.", examples=[2])


class AdoptionGroup(AdoptionCounts):
    """The counts of one segment or plan."""

    name: str | None = Field(
        description="Null for accounts without a segment or plan.", examples=["smb"]
    )


class AccountAdoptionOut(ResponseModel):
    """An account and its adoption of the product feature."""

    account_id: str = Field(examples=["acme"])
    name: str | None = Field(examples=["Acme Ltd"])
    segment: str | None = Field(examples=["smb"])
    plan: str | None = Field(examples=["team"])
    mrr_cents: int | None = MRR_CENTS
    adopted: bool
    adopted_before: bool | None = Field(description="Null if it is not known.")
    value_leak_cents: int | None = Field(
        validation_alias="cents",
        description="Monthly price of the product feature for the account if it pays and has not "
        "adopted it; null if it has adopted it or if the price is unknown.",
        examples=[12475],
    )


class AdoptionOut(Page[AccountAdoptionOut]):
    """A product feature with counts of all accounts and the accounts of one status."""

    key: str = Field(examples=["sso"])
    name: str = Field(examples=["Single sign-on"])
    use: AdoptionStatus
    known_from: date | None = Field(
        description="The first day of the sources that report its use: what was before it is"
        " unknown. Null if no event was received.",
        examples=["2024-04-17"],
    )
    total: AdoptionCounts
    by_segment: list[AdoptionGroup] = Field(description="The 100 largest groups.")
    by_plan: list[AdoptionGroup] = Field(description="The 100 largest groups.")
