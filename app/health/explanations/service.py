"""Load two days of an account, and explain what lies between them."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from app.core.languages import Language
from app.core.number_format import is_known
from app.health.explanations.catalogue import CATALOGUES
from app.health.explanations.explain import Effect, ScoredDay, explain_change
from app.health.explanations.schemas import (
    ExplainedDay,
    ExplanationOut,
    ScoreChange,
    ScoreChangeRow,
    ScoreLevelRow,
)
from app.health.explanations.sentences import change_sentence, effect_sentence, level_sentence
from app.health.explanations.snapshots import ScoreSnapshot, SnapshotReader
from app.health.scoring import queries
from app.health.tables import HealthHistory

DIGITS = 4


def explain_score(
    session: Session,
    workspace_id: str,
    account_id: str,
    *,
    since: date,
    until: date,
    language: Language,
) -> ExplanationOut:
    """Explain the last rows written by the two days, from what was stored with them."""
    archive = SnapshotReader(session, workspace_id)
    before, after = (
        archive.told(queries.find_history_row(session, workspace_id, account_id, day=day))
        for day in (since, until)
    )
    return ExplanationOut(
        account_id=account_id,
        language=language,
        before=_day(before.row) if before else None,
        after=_day(after.row) if after else None,
        level=_level(after, language) if after else [],
        change=_change((before, since), (after, until), language),
    )


def driver_sentences(
    before: ScoreSnapshot | None,
    after: ScoreSnapshot,
    language: Language,
    *,
    most: int,
    up: bool = False,
) -> Sequence[str]:
    """Say in a sentence each what moved the score down (or up) the most since a day.

    Where nothing did, or the days cannot be compared: what the score lacks (or has) the most of.
    """
    sign = 1 if up else -1
    if before and before.side and after.side:
        rows = [row for row in explain_change(before.side, after.side) if row.points * sign > 0]
        rows.sort(key=lambda row: -row.points * sign)
        if rows:
            return [effect_sentence(row, before.side, after.side, language) for row in rows[:most]]
    if after.definition is None:
        return []
    weight = "points" if up else "points_missed"
    measures = sorted(after.row.details["measures"], key=lambda each: -(each[weight] or 0))
    return [level_sentence(each, after.definition, language) for each in measures[:most]]


def _day(row: HealthHistory) -> ExplainedDay:
    return ExplainedDay(
        as_of=row.as_of,
        value=row.score,
        band=row.band,
        status=row.status,
        coverage=row.coverage,
        scorecard_version=row.details.get("scorecard_version"),
        benchmark_id=row.details.get("benchmark_id"),
        restatement=row.restatement,
    )


def _level(told: ScoreSnapshot, language: Language) -> list[ScoreLevelRow]:
    if told.definition is None:
        return []
    return [
        ScoreLevelRow(**measure, sentence=level_sentence(measure, told.definition, language))
        for measure in told.row.details["measures"]
    ]


def _change(
    before: tuple[ScoreSnapshot | None, date],
    after: tuple[ScoreSnapshot | None, date],
    language: Language,
) -> ScoreChange:
    one, other = before[0], after[0]
    if one is None or one.side is None:
        return _not_comparable(*before, language)
    if other is None or other.side is None:
        return _not_comparable(*after, language)
    rows = [
        _row(row, one.side, other.side, language) for row in explain_change(one.side, other.side)
    ]
    values = one.row.score or 0.0, other.row.score or 0.0
    points = values[1] - values[0]
    return ScoreChange(
        status="comparable",
        points=round(points, DIGITS),
        sentence=change_sentence((one.row.as_of, other.row.as_of), values, points, language),
        rows=[row for row in rows if row.points],
    )


def _not_comparable(told: ScoreSnapshot | None, day: date, language: Language) -> ScoreChange:
    words = CATALOGUES[language]
    was_scored = told is not None and told.row.score is not None
    template = words.not_kept if was_scored else words.no_score
    said = template.format(day=told.row.as_of if told else day)
    return ScoreChange(status="not_comparable", points=None, sentence=said, rows=[])


def _row(row: Effect, before: ScoredDay, after: ScoredDay, language: Language) -> ScoreChangeRow:
    return ScoreChangeRow(
        kind=row.kind,
        measure=row.measure,
        points=round(row.points, DIGITS),
        before=_shown(row.before),
        after=_shown(row.after),
        sentence=effect_sentence(row, before, after, language),
    )


def _shown(value: float | None) -> float | None:
    return round(value, DIGITS) if value is not None and is_known(value) else None
