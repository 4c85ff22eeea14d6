"""Load the simulated company through the same functions that a customer's data goes through."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app import pipeline
from app.accounts.tables import Plan, ProductFeature
from app.core.db import SessionFactory, transaction
from app.demo.simulate import ACCOUNTS, DAYS, Subscription, World, events, simulate
from app.demo.world import STEPS
from app.engagement.tables import OnboardingStep
from app.events.reading import segment
from app.health.definition.benchmark_queries import retire_benchmarks_since
from app.health.scoring import queries as health
from app.imports.event_loader import EventLoader
from app.imports.queries import upsert_rows, upsert_subscription_history
from app.signals.config import SignalConfig
from app.signals.service import put_config
from app.workspaces import service as workspaces
from app.workspaces.keys import NewKey

WEEKS_OF_HISTORY = 26
AT_ONCE = 2500
COUNTED = SignalConfig(key_actions=["Message Sent"], milestone_events=["Message Sent"])

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Demo:
    workspace_id: str
    write_key: NewKey
    read_key: NewKey
    world: World
    events: int


def load(
    sessions: SessionFactory,
    *,
    name: str,
    seed: int,
    now: datetime,
    progress: Progress,
    weeks: int = WEEKS_OF_HISTORY,
    accounts: int = ACCOUNTS,
    days: int = DAYS,
) -> Demo:
    """Make a workspace with 18 simulated months that end yesterday, and score it.

    History is scored as it looked at the end of each of the last ``weeks``.
    """
    last_day = now.date() - timedelta(days=1)
    world = simulate(seed=seed, last_day=last_day, accounts=accounts, days=days)
    with transaction(sessions) as session:
        workspace = workspaces.create_workspace(
            session, name, actor_name="demo", now=now, simulated=True
        )
        by = workspaces.Actor(workspace.id, "demo", now)
        write_key, read_key = workspaces.create_write_and_read_key(session, by)
        put_config(session, by, COUNTED)
        _put_offer(session, workspace.id, world)
        _put_contracts(session, workspace.id, world)
    stored = _load_events(
        sessions, EventLoader(workspace, segment.parse_call, now, "demo"), world, seed, progress
    )
    score_history(sessions, workspace.id, now=now, weeks=weeks, progress=progress)
    return Demo(workspace.id, write_key, read_key, world, stored)


def score_history(
    sessions: SessionFactory, workspace_id: str, *, now: datetime, weeks: int, progress: Progress
) -> None:
    """Score every account at the end of each past week, and now."""
    days = [now.date() - timedelta(days=1 + 7 * week) for week in reversed(range(weeks))]
    for done, as_of in enumerate([*days, now.date()], start=1):
        score_everyone(sessions, workspace_id, as_of=as_of, now=now)
        progress("scoring history", done, weeks + 1)


def score_everyone(
    sessions: SessionFactory, workspace_id: str, *, as_of: date, now: datetime
) -> int:
    with transaction(sessions) as session:
        ids = health.list_account_ids(session, workspace_id)
        return pipeline.refresh(session, workspace_id, ids, as_of=as_of, now=now)


def _put_offer(session: Session, workspace_id: str, world: World) -> None:
    features = [
        {
            "key": feature.key,
            "name": feature.name,
            "event_names": list(feature.event_names),
            "weight": feature.weight,
            "differentiating": feature.differentiating,
        }
        for feature in world.product_features
    ]
    plans = [
        {"key": plan.key, "name": plan.name, "product_features": list(plan.product_features)}
        for plan in world.plans
    ]
    steps = [
        {"key": key, "name": key.replace("_", " ").capitalize(), "position": place}
        for place, key in enumerate(STEPS, start=1)
    ]
    upsert_rows(session, workspace_id, OnboardingStep, steps)
    upsert_rows(session, workspace_id, ProductFeature, features)
    upsert_rows(session, workspace_id, Plan, plans)


def _put_contracts(session: Session, workspace_id: str, world: World) -> None:
    """Write each period as it was known at its start, and a notice as it was known when given."""
    told = [_period(row, ends_on=row.ends_on, known_on=row.known_on) for row in world.subscriptions]
    for row, period in zip(world.subscriptions, told, strict=True):
        if row.end_known_on is not None and row.end_known_on > row.known_on:
            period |= {"ends_on": None, "end_reason": None}
    notices = [
        _period(row, ends_on=row.ends_on, known_on=row.end_known_on)
        for row in world.subscriptions
        if row.end_known_on is not None and row.end_known_on > row.known_on
    ]
    upsert_subscription_history(session, workspace_id, told)
    upsert_subscription_history(session, workspace_id, notices)


def _period(row: Subscription, *, ends_on: date | None, known_on: date) -> dict[str, Any]:
    return {
        "account_id": row.account_id,
        "subscription_id": row.subscription_id,
        "starts_on": row.starts_on,
        "known_on": known_on,
        "ends_on": ends_on,
        "end_reason": row.end_reason if ends_on else None,
        "plan": row.plan,
        "mrr_cents": row.mrr_cents,
        "currency": row.currency,
        "seats": row.seats,
        "renewal_on": row.renewal_on,
        "source": "simulation",
    }


def _load_events(
    sessions: SessionFactory, loader: EventLoader, world: World, seed: int, progress: Progress
) -> int:
    """Store the simulated events; return how many."""
    batch: list[dict[str, object]] = []
    stored = 0
    days = (world.last_day - world.first_day).days + 1
    for done, (today, calls) in enumerate(events(world, seed=seed), start=1):
        batch.extend(calls)
        while len(batch) >= AT_ONCE or (batch and today == world.last_day):
            stored += _store(sessions, loader, batch[:AT_ONCE])
            del batch[:AT_ONCE]
        progress("sending events", done, days)
    with transaction(sessions) as session:
        retire_benchmarks_since(session, loader.workspace.id, since=world.first_day.replace(day=1))
    return stored


def _store(
    sessions: SessionFactory, loader: EventLoader, batch: Sequence[dict[str, object]]
) -> int:
    reading = loader.parse(batch)
    loader.create_partitions(sessions, reading)
    with transaction(sessions) as session:
        return loader.store(session, reading).stored
