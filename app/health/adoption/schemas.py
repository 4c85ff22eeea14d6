"""Adoption of a product feature on the wire."""

from pydantic import Field

from app.core.pagination import Page
from app.core.schemas import ResponseModel
from app.health.adoption.adoption import AdoptionStatus


class AdoptionCounts(ResponseModel):
    """Accounts that are neither churned nor excluded; all but the last are entitled to it."""

    entitled: int = Field(examples=[120])
    paying: int = Field(description="Of these, those who pay anything.", examples=[110])
    adopted: int = Field(description="Used it on at least two days of the window.", examples=[66])
    adopted_before: int = Field(description="In the window before.", examples=[60])
    adopted_share: float | None = Field(description="Of those entitled.", examples=[0.55])
    adopted_share_before: float | None = Field(examples=[0.5])
    gained: int = Field(description="Adopted now and not before.", examples=[9])
    lost: int = Field(description="Adopted before and not now.", examples=[3])
    unused: int = Field(description="Pay and have not adopted it.", examples=[45])
    value_leak_cents: int = Field(
        description="What it stands for in the price of these, a month.", examples=[1250000]
    )
    unentitled: int = Field(description="Use it without being entitled.", examples=[2])


class AdoptionGroup(AdoptionCounts):
    name: str | None = Field(description="Null: none is named.", examples=["smb"])


class AccountAdoptionOut(ResponseModel):
    account_id: str = Field(examples=["acme"])
    name: str | None = Field(examples=["Acme Ltd"])
    segment: str | None = Field(examples=["smb"])
    plan: str | None = Field(examples=["team"])
    mrr_cents: int = Field(examples=[49900])
    adopted: bool
    adopted_before: bool
    value_leak_cents: int | None = Field(
        validation_alias="cents",
        description="What the product feature stands for in the price, a month, where it is paid "
        "for and not adopted; null where it is, or where no price is known.",
        examples=[12475],
    )


class AdoptionOut(Page[AccountAdoptionOut]):
    """A product feature: counts over all accounts, and the accounts of one kind."""

    key: str = Field(examples=["sso"])
    name: str = Field(examples=["Single sign-on"])
    use: AdoptionStatus
    total: AdoptionCounts
    by_segment: list[AdoptionGroup] = Field(description="The 100 largest.")
    by_plan: list[AdoptionGroup] = Field(description="The 100 largest.")
