"""Explain an opening alert: the previous value, what moved it, and whether settings alone did."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from operator import attrgetter

from sqlalchemy.orm import Session

from app.accounts.catalog.tables import ProductFeature
from app.alerts import rule_queries
from app.alerts.evaluation import Evaluation
from app.alerts.rule_values import (
    RiskValue,
    RuleInputs,
    baseline_score,
    display_value,
    rescore_inputs,
)
from app.alerts.rules import SignalKind
from app.churn.model.driver_sentences import driver_sentence
from app.churn.model.drivers import RiskDriver
from app.churn.scoring import risk_queries
from app.core.languages import Language
from app.core.row_queries import load_names
from app.health.explanations.explain import evaluate_with_settings_of
from app.health.explanations.phrases import capitalized
from app.health.explanations.sentences import last_used_sentence
from app.health.explanations.service import driver_sentences
from app.health.explanations.snapshots import ScoreSnapshot, SnapshotReader
from app.health.scoring.assess import context_key
from app.health.scoring.queries import load_history_rows
from app.health.tables import HealthHistory
from app.signals.sentences import signal_sentence
from app.signals.signal import EvidenceNames

MAX_DRIVERS = 3
LANGUAGE = Language.EN
"""Other systems get the reasons of alerts in English."""


@dataclass(frozen=True, slots=True)
class AlertExplanation:
    """What an alert tells about its opening. ``drivers``: sentences on what moved the value most.

    ``previous``: the value of the day before, or the value that a drop is measured from. The
    drivers of a score explain the step from there to the current value.
    """

    previous: float | str | None
    drivers: Sequence[str]


def load_config_neutral_inputs(
    session: Session, workspace_id: str, evaluations: Sequence[Evaluation]
) -> dict[tuple[str, str], RuleInputs]:
    """Return inputs by account and rule as of the settings and peers of the reference day.

    Accounts without a change of settings or peers are omitted. A risk from another model cannot be
    recomputed with the previous model: the last risk of that model is used, which may be unknown.
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
    yesterday = evaluations[0].inputs.as_of - timedelta(days=1)
    changed_at = rule_queries.find_last_model_change(session, workspace_id)
    is_model_new = changed_at is not None and changed_at.date() >= yesterday
    found = {}
    for each in evaluations:
        before, now = previous.get(each.inputs.account_id), each.inputs.risk
        is_by_another = before is not None and now is not None and before.model != now.model
        if is_by_another or (before is None and is_model_new):
            found[each.key] = replace(each.inputs, risk=before)
    return found


def _load_previous_risks(
    session: Session, workspace_id: str, evaluations: Sequence[Evaluation]
) -> dict[str, RiskValue]:
    """Return the risks as of two days ago: the risk of yesterday may be the current one."""
    if not evaluations:
        return {}
    ids = {each.inputs.account_id for each in evaluations}
    day = evaluations[0].inputs.as_of - timedelta(days=2)
    return rule_queries.load_risks(session, workspace_id, ids, day=day)


def _with_previous_settings(
    session: Session, workspace_id: str, evaluations: Sequence[Evaluation]
) -> dict[tuple[str, str], RuleInputs]:
    reader, found = SnapshotReader(session, workspace_id), {}
    by_day = attrgetter("reference_day")
    for day, on_day in groupby(sorted(evaluations, key=by_day), key=by_day):
        group = list(on_day)
        inputs = {each.inputs.account_id: each.inputs for each in group}
        before = load_history_rows(session, workspace_id, list(inputs), day=day)
        moved = [
            key
            for key, row in before.items()
            if context_key(row.details) != inputs[key].scoring_context
        ]
        as_of = group[0].inputs.as_of
        after = load_history_rows(session, workspace_id, moved, day=as_of) if moved else {}
        rescored = {
            key: _rescore(reader, inputs[key], before[key], row) for key, row in after.items()
        }
        for each in group:
            if (neutral := rescored.get(each.inputs.account_id)) is not None:
                found[each.key] = neutral
    return found


def _rescore(
    reader: SnapshotReader, inputs: RuleInputs, before: HealthHistory, after: HealthHistory
) -> RuleInputs | None:
    """Score the later usage and price with the earlier settings and peers; None if impossible."""
    earlier, current = (reader.read(row).scored_day for row in (before, after))
    if earlier is None or current is None:
        return None
    return rescore_inputs(inputs, evaluate_with_settings_of(earlier, current), earlier.card)


