"""House rules that no linter knows, about who may do what."""

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import Table
from sqlalchemy.orm import Session

from app.tables import metadata

ROOT = Path(__file__).parent.parent
APP = ROOT / "app"


CLOCK_FILES = {"core/clock.py", "worker.py", "serving.py"}
"""Beside endpoints, and the command line and the benchmark, which are processes."""

PURE = {
    "accounts/due.py",
    "accounts/family.py",
    "accounts/subscriptions.py",
    "accounts/traits.py",
    "alerts/evaluation.py",
    "alerts/machine.py",
    "alerts/readings.py",
    "alerts/rules.py",
    "billing/amounts.py",
    "billing/fields.py",
    "billing/linking.py",
    "billing/notices.py",
    "billing/signature.py",
    "billing/stripe.py",
    "billing/stripe_objects.py",
    "billing/timeline.py",
    "churn/horizon.py",
    "churn/panel.py",
    "churn/rules.py",
    "churn/risk.py",
    "churn/revenue.py",
    "churn/levels.py",
    "churn/drivers.py",
    "churn/driver_words.py",
    "churn/artifacts.py",
    "churn/candidates.py",
    "churn/forest.py",
    "churn/linear.py",
    "churn/measuring.py",
    "churn/model.py",
    "churn/preparing.py",
    "churn/splits.py",
    "churn/training.py",
    "churn/card.py",
    "churn/drift.py",
    "churn/promotion.py",
    "demo/activity.py",
    "demo/simulate.py",
    "demo/world.py",
    "engagement/judging.py",
    "engagement/reading.py",
    "engagement/values.py",
    "events/b2b.py",
    "events/batch.py",
    "events/canonical.py",
    "events/dialects.py",
    "events/identities.py",
    "events/names.py",
    "events/native.py",
    "events/quarantine.py",
    "events/receipts.py",
    "events/repair.py",
    "events/rules.py",
    "events/segment.py",
    "events/silence.py",
    "events/stats.py",
    "events/times.py",
    "features/table.py",
    "features/values.py",
    "health/adoption.py",
    "health/assess.py",
    "health/benchmark.py",
    "health/causes.py",
    "health/definition.py",
    "health/details.py",
    "health/entitlement.py",
    "health/explain.py",
    "health/judge.py",
    "health/measures.py",
    "health/metrics.py",
    "health/overlays.py",
    "health/rollup.py",
    "health/scorecard.py",
    "health/scoring.py",
    "health/simulate.py",
    "health/telling.py",
    "health/wording.py",
    "health/words.py",
    "interventions/arms.py",
    "interventions/catalogue.py",
    "interventions/experiments.py",
    "interventions/outcome.py",
    "interventions/placeholders.py",
    "interventions/playbooks.py",
    "interventions/ranking.py",
    "interventions/sequential.py",
    "interventions/states.py",
    "interventions/templates.py",
    "interventions/uplift.py",
    "interventions/wording.py",
    "jobs/states.py",
    "lifecycle/kinds.py",
    "lifecycle/trace.py",
    "reports/association.py",
    "reports/backtest.py",
    "reports/lifetime.py",
    "reports/review_page.py",
    "reports/review_words.py",
    "segments/fields.py",
    *(f"signals/{name}.py" for name in ("config", "detect", "facts", "keeping", "signal", "words")),
    *(f"signals/{name}_signals.py" for name in ("engagement", "payment", "usage")),
    "signals/thresholds.py",
    "webhooks/addresses.py",
    "webhooks/fields.py",
    "webhooks/retry.py",
    "webhooks/signature.py",
    "webhooks/slack.py",
    "webhooks/standing.py",
    "webhooks/windows.py",
    "workspaces/keys.py",
    "workspaces/semantics.py",
}
"""What they say can be tried without a database, the web or a clock."""


IMPURE_MODULES = {
    *("sqlalchemy", "psycopg", "fastapi", "starlette", "httpx", "asyncio", "alembic", "uvicorn"),
}


