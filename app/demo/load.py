"""Load the simulated company through the same functions as a customer's data."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from app import pipeline
from app.accounts.catalog.tables import Plan, ProductFeature
from app.accounts.tables import Subscription
from app.core.db import SessionFactory, transaction
from app.demo.simulate import ACCOUNTS, DAYS, World, generate_calls, simulate
from app.demo.world import PLANS, PRODUCT_FEATURES, STEPS
from app.engagement.tables import OnboardingStep
from app.events.reading import segment
from app.health.definition.benchmark_queries import retire_benchmarks_since
from app.health.scoring import queries as health
from app.imports.event_loader import EventLoader
from app.imports.queries import insert_missing_accounts, upsert_rows
from app.signals.config import SignalConfig
from app.signals.service import put_config
from app.workspaces import service as workspaces
from app.workspaces.keys import NewKey

WEEKS_OF_HISTORY = 26
BATCH_SIZE = 2500
SIGNAL_CONFIG = SignalConfig(key_actions=["Message Sent"], milestone_events=["Message Sent"])

Progress = Callable[[str, int, int], None]
"""Called with the name of a step, how much of it is done, and how much there is to do."""


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
    """Create a workspace with 18 simulated months that end yesterday, and score it.

    The past is scored as of the end of each of the last ``weeks``.
    """
    last_day = now.date() - timedelta(days=1)
    world = simulate(seed=seed, last_day=last_day, accounts=accounts, days=days)
    with transaction(sessions) as session:
        workspace = workspaces.create_workspace(
            session, name, actor_name="demo", now=now, simulated=True
        )
        actor = workspaces.Actor(workspace.id, "demo", now)
        write_key, read_key = workspaces.create_write_and_read_key(session, actor)
        put_config(session, actor, SIGNAL_CONFIG)
        _put_catalog(session, workspace.id)
        _put_contracts(session, workspace.id, world)
    loader = EventLoader(workspace, segment.parse_call, now, "demo")
    stored = _load_events(sessions, loader, world, seed, progress)
    _score_history(sessions, workspace.id, now=now, weeks=weeks, progress=progress)
    return Demo(workspace.id, write_key, read_key, world, stored)


def _score_history(
    sessions: SessionFactory, workspace_id: str, *, now: datetime, weeks: int, progress: Progress
) -> None:
    """Score all accounts as of the end of each past week, and as of today."""
    days = [now.date() - timedelta(days=1 + 7 * week) for week in reversed(range(weeks))]
    for done, as_of in enumerate([*days, now.date()], start=1):
        score_all_accounts(sessions, workspace_id, as_of=as_of, now=now)
        progress("scoring history", done, weeks + 1)


def score_all_accounts(
    sessions: SessionFactory, workspace_id: str, *, as_of: date, now: datetime
) -> int:
    with transaction(sessions) as session:
        ids = health.list_account_ids(session, workspace_id)
        return pipeline.refresh(session, workspace_id, ids, as_of=as_of, now=now)


def _put_catalog(session: Session, workspace_id: str) -> None:
    steps = [
        {"key": key, "name": key.replace("_", " ").capitalize(), "position": position}
        for position, key in enumerate(STEPS, start=1)
    ]
    upsert_rows(session, workspace_id, OnboardingStep, steps)
    upsert_rows(session, workspace_id, ProductFeature, list(map(asdict, PRODUCT_FEATURES)))
    upsert_rows(session, workspace_id, Plan, list(map(asdict, PLANS)))


def _put_contracts(session: Session, workspace_id: str, world: World) -> None:
    """Write each period as known from its start; an end becomes known on the day of the notice."""
    periods, notices = [], []
    for row in world.subscriptions:
        period = asdict(row) | {"source": "simulation"}
        notice_on = period.pop("end_known_on")
        if notice_on is not None and notice_on > row.known_on:
            notices.append(period | {"known_on": notice_on})
            period |= {"ends_on": None, "end_reason": None}
        periods.append(period)
    insert_missing_accounts(session, workspace_id, {row.account_id for row in world.subscriptions})
    upsert_rows(session, workspace_id, Subscription, periods)
    upsert_rows(session, workspace_id, Subscription, notices)


def _load_events(
    sessions: SessionFactory, loader: EventLoader, world: World, seed: int, progress: Progress
) -> int:
    """Store the simulated events in batches; return how many were stored."""
    batch: list[dict[str, object]] = []
    stored = 0
    days = (world.last_day - world.first_day).days + 1
    for done, (today, calls) in enumerate(generate_calls(world, seed=seed), start=1):
        batch.extend(calls)
        while len(batch) >= BATCH_SIZE or (batch and today == world.last_day):
            parsed = loader.parse(batch[:BATCH_SIZE])
            loader.create_partitions(sessions, parsed)
            with transaction(sessions) as session:
                stored += loader.store(session, parsed).stored
            del batch[:BATCH_SIZE]
        progress("sending events", done, days)
    with transaction(sessions) as session:
        retire_benchmarks_since(session, loader.workspace.id, since=world.first_day.replace(day=1))
    return stored
