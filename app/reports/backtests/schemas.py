"""Backtests on the wire."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field

from app.core.schemas import Day, Id, RequestModel, ResponseModel
from app.jobs.states import JobState
from app.jobs.tables import Job

SubjectKind = Literal["model", "scorecard", "alert_rule"]


class VersionSubjectIn(RequestModel):
    """A version of what there are versions of."""

    kind: Literal["model", "scorecard"]
    key: Annotated[str, Field(pattern="^[0-9]{1,9}$", examples=["3"])]


class RuleSubjectIn(RequestModel):
    """An alert rule by its key."""

    kind: Literal["alert_rule"]
    key: Id = Field(examples=["health_at_risk"])


SubjectIn = Annotated[VersionSubjectIn | RuleSubjectIn, Field(discriminator="kind")]


class BacktestIn(RequestModel):
    """One, or two to see side by side."""

    subjects: Annotated[list[SubjectIn], Field(min_length=1, max_length=2)]
    since: Day | None = Field(
        None, description="The first observation day; all there are by default.", examples=[None]
    )


class BacktestBandOut(BaseModel):
    """What came of the accounts in a band of the score, or on a level of risk."""

    band: str = Field(examples=["at_risk"])
    rows: int = Field(examples=[120])
    churned_rows: int = Field(examples=[30])
    churned_share: float = Field(examples=[0.25])


class TopShareOut(BaseModel):
    share: float = Field(examples=[0.05])
    rows: int = Field(examples=[60])
    precision: float = Field(examples=[0.2])
    recall: float | None = Field(examples=[0.4])


class BacktestResultOut(BaseModel):
    """What is null does not apply, or cannot be said. Rows are accounts on observation days."""

    kind: SubjectKind
    key: str = Field(examples=["3"])
    horizon_days: int | None = Field(None, examples=[90])
    rows: int | None = Field(None, examples=[1200])
    accounts: int | None = Field(None, examples=[100])
    churned_rows: int | None = Field(None, examples=[40])
    churned_accounts: int | None = Field(None, examples=[16])
    base_rate: float | None = Field(None, examples=[0.0333])
    bands: list[BacktestBandOut] = Field(default_factory=list)
    churned_while_healthy: int | None = Field(None, examples=[4])
    churned_while_healthy_share: float | None = Field(None, examples=[0.1])
    top: list[TopShareOut] = Field(default_factory=list)
    lead_days_median: float | None = Field(
        None, description="From the first warning to leaving.", examples=[52.0]
    )
    auc: float | None = Field(None, examples=[0.81])
    auc_of_recency: float | None = Field(None, examples=[0.7])
    lift_top_10: float | None = Field(None, description="Over the base rate.", examples=[4.5])
    lift_top_10_of_recency: float | None = Field(None, examples=[3.1])
    alerts: int | None = Field(None, description="Of a rule.", examples=[None])
    accounts_alerted: int | None = Field(None, examples=[None])
    caught: int | None = Field(None, examples=[None])
    false_alarms: int | None = Field(None, examples=[None])
    precision: float | None = Field(None, examples=[None])
    recall: float | None = Field(None, examples=[None])


class BacktestOut(ResponseModel):
    id: str = Field(examples=["job_019aa1b2c3d4e5f60718293a"])
    state: JobState
    subjects: list[SubjectIn]
    since: date | None
    until: date
    results: list[BacktestResultOut] = Field(
        description="In the order of the subjects, as far as done."
    )
    error: str | None = Field(examples=[None])
    created_by: str = Field(description="`service`: run on activation.", examples=["service"])
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> Self:
        asked = {name: job.config[name] for name in ("subjects", "since", "until")}
        return cls.from_row(job, **asked, results=job.progress.get("results", []))
