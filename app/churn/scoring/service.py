"""Compute the churn risk of accounts, once for each day that is over."""

import zlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from app.churn.model.horizon import Horizon, HorizonBasis
from app.churn.model.model import Model
from app.churn.registry import store
from app.churn.scoring import risk_queries
from app.churn.scoring.risk import RiskScorer, score_accounts
from app.churn.tables import ChurnScoringContext
from app.churn.training import observations
from app.churn.training import queries as training_queries
from app.core.arrays import np
from app.features.table import TableSpec, event_names_in
from app.features.table_queries import load_feature_table

LOOKBACK = timedelta(days=28)
MAX_PEERS = 2000
CONTEXT_LIFETIME = timedelta(days=28)
FEW_PEERS = 20
"""With fewer peers, the medians are recomputed each day. A column has a median from as many on."""


def refresh(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, as_of: date, now: datetime
) -> None:
    """Score a set of accounts as of the last day that is over, in the caller's transaction.

    Accounts already scored for that day by the active model are skipped, because the features of a
    day that is over do not change. Past days are never scored: today's model has learnt from what
    came after them.
    """
    if as_of < now.date():
        return
    day = as_of - timedelta(days=1)
    model = store.load_active_model(session, workspace_id, as_of=day)
    version = model.version if model else None
    due = risk_queries.list_outdated(session, workspace_id, account_ids, day=day, version=version)
    if not due:
        return
    scorer, spec = _build_scorer(session, workspace_id, model, day=day)
    table = load_feature_table(session, workspace_id, [(each, day) for each in due], spec=spec)
    active = observations.can_churn(table, scorer.horizon)
    earlier = [(each, day - LOOKBACK) for each, lives in zip(due, active, strict=True) if lives]
    before = load_feature_table(session, workspace_id, earlier, spec=spec)
    risks = score_accounts(scorer, table, before, active)
    risk_queries.upsert_risks(session, workspace_id, risks, day=day, now=now)


def _build_scorer(
    session: Session, workspace_id: str, model: Model | None, *, day: date
) -> tuple[RiskScorer, TableSpec]:
    context = _scoring_context(session, workspace_id, day=day)
    days = model.horizon_days if model else context.horizon_days
    horizon = Horizon(days, HorizonBasis(context.basis))
    names = list(event_names_in(model.names)) if model else context.event_names
    spec = observations.build_table_spec(
        session, workspace_id, as_of=day, horizon=horizon, event_names=names
    )
    return RiskScorer(model, horizon, context.medians), spec


def _scoring_context(session: Session, workspace_id: str, *, day: date) -> ChurnScoringContext:
    """Return the workspace's horizon, event names and medians, recomputed every four weeks."""
    stored = risk_queries.find_scoring_context(session, workspace_id)
    if stored is not None and (
        stored.computed_on == day
        or (stored.accounts >= FEW_PEERS and day - stored.computed_on < CONTEXT_LIFETIME)
    ):
        return stored
    horizon = training_queries.load_horizon(session, workspace_id, as_of=day)
    spec = observations.build_table_spec(session, workspace_id, as_of=day, horizon=horizon)
    active = training_queries.list_active_accounts(session, workspace_id, day=day, horizon=horizon)
    shuffled = sorted(active, key=lambda each: zlib.crc32(each.encode()))
    peers = sorted(shuffled[:MAX_PEERS])  # a random sample, and always the same
    table = load_feature_table(session, workspace_id, [(each, day) for each in peers], spec=spec)
    known = {name: table.column(name)[~np.isnan(table.column(name))] for name in table.names}
    return risk_queries.upsert_scoring_context(
        session,
        workspace_id,
        horizon_days=horizon.days,
        basis=horizon.basis,
        event_names=list(spec.event_names),
        medians={
            name: float(np.median(each)) for name, each in known.items() if each.size >= FEW_PEERS
        },
        accounts=len(peers),
        computed_on=day,
    )
