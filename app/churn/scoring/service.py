"""Keep the churn risk of accounts up to date: once for each day that is over."""

import zlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import numpy as np
from sqlalchemy.orm import Session

from app.churn.model.horizon import Horizon, HorizonBasis
from app.churn.model.model import Model
from app.churn.registry import store
from app.churn.scoring import risk_queries
from app.churn.scoring.risk import RiskScorer, score_accounts
from app.churn.tables import ChurnScoringContext
from app.churn.training import observation_queries, observations
from app.features.table import TableSpec, event_names_in
from app.features.table_queries import load_feature_table

LOOKBACK = timedelta(days=28)
MAX_PEERS = 2000
CONTEXT_LIFETIME = timedelta(days=28)
FEW_PEERS = 20
"""With fewer peers than this the medians are taken anew each day."""


def refresh(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, as_of: date, now: datetime
) -> None:
    """Judge a set of accounts as of the last day that is over, in the caller's transaction.

    What was known on a day that is over does not change, so nothing is done twice for one. Past
    days are not judged: the model of today would judge them with hindsight.
    """
    if as_of < now.date():
        return
    day = as_of - timedelta(days=1)
    model = store.load_active_model(session, workspace_id)
    version = model.version if model else None
    due = risk_queries.list_outdated(session, workspace_id, account_ids, day=day, version=version)
    if not due:
        return
    scorer, lens = _scorer(session, workspace_id, model, day=day)
    table = load_feature_table(session, workspace_id, [(each, day) for each in due], lens=lens)
    lives = observations.can_churn(table, scorer.horizon)
    earlier = [
        (each, day - LOOKBACK) for each, lives_on in zip(due, lives, strict=True) if lives_on
    ]
    before = load_feature_table(session, workspace_id, earlier, lens=lens)
    risks = score_accounts(scorer, table, before, lives)
    risk_queries.upsert_risks(session, workspace_id, risks, day=day, now=now)


def _scorer(
    session: Session, workspace_id: str, model: Model | None, *, day: date
) -> tuple[RiskScorer, TableSpec]:
    peers = _scoring_context(session, workspace_id, day=day)
    horizon = Horizon(
        model.horizon_days if model else peers.horizon_days, HorizonBasis(peers.basis)
    )
    names = list(event_names_in(model.names)) if model else peers.event_names
    lens = observations.build_table_spec(
        session, workspace_id, as_of=day, horizon=horizon, event_names=names
    )
    return RiskScorer(model, horizon, peers.medians), lens


def _scoring_context(session: Session, workspace_id: str, *, day: date) -> ChurnScoringContext:
    """Return horizon, events and medians of the workspace; taken anew every four weeks."""
    found = risk_queries.find_scoring_context(session, workspace_id)
    if found is not None and (
        found.computed_on == day
        or (found.accounts >= FEW_PEERS and day - found.computed_on < CONTEXT_LIFETIME)
    ):
        return found
    horizon = observation_queries.load_horizon(session, workspace_id, as_of=day)
    lens = observations.build_table_spec(session, workspace_id, as_of=day, horizon=horizon)
    there = observation_queries.list_active_accounts(
        session, workspace_id, day=day, horizon=horizon
    )
    some = sorted(sorted(there, key=_shuffled)[:MAX_PEERS])
    table = load_feature_table(session, workspace_id, [(each, day) for each in some], lens=lens)
    known = {name: table.column(name)[~np.isnan(table.column(name))] for name in table.names}
    return risk_queries.upsert_scoring_context(
        session,
        workspace_id,
        horizon_days=horizon.days,
        basis=horizon.basis,
        event_names=list(lens.event_names),
        medians={name: float(np.median(each)) for name, each in known.items() if each.size},
        accounts=len(some),
        computed_on=day,
    )


def _shuffled(account_id: str) -> int:
    """Order accounts so that the first of them stand for all; the same each time."""
    return zlib.crc32(account_id.encode())
