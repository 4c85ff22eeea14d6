"""Explain an opening alert: the previous value, what moved, and whether the account itself did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby

from sqlalchemy.orm import Session

from app.alerts import rule_input_queries
from app.alerts.evaluation import Evaluation
from app.alerts.rule_values import (
    RiskValue,
    RuleInputs,
    baseline_score,
    display_value,
    rescore_inputs,
)
from app.alerts.rules import SignalKind
from app.churn.model.driver_sentences import driver_sentence as risk_sentence
from app.churn.model.drivers import RiskDriver
from app.churn.scoring import risk_queries
from app.core.languages import Language
from app.health.explanations.phrases import capitalized
from app.health.explanations.sentences import last_used_sentence
from app.health.explanations.service import driver_sentences
from app.health.explanations.snapshots import (
    ScoreSnapshot,
    SnapshotReader,
    evaluate_with_earlier_settings,
)
from app.health.scoring import queries as health
from app.health.scoring.assess import HealthStatus
from app.health.scoring.measure_details import context_key
from app.health.tables import HealthHistory
from app.signals.sentences import signal_sentence

MAX_DRIVERS, DRIVER_DAYS = 3, 28
LANGUAGE = Language.EN
"""Other systems get the reasons of alerts in English."""


@dataclass(frozen=True, slots=True)
class AlertExplanation:
    """``previous``: the value of the day before, or the value that a drop is measured from."""

    previous: float | str | None
    drivers: Sequence[str]


def load_config_neutral_inputs(
    session: Session, workspace_id: str, evaluations: Sequence[Evaluation]
) -> dict[tuple[str, str], RuleInputs]:
    """Return inputs by account and rule as of the settings and peers of the reference day.

    Accounts without a change of settings or peers are omitted. A risk from another model cannot be
    recomputed with the previous model: the last risk of that model is used.
    """
    on_risk = [each for each in evaluations if each.rule.kind is SignalKind.CHURN_RISK]
    on_scores = [each for each in evaluations if each.rule.kind is not SignalKind.CHURN_RISK]
    return _with_previous_models(session, workspace_id, on_risk) | _with_previous_settings(
        session, workspace_id, on_scores
    )


def _with_previous_models(
    session: Session, workspace_id: str, evaluations: Sequence[Evaluation]
) -> dict[tuple[str, str], RuleInputs]:
    if not evaluations:
        return {}
    previous = _load_previous_risks(session, workspace_id, evaluations)
    found = {}
    for each in evaluations:
        before, now = previous.get(each.inputs.account_id), each.inputs.risk
        if before is not None and now is not None and before.model != now.model:
            found[each.key] = replace(each.inputs, risk=before)
    return found


def _load_previous_risks(
    session: Session, workspace_id: str, evaluations: Sequence[Evaluation]
) -> dict[str, RiskValue]:
    """Return the risks as of two days ago; the risk of the last closed day may be the current."""
    ids = {each.inputs.account_id for each in evaluations}
    day = evaluations[0].inputs.as_of - timedelta(days=2)
    return rule_input_queries.load_risks_on(session, workspace_id, ids, day=day)


def _with_previous_settings(
    session: Session, workspace_id: str, evaluations: Sequence[Evaluation]
) -> dict[tuple[str, str], RuleInputs]:
    reader, found = SnapshotReader(session, workspace_id), {}
    for day, on_day in groupby(sorted(evaluations, key=_reference_day), key=_reference_day):
        group = list(on_day)
        inputs = {each.inputs.account_id: each.inputs for each in group}
        before = _load_rows(session, workspace_id, set(inputs), day)
        moved = {
            key
            for key, row in before.items()
            if context_key(row.details) != inputs[key].scoring_context
        }
        after = _load_rows(session, workspace_id, moved, group[0].inputs.as_of) if moved else {}
        rescored = {
            key: _rescore(reader, inputs[key], before[key], row) for key, row in after.items()
        }
        for each in group:
            if (neutral := rescored.get(each.inputs.account_id)) is not None:
                found[each.key] = neutral
    return found


def explain_openings(
    session: Session, workspace_id: str, evaluations: Sequence[Evaluation]
) -> list[AlertExplanation]:
    """Explain opening alerts, in the order given, by what moved within the last 28 days."""
    if not evaluations:
        return []
    as_of = evaluations[0].inputs.as_of
    ids = {each.inputs.account_id for each in evaluations}
    day_before, window_before, now = (
        _load_rows(session, workspace_id, ids, as_of - timedelta(days=days))
        for days in (1, DRIVER_DAYS, 0)
    )
    on_risk = [each for each in evaluations if each.rule.kind is SignalKind.CHURN_RISK]
    risks = _load_previous_risks(session, workspace_id, on_risk) if on_risk else {}
    risk_drivers = _load_risk_drivers(session, workspace_id, on_risk)
    reader = SnapshotReader(session, workspace_id)
    explanations = []
    for each in evaluations:
        key = each.inputs.account_id
        earlier = day_before.get(key)
        past = replace(inputs_from_history(earlier), risk=risks.get(key)) if earlier else None
        drivers = risk_drivers.get(key, ()) if each.rule.kind is SignalKind.CHURN_RISK else ()
        if not drivers:
            rows = (window_before.get(key) or earlier, now.get(key))
            drivers = _drivers(each, *(_anonymized(reader.read(row)) for row in rows))
        explanations.append(AlertExplanation(_previous(each, past), drivers[:MAX_DRIVERS]))
    return explanations


def _previous(each: Evaluation, past: RuleInputs | None) -> float | str | None:
    """Return the score that a drop is measured from, else the value of the day before."""
    baseline = baseline_score(each.rule, each.inputs) if each.rule.compares_scores else None
    return display_value(each.rule, past) if baseline is None and past is not None else baseline


def _load_risk_drivers(
    session: Session, workspace_id: str, evaluations: Sequence[Evaluation]
) -> dict[str, Sequence[str]]:
    """Return the sentences on what raises the risk, by account."""
    if not evaluations:
        return {}
    ids = [each.inputs.account_id for each in evaluations]
    drivers = {
        key: [RiskDriver(**each) for each in row.details["drivers"]]
        for key, row in risk_queries.load_risks(session, workspace_id, ids).items()
    }
    return {
        key: [risk_sentence(each, LANGUAGE) for each in of_account if each.effect > 0]
        for key, of_account in drivers.items()
    }


def inputs_from_history(row: HealthHistory) -> RuleInputs:
    return RuleInputs(
        account_id=row.account_id,
        as_of=row.as_of,
        status=HealthStatus(row.status),
        score=row.score,
        mrr_cents=row.mrr_cents,
        details=row.details,
    )


def _drivers(
    each: Evaluation, before: ScoreSnapshot | None, after: ScoreSnapshot | None
) -> Sequence[str]:
    sentences = []
    if signal := (each.inputs.signals or {}).get(each.rule.subject):
        sentences.append(signal_sentence(signal, LANGUAGE))
    if each.rule.kind is SignalKind.DAYS_SINCE_LAST_USE:
        sentences.append(last_used_sentence(each.inputs.details["last_used_on"], LANGUAGE))
    if after is None:
        return sentences
    is_score = each.rule.kind in {SignalKind.HEALTH_SCORE, SignalKind.MEASURE}
    moved = driver_sentences(
        before,
        after,
        LANGUAGE,
        limit=MAX_DRIVERS - len(sentences),
        up=is_score and each.rule.direction == "up",
    )
    return [*sentences, *map(capitalized, moved)]


def _anonymized(snapshot: ScoreSnapshot | None) -> ScoreSnapshot | None:
    """Remove author and reason of an override: the sentences are sent to other systems."""
    if snapshot is None or snapshot.scored_day is None or snapshot.scored_day.override is None:
        return snapshot
    override = replace(snapshot.scored_day.override, author="", reason="")
    return replace(snapshot, scored_day=replace(snapshot.scored_day, override=override))


def _reference_day(each: Evaluation) -> date:
    return each.reference_day


def _load_rows(
    session: Session, workspace_id: str, account_ids: set[str], day: date
) -> Mapping[str, HealthHistory]:
    return health.load_history_rows(session, workspace_id, sorted(account_ids), day=day)


def _rescore(
    reader: SnapshotReader, inputs: RuleInputs, before: HealthHistory, after: HealthHistory
) -> RuleInputs | None:
    earlier, current = reader.read(before), reader.read(after)
    if earlier is None or current is None or earlier.scored_day is None:
        return None
    rescored = evaluate_with_earlier_settings(earlier, current)
    return None if rescored is None else rescore_inputs(inputs, rescored, earlier.scored_day.card)