CLOCK_CALLS = {"now", "today", "utcnow"}


ACROSS_WORKSPACES = {
    "app.accounts.queries.claim_due": "the worker takes what is most urgent, whosever it is",
    "app.alerts.queries.swept_workspaces": "the worker tells what is owed, whosever it is",
    "app.alerts.queries.take_waiting": "the worker wakes who has waited, whosever it is",
    "app.accounts.subscription_queries.periods_on": "makes a statement; the workspace leads",
    "app.changes.queries.drop_old": "retention is of the service, not of a workspace",
    "app.changes.queries.oldest_running": "it is a fact of the database server",
    "app.churn.training_queries.workspaces_to_train": "the worker trains for all",
    "app.events.binding_queries.take_attributable": "the worker binds what waits, whosever it is",
    "app.events.binding_queries.take_marked": "the worker binds what waits, whosever it is",
    "app.events.quarantine_queries.drop_old_quarantined": "retention is of the service",
    "app.events.quarantine_queries.put_aside": "the origin of the events names the workspace",
    "app.billing.queries.source_by_id": "an id that nobody can guess names the workspace",
    "app.billing.queries.take_unsettled": "the worker settles what waits, whosever it is",
    "app.events.queries.drop_old_unattributed": "retention is of the service, not of a workspace",
    "app.events.queries.ingest": "the origin of the events names the workspace",
    "app.events.source_queries.drop_revived": "the worker watches all sources",
    "app.events.source_queries.lock_quiet": "the worker watches all sources",
    "app.events.source_queries.lock_returned": "the worker watches all sources",
    "app.events.stats_queries.drop_old_hours": "retention is of the service, not of a workspace",
    "app.events.stats_queries.fold": "the worker adds up for all",
    "app.events.stats_queries.tell": "the origin of the events names the workspace",
    "app.imports.queries.unsettled": "the worker settles what has ended, whosever it is",
    "app.interventions.intervention_queries.claim_decided": "the worker looks back, whosever it is",
    "app.interventions.intervention_queries.claim_due": "the worker looks back, whosever it is",
    "app.jobs.queries.drop_finished": "retention is of the service, not of a workspace",
    "app.jobs.queries.next_job": "the worker does what has waited longest, whosever it is",
    "app.health.override_queries.end_expired": "the worker ends what is over, whosever it is",
    "app.imports.queries.leave_commits_to_the_next": "sets how the transaction commits",
    "app.webhooks.delivery_queries.claim": "the worker sends what is due, whosever it is",
    "app.webhooks.delivery_queries.concerned": "the worker settles for all at once",
    "app.webhooks.delivery_queries.drop_old": "retention is of the service, not of a workspace",
    "app.webhooks.delivery_queries.release": "the worker gives back what it holds",
    "app.webhooks.delivery_queries.settle": "the worker settles for all at once",
    "app.workspaces.queries.find_key_anywhere": "the command line belongs to who owns all",
    "app.workspaces.queries.list_workspaces": "the command line belongs to who owns all",
    "app.workspaces.queries.stored_key": "a key is what names the workspace",
    "app.workspaces.queries.touch_key": "a key is what names the workspace",
    "app.workspaces.queries.workspaces_to_sweep": "the worker sweeps all",
}


