"""Explain the score of an account: its level, and its change between two days."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from app.core.languages import Language
from app.core.number_format import is_known
from app.health.explanations.explain import Effect, ScoredDay, explain_change
from app.health.explanations.schemas import (
    ExplainedDay,
    ExplanationOut,
    ScoreChange,
    ScoreChangeRow,
    ScoreLevelRow,
)
from app.health.explanations.sentences import (
    change_sentence,
    effect_sentence,
    level_sentence,
    not_comparable_sentence,
)
from app.health.explanations.snapshots import ScoreSnapshot, SnapshotReader
from app.health.scoring import queries

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
    """Explain the scores of two days, or the last before them, from the stored history rows."""
    reader = SnapshotReader(session, workspace_id)
    rows = (
        queries.find_history_row(session, workspace_id, account_id, day=day)
        for day in (since, until)
    )
    before, after = (reader.read(row) if row else None for row in rows)
    return ExplanationOut(
        account_id=account_id,
        language=language,
        before=ExplainedDay.from_history(before.row) if before else None,
        after=ExplainedDay.from_history(after.row) if after else None,
        level=_level(after, language) if after else [],
        change=_change((before, since), (after, until), language),
    )


def driver_sentences(
    before: ScoreSnapshot | None,
    after: ScoreSnapshot,
    language: Language,
    *,
    limit: int,
    up: bool = False,
) -> Sequence[str]:
    """Return sentences for the effects that lowered (or with ``up`` raised) the score the most.

    Without an effect of that sign, or if the days are not comparable, describe the measures
    that miss (or give) the most points.
    """
    sign = 1 if up else -1
    if before and before.scored_day and after.scored_day:
        days = before.scored_day, after.scored_day
        effects = [effect for effect in explain_change(*days) if effect.points * sign > 0]
        effects.sort(key=lambda effect: -effect.points * sign)
        if effects:
            return [effect_sentence(effect, *days, language) for effect in effects[:limit]]
    if after.definition is None:
        return []
    points = "points" if up else "points_missed"
    measures = sorted(after.row.details["measures"], key=lambda each: -(each[points] or 0))
    return [level_sentence(each, after.definition, language) for each in measures[:limit]]


def _level(snapshot: ScoreSnapshot, language: Language) -> list[ScoreLevelRow]:
    definition = snapshot.definition
    if definition is None:
        return []
    return [
        ScoreLevelRow(**measure, sentence=level_sentence(measure, definition, language))
        for measure in snapshot.row.details["measures"]
    ]


def _change(
    before: tuple[ScoreSnapshot | None, date],
    after: tuple[ScoreSnapshot | None, date],
    language: Language,
) -> ScoreChange:
    old, new = before[0], after[0]
    if old is None or old.scored_day is None:
        return _not_comparable(*before, language)
    if new is None or new.scored_day is None:
        return _not_comparable(*after, language)
    days = old.scored_day, new.scored_day
    rows = [_row(effect, *days, language) for effect in explain_change(*days)]
    scores = old.row.score or 0.0, new.row.score or 0.0
    points = scores[1] - scores[0]
    return ScoreChange(
        status="comparable",
        points=round(points, DIGITS),
        sentence=change_sentence((old.row.as_of, new.row.as_of), scores, points, language),
        rows=[row for row in rows if row.points],
    )


def _not_comparable(snapshot: ScoreSnapshot | None, day: date, language: Language) -> ScoreChange:
    was_scored = snapshot is not None and snapshot.row.score is not None
    shown_day = snapshot.row.as_of if snapshot else day
    sentence = not_comparable_sentence(shown_day, language, was_scored=was_scored)
    return ScoreChange(status="not_comparable", points=None, sentence=sentence, rows=[])


def _row(effect: Effect, before: ScoredDay, after: ScoredDay, language: Language) -> ScoreChangeRow:
    numbers = {
        name: round(value, DIGITS) if is_known(value := getattr(effect, name)) else None
        for name in ("points", "before", "after")
    }
    sentence = effect_sentence(effect, before, after, language)
    return ScoreChangeRow.from_row(effect, sentence=sentence, **numbers)
