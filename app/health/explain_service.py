"""Load two days of an account, and explain what lies between them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.features.values import AccountFeatures
from app.health import benchmark_queries, queries
from app.health.definition import Definition
from app.health.explain import Row, Side, explain, stand
from app.health.explain_schemas import Change, ChangeRow, ExplainedDay, ExplanationOut, LevelRow
from app.health.figures import is_known
from app.health.overlays import Override
from app.health.tables import HealthHistory
from app.health.wording import change_sentence, level_sentence, sentence
from app.health.words import WORDS, Language

DIGITS = 4
LARGEST_ROUNDING = 0.001


@dataclass(frozen=True, slots=True)
class Told:
    """A day as it is in the history; without ``side`` it cannot be compared."""

    row: HealthHistory
    definition: Definition | None
    side: Side | None


def explanation(
    session: Session,
    workspace_id: str,
    account_id: str,
    *,
    since: date,
    until: date,
    language: Language,
) -> ExplanationOut:
    """Explain the last rows written by the two days, from what was stored with them."""
    before = _told(session, queries.standing_on(session, workspace_id, account_id, day=since))
    after = _told(session, queries.standing_on(session, workspace_id, account_id, day=until))
    return ExplanationOut(
        account_id=account_id,
        language=language,
        before=_day(before.row) if before else None,
        after=_day(after.row) if after else None,
        level=_level(after, language) if after else [],
        change=_change((before, since), (after, until), language),
    )


def _told(session: Session, row: HealthHistory | None) -> Told | None:
    if row is None:
        return None
    digest = row.details.get("definition")
    definition = benchmark_queries.definition(session, row.workspace_id, digest) if digest else None
    return Told(row, definition, _side(session, row, definition) if definition else None)


def _side(session: Session, row: HealthHistory, definition: Definition) -> Side | None:
    """Bring back what a score was made of; None where there is none, or it cannot be had again."""
    details = row.details
    machine = details["machine"]["value"] if details.get("machine") else row.score
    benchmark_id = details.get("benchmark_id")
    stored = benchmark_queries.find_benchmark(session, row.workspace_id, benchmark_id)
    if row.score is None or machine is None or "inputs" not in details or stored is None:
        return None
    side = Side(
        as_of=date.fromisoformat(details["inputs_on"]),
        features=AccountFeatures.from_json(details["inputs"]),
        definition=definition,
        benchmarks=benchmark_queries.StoredBenchmarks.of(stored).benchmarks,
        card_name=details["card"],
        override=_override(details.get("override")),
    )
    return side if abs(stand(side).value - machine) < LARGEST_ROUNDING else None


def _override(said: dict[str, Any] | None) -> Override | None:
    if said is None:
        return None
    return Override(**{**said, "expires_at": datetime.fromisoformat(said["expires_at"])})


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


def _level(told: Told, language: Language) -> list[LevelRow]:
    if told.definition is None:
        return []
    return [
        LevelRow(**measure, sentence=level_sentence(measure, told.definition, language))
        for measure in told.row.details["measures"]
    ]


def _change(
    before: tuple[Told | None, date], after: tuple[Told | None, date], language: Language
) -> Change:
    one, other = before[0], after[0]
    if one is None or one.side is None:
        return _not_comparable(*before, language)
    if other is None or other.side is None:
        return _not_comparable(*after, language)
    rows = [_row(row, one.side, other.side, language) for row in explain(one.side, other.side)]
    values = one.row.score or 0.0, other.row.score or 0.0
    points = values[1] - values[0]
    return Change(
        status="comparable",
        points=round(points, DIGITS),
        sentence=change_sentence((one.row.as_of, other.row.as_of), values, points, language),
        rows=[row for row in rows if row.points],
    )


def _not_comparable(told: Told | None, day: date, language: Language) -> Change:
    words = WORDS[language]
    was_scored = told is not None and told.row.score is not None
    template = words.not_kept if was_scored else words.no_score
    said = template.format(day=told.row.as_of if told else day)
    return Change(status="not_comparable", points=None, sentence=said, rows=[])


def _row(row: Row, before: Side, after: Side, language: Language) -> ChangeRow:
    return ChangeRow(
        kind=row.kind,
        measure=row.measure,
        points=round(row.points, DIGITS),
        before=_shown(row.before),
        after=_shown(row.after),
        sentence=sentence(row, before, after, language),
    )


def _shown(value: float | None) -> float | None:
    return round(value, DIGITS) if value is not None and is_known(value) else None
