from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from app.churn.model.model import ModelStage
from app.core.schemas import ResponseModel

ModelState = Literal["active", "shadow", "retired", "rolled_back", "degraded"]


class ChurnModelOut(ResponseModel):
    version: int = Field(examples=[3])
    state: ModelState = Field(
        examples=["active"],
        description="`active` tells the risk; `shadow` was trained and did not take over; the"
        " others held once.",
    )
    stage: ModelStage = Field(
        examples=["trusted"],
        description="`experimental` until it beats base rate and recency on unseen time, then"
        " `trusted`.",
    )
    horizon_days: int = Field(examples=[90])
    data_through: date = Field(
        examples=["2026-08-31"], description="The last observed day that it learnt from."
    )
    known_through: date = Field(
        examples=["2026-11-29"], description="The day on which the last outcome was known."
    )
    created_at: datetime
    created_by: str = Field(examples=["job:job_019aa1b2c3d4e5f60718293a"])
    activated_at: datetime | None
    activated_by: str | None
    retired_at: datetime | None


class ChurnModelCard(ChurnModelOut):
    card: dict[str, Any] = Field(
        description="Data, features, candidates, figures on unseen time with intervals,"
        " calibration by groups, checks, versions and hash.",
        examples=[{"kind": "mean", "seed": 1337, "data": {"rows": 9143, "churned_accounts": 412}}],
    )


class ChurnModelRollbackOut(ResponseModel):
    active: ChurnModelOut | None = Field(description="What holds now; null: the rules.")
