"""Experiments: deal accounts into arms, count what came of them, and roll the winner out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from app.core.errors import ConflictError
from app.interventions.cases import matching_accounts
from app.interventions.experiments import queries
from app.interventions.experiments.assignment import CONTROL, assign_arm, family_hash
from app.interventions.experiments.design import (
    ArmCounts,
    ExperimentDesign,
    ExperimentResults,
    compute_results,
)
from app.interventions.experiments.sequential import ArmSample
from app.interventions.experiments.uplift import Uplift, estimate_uplift
from app.interventions.outcome import RETAINED
from app.interventions.playbooks import service
from app.interventions.playbooks.definition import Playbook, Playbooks
from app.interventions.ranking import EligiblePlaybook
from app.interventions.suggestion_queries import load_family_roots
from app.interventions.tables import Experiment
from app.workspaces.service import Actor

RUNNING, STOPPED, ROLLED_OUT = "running", "stopped", "rolled_out"


@dataclass(frozen=True, slots=True)
class ArmAssignments:
    """The arms of accounts in running experiments.

    ``arms``: by account and playbook, the experiment and the arm. ``changed``: by playbook and arm
    what its treated arms do instead.
    """

    arms: Mapping[tuple[str, str], tuple[str, str]]
    changed: Mapping[tuple[str, str], Playbook]

    def arm(self, account_id: str, playbook: str) -> tuple[str | None, str | None]:
        return self.arms.get((account_id, playbook), (None, None))

    def left(self, account_id: str, fits: Sequence[EligiblePlaybook]) -> list[EligiblePlaybook]:
        """Leave out what is held back from an account."""
        return [fit for fit in fits if self.arm(account_id, fit.key)[1] != CONTROL]

    def variants(self, account_id: str) -> dict[str, Playbook]:
        return {
            playbook: changed
            for (playbook, arm), changed in self.changed.items()
            if self.arm(account_id, playbook)[1] == arm
        }


def assign_accounts(
    session: Session,
    workspace_id: str,
    fits: Mapping[str, Sequence[EligiblePlaybook]],
    offered: Playbooks,
    *,
    today: date,
) -> ArmAssignments:
    """Return the arms of accounts; those that are eligible for the first time get theirs."""
    running = queries.load_experiments(session, workspace_id, state=RUNNING)
    if not running:
        return ArmAssignments({}, {})
    designs = {row.id: ExperimentDesign.model_validate(row.config) for row in running}
    known = queries.load_arms(session, workspace_id, list(designs), list(fits))
    signals = {(key, f.key): f.driver.name for key, fitted in fits.items() for f in fitted}
    new = [
        (row, account_id)
        for row in running
        for account_id in fits
        if (account_id, row.playbook) in signals and (row.id, account_id) not in known
    ]
    if new:
        filters = {row.id: designs[row.id].filter for row, _ in new}
        ids = sorted({account_id for _, account_id in new})
        allowed = matching_accounts(session, workspace_id, filters, ids, today=today)
        first = load_family_roots(session, workspace_id, ids)
        made = [
            _assignment(
                row, account_id, first[account_id], signals[account_id, row.playbook], today
            )
            for row, account_id in new
            if account_id in allowed[row.id]
        ]
        queries.insert_assignments(session, workspace_id, made)
        known |= {(each["experiment_id"], each["account_id"]): each["arm"] for each in made}
    arms = {
        (account_id, row.playbook): (row.id, known[row.id, account_id])
        for row in running
        for account_id in fits
        if (row.id, account_id) in known
    }
    return ArmAssignments(arms, _changed(running, designs, offered))


def _assignment(
    row: Experiment, account_id: str, root: str, signal: str, today: date
) -> dict[str, Any]:
    design, family = ExperimentDesign.model_validate(row.config), family_hash(row.salt, root)
    return {
        "experiment_id": row.id,
        "account_id": account_id,
        "arm": assign_arm(family, design.shares),
        "family": family,
        "signal": signal,
        "assigned_on": today,
        "due_on": today + timedelta(days=design.horizon_days),
        "success": None,
    }


def _changed(
    running: Sequence[Experiment], designs: Mapping[str, ExperimentDesign], offered: Playbooks
) -> dict[tuple[str, str], Playbook]:
    return {
        (row.playbook, each.arm): with_changes(offered[row.playbook], each.changes)
        for row in running
        for each in designs[row.id].arms
        if each.changes and row.playbook in offered
    }


def with_changes(playbook: Playbook, changes: Mapping[str, Any], at: str = "/body") -> Playbook:
    return service.parse_playbook(playbook.model_dump(mode="json") | dict(changes), at)


def measured_uplifts(session: Session, workspace_id: str, offered: Playbooks) -> dict[str, Uplift]:
    """Return what was measured of playbooks, all of their experiments on churn taken together."""
    treated: dict[str, ArmSample] = {}
    control: dict[str, ArmSample] = {}
    for row in queries.load_experiments(session, workspace_id):
        if row.config["metric"] != RETAINED:  # what else went well is no churn taken away
            continue
        for name, count in row.tally.items():
            side = control if name == CONTROL else treated
            so_far = side.get(row.playbook, ArmSample(0, 0))
            side[row.playbook] = ArmSample(
                so_far.trials + count["trials"], so_far.successes + count["successes"]
            )
    return {
        key: estimate_uplift(offered[key].uplift, treated[key], control[key])
        for key in treated.keys() & control.keys()
        if key in offered
    }


def start(session: Session, change: Actor, design: ExperimentDesign) -> Experiment:
    """Begin an experiment; one at a time for a playbook, so that none blurs another."""
    workspace_id = change.workspace_id
    playbook = service.get(session, workspace_id, design.playbook).playbook
    for number, each in enumerate(design.arms):
        with_changes(playbook, each.changes, f"/body/arms/{number}/changes")
    if any(
        row.playbook == design.playbook
        for row in queries.load_experiments(session, workspace_id, state=RUNNING)
    ):
        raise ConflictError(f"An experiment with the playbook {design.playbook} is running.")
    row = Experiment(
        workspace_id=workspace_id,
        id=f"exp_{uuid4().hex}",
        name=design.name,
        playbook=design.playbook,
        state=RUNNING,
        salt=uuid4().hex,
        config=design.model_dump(mode="json"),
        tally={},
        created_at=change.at,
        created_by=change.actor,
    )
    session.add(row)
    session.flush()
    change.audit(session, "experiment.started", row.id)
    return row


def stop(session: Session, change: Actor, experiment_id: str) -> Experiment:
    """End an experiment: nobody is held back any more. Stopping twice is the same as once."""
    row = queries.get_experiment(session, change.workspace_id, experiment_id, lock=True)
    if row.state == RUNNING:
        row.state, row.ended_at = STOPPED, change.at
        change.audit(session, "experiment.stopped", row.id)
    return row


def get_results(session: Session, row: Experiment) -> ExperimentResults:
    counts = queries.load_tally(session, row.workspace_id, row.id)
    return compute_results(
        ExperimentDesign.model_validate(row.config),
        {arm: ArmCounts(**each) for arm, each in counts.items()},
    )


def roll_out(session: Session, change: Actor, experiment_id: str, *, arm: str | None) -> Experiment:
    """Let the winner's version of the playbook hold for all, and end the experiment.

    ``arm``: a person's choice, whatever the results say; None takes what has won.
    """
    row = queries.get_experiment(session, change.workspace_id, experiment_id, lock=True)
    if row.state == ROLLED_OUT:
        return row
    design = ExperimentDesign.model_validate(row.config)
    chosen = arm or get_results(session, row).winner
    variant = next((each for each in design.arms if each.arm == chosen), None)
    if variant is None:
        what = f"There is no treated arm {arm}." if arm else "No arm has won so far."
        raise ConflictError(what, code="no_winner")
    if variant.changes:
        service.patch(session, change, row.playbook, variant.changes)
    row.state, row.winner, row.ended_at = ROLLED_OUT, chosen, row.ended_at or change.at
    change.audit(session, "experiment.rolled_out", row.id, {"arm": chosen})
    return row
