"""Response schemas of the change feed."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from app.core.schemas import ResponseModel, Timestamp


class ChangeType(StrEnum):
    SCORE = "score"
    ALERT = "alert"
    INTERVENTION = "intervention"


class FeedStart(StrEnum):
    """Where a reader without a cursor begins: at the oldest stored change, or at new changes."""

    OLDEST = "oldest"
    NOW = "now"


def _midnight(value: object) -> object:
    """Read a day as its beginning in UTC."""
    is_day = isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value)
    return f"{value}T00:00:00Z" if is_day else value


FeedTime = Annotated[Timestamp, BeforeValidator(_midnight)]


class ChangeOut(ResponseModel):
    type: ChangeType
    account_id: str | None = Field(examples=["acme"])
    data: dict[str, Any] = Field(
        description="The values now and before; the fields depend on the type (docs/changes.md).",
        examples=[{"value": 21.5, "before": 44.0, "band": "at_risk", "band_before": "watch"}],
    )
    created_at: datetime


class ChangesOut(ResponseModel):
    """A page of the feed."""

    items: list[ChangeOut]
    next_cursor: str = Field(
        description="Use it for the next request, at once or later. It is never null.",
        examples=["Wzk1NCwxLDE3OTU2NTQyNTFd"],
    )
    has_more: bool = Field(description="Whether more changes were available at this moment.")
