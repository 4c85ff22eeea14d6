"""Actions on interventions: accept, dismiss, start, complete, or begin one without a suggestion."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from app.accounts.queries import get_account
from app.changes.queries import NewChange, record_changes
from app.core.errors import ConflictError
from app.health.scoring.queries import lock_scores
from app.interventions import queries
from app.interventions.experiments import queries as experiments
from app.interventions.notifications import change_data
from app.interventions.outcome import OUTCOME_DAYS
from app.interventions.playbooks import service as playbook_service
from app.interventions.states import OPEN_STATES, InterventionAction, InterventionState, next_state
from app.interventions.suggestion_text import compose_details
from app.interventions.tables import Intervention
from app.signals.signal import Severity, Signal
from app.webhooks.outbox import NewMessage, publish
from app.workspaces.service import Actor

CHANGE_FIELDS = ("id", "playbook", "state", "signal", "value_cents")


class WrongStateError(ConflictError):
    code = "wrong_state"


def create(
    session: Session, actor: Actor, account_id: str, playbook: str, values: Mapping[str, Any]
) -> Intervention:
    """Accept the suggestion of the playbook, or begin the playbook without a suggestion."""
    workspace_id, now = actor.workspace_id, actor.at
    name = get_account(session, workspace_id, account_id).name
    definition = playbook_service.get(session, workspace_id, playbook).playbook
    lock_scores(session, workspace_id, [account_id])  # no refresh may suggest it meanwhile
    recent = queries.load_recent_interventions(session, workspace_id, [account_id], since=now)
    of_playbook = [row for row in recent if row.playbook == playbook]
    if any(row.state in OPEN_STATES for row in of_playbook):
        raise WrongStateError(
            f"The playbook {playbook} is already open for the account {account_id}: complete or"
            " dismiss that intervention first."
        )
    suggested = [row for row in of_playbook if row.state == InterventionState.SUGGESTED]
    if suggested:
        return apply_action(session, actor, suggested[-1].id, InterventionAction.ACCEPT, values)
    driver = Signal("", Severity.INFO, now.date(), {})
    row = Intervention(
        workspace_id=workspace_id,
        id=f"int_{uuid4().hex}",
        account_id=account_id,
        playbook=playbook,
        state=InterventionState.SUGGESTED,
        value_cents=0,
        details=compose_details(definition, driver, {"account": name or account_id}, {}),
        created_at=now,
        changed_at=now,
        outcomes={},
    )
    _set_arm(session, row)
    session.add(row)
    session.flush()
    return apply_action(session, actor, row.id, InterventionAction.ACCEPT, values)


def _set_arm(session: Session, row: Intervention) -> None:
    """Set the arm of the account, if it takes part in a running experiment with the playbook."""
    running = experiments.load_experiments(session, row.workspace_id, state=experiments.RUNNING)
    ids = [each.id for each in running if each.playbook == row.playbook]
    arms = experiments.load_arms(session, row.workspace_id, ids, [row.account_id])
    for (experiment_id, _), arm in arms.items():
        row.experiment_id, row.arm = experiment_id, arm


def apply_action(
    session: Session,
    actor: Actor,
    intervention_id: str,
    action: InterventionAction,
    values: Mapping[str, Any],
) -> Intervention:
    """Apply an action and store its values; a repeated action with the same values does nothing.

    Raise WrongStateError if the state does not allow it, or a repeated one has other values.
    """
    row = queries.get_intervention(session, actor.workspace_id, intervention_id, lock=True)
    before, after = row.state, next_state(InterventionState(row.state), action)
    if after is None:
        raise WrongStateError(f"The intervention is {before}: the action {action} is not allowed.")
    if after == before:
        _check_same(row, values)
        return row
    _set_state(row, after, actor.at)
    row.apply_changes(values)
    session.flush()
    _audit(session, actor, row, after, values)
    publish_state_change(session, row, before, actor.at, by=actor.name)
    return row


def _check_same(row: Intervention, values: Mapping[str, Any]) -> None:
    """Reject other values in a repeated action, instead of dropping them silently."""
    different = sorted(name for name, value in values.items() if getattr(row, name) != value)
    if different:
        text = (
            f"The intervention is already {row.state}, with a different {different[0]}: send the"
            " same value or none."
        )
        raise WrongStateError(text)


def _set_state(row: Intervention, state: InterventionState, now: datetime) -> None:
    row.state, row.changed_at = state, now
    if state in {InterventionState.ACCEPTED, InterventionState.DISMISSED}:
        row.decided_at = now
    if state is InterventionState.ACCEPTED:
        row.baseline_on = now.date()
    if state is InterventionState.DONE:
        row.done_at = now
        row.outcome_due_on = now.date() + timedelta(days=OUTCOME_DAYS[0])


def _audit(
    session: Session, actor: Actor, row: Intervention, action: str, values: Mapping[str, Any]
) -> None:
    details = {"account_id": row.account_id, "playbook": row.playbook, "said": sorted(values)}
    actor.audit(session, f"intervention.{action}", row.id, details)


def publish_state_change(
    session: Session, row: Intervention, before: str, now: datetime, *, by: str | None = None
) -> None:
    """Record a change of state in the change feed; publish a message for a completed one."""
    fields = {name: getattr(row, name) for name in CHANGE_FIELDS}
    entry = NewChange("intervention", row.account_id, change_data(fields, before))
    record_changes(session, row.workspace_id, [entry], now=now)
    if row.state == InterventionState.DONE:
        data = {
            "intervention_id": row.id,
            "playbook": row.playbook,
            "completed_at": now,
            "completed_by": by,
            "link": f"/api/v1/interventions/{row.id}",
        }
        message = NewMessage("intervention.completed", data, row.account_id)
        publish(session, row.workspace_id, [message], now=now)


def update_plan(
    session: Session, actor: Actor, intervention_id: str, values: Mapping[str, Any]
) -> Intervention:
    """Change assignee, due day or notes; equal values change nothing."""
    row = queries.get_intervention(session, actor.workspace_id, intervention_id, lock=True)
    changed = row.apply_changes(values)
    if changed:
        _audit(session, actor, row, "changed", changed)
    return row
