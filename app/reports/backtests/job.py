"""Run backtests page by page: models, scorecards and alert rules over past days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.alerts import rule_service
from app.alerts.backtest import backtest_rule
from app.churn.model.horizon import Horizon, HorizonBasis
from app.churn.model.levels import LEVELS, risk_levels
from app.churn.model.threads import one_thread
from app.churn.model.training import train
from app.churn.registry import model_queries
from app.churn.training import observations
from app.churn.training import queries as training_queries
from app.churn.training.observations import ObservedPanel
from app.churn.training.service import SEED
from app.core.arrays import Floats, np
from app.core.db import SessionFactory, transaction
from app.features.table_queries import AccountDay
from app.health.definition.scorecard_queries import get_scorecard_config
from app.health.scoring import scoring_context
from app.health.scoring import service as health
from app.jobs import service as jobs
from app.jobs.service import ClaimedJob
from app.reports.backtests.ranking_metrics import (
    RankedRows,
    compare_rankings,
    evaluate_ranking,
)
from app.reports.backtests.service import BacktestSubject

MAX_RULE_DAYS = 365


def run_backtest_page(sessions: SessionFactory, claimed: ClaimedJob, now: datetime) -> bool:
    """Test one subject, or one observation day of a scorecard. Returns whether work remains."""
    subjects = claimed.config["subjects"]
    index = claimed.position["subject"]
    if index >= len(subjects):
        return False
    with transaction(sessions) as session:
        new_results, position = _run_page(session, claimed, BacktestSubject(**subjects[index]), now)
        results = [*claimed.progress.get("results", []), *new_results]
        progress = {"subjects": len(subjects), "done": len(results), "results": results}
        jobs.checkpoint(session, claimed, position=position, progress=progress, now=now)
    return bool(position["subject"] < len(subjects))


def _run_page(
    session: Session, claimed: ClaimedJob, subject: BacktestSubject, now: datetime
) -> tuple[list[dict[str, Any]], Mapping[str, Any]]:
    """Return the results that are complete, and the next position."""
    if subject.kind == "alert_rule":
        metrics = _test_rule(session, claimed, subject, now)
    elif subject.kind == "model":
        metrics = _test_model(session, claimed, subject)
    else:
        plan = _plan(session, claimed)
        days = sorted({day for _, day in plan.account_days})
        index, rows = claimed.position["day"], list(claimed.position["rows"])
        if index < len(days):
            rows += _score_day(session, claimed, subject, plan, day=days[index], now=now)
            return [], {"subject": claimed.position["subject"], "day": index + 1, "rows": rows}
        scorecard = get_scorecard_config(session, claimed.workspace_id, int(subject.key))
        metrics = _evaluate(plan, _rows_from_position(rows))
        metrics["compared_with_model"] = _compare_with_model(session, claimed, plan, rows)
        metrics["filtered_by_today"] = [f"traits.{name}" for name in sorted(scorecard.traits)]
    next_subject = {"subject": claimed.position["subject"] + 1, "day": 0, "rows": []}
    return [{"kind": subject.kind, "key": subject.key, **metrics}], next_subject


@dataclass(frozen=True, slots=True)
class ObservationPlan:
    horizon: Horizon
    account_days: Sequence[AccountDay]


def _plan(session: Session, claimed: ClaimedJob, days: int | None = None) -> ObservationPlan:
    """List the accounts and days to observe, over a horizon of ``days`` or the workspace's."""
    workspace_id, since = claimed.workspace_id, claimed.config["since"]
    until = date.fromisoformat(claimed.config["until"])
    horizon = training_queries.load_horizon(session, workspace_id, as_of=until, days=days)
    account_days = observations.list_observation_days(
        session, workspace_id, until=until, horizon=horizon
    )
    if since:
        account_days = [each for each in account_days if each[1] >= date.fromisoformat(since)]
    return ObservationPlan(horizon, account_days)


def _observe(
    session: Session, claimed: ClaimedJob, account_days: Sequence[AccountDay], horizon: Horizon
) -> ObservedPanel:
    workspace_id, until = claimed.workspace_id, date.fromisoformat(claimed.config["until"])
    spec = observations.build_table_spec(session, workspace_id, as_of=until, horizon=horizon)
    return observations.observe_accounts(
        session, workspace_id, account_days, until=until, horizon=horizon, spec=spec
    )


def _evaluate(plan: ObservationPlan, rows: RankedRows) -> dict[str, Any]:
    return {"horizon_days": plan.horizon.days, **evaluate_ranking(rows)}


def _test_model(session: Session, claimed: ClaimedJob, subject: BacktestSubject) -> dict[str, Any]:
    """Train like the stored model on the days before each block, and evaluate on the block.

    The horizon is that of the model. No row is evaluated by a model that was trained on it. Uses
    seconds of CPU time.
    """
    row = model_queries.get_model(session, claimed.workspace_id, int(subject.key))
    plan = _plan(session, claimed, row.horizon_days)
    account_days = [each for each in plan.account_days if each[1] <= row.data_through]
    observed = _observe(session, claimed, account_days, plan.horizon)
    panel = observed.panel
    with one_thread():
        unseen = train(panel, seed=row.card["seed"]).unseen if account_days else None
    if unseen is None:
        return _evaluate(plan, _rows_from_position([]))
    recency = _known_recency(panel.x[unseen.row_index, panel.names.index("recency")])
    days_left = _days_left(observed, plan.horizon)[unseen.row_index]
    levels = [LEVELS[level] for level in risk_levels(unseen.p, float(unseen.base.mean()))]
    rows = RankedRows(unseen.account, unseen.y, unseen.p, levels, recency, days_left)
    return _evaluate(plan, rows)


