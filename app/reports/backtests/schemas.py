"""Request and response models of backtests."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from app.core.schemas import Day, Id, RequestModel, ResponseModel
from app.health.versions.prediction import BandOutcomeOut, ModelComparisonOut
from app.jobs.tables import Job, JobState

SubjectKind = Literal["model", "scorecard", "alert_rule"]


class VersionSubjectIn(RequestModel):
    """A version of a churn model or of the scorecard, to be backtested."""

    kind: Literal["model", "scorecard"]
    key: Annotated[str, Field(pattern="^[0-9]{1,9}$", description="The version.", examples=["3"])]


class RuleSubjectIn(RequestModel):
    """An alert rule to be backtested."""

    kind: Literal["alert_rule"]
    key: Id = Field(description="The key of the rule.", examples=["health_at_risk"])


SubjectIn = Annotated[VersionSubjectIn | RuleSubjectIn, Field(discriminator="kind")]


class BacktestIn(RequestModel):
    subjects: Annotated[
        list[SubjectIn],
        Field(min_length=1, max_length=2, description="One subject, or two to compare."),
    ]
    since: Day | None = Field(
        None,
        description="The first observation day. By default all observation days are used.",
        examples=[None],
    )


class TopShareOut(ResponseModel):
    """How well the riskiest rows predict churn."""

    share: float = Field(description="Of all rows.", examples=[0.05])
    rows: int = Field(examples=[60])
    precision: float = Field(description="The share of them that churned.", examples=[0.2])
    recall: float | None = Field(
        description="Their share of all churned rows. Null: no row churned.", examples=[0.4]
    )


class BacktestResultOut(ResponseModel):
    """The result of one subject. A row is an account on one observation day.

    A field is null if it does not apply to the kind, or cannot be computed from the data.
    """

    kind: SubjectKind
    key: str = Field(examples=["3"])
    horizon_days: int | None = Field(None, examples=[90])
    rows: int | None = Field(None, examples=[1200])
    accounts: int | None = Field(None, examples=[100])
    churned_rows: int | None = Field(None, examples=[40])
    churned_accounts: int | None = Field(None, examples=[16])
    base_rate: float | None = Field(
        None, description="The share of rows that churned.", examples=[0.0333]
    )
    bands: list[BandOutcomeOut] = Field(default_factory=list)
    churned_while_healthy: int | None = Field(
        None, description="Churned rows in the band `healthy` or on the level `low`.", examples=[4]
    )
    churned_while_healthy_share: float | None = Field(
        None, description="Their share of all churned rows.", examples=[0.1]
    )
    top: list[TopShareOut] = Field(default_factory=list)
    lead_days_median: float | None = Field(
        None, description="Median days from the first warning to churn.", examples=[52.0]
    )
    auc: float | None = Field(None, examples=[0.81])
    auc_of_recency: float | None = Field(
        None, description="The AUC of days since the last use alone.", examples=[0.7]
    )
    lift_top_10: float | None = Field(
        None, description="Churn of the riskiest 10 % over the base rate.", examples=[4.5]
    )
    lift_top_10_of_recency: float | None = Field(
        None, description="The same of days since the last use alone.", examples=[3.1]
    )
    compared_with_model: ModelComparisonOut | None = Field(
        None,
        description="Of a scorecard: the same rows by a churn model that had not learnt from them."
        " Null: too few accounts have churned to train one.",
        examples=[None],
    )
    alerts: int | None = Field(
        None, description="Alerts that a rule would have opened.", examples=[None]
    )
    accounts_alerted: int | None = Field(
        None, description="Accounts with such an alert.", examples=[None]
    )
    caught: int | None = Field(
        None, description="Alerted accounts that churned afterwards.", examples=[None]
    )
    false_alarms: int | None = Field(
        None, description="Alerted accounts that did not churn.", examples=[None]
    )
    precision: float | None = Field(
        None, description="Caught accounts / alerted accounts.", examples=[None]
    )
    recall: float | None = Field(
        None, description="Caught accounts / churned accounts.", examples=[None]
    )
    filtered_by_today: list[str] = Field(
        default_factory=list,
        description="Fields of filters and card rules whose past is not stored: they are judged by"
        " today's values.",
        examples=[[]],
    )


class BacktestOut(ResponseModel):
    id: str = Field(examples=["job_019aa1b2c3d4e5f60718293a"])
    state: JobState
    subjects: list[SubjectIn]
    since: date | None
    until: date = Field(description="The last day that was over when the backtest was started.")
    results: list[BacktestResultOut] = Field(
        description="The complete results, in the order of the subjects."
    )
    error: str | None = Field(examples=[None])
    created_by: str = Field(
        description="`service`: started automatically on activation.", examples=["service"]
    )
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def from_job(cls, job: Job) -> Self:
        config = {name: job.config[name] for name in ("subjects", "since", "until")}
        return cls.from_row(job, **config, results=job.progress.get("results", []))
