"""How well the scores of a version would have predicted churn, by the newest backtests."""

from typing import Any, Literal, Self

from pydantic import Field
from sqlalchemy.orm import Session

from app.core.schemas import ResponseModel
from app.health.definition import scorecard_queries
from app.jobs import queries as jobs

BACKTEST = "backtest"
"""The kind of the jobs whose results are read."""
MIN_CHURNED = 8
"""With fewer churned accounts an AUC says nothing; a churn model needs as many."""

Reason = Literal["not_tested", "too_few_churned"]


class BandOutcomeOut(ResponseModel):
    """The outcomes of the rows in one band of the score, or on one level of churn risk."""

    band: str = Field(examples=["at_risk"])
    rows: int = Field(examples=[120])
    churned_rows: int = Field(examples=[30])
    churned_share: float = Field(examples=[0.25])


class ModelComparisonOut(ResponseModel):
    """The score, recency and a churn model on the rows that the model had not learnt from."""

    rows: int = Field(examples=[700])
    churned_accounts: int = Field(examples=[12])
    auc: float | None = Field(description="Of the score.", examples=[0.74])
    auc_of_recency: float | None = Field(examples=[0.7])
    auc_of_model: float | None = Field(examples=[0.82])


class ScorePredictionOut(ResponseModel):
    """How often an account that churned had a lower score than one that did not (AUC).

    A row is an account on one observation day, scored as it was known then.
    """

    reason: Reason | None = Field(
        description="Why there is no AUC. `not_tested`: no backtest has ended yet."
        f" `too_few_churned`: fewer than {MIN_CHURNED} accounts have churned.",
        examples=[None],
    )
    backtest_id: str | None = Field(None, examples=["job_019aa1b2c3d4e5f60718293a"])
    horizon_days: int | None = Field(None, examples=[90])
    rows: int | None = Field(None, examples=[1200])
    churned_accounts: int | None = Field(None, examples=[16])
    auc: float | None = Field(None, examples=[0.75])
    auc_of_recency: float | None = Field(
        None, description="The AUC of days since the last use alone.", examples=[0.7]
    )
    compared_with_model: ModelComparisonOut | None = Field(
        None, description="Null: too few accounts have churned to train a model.", examples=[None]
    )
    bands: list[BandOutcomeOut] = Field(default_factory=list)

    @classmethod
    def from_result(cls, backtest_id: str, result: dict[str, Any]) -> Self:
        """Read the result of a backtest; leave out figures of too few churned accounts."""
        if result["churned_accounts"] >= MIN_CHURNED:
            return cls.model_validate({**result, "reason": None, "backtest_id": backtest_id})
        counts = {name: result[name] for name in ("horizon_days", "rows", "churned_accounts")}
        return cls(reason="too_few_churned", backtest_id=backtest_id, **counts)


class PredictionChangeOut(ResponseModel):
    """What another version would predict, on the same observation days (the newest backtest)."""

    reason: Reason | None = Field(
        description="Why there is no change of the AUC. A draft is tested within an hour.",
        examples=[None],
    )
    auc_change: float | None = Field(description="after - before.", examples=[0.03])
    before: ScorePredictionOut = Field(description="The active version.")
    after: ScorePredictionOut = Field(description="The simulated version.")


def find_predictions(
    session: Session, workspace_id: str, *versions: int
) -> list[ScorePredictionOut]:
    """Return what the versions predict by the newest backtest of them all over all days."""
    subjects = [{"kind": "scorecard", "key": str(version)} for version in versions]
    job = jobs.find_newest_done(
        session, workspace_id, BACKTEST, config={"subjects": subjects, "since": None}
    )
    if job is None:
        return [ScorePredictionOut(reason="not_tested") for _ in versions]
    results = {(each["kind"], each["key"]): each for each in job.progress["results"]}
    return [
        ScorePredictionOut.from_result(job.id, results["scorecard", str(version)])
        for version in versions
    ]


def compare_predictions(session: Session, workspace_id: str, version: int) -> PredictionChangeOut:
    """Compare what a version predicts with what the active one does."""
    active, _ = scorecard_queries.get_active_scorecard(session, workspace_id)
    before, after = find_predictions(session, workspace_id, active, version)
    change = None
    if before.auc is not None and after.auc is not None:
        change = round(after.auc - before.auc, 4)
    reason = before.reason or after.reason
    return PredictionChangeOut(reason=reason, auc_change=change, before=before, after=after)
