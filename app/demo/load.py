"""Load the simulated company through the same functions as a customer's data."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter

from sqlalchemy import text
from sqlalchemy.orm import Session

from app import pipeline
from app.accounts.catalog.tables import Plan, ProductFeature
from app.accounts.tables import Subscription
from app.collaboration.note_service import create_note
from app.collaboration.schemas import NoteKind
from app.collaboration.sentiment_service import state_sentiment
from app.collaboration.task_service import change_task, create_task
from app.core.db import SessionFactory, transaction
from app.demo.engagement import Call
from app.demo.owners import TASK_DAYS, Statement, owner_statements
from app.demo.simulate import ACCOUNTS, DAYS, OWNERS, World, generate_calls, simulate
from app.demo.training import Training, describe_model, start_training
from app.demo.world import PLANS, PRODUCT_FEATURES, STEPS
from app.engagement import onboarding
from app.engagement.tables import OnboardingStep
from app.events.reading import segment
from app.events.reading.batch import ParsedBatch
from app.health.definition.benchmark_queries import retire_benchmarks_since
from app.health.scoring import queries as health
from app.health.scoring import service as scoring
from app.imports.event_loader import EventLoader
from app.imports.queries import insert_missing_accounts, upsert_rows
from app.members.roles import Role
from app.members.service import invite_member
from app.signals.config import SignalConfig
from app.signals.service import put_config
from app.workspaces import service as workspaces
from app.workspaces.keys import NewKey

WEEKS_OF_HISTORY, SIGNAL_WEEKS = 20, 2
"""The past is scored each week. Signals take as long: they are found every second week."""
BATCH_SIZE = 2500
STATEMENT_DAYS = 180
"""Owners have stated how they feel for half a year: long enough to see who was right."""
EVENING = time(20)
ANALYZE = text("ANALYZE")
"""Without statistics about what was just loaded, signals take three times as long."""
MEMBER_EMAIL = "ines@example.com"
SIGNAL_CONFIG = SignalConfig(key_actions=["Message Sent"], milestone_events=["Message Sent"])

Progress = Callable[[str, int, int], None]
"""Called with the name of a step, how much of it is done, and how much there is to do."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A loaded workspace. ``model``: its churn model, in words."""

    workspace_id: str
    write_key: NewKey
    read_key: NewKey
    link: str
    world: World
    events: int
    model: str


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
    trains: bool = True,
) -> Demo:
    """Create a workspace with 18 simulated months that end yesterday, and score it.

    The past is scored as of the end of each of the last ``weeks``; meanwhile a churn model is
    trained, if it ``trains``.
    """
    last_day = now.date() - timedelta(days=1)
    world = simulate(seed=seed, last_day=last_day, accounts=accounts, days=days)
    with transaction(sessions) as session:
        workspace = workspaces.create_workspace(
            session, name, actor_name="demo", now=now, simulated=True
        )
        actor = workspaces.Actor(workspace.id, "demo", now)
        write_key, read_key = workspaces.create_write_and_read_key(session, actor)
        _, link = invite_member(session, actor, email=MEMBER_EMAIL, name=OWNERS[0], role=Role.ADMIN)
        put_config(session, actor, SIGNAL_CONFIG)
        _put_catalog(session, workspace.id)
        _put_contracts(session, workspace.id, world)
    loader = EventLoader(workspace, segment.parse_call, now, "demo")
    stored = _load_events(sessions, loader, world, seed, progress)
    training = start_training(sessions, workspace.id, now=now) if trains else None
    _put_statements(sessions, workspace.id, world, seed, now)
    _score_history(sessions, workspace.id, training, now=now, weeks=weeks, progress=progress)
    with transaction(sessions) as session:
        model = describe_model(session, workspace.id)
    return Demo(workspace.id, write_key, read_key, link, world, stored, model)


def _score_history(
    sessions: SessionFactory,
    workspace_id: str,
    training: Training | None,
    *,
    now: datetime,
    weeks: int,
    progress: Progress,
) -> None:
    """Score all accounts as of the end of each past week, and as of today by the new model."""
    days = [now.date() - timedelta(days=1 + 7 * week) for week in reversed(range(weeks))]
    for done, as_of in enumerate(days, start=1):
        detects = done % SIGNAL_WEEKS == 0
        _score_past_day(sessions, workspace_id, as_of=as_of, now=now, detects=detects)
        progress("scoring history", done, weeks + 1)
    if training is not None:
        training.wait()
    score_all_accounts(sessions, workspace_id, as_of=now.date(), now=now)
    progress("scoring history", weeks + 1, weeks + 1)