def explain_openings(
    session: Session, workspace_id: str, evaluations: Sequence[Evaluation]
) -> list[AlertExplanation]:
    """Explain opening alerts, in the order given, by what moved since the previous value."""
    if not evaluations:
        return []
    as_of, ids = evaluations[0].inputs.as_of, [each.inputs.account_id for each in evaluations]
    yesterday = as_of - timedelta(days=1)
    history = {
        day: load_history_rows(session, workspace_id, ids, day=day)
        for day in {as_of, yesterday, *map(_previous_day, evaluations)}
    }
    on_risk = [each for each in evaluations if each.rule.kind is SignalKind.CHURN_RISK]
    risks = _load_previous_risks(session, workspace_id, on_risk)
    risk_drivers = _load_risk_drivers(session, workspace_id, on_risk)
    reader = SnapshotReader(session, workspace_id)
    has_signals = any(each.rule.subject in (each.inputs.signals or {}) for each in evaluations)
    features = load_names(session, workspace_id, ProductFeature) if has_signals else {}
    explanations = []
    for each in evaluations:
        key = each.inputs.account_id
        earlier = history[yesterday].get(key)
        past = None
        if earlier is not None:
            past = RuleInputs.from_scored(earlier, earlier.as_of, risk=risks.get(key))
        drivers = risk_drivers.get(key, ()) if each.rule.kind is SignalKind.CHURN_RISK else ()
        if not drivers:
            rows = history[_previous_day(each)].get(key), history[as_of].get(key)
            before, after = (_anonymized(reader.read(row)) if row else None for row in rows)
            drivers = _drivers(each, before, after, EvidenceNames(features))
        explanations.append(AlertExplanation(_previous(each, past), drivers[:MAX_DRIVERS]))
    return explanations


def _previous_day(each: Evaluation) -> date:
    """Return the day of the previous value: the start of a drop, else the day before."""
    is_drop = _baseline(each) is not None
    return each.reference_day if is_drop else each.inputs.as_of - timedelta(days=1)


def _baseline(each: Evaluation) -> float | None:
    """Return the score that a drop is measured from; None for other rules or if it is unknown."""
    return baseline_score(each.rule, each.inputs) if each.rule.compares_scores else None


def _previous(each: Evaluation, past: RuleInputs | None) -> float | str | None:
    """Return the score that a drop is measured from, else the value of the day before."""
    baseline = _baseline(each)
    return display_value(each.rule, past) if baseline is None and past is not None else baseline


def _load_risk_drivers(
    session: Session, workspace_id: str, evaluations: Sequence[Evaluation]
) -> dict[str, Sequence[str]]:
    """Return the sentences on what raises the risk, by account."""
    if not evaluations:
        return {}
    ids = [each.inputs.account_id for each in evaluations]
    return {
        key: [
            driver_sentence(RiskDriver(**each), LANGUAGE)
            for each in row.details["drivers"]
            if each["effect"] > 0
        ]
        for key, row in risk_queries.load_risks(session, workspace_id, ids).items()
    }


def _drivers(
    each: Evaluation,
    before: ScoreSnapshot | None,
    after: ScoreSnapshot | None,
    names: EvidenceNames,
) -> Sequence[str]:
    """Return the sentences on a signal and on the step of the score. They name no person."""
    sentences = []
    if signal := (each.inputs.signals or {}).get(each.rule.subject):
        sentences.append(signal_sentence(signal, LANGUAGE, names))
    if each.rule.kind is SignalKind.DAYS_SINCE_LAST_USE:
        sentences.append(last_used_sentence(each.inputs.details["last_used_on"], LANGUAGE))
    if after is None:
        return sentences
    is_score = each.rule.kind in {SignalKind.HEALTH_SCORE, SignalKind.MEASURE}
    limit, up = MAX_DRIVERS - len(sentences), is_score and each.rule.direction == "up"
    measure = each.rule.subject if each.rule.kind is SignalKind.MEASURE else None
    moved = driver_sentences(before, after, LANGUAGE, limit=limit, up=up, measure=measure)
    return [*sentences, *map(capitalized, moved)]


def _anonymized(snapshot: ScoreSnapshot) -> ScoreSnapshot:
    """Remove author and reason of an override: the sentences are sent to other systems."""
    if snapshot.scored_day is None or snapshot.scored_day.override is None:
        return snapshot
    override = replace(snapshot.scored_day.override, author="", reason="")
    return replace(snapshot, scored_day=replace(snapshot.scored_day, override=override))
