"""Refresh the suggestions of a batch of accounts from their signals, scores and past decisions."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from app.accounts.catalog.tables import Plan, ProductFeature
from app.accounts.deadlines.schedule import DeadlineKind, schedule
from app.changes.queries import NewChange, record_changes
from app.core.row_queries import load_names
from app.interventions import notifications, queries
from app.interventions.cases import load_cases, next_unblocked_at
from app.interventions.experiments import service as experiments
from app.interventions.experiments.service import ArmAssignments
from app.interventions.playbooks import service as playbook_service
from app.interventions.playbooks.definition import Playbook
from app.interventions.ranking import Case, RankedPlaybook, eligible_playbooks, rank_playbooks
from app.interventions.states import InterventionState
from app.interventions.suggestion_text import compose_details
from app.interventions.tables import Intervention
from app.portfolio.revenue_at_risk_queries import load_revenue_at_risk
from app.webhooks.outbox import publish
from app.workspaces.queries import get_workspace

LONGEST_COOLDOWN = timedelta(days=366)
NOTIFY_AGAIN_AFTER = timedelta(days=7)
COMPARED_COLUMNS = (
    *("playbook", "state", "signal", "rank", "value_cents", "details"),
    *("experiment_id", "arm", "notified_at"),
)


def refresh(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    *,
    as_of: date,
    now: datetime,
    silent: Collection[str] = (),
) -> int:
    """Update suggestions in the caller's transaction; return how many rows changed.

    The caller has locked the scores of the accounts. No message is sent about ``silent`` accounts
    before a refresh in which they are not silent.
    """
    if as_of < now.date() or not account_ids:
        return 0
    stored = _load_stored(session, workspace_id, account_ids, now)
    playbooks = playbook_service.load_playbooks(session, workspace_id)
    names = load_names(session, workspace_id, ProductFeature)
    cases = load_cases(
        session,
        workspace_id,
        account_ids,
        playbooks,
        stored=stored,
        names=names,
        plan_names=load_names(session, workspace_id, Plan),
        now=now,
    )
    unblocked = {key: next_unblocked_at(stored.get(key, ()), playbooks, now) for key in account_ids}
    schedule(session, workspace_id, DeadlineKind.PLAYBOOK, unblocked)
    eligible = {case.account_id: eligible_playbooks(case, playbooks) for case in cases}
    arms = experiments.assign_accounts(session, workspace_id, eligible, playbooks, today=as_of)
    uplifts = experiments.measured_uplifts(session, workspace_id, playbooks)
    changes: list[SuggestionChange] = []
    for case in cases:
        key = case.account_id
        offered = {**playbooks, **arms.variants(key)}
        ranked = rank_playbooks(case, arms.without_control(key, eligible[key]), offered, uplifts)
        proposals = [_row(case, each, offered[each.eligible.key], arms, names) for each in ranked]
        changes += _compare(proposals, stored.get(key, ()))
    owners = {case.account_id: case.field_values["owner"] for case in cases}
    _notify(session, workspace_id, changes, silent=silent, owners=owners, now=now)
    queries.upsert_suggestions(session, workspace_id, [each.row for each in changes], now=now)
    return len(changes)


@dataclass(slots=True)
class SuggestionChange:
    """A row to be written, and the stored one that it replaces."""

    row: dict[str, Any]
    before: Intervention | None = None

    @property
    def state_before(self) -> str | None:
        return self.before.state if self.before else None


def _load_stored(
    session: Session, workspace_id: str, account_ids: Sequence[str], now: datetime
) -> dict[str, list[Intervention]]:
    by_account: dict[str, list[Intervention]] = defaultdict(list)
    for row in queries.load_recent_interventions(
        session, workspace_id, account_ids, since=now - LONGEST_COOLDOWN
    ):
        by_account[row.account_id].append(row)
    return by_account


def _row(
    case: Case,
    ranked: RankedPlaybook,
    playbook: Playbook,
    arms: ArmAssignments,
    names: Mapping[str, str],
) -> dict[str, Any]:
    key, driver = ranked.eligible.key, ranked.eligible.driver
    experiment_id, arm = arms.arm(case.account_id, key)
    effect = {
        "churn_removed_share": round(ranked.share, 4),
        "evidence": ranked.uplift.evidence,
        "n": ranked.uplift.units,
        "risk": case.risk,
        "risk_basis": case.basis.value,
        "arr_cents": case.arr_cents,
        "arr_basis": "subscription" if case.mrr_cents else "assumed",
        "cost_cents": playbook.cost_cents,
    }
    return {
        "account_id": case.account_id,
        "playbook": key,
        "state": InterventionState.SUGGESTED.value,
        "signal": driver.name,
        "rank": ranked.rank,
        "value_cents": ranked.value_cents,
        "details": compose_details(playbook, driver, case.field_values, names) | {"effect": effect},
        "experiment_id": experiment_id,
        "arm": arm,
    }


def _compare(
    proposals: Sequence[dict[str, Any]], stored: Sequence[Intervention]
) -> Iterator[SuggestionChange]:
    """Compare with the stored suggestions; yield those that are new, changed or lapse."""
    undecided = {
        row.playbook: row
        for row in stored
        if row.state in {InterventionState.SUGGESTED, InterventionState.LAPSED}
    }
    proposed = set()
    for proposal in proposals:
        before = undecided.get(proposal["playbook"])
        proposed.add(before.id if before else None)
        row = {
            "id": before.id if before else f"int_{uuid4().hex}",
            **proposal,
            "notified_at": before.notified_at if before else None,
        }
        if before is None or before.notified_at is None or _differs(row, before):
            yield SuggestionChange(row, before)
    for before in stored:
        if before.state == InterventionState.SUGGESTED and before.id not in proposed:
            row = {name: getattr(before, name) for name in ("id", "account_id", *COMPARED_COLUMNS)}
            yield SuggestionChange(
                row | {"state": InterventionState.LAPSED.value, "rank": None}, before
            )


def _differs(row: Mapping[str, Any], before: Intervention) -> bool:
    return any(row[name] != getattr(before, name) for name in COMPARED_COLUMNS)


def _notify(
    session: Session,
    workspace_id: str,
    changes: Sequence[SuggestionChange],
    *,
    silent: Collection[str],
    owners: Mapping[str, object],
    now: datetime,
) -> None:
    """Publish new suggestions, and record every change of state in the change feed."""
    new = [each for each in changes if each.row["account_id"] not in silent and _is_new(each, now)]
    for each in new:
        each.row["notified_at"] = now
    currency = get_workspace(session, workspace_id).base_currency
    ids = {each.row["account_id"] for each in new}
    revenues = load_revenue_at_risk(session, workspace_id, ids)
    rows = [each.row for each in new]
    messages = notifications.suggestion_messages(rows, owners, revenues, currency)
    publish(session, workspace_id, messages, now=now)
    entries = [
        NewChange(
            "intervention",
            each.row["account_id"],
            notifications.change_data(each.row, each.state_before),
        )
        for each in changes
        if each.row["state"] != each.state_before
    ]
    record_changes(session, workspace_id, entries, now=now)


def _is_new(change: SuggestionChange, now: datetime) -> bool:
    """Whether a message is due: none was sent yet, or the suggestion is back after a week."""
    if change.row["state"] != InterventionState.SUGGESTED:
        return False
    before = change.before
    if before is None or before.notified_at is None:
        return True
    return before.state == InterventionState.LAPSED and now - before.changed_at > NOTIFY_AGAIN_AFTER
