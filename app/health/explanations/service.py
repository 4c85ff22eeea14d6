"""Explain the score of an account: its level, and its change between two days."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from app.core.languages import Language
from app.core.number_format import is_known, round_to_sum
from app.health.explanations.explain import ScoredDay, explain_change
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
    shown_difference,
)
from app.health.explanations.snapshots import ScoreSnapshot, SnapshotReader
from app.health.scoring import queries

DIGITS, SENTENCE_DIGITS = 4, 1


def explain_score(
    session: Session,
    workspace_id: str,
    account_id: str,
    *,
    since: date,
    until: date,
    language: Language,
    reader: SnapshotReader | None = None,
) -> ExplanationOut:
    """Explain the scores of two days, or the last before them, from the stored history rows."""
    reader = reader or SnapshotReader(session, workspace_id)
    rows = queries.find_history_rows(session, workspace_id, account_id, days=(since, until))
    found = reader.read_all([row for row in rows if row])
    after = found.pop() if rows[1] else None
    before = found.pop() if rows[0] else None
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
    measure: str | None = None,
) -> Sequence[str]:
    """Return sentences for the effects that lowered (or with ``up`` raised) the score the most.

    Without an effect of that sign, or if the days are not comparable, describe the measures
    that miss (or give) the most points. ``measure``: leave out all others.
    """
    sign = 1 if up else -1
    if before and before.scored_day and after.scored_day:
        days = before.scored_day, after.scored_day
        effects = [
            effect
            for effect in explain_change(*days)
            if effect.points * sign > 0 and measure in {None, effect.measure}
        ]
        effects.sort(key=lambda effect: -effect.points * sign)
        if effects:
            return [effect_sentence(effect, *days, language) for effect in effects[:limit]]
    if after.definition is None:
        return []
    points = "points" if up else "points_missed"
    measures = [each for each in after.row.details["measures"] if measure in {None, each["name"]}]
    measures.sort(key=lambda each: -(each[points] or 0))
    return [level_sentence(each, after.definition, language) for each in measures[:limit]]


def _level(snapshot: ScoreSnapshot, language: Language) -> list[ScoreLevelRow]:
    definition = snapshot.definition
    if definition is None:
        return []
    measures = snapshot.row.details["measures"]
    points, weights = (
        [each[name] or 0.0 for each in measures] for name in ("points", "effective_weight")
    )
    shown = zip(
        measures,
        round_to_sum(points, sum(points), SENTENCE_DIGITS),
        round_to_sum(weights, sum(weights), SENTENCE_DIGITS + 2),
        strict=True,
    )
    return [
        ScoreLevelRow(
            **measure,
            sentence=level_sentence(
                {**measure, "points": points, "effective_weight": weight}, definition, language
            ),
        )
        for measure, points, weight in shown
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
    scores = old.row.score or 0.0, new.row.score or 0.0
    return ScoreChange(
        status="comparable",
        points=round(scores[1] - scores[0], DIGITS),
        sentence=change_sentence((old.row.as_of, new.row.as_of), scores, language),
        rows=change_rows(old.scored_day, new.scored_day, scores, language),
    )


def change_rows(
    before: ScoredDay, after: ScoredDay, scores: tuple[float, float], language: Language
) -> list[ScoreChangeRow]:
    """Return the effects with points that add up to the difference of the stored scores as shown.

    The points are rounded by the largest remainders: to four decimals in the rows, to one in the
    sentences.
    """
    effects = explain_change(before, after)
    exact = [effect.points for effect in effects]
    points = round_to_sum(exact, scores[1] - scores[0], DIGITS)
    shown = round_to_sum(exact, shown_difference(*scores), SENTENCE_DIGITS)
    return [
        ScoreChangeRow.from_row(
            effect,
            points=rounded,
            shown_points=in_sentence,
            before=_rounded(effect.before),
            after=_rounded(effect.after),
            sentence=effect_sentence(effect, before, after, language, shown_points=in_sentence),
        )
        for effect, rounded, in_sentence in zip(effects, points, shown, strict=True)
        if rounded or in_sentence
    ]


def _not_comparable(snapshot: ScoreSnapshot | None, day: date, language: Language) -> ScoreChange:
    was_scored = snapshot is not None and snapshot.row.score is not None
    shown_day = snapshot.row.as_of if snapshot else day
    sentence = not_comparable_sentence(shown_day, language, was_scored=was_scored)
    return ScoreChange(status="not_comparable", points=None, sentence=sentence, rows=[])


def _rounded(value: float | None) -> float | None:
    return round(value, DIGITS) if is_known(value) else None
