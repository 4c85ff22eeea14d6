"""Why an alert opens: what was before, what moved, and whether the account itself moved at all."""

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

MOST_DRIVERS, DRIVER_DAYS = 3, 28
ANONYMOUS_AUTHOR = "somebody"


@dataclass(frozen=True, slots=True)
class AlertExplanation:
    """``previous``: the signal as of the day before, or of the day that a drop is counted from."""

    previous: float | str | None
    drivers: Sequence[str]


def load_config_neutral_inputs(
    session: Session, workspace_id: str, looks: Sequence[Evaluation]
) -> dict[tuple[str, str], RuleInputs]:
    """Judge accounts as if settings and peers were those of the anchor, where these changed.

    A risk that another model names cannot be judged again: what the model before said stands.
    """
    of_risk = [each for each in looks if each.rule.kind is SignalKind.CHURN_RISK]
    of_score = [each for each in looks if each.rule.kind is not SignalKind.CHURN_RISK]
    return _by_old_models(session, workspace_id, of_risk) | _by_old_settings(
        session, workspace_id, of_score
    )


def _by_old_models(
    session: Session, workspace_id: str, looks: Sequence[Evaluation]
) -> dict[tuple[str, str], RuleInputs]:
    if not looks:
        return {}
    before = _risks_before(session, workspace_id, looks)
    found = {}
    for each in looks:
        risk, now = before.get(each.facts.account_id), each.facts.risk
        if risk is not None and now is not None and risk.model != now.model:
            found[each.facts.account_id, each.key] = replace(each.facts, risk=risk)
    return found


def _risks_before(
    session: Session, workspace_id: str, looks: Sequence[Evaluation]
) -> dict[str, RiskValue]:
    """Return what was said of the last day but one that is over: of the last it may be now."""
    ids = {each.facts.account_id for each in looks}
    day = looks[0].facts.as_of - timedelta(days=2)
    return rule_input_queries.load_risks_on(session, workspace_id, ids, day=day)


def _by_old_settings(
    session: Session, workspace_id: str, looks: Sequence[Evaluation]
) -> dict[tuple[str, str], RuleInputs]:
    archive, found = SnapshotReader(session, workspace_id), {}
    for anchor, some in groupby(sorted(looks, key=_anchor), key=_anchor):
        group = list(some)
        of_day = {each.facts.account_id: each.facts for each in group}
        before = _rows(session, workspace_id, set(of_day), anchor)
        moved = {
            key for key, row in before.items() if context_key(row.details) != of_day[key].yardstick
        }
        after = _rows(session, workspace_id, moved, group[0].facts.as_of) if moved else {}
        apart = {key: _apart(archive, of_day[key], before[key], row) for key, row in after.items()}
        for each in group:
            if (facts := apart.get(each.facts.account_id)) is not None:
                found[each.facts.account_id, each.key] = facts
    return found


def explain_openings(
    session: Session, workspace_id: str, looks: Sequence[Evaluation]
) -> list[AlertExplanation]:
    """Explain what opens, in the order given: by what moved since a window ago."""
    if not looks:
        return []
    as_of = looks[0].facts.as_of
    ids = {each.facts.account_id for each in looks}
    day_before, long_before, now = (
        _rows(session, workspace_id, ids, as_of - timedelta(days=days))
        for days in (1, DRIVER_DAYS, 0)
    )
    of_risk = [each for each in looks if each.rule.kind is SignalKind.CHURN_RISK]
    risks = _risks_before(session, workspace_id, of_risk) if of_risk else {}
    why = _why_risky(session, workspace_id, of_risk)
    archive = SnapshotReader(session, workspace_id)
    found = []
    for each in looks:
        key = each.facts.account_id
        earlier = day_before.get(key)
        past = replace(inputs_from_history(earlier), risk=risks.get(key)) if earlier else None
        said = why.get(key, ()) if each.rule.kind is SignalKind.CHURN_RISK else ()
        if not said:
            before, after = long_before.get(key) or earlier, now.get(key)
            said = _drivers(each, *(_unsigned(archive.told(row)) for row in (before, after)))
        found.append(AlertExplanation(_previous(each, past), said[:MOST_DRIVERS]))
    return found


def _previous(each: Evaluation, past: RuleInputs | None) -> float | str | None:
    """Return the score that a drop is counted from, else the signal of the day before."""
    from_then = baseline_score(each.rule, each.facts) if each.rule.compares_scores else None
    return display_value(each.rule, past) if from_then is None and past is not None else from_then


def _why_risky(
    session: Session, workspace_id: str, looks: Sequence[Evaluation]
) -> dict[str, Sequence[str]]:
    """Say by account what goes with its risk."""
    if not looks:
        return {}
    rows = risk_queries.load_risks(session, workspace_id, [each.facts.account_id for each in looks])
    told = {
        key: [RiskDriver(**each) for each in row.details["drivers"]] for key, row in rows.items()
    }
    return {
        key: [risk_sentence(each, Language.EN) for each in of_account if each.effect > 0]
        for key, of_account in told.items()
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
    said = []
    if signal := (each.facts.signals or {}).get(each.rule.subject):
        said.append(signal_sentence(signal, Language.EN))
    if each.rule.kind is SignalKind.DAYS_SINCE_LAST_USE:
        said.append(f"It was last used on {each.facts.details['last_used_on']}.")
    if after is None:
        return said
    up = (
        each.rule.kind in {SignalKind.HEALTH_SCORE, SignalKind.MEASURE}
        and each.rule.direction == "up"
    )
    moved = driver_sentences(before, after, Language.EN, most=MOST_DRIVERS - len(said), up=up)
    return [*said, *map(capitalized, moved)]


def _unsigned(told: ScoreSnapshot | None) -> ScoreSnapshot | None:
    """Leave out who has overruled a score and why: what is said here goes to other systems."""
    if told is None or told.side is None or told.side.override is None:
        return told
    override = replace(told.side.override, author=ANONYMOUS_AUTHOR, reason="")
    return replace(told, side=replace(told.side, override=override))


def _anchor(each: Evaluation) -> date:
    return each.reference_day


def _rows(
    session: Session, workspace_id: str, account_ids: set[str], day: date
) -> Mapping[str, HealthHistory]:
    return health.load_history_rows(session, workspace_id, sorted(account_ids), day=day)


def _apart(
    archive: SnapshotReader, facts: RuleInputs, before: HealthHistory, after: HealthHistory
) -> RuleInputs | None:
    one, other = archive.told(before), archive.told(after)
    if one is None or other is None or one.side is None:
        return None
    standing = evaluate_with_earlier_settings(one, other)
    return None if standing is None else rescore_inputs(facts, standing, one.side.card)
