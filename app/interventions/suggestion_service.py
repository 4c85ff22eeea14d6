"""Keep what is suggested for a set of accounts in step with what holds for them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from app.accounts.queries import list_product_features
from app.changes.queries import NewChange, record_changes
from app.interventions import notifications
from app.interventions import suggestion_queries as queries
from app.interventions.cases import load_cases
from app.interventions.experiments import service as experiments
from app.interventions.experiments.service import ArmAssignments
from app.interventions.playbooks import service
from app.interventions.playbooks.definition import Playbook
from app.interventions.ranking import Case, RankedPlaybook, eligible_playbooks, rank_playbooks
from app.interventions.states import InterventionState
from app.interventions.suggestion_text import compose_details
from app.interventions.tables import Intervention
from app.webhooks.outbox import publish
from app.workspaces.queries import get_workspace

LONGEST_COOLDOWN = timedelta(days=366)
NOTIFY_AGAIN_AFTER = timedelta(days=7)
COMPARED_COLUMNS = (
    *("playbook", "state", "signal", "rank", "value_cents", "details"),
    *("experiment_id", "arm", "told_at"),
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
    """Bring suggestions up to date, in the caller's transaction; return how many rows changed.

    The scores of the accounts are locked by the caller. Of ``silent`` accounts nobody is told until
    they are refreshed and not silent.
    """
    if as_of < now.date() or not account_ids:
        return 0
    stored = _stored(session, workspace_id, account_ids, now)
    offered = service.load_playbooks(session, workspace_id)
    names = {row.key: row.name for row in list_product_features(session, workspace_id)}
    found = load_cases(
        session, workspace_id, account_ids, offered, stored=stored, names=names, now=now
    )
    fits = {case.account_id: eligible_playbooks(case, offered) for case in found}
    dealt = experiments.assign_accounts(session, workspace_id, fits, offered, today=as_of)
    uplifts = experiments.measured_uplifts(session, workspace_id, offered)
    rows: list[SuggestionChange] = []
    for case in found:
        own = {**offered, **dealt.variants(case.account_id)}
        ranked = rank_playbooks(
            case, dealt.left(case.account_id, fits[case.account_id]), own, uplifts
        )
        proposed = [_row(case, each, own[each.fit.key], dealt, names) for each in ranked]
        rows += _news(proposed, stored.get(case.account_id, ()))
    owners = {case.account_id: case.facts["owner"] for case in found}
    _tell(session, workspace_id, rows, silent=silent, owners=owners, now=now)
    queries.upsert_suggestions(session, workspace_id, [each.said for each in rows], now=now)
    return len(rows)


@dataclass(slots=True)
class SuggestionChange:
    """What is to be written, and what was there before."""

    said: dict[str, Any]
    before: Intervention | None = None

    @property
    def state_before(self) -> str | None:
        return self.before.state if self.before else None


def _stored(
    session: Session, workspace_id: str, account_ids: Sequence[str], now: datetime
) -> dict[str, list[Intervention]]:
    found: dict[str, list[Intervention]] = defaultdict(list)
    for row in queries.load_recent_interventions(
        session, workspace_id, account_ids, since=now - LONGEST_COOLDOWN
    ):
        found[row.account_id].append(row)
    return found


def _row(
    case: Case,
    ranked: RankedPlaybook,
    playbook: Playbook,
    dealt: ArmAssignments,
    names: Mapping[str, str],
) -> dict[str, Any]:
    key = ranked.fit.key
    experiment_id, arm = dealt.arm(case.account_id, key)
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
        "signal": ranked.fit.driver.name,
        "rank": ranked.rank,
        "value_cents": ranked.value_cents,
        "details": compose_details(playbook, ranked.fit.driver, case.facts, names)
        | {"effect": effect},
        "experiment_id": experiment_id,
        "arm": arm,
    }


def _news(
    proposed: Sequence[dict[str, Any]], stored: Sequence[Intervention]
) -> Iterator[SuggestionChange]:
    """Compare with what is stored: what is new, what changed, and what lapses."""
    waiting = {
        r.playbook: r
        for r in stored
        if r.state in {InterventionState.SUGGESTED, InterventionState.LAPSED}
    }
    kept = set()
    for proposal in proposed:
        before = waiting.get(proposal["playbook"])
        kept.add(before.id if before else None)
        said = {
            "id": before.id if before else f"int_{uuid4().hex}",
            **proposal,
            "told_at": before.told_at if before else None,
        }
        if before is None or before.told_at is None or _differs(said, before):
            yield SuggestionChange(said, before)
    for before in stored:
        if before.state == InterventionState.SUGGESTED and before.id not in kept:
            said = {name: getattr(before, name) for name in ("id", "account_id", *COMPARED_COLUMNS)}
            yield SuggestionChange(
                said | {"state": InterventionState.LAPSED.value, "rank": None}, before
            )


def _differs(said: Mapping[str, Any], before: Intervention) -> bool:
    return any(said[name] != getattr(before, name) for name in COMPARED_COLUMNS)


def _tell(
    session: Session,
    workspace_id: str,
    rows: Sequence[SuggestionChange],
    *,
    silent: Collection[str],
    owners: Mapping[str, object],
    now: datetime,
) -> None:
    """Publish what is newly suggested, and note every change of state for polling readers."""
    told = [row for row in rows if row.said["account_id"] not in silent and _is_new(row, now)]
    for row in told:
        row.said["told_at"] = now
    currency = get_workspace(session, workspace_id).base_currency
    messages = notifications.suggestion_messages([row.said for row in told], owners, currency)
    publish(session, workspace_id, messages, now=now)
    changes = [
        NewChange(
            "intervention",
            row.said["account_id"],
            notifications.change_data(row.said, row.state_before),
        )
        for row in rows
        if row.said["state"] != row.state_before
    ]
    record_changes(session, workspace_id, changes, now=now)


def _is_new(row: SuggestionChange, now: datetime) -> bool:
    """Not told yet, or suggested again after a while; what comes and goes is told once."""
    if row.said["state"] != InterventionState.SUGGESTED:
        return False
    before = row.before
    if before is None or before.told_at is None:
        return True
    return before.state == InterventionState.LAPSED and now - before.changed_at > NOTIFY_AGAIN_AFTER