def _score_past_day(
    sessions: SessionFactory, workspace_id: str, *, as_of: date, now: datetime, detects: bool
) -> None:
    """Score a past day. If it ``detects``, open and clear the signals of its evening."""
    evening = datetime.combine(as_of, EVENING, UTC)
    with transaction(sessions) as session:
        ids = health.list_account_ids(session, workspace_id)
        onboarding.refresh(session, workspace_id, ids, as_of=as_of)
        scored = scoring.refresh(session, workspace_id, ids, as_of=as_of, now=now)
        if detects:
            scoring.refresh_signals(session, workspace_id, scored, as_of=as_of, now=evening)


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
    """Write each period as known from its start, and again with its end as known from then.

    An account that leaves gives notice before its end; all other ends are known when they come.
    """
    periods, ends = [], []
    for row in world.subscriptions:
        period = asdict(row) | {"source": "simulation"}
        known_on = period.pop("end_known_on") or row.ends_on
        if known_on is not None and known_on > row.known_on:
            ends.append(period | {"known_on": known_on})
            period |= {"ends_on": None, "end_reason": None}
        periods.append(period)
    insert_missing_accounts(session, workspace_id, {row.account_id for row in world.subscriptions})
    upsert_rows(session, workspace_id, Subscription, periods)
    upsert_rows(session, workspace_id, Subscription, ends)


def _put_statements(
    sessions: SessionFactory, workspace_id: str, world: World, seed: int, now: datetime
) -> None:
    """Write what owners said on past evenings, in order, with calls and tasks about bad news."""
    days = (world.last_day - world.first_day).days + 1
    statements = (
        statement
        for simulated in world.simulated_accounts
        for statement in owner_statements(simulated, days, seed=seed)
        if statement.day >= days - STATEMENT_DAYS
    )
    with transaction(sessions) as session:
        for statement in sorted(statements, key=attrgetter("day", "account_id")):
            day = world.first_day + timedelta(days=statement.day)
            actor = workspaces.Actor(workspace_id, "demo", datetime.combine(day, EVENING, UTC))
            _put_statement(session, actor, statement, now)


def _put_statement(
    session: Session, actor: workspaces.Actor, statement: Statement, now: datetime
) -> None:
    account_id, owner = statement.account_id, statement.owner
    state_sentiment(
        session, actor, account_id, value=statement.value, reason=statement.reason, author=owner
    )
    if statement.task is None:
        return
    call = {"kind": NoteKind.CALL, "text": statement.reason, "at": None, "participants": [owner]}
    create_note(session, actor, account_id, call, owner)
    done_at = actor.at + timedelta(days=TASK_DAYS)
    plan = {"title": statement.task, "owner": owner, "due_on": done_at.date()}
    task = create_task(session, actor, account_id, plan, owner)
    if done_at < now:
        later = workspaces.Actor(actor.workspace_id, actor.name, done_at)
        session.flush()
        change_task(session, later, task.id, {"done": True}, owner)


def _load_events(
    sessions: SessionFactory, loader: EventLoader, world: World, seed: int, progress: Progress
) -> int:
    """Store the simulated events in batches, each while the next is made; return their number."""

    def store(batch: ParsedBatch) -> int:
        loader.create_partitions(sessions, batch)
        with transaction(sessions) as session:
            return loader.store(session, batch).stored

    stored = 0
    with ThreadPoolExecutor(1) as writer:
        writing = None
        for calls in _batches(world, seed, progress):
            parsed = loader.parse(calls)
            stored += writing.result() if writing else 0
            writing = writer.submit(store, parsed)
        stored += writing.result() if writing else 0
    with transaction(sessions) as session:
        retire_benchmarks_since(session, loader.workspace.id, since=world.first_day.replace(day=1))
        session.execute(ANALYZE)
    return stored


def _batches(world: World, seed: int, progress: Progress) -> Iterator[list[Call]]:
    """Yield the calls of the world in batches, in order."""
    batch: list[Call] = []
    days = (world.last_day - world.first_day).days + 1
    for done, (_, calls) in enumerate(generate_calls(world, seed=seed), start=1):
        batch.extend(calls)
        while len(batch) >= BATCH_SIZE:
            yield batch[:BATCH_SIZE]
            del batch[:BATCH_SIZE]
        progress("sending events", done, days)
    if batch:
        yield batch
