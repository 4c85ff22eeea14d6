"""What becomes of suggestions, and what people begin without one."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from app.accounts.queries import get_account
from app.changes.queries import NewChange, record_changes
from app.core.errors import ConflictError
from app.health.scoring.queries import lock_scores
from app.interventions import intervention_queries as queries
from app.interventions import suggestion_queries as suggestions
from app.interventions.experiments import queries as experiments
from app.interventions.notifications import change_data
from app.interventions.outcome import OUTCOME_DAYS
from app.interventions.playbooks import service
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
    session: Session, change: Actor, account_id: str, playbook: str, said: Mapping[str, Any]
) -> Intervention:
    """Take something on: what is suggested already is accepted, else it is of one's own accord."""
    workspace_id, now = change.workspace_id, change.at
    name = get_account(session, workspace_id, account_id).name
    held = service.get(session, workspace_id, playbook).playbook
    lock_scores(session, workspace_id, [account_id])  # no refresh may propose it meanwhile
    stored = suggestions.load_recent_interventions(session, workspace_id, [account_id], since=now)
    of_playbook = [row for row in stored if row.playbook == playbook]
    if any(row.state in OPEN_STATES for row in of_playbook):
        raise WrongStateError(f"The playbook {playbook} is open for the account {account_id}.")
    waiting = [row for row in of_playbook if row.state == InterventionState.SUGGESTED]
    if waiting:
        return apply_action(session, change, waiting[-1].id, InterventionAction.ACCEPT, said)
    driver = Signal("", Severity.INFO, now.date(), {})
    row = Intervention(
        workspace_id=workspace_id,
        id=f"int_{uuid4().hex}",
        account_id=account_id,
        playbook=playbook,
        state=InterventionState.SUGGESTED,
        value_cents=0,
        details=compose_details(held, driver, {"account": name or account_id}, {}),
        created_at=now,
        changed_at=now,
        outcomes={},
    )
    _join(session, row)
    session.add(row)
    session.flush()
    return apply_action(session, change, row.id, InterventionAction.ACCEPT, said)


def _join(session: Session, row: Intervention) -> None:
    """Note the arm of the account, if it is in a running experiment with the playbook."""
    running = experiments.load_experiments(session, row.workspace_id, state=experiments.RUNNING)
    ids = [each.id for each in running if each.playbook == row.playbook]
    found = experiments.load_arms(session, row.workspace_id, ids, [row.account_id])
    for (experiment_id, _), arm in found.items():
        row.experiment_id, row.arm = experiment_id, arm


def apply_action(
    session: Session,
    change: Actor,
    intervention_id: str,
    what: InterventionAction,
    said: Mapping[str, Any],
) -> Intervention:
    """Take an intervention a step on; a step that was taken already changes nothing."""
    row = queries.get_intervention(session, change.workspace_id, intervention_id, lock=True)
    before, reached = row.state, next_state(InterventionState(row.state), what)
    if reached is None:
        raise WrongStateError(f"This intervention is {before}: it cannot {what}.")
    if reached == before:
        _check_same(row, said)
        return row
    _step(row, reached, change.at)
    row.apply_changes(said)
    session.flush()
    _note(session, change, row, reached, said)
    publish_state_change(session, row, before, change.at, by=change.actor)
    return row


def _check_same(row: Intervention, said: Mapping[str, Any]) -> None:
    """A repeated step says what the first one said; what is to change is not dropped in silence."""
    other = sorted(name for name, value in said.items() if getattr(row, name) != value)
    if other:
        raise WrongStateError(f"This intervention is {row.state}, with another {other[0]}.")


def _step(row: Intervention, reached: InterventionState, now: datetime) -> None:
    row.state, row.changed_at = reached, now
    if reached in {InterventionState.ACCEPTED, InterventionState.DISMISSED}:
        row.decided_at = now
    if reached is InterventionState.ACCEPTED:
        row.baseline_on = now.date()
    if reached is InterventionState.DONE:
        row.done_at = now
        row.outcome_due_on = now.date() + timedelta(days=OUTCOME_DAYS[0])


def _note(
    session: Session, change: Actor, row: Intervention, action: str, said: Mapping[str, Any]
) -> None:
    details = {"account_id": row.account_id, "playbook": row.playbook, "said": sorted(said)}
    change.audit(session, f"intervention.{action}", row.id, details)


def publish_state_change(
    session: Session, row: Intervention, before: str, now: datetime, *, by: str | None = None
) -> None:
    """Tell polling readers of a change of state, and others of what was completed."""
    said = {name: getattr(row, name) for name in CHANGE_FIELDS}
    change = NewChange("intervention", row.account_id, change_data(said, before))
    record_changes(session, row.workspace_id, [change], now=now)
    if row.state == InterventionState.DONE:
        data = {
            "intervention_id": row.id,
            "playbook": row.playbook,
            "completed_at": now,
            "completed_by": by,
            "link": f"/api/v1/interventions/{row.id}",
        }
        publish(
            session,
            row.workspace_id,
            [NewMessage("intervention.completed", data, row.account_id)],
            now=now,
        )


def update_plan(
    session: Session, change: Actor, intervention_id: str, said: Mapping[str, Any]
) -> Intervention:
    """Change who does it, until when, or the notes; saying the same again changes nothing."""
    row = queries.get_intervention(session, change.workspace_id, intervention_id, lock=True)
    changed = row.apply_changes(said)
    if changed:
        _note(session, change, row, "changed", changed)
    return row
