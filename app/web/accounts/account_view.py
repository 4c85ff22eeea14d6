"""What the page of an account shows, from the services of the API."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy.orm import Session

from app.core.catalogue import Catalogue, load_catalogue
from app.core.number_format import round_to_sum
from app.core.pagination import Paging
from app.health.definition.scorecard import DEFAULT_CARD, Scorecard
from app.health.explanations import sentences
from app.health.explanations.schemas import ExplanationOut
from app.health.explanations.service import explain_score
from app.health.explanations.snapshots import SnapshotReader
from app.health.scoring.history_queries import load_score_days
from app.portfolio.envelope import AccountHealthOut, read_envelope
from app.portfolio.envelope_queries import Envelope
from app.reports.timeline.kinds import EntryKind
from app.reports.timeline.service import load_entries
from app.web.accounts.list_view import Reasons, load_reasons
from app.web.charts.history import Mark
from app.web.charts.waterfall import Step
from app.web.frame.formats import Formats
from app.web.frame.rendering import Texts
from app.web.frame.visits import Visit

HISTORY_DAYS = 180
MARKED_ENTRIES = Paging(100, None)
SIGNS = {
    (EntryKind.ALERT, "opened"): "A",
    (EntryKind.INTERVENTION, "accepted"): "I",
    (EntryKind.INCIDENT, "began"): "X",
}
LEAST_STEP = 0.05
"""A step that would be shown as 0.0 is left out."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The head of an account, its measures, what it does not use, why and what to do."""

    row: Envelope
    health: AccountHealthOut
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class Why:
    """The history of a score with marks, and the comparison of two days."""

    days: Sequence[tuple[date, float | None]]
    marks: Sequence[Mark]
    explanation: ExplanationOut
    band_limits: tuple[float, float]
    level_steps: Sequence[Step]
    change_steps: Sequence[Step]

    @property
    def weekly(self) -> Sequence[tuple[date, float | None]]:
        """The numbers of the table beside the chart: each seventh day back from the last one."""
        return self.days[::-7][::-1]


def load_overview(session: Session, visit: Visit, account_id: str) -> Overview:
    row, health = read_envelope(session, visit.workspace_id, account_id, visit.language)
    return Overview(row, health, load_reasons(session, visit, account_id))


def load_why(
    session: Session,
    visit: Visit,
    account_id: str,
    *,
    card_name: str | None,
    since: date,
    until: date,
    text: Texts,
) -> Why:
    """Read the history and the two days. ``card_name``: the card by which the account is scored."""
    reader = SnapshotReader(session, visit.workspace_id)
    first = visit.now.date() - timedelta(days=HISTORY_DAYS)
    days = load_score_days(session, visit.workspace_id, account_id, since=first)
    explanation = explain_score(
        session,
        visit.workspace_id,
        account_id,
        since=since,
        until=until,
        language=visit.language,
        reader=reader,
    )
    names = load_catalogue(sentences.__file__, visit.language)
    happened = _events(session, visit, account_id, first)
    marks = [*_changes(days, Formats(visit.language), text), *happened]
    return Why(
        days=[(row.as_of, row.score) for row in days],
        marks=sorted(marks, key=lambda mark: mark.day),
        explanation=explanation,
        band_limits=_band_limits(reader.active_scorecard, card_name),
        level_steps=_level_steps(explanation, names, text),
        change_steps=[
            Step(_name(row.measure, names, text, row.kind.value), row.shown_points)
            for row in explanation.change.rows
            if abs(row.shown_points) >= LEAST_STEP
        ],
    )


def _changes(days: Sequence[Any], formats: Formats, text: Texts) -> Iterator[Mark]:
    """Yield the days on which the price, the plan or the scorecard version changed."""
    for before, after in pairwise(days):
        old, new = before[2], after[2]
        if old is not None and new is not None and old != new:
            amounts = (formats.money(cents, after.currency) for cents in (old, new))
            first, last = amounts
            yield Mark(after.as_of, "P", text("mark_price", before=first, after=last))
        if before.plan != after.plan and after.plan:
            yield Mark(after.as_of, "T", text("mark_plan", plan=after.plan))
        if before.version != after.version and before.version and after.version:
            yield Mark(after.as_of, "S", text("mark_scorecard", version=after.version))


def _band_limits(scorecard: Scorecard, card_name: str | None) -> tuple[float, float]:
    """Return the lowest scores of the bands watch and healthy of a card."""
    card = scorecard.cards.get(card_name or DEFAULT_CARD, scorecard.cards[DEFAULT_CARD])
    return card.watch_from, card.healthy_from


def _events(session: Session, visit: Visit, account_id: str, first: date) -> Iterator[Mark]:
    """Yield the alerts that opened, the interventions that were begun, and the incidents."""
    page = load_entries(
        session,
        visit.workspace_id,
        account_id,
        kinds={kind for kind, _ in SIGNS},
        paging=MARKED_ENTRIES,
        now=visit.now,
        language=visit.language,
    )
    for entry in page.items:
        sign = SIGNS.get((entry.kind, entry.event))
        if sign and entry.at.date() >= first:
            yield Mark(entry.at.date(), sign, entry.sentence)


def _level_steps(explanation: ExplanationOut, names: Catalogue, text: Texts) -> list[Step]:
    """Return the points of each measure; adjustments of the scorecard or a person are the rest."""
    if explanation.after is None or explanation.after.value is None:
        return []
    points = [row.points or 0.0 for row in explanation.level]
    shown = round_to_sum(points, sum(points), 1)
    steps = [
        Step(_name(row.name, names, text, None), rounded)
        for row, rounded in zip(explanation.level, shown, strict=True)
    ]
    rest = round(explanation.after.value, 1) - sum(shown)
    if abs(rest) >= LEAST_STEP:
        steps.append(Step(text("adjusted"), round(rest, 1)))
    return steps


def _name(measure: str | None, names: Catalogue, text: Texts, kind: str | None) -> str:
    """Return the name of a measure, and what about it moved."""
    name = measure or ""
    if f"metric_{name}" in names:
        name = names.format(f"metric_{name}")
    if kind is None:
        return name
    kind_name = text(f"kind_{kind}")
    return text("named_kind", name=name, kind=kind_name) if name else kind_name
