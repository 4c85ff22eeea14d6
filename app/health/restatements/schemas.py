"""API schemas of restatements."""

from datetime import date, datetime

from pydantic import Field

from app.core.schemas import Day, RequestModel, ResponseModel


class RestatementIn(RequestModel):
    """The days to score again."""

    since: Day = Field(description="First day.", examples=["2026-01-01"])
    until: Day = Field(description="Last day; before today.", examples=["2026-03-31"])


class RestatementOut(ResponseModel):
    """A request to score past days again. Its job shows the progress."""

    number: int = Field(examples=[1])
    scorecard_version: int = Field(examples=[2])
    since: date = Field(examples=["2026-01-01"])
    until: date = Field(examples=["2026-03-31"])
    job_id: str = Field(examples=["job_019aa1b2c3d4e5f60718293a"])
    created_at: datetime = Field(examples=["2026-04-01T09:00:00Z"])
    created_by: str = Field(examples=["key:k_1"])
