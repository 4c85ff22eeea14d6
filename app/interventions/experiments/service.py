"""Experiments: assign accounts to arms, measure uplifts, start, stop and roll out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from app.core.errors import ConflictError
from app.interventions.experiments import queries
from app.interventions.experiments.assignment import (
    CONTROL,
    FamilyArm,
    assign_arm,
    family_hash,
)
from app.interventions.experiments.design import ExperimentDesign
from app.interventions.experiments.queries import ROLLED_OUT, RUNNING, STOPPED
from app.interventions.experiments.results import ArmCounts, ExperimentResults, compute_results
from app.interventions.experiments.sequential import ArmSample
from app.interventions.experiments.uplift import Uplift, estimate_uplift
from app.interventions.playbooks import service as playbook_service
from app.interventions.playbooks.audience import load_matching_accounts
from app.interventions.playbooks.definition import (
    RETAINED,
    EligiblePlaybook,
    Playbook,
    Playbooks,
)
from app.interventions.tables import Experiment
from app.workspaces.service import Actor


@dataclass(frozen=True, slots=True)
class ArmAssignments:
    """The arms of accounts in running experiments.

    ``arms``: (account, playbook) to (experiment, arm). ``changed``: (playbook, arm) to the version
    of the playbook in that treated arm.
    """

    arms: Mapping[tuple[str, str], tuple[str, str]]
    changed: Mapping[tuple[str, str], Playbook]

    def arm(self, account_id: str, playbook: str) -> tuple[str | None, str | None]:
        return self.arms.get((account_id, playbook), (None, None))

    def without_control(
        self, account_id: str, eligible: Sequence[EligiblePlaybook]
    ) -> list[EligiblePlaybook]:
        """Leave out the playbooks for which the account is in the control."""
        return [each for each in eligible if self.arm(account_id, each.key)[1] != CONTROL]

    def variants(self, account_id: str) -> dict[str, Playbook]:
        """Return the changed playbooks that apply to the account."""
        return {
            playbook: changed
            for (playbook, arm), changed in self.changed.items()
            if self.arm(account_id, playbook)[1] == arm
        }


def assign_accounts(
    session: Session,
    workspace_id: str,
    eligible: Mapping[str, Sequence[EligiblePlaybook]],
    playbooks: Playbooks,
    *,
    today: date,
) -> ArmAssignments:
    """Return the arms of accounts; accounts that are eligible for the first time are assigned.

    ``eligible``: playbooks by account.
    """
    running = queries.load_experiments(session, workspace_id, state=RUNNING)
    if not running:
        return ArmAssignments({}, {})
    designs = {row.id: ExperimentDesign.model_validate(row.config) for row in running}
    assigned = queries.load_arms(session, workspace_id, list(designs), list(eligible))
    signals = {
        (account_id, each.key): each.driver.name
        for account_id, of_account in eligible.items()
        for each in of_account
    }
    new = [
        (row, account_id)
        for row in running
        for account_id in eligible
        if (account_id, row.playbook) in signals and (row.id, account_id) not in assigned
    ]
    if new:
        assigned |= _assign_new(
            session, workspace_id, new, designs=designs, signals=signals, today=today
        )
    arms = {
        (account_id, row.playbook): (row.id, assigned[row.id, account_id])
        for row in running
        for account_id in eligible
        if (row.id, account_id) in assigned
    }
    return ArmAssignments(arms, _changed_playbooks(running, designs, playbooks))


def _assign_new(
    session: Session,
    workspace_id: str,
    new: Sequence[tuple[Experiment, str]],
    *,
    designs: Mapping[str, ExperimentDesign],
    signals: Mapping[tuple[str, str], str],
    today: date,
) -> dict[tuple[str, str], str]:
    """Assign the accounts that match the filters; return arms by experiment and account."""
    filters = {row.id: designs[row.id].filter for row, _ in new}
    ids = sorted({account_id for _, account_id in new})
    matching = load_matching_accounts(session, workspace_id, filters, ids, today=today)
    roots = queries.load_family_roots(session, workspace_id, ids)
    assigned = queries.load_family_arms(session, workspace_id, list(filters), {*roots.values()})
    rows: list[dict[str, Any]] = []
    for row, account_id in new:
        if account_id not in matching[row.id]:
            continue
        design, root_id = designs[row.id], roots[account_id]
        family = assigned.get((row.id, root_id)) or _draw_arm(row, design, root_id)
        rows.append(
            {
                "experiment_id": row.id,
                "account_id": account_id,
                "arm": family.arm,
                "family": family.family,
                "signal": signals[account_id, row.playbook],
                "assigned_on": today,
                "due_on": today + timedelta(days=design.horizon_days),
                "success": None,
            }
        )
    queries.insert_assignments(session, workspace_id, rows)
    return {(each["experiment_id"], each["account_id"]): each["arm"] for each in rows}


def _draw_arm(row: Experiment, design: ExperimentDesign, root_id: str) -> FamilyArm:
    """Draw the arm of a family that has none."""
    family = family_hash(row.salt, root_id)
    return FamilyArm(assign_arm(family, design.shares), family)


def _changed_playbooks(
    running: Sequence[Experiment], designs: Mapping[str, ExperimentDesign], playbooks: Playbooks
) -> dict[tuple[str, str], Playbook]:
    return {
        (row.playbook, each.arm): with_changes(playbooks[row.playbook], each.changes)
        for row in running
        for each in designs[row.id].arms
        if each.changes and row.playbook in playbooks
    }


def with_changes(playbook: Playbook, changes: Mapping[str, Any], at: str = "/body") -> Playbook:
    return playbook_service.parse_playbook(playbook.model_dump(mode="json") | dict(changes), at)


def measured_uplifts(
    session: Session, workspace_id: str, playbooks: Playbooks
) -> dict[str, Uplift]:
    """Return the measured uplifts by playbook, over all experiments with the metric `retained`."""
    treated: dict[str, ArmSample] = {}
    control: dict[str, ArmSample] = {}
    for row in queries.load_experiments(session, workspace_id):
        if row.config["metric"] != RETAINED:  # other metrics say nothing about churn
            continue
        for name, counts in row.tally.items():
            side = control if name == CONTROL else treated
            sum_so_far = side.get(row.playbook, ArmSample(0, 0))
            side[row.playbook] = ArmSample(
                sum_so_far.trials + counts["trials"], sum_so_far.successes + counts["successes"]
            )
    return {
        key: estimate_uplift(playbooks[key].uplift, treated[key], control[key])
        for key in treated.keys() & control.keys()
        if key in playbooks
    }


def start(session: Session, actor: Actor, design: ExperimentDesign) -> Experiment:
    """Start an experiment; a playbook has at most one at a time, so that they do not mix."""
    workspace_id = actor.workspace_id
    playbook = playbook_service.get(session, workspace_id, design.playbook).playbook
    for number, each in enumerate(design.arms):
        with_changes(playbook, each.changes, f"/body/arms/{number}/changes")
    if any(
        row.playbook == design.playbook
        for row in queries.load_experiments(session, workspace_id, state=RUNNING)
    ):
        raise ConflictError(
            f"An experiment with the playbook {design.playbook} is running: stop it first."
        )
    row = Experiment(
        workspace_id=workspace_id,
        id=f"exp_{uuid4().hex}",
        name=design.name,
        playbook=design.playbook,
        state=RUNNING,
        salt=uuid4().hex,
        config=design.model_dump(mode="json"),
        tally={},
        created_at=actor.at,
        created_by=actor.name,
    )
    session.add(row)
    session.flush()
    actor.audit(session, "experiment.started", row.id)
    return row


def stop(session: Session, actor: Actor, experiment_id: str) -> Experiment:
    """End an experiment: no account is held back any more. Repeating it changes nothing."""
    row = queries.get_experiment(session, actor.workspace_id, experiment_id, lock=True)
    if row.state == RUNNING:
        row.state, row.ended_at = STOPPED, actor.at
        actor.audit(session, "experiment.stopped", row.id)
    return row


def get_results(session: Session, row: Experiment) -> ExperimentResults:
    counts = queries.load_tally(session, row.workspace_id, row.id)
    return compute_results(
        ExperimentDesign.model_validate(row.config),
        {arm: ArmCounts(**each) for arm, each in counts.items()},
    )


def roll_out(session: Session, actor: Actor, experiment_id: str, *, arm: str | None) -> Experiment:
    """Make the winner's version the playbook of all accounts, and end the experiment.

    ``arm``: the choice of a person, whatever the results; None takes the winner.
    """
    row = queries.get_experiment(session, actor.workspace_id, experiment_id, lock=True)
    if row.state == ROLLED_OUT:
        return row
    design = ExperimentDesign.model_validate(row.config)
    chosen = arm or get_results(session, row).winner
    treated = next((each for each in design.arms if each.arm == chosen), None)
    if treated is None:
        text = (
            f"There is no treated arm {arm}: use one of {', '.join(a.arm for a in design.arms)}."
            if arm
            else "No arm has won so far: name the `arm` to roll out, or wait for more outcomes."
        )
        raise ConflictError(text, code="no_winner")
    if treated.changes:
        playbook_service.patch(session, actor, row.playbook, treated.changes)
    row.state, row.winner, row.ended_at = ROLLED_OUT, chosen, row.ended_at or actor.at
    actor.audit(session, "experiment.rolled_out", row.id, {"arm": chosen})
    return row
