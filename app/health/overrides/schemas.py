"""API schemas of overrides."""

from datetime import datetime
from typing import Any, Self

from pydantic import Field

from app.core.schemas import RequestModel, ResponseModel, Text, Timestamp


class OverrideIn(RequestModel):
    """A value that replaces the score, and until when."""

    value: float = Field(ge=0, le=100, allow_inf_nan=False, examples=[80])
    reason: Text = Field(examples=["They signed for two more years yesterday."])
    expires_at: Timestamp = Field(
        description="In the future, at most 366 days ahead.", examples=["2026-06-30T00:00:00Z"]
    )
    author: Text | None = Field(
        None,
        description="The person who decided; null: the API key.",
        examples=["kim@example.com"],
    )


class OverrideOut(ResponseModel):
    """A value that replaces the score of an account."""

    account_id: str = Field(examples=["acme"])
    value: float = Field(examples=[80.0])
    reason: str = Field(examples=["They signed for two more years yesterday."])
    author: str = Field(examples=["kim@example.com"])
    created_at: datetime = Field(examples=["2026-03-01T09:00:00Z"])
    expires_at: datetime = Field(examples=["2026-06-30T00:00:00Z"])
    ended_at: datetime | None = Field(examples=[None])
    ended_by: str | None = Field(
        description="API key that ended it; `expiry` if it expired.", examples=["expiry"]
    )


class DisagreementOut(OverrideOut):
    """An override and the score computed now without it."""

    name: str | None = Field(description="Name of the account.", examples=["Acme Ltd"])
    machine_value: float | None = Field(description="The computed score.", examples=[31.2])
    difference: float | None = Field(description="value - machine_value.", examples=[48.8])

    @classmethod
    def from_override(
        cls,
        row: Any,  # noqa: ANN401 - a row of the table
        name: str | None,
        machine_value: float | None,
        difference: float | None,
    ) -> Self:
        return cls.from_row(row, name=name, machine_value=machine_value, difference=difference)