def _score_day(
    session: Session,
    claimed: ClaimedJob,
    subject: BacktestSubject,
    plan: ObservationPlan,
    *,
    day: date,
    now: datetime,
) -> list[list[Any]]:
    """Score the accounts of one day as a scorecard version would have, with their outcomes.

    A row is account, churned (0 or 1), score, band, recency (days since last use), days until
    churn and day. Accounts without a score are left out.
    """
    account_days = [each for each in plan.account_days if each[1] == day]
    observed = _observe(session, claimed, account_days, plan.horizon)
    panel = observed.panel
    ids = [account_id for account_id, _ in observed.account_days]
    context = scoring_context.load_context(
        session, claimed.workspace_id, as_of=day, now=now, version=int(subject.key)
    )
    assessments = {
        each.account_id: each
        for each in health.load_assessments(
            session,
            claimed.workspace_id,
            ids,
            context,
            as_of=day,
            now=now,
            stored_attributes=True,
        )
    }
    recency = _known_recency(panel.x[:, panel.names.index("recency")])
    days_left = _days_left(observed, plan.horizon)
    return [
        [
            *(key, int(y), assessment.score, assessment.band, float(silent)),
            None if np.isnan(days) else float(days),
            day.toordinal(),
        ]
        for key, y, silent, days in zip(ids, panel.y, recency, days_left, strict=True)
        if (assessment := assessments[key]).score is not None
    ]


def _rows_from_position(rows: Sequence[Sequence[Any]]) -> RankedRows:
    """Convert the rows of ``_score_day`` to columns. The risk is 100 minus the score."""
    ids, y, scores, bands, recency, days_left, _ = zip(*rows, strict=True) if rows else [()] * 7
    _, account = np.unique(ids, return_inverse=True)
    numbers = (np.array(column, dtype=float) for column in (y, scores, recency, days_left))
    churned, score, silence, days = numbers
    return RankedRows(account, churned, 100 - score, bands, silence, days)


def _compare_with_model(
    session: Session, claimed: ClaimedJob, plan: ObservationPlan, rows: Sequence[Sequence[Any]]
) -> dict[str, Any] | None:
    """Compare the score with a model that is trained like the service's, on rows unseen by it.

    These are later rows, in a short history those of other accounts. None: too few have churned.
    """
    observed = _observe(session, claimed, plan.account_days, plan.horizon)
    with one_thread():
        unseen = train(observed.panel, seed=SEED).unseen if len(observed.panel) else None
    if unseen is None:
        return None
    account_days = [observed.account_days[index] for index in unseen.row_index]
    p_of_row = {
        (account_id, day.toordinal()): p
        for (account_id, day), p in zip(account_days, unseen.p, strict=True)
    }
    later = [row for row in rows if (row[0], row[6]) in p_of_row]
    return compare_rankings(
        _rows_from_position(later), np.array([p_of_row[row[0], row[6]] for row in later])
    )


def _known_recency(recency: Floats) -> Floats:
    """Set the recency (days since last use) of accounts that were never used to a year."""
    return np.nan_to_num(recency, nan=observations.YEAR_DAYS)


def _days_left(observed: ObservedPanel, horizon: Horizon) -> Floats:
    """Return how many days after each day the account churned; nan where it did not."""
    panel = observed.panel
    if horizon.basis is HorizonBasis.SILENCE:
        recency = _known_recency(panel.x[:, panel.names.index("recency")])
        return np.where(panel.y > 0, horizon.days - recency, np.nan)
    days = [
        (outcome.left_on - day).days if outcome.left_on and outcome.left_on > day else np.nan
        for outcome, (_, day) in zip(observed.outcomes, observed.account_days, strict=True)
    ]
    return np.array(days, dtype=float)


def _test_rule(
    session: Session, claimed: ClaimedJob, subject: BacktestSubject, now: datetime
) -> dict[str, Any]:
    """Evaluate the rule on the scores as they were stored on past days."""
    _, rule = rule_service.get(session, claimed.workspace_id, subject.key)
    since = claimed.config["since"]
    days = (now.date() - date.fromisoformat(since)).days + 1 if since else MAX_RULE_DAYS
    result = backtest_rule(
        session, claimed.workspace_id, rule, days=min(days, MAX_RULE_DAYS), now=now
    )
    alerted = result.accounts_alerted
    return {
        "accounts": result.accounts,
        "alerts": result.alerts,
        "accounts_alerted": alerted,
        "churned_accounts": result.churned,
        "caught": result.caught,
        "false_alarms": result.false_alarms,
        "precision": round(result.caught / alerted, 4) if alerted else None,
        "recall": round(result.caught / result.churned, 4) if result.churned else None,
        "lead_days_median": result.days_before_median,
        "filtered_by_today": result.filtered_by_today,
    }