def files() -> list[str]:
    return sorted(str(path.relative_to(APP)) for path in APP.rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def called(file: str) -> set[str]:
    """Name every function and method that a file calls."""
    calls = (node.func for node in ast.walk(tree(APP / file)) if isinstance(node, ast.Call))
    names = (getattr(call, "attr", getattr(call, "id", "")) for call in calls if not in_sql(call))
    return set(names)


def in_sql(call: ast.expr) -> bool:
    """Whether it is one of ``func``: what the database does, not what we do."""
    return isinstance(call, ast.Attribute) and getattr(call.value, "id", "") == "func"


def imported(file: str) -> set[str]:
    """Name every module that a file imports, and what it takes out of one: it may be a module."""
    found = set()
    for node in ast.walk(tree(APP / file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def file_of(module: str) -> str | None:
    """Return the file of one of our modules; a package's own code is its ``__init__``."""
    path = ROOT / Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if module.startswith("app.") and candidate.exists():
            return str(candidate.relative_to(APP))
    return None


def reaches(file: str) -> dict[str, str]:
    """Map every module that a file needs, through others too, to the file that imports it."""
    found: dict[str, str] = {}
    waiting, seen = [file], {file}
    while waiting:
        current = waiting.pop()
        for module in imported(current):
            found.setdefault(module, current)
            source = file_of(module)
            if source is not None and source not in seen:
                seen.add(source)
                waiting.append(source)
    return found


def impurities(file: str) -> dict[str, str]:
    """Map each module that a pure file must not need to the file that imports it."""
    found = reaches(file)
    return {name: found[name] for name in found if name.split(".")[0] in IMPURE_MODULES}


@pytest.mark.parametrize("file", files())
def test_only_query_files_select(file: str) -> None:
    if not file.endswith("queries.py"):
        assert "select" not in called(file)


@pytest.mark.parametrize("file", files())
def test_only_one_file_ends_a_transaction(file: str) -> None:
    if file not in {"core/db.py", "bench/ingest.py"}:  # the latter measures the bare driver
        assert not called(file) & {"commit", "rollback"}


@pytest.mark.parametrize("file", files())
def test_only_the_edges_ask_the_time(file: str) -> None:
    is_process = file.startswith(("cli/", "bench/"))
    if not (is_process or file in CLOCK_FILES or file.endswith("endpoints.py")):
        assert not called(file) & CLOCK_CALLS


@pytest.mark.parametrize("file", sorted(PURE))
def test_a_pure_file_needs_no_database_no_web_and_no_clock(file: str) -> None:
    assert impurities(file) == {}
    assert not called(file) & CLOCK_CALLS


def test_every_file_that_could_be_pure_is_held_to_it() -> None:
    """A file that needs nothing of the world outside is either named above or only declares."""
    pure = {f for f in files() if Path(f).name != "__init__.py" and not impurities(f)}
    declare = ("errors.py", "settings.py", "schemas.py", "__main__.py")
    edges = {f for f in pure if f.startswith(("core/", "bench/", "cli/", "imports/"))}

    assert set(files()) >= PURE
    assert pure - edges - {f for f in pure if f.endswith(declare)} == PURE


def queries() -> Iterator[tuple[str, list[inspect.Parameter]]]:
    """Every public function of every file of queries, with its parameters."""
    for file in files():
        if not file.endswith("queries.py"):
            continue
        module = import_module("app." + file.removesuffix(".py").replace("/", "."))
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                yield (
                    f"{module.__name__}.{name}",
                    list(inspect.signature(function).parameters.values()),
                )


QUERIES = dict(queries())


@pytest.mark.parametrize("name", sorted(QUERIES.keys() - ACROSS_WORKSPACES.keys()))
def test_every_query_takes_the_workspace_second(name: str) -> None:
    session, workspace, *_ = [*QUERIES[name], None, None]

    assert session is not None
    assert (session.name, session.annotation) == ("session", Session)
    assert workspace is not None
    assert (workspace.name, workspace.annotation) == ("workspace_id", str)


@pytest.mark.parametrize("name", sorted(ACROSS_WORKSPACES))
def test_every_exception_is_still_one(name: str) -> None:
    names = [parameter.name for parameter in QUERIES[name]]

    assert names[:2] != ["session", "workspace_id"], "it keeps the rule: take it off the list"


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=str)
def test_every_row_belongs_to_one_tenant(table: Table) -> None:
    if table.name != "workspace":
        assert not table.columns["workspace_id"].nullable
