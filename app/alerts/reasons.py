"""Why an alert opens: what was before, what moved, and whether the account itself moved at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from sqlalchemy.orm import Session

from app.alerts.evaluation import Look
from app.alerts.readings import Facts, judged_so, shown
from app.alerts.rules import Signal
from app.health import queries as health
from app.health.archive import Archive, Told, own_standing
from app.health.assess import Status
from app.health.details import yardstick_of
from app.health.explain_service import drivers
from app.health.tables import HealthHistory
from app.health.words import Language

MOST_DRIVERS, DRIVEN_DAYS = 3, 28


@dataclass(frozen=True, slots=True)
class Reason:
    """``previous``: the signal as of the day before."""

    previous: float | str | None
    drivers: Sequence[str]


def alone(
    session: Session, workspace_id: str, looks: Sequence[Look]
) -> dict[tuple[str, str], Facts]:
    """Judge accounts as if settings and peers were those of the anchor, where these changed."""
    archive, found = Archive(session, workspace_id), {}
    for anchor, some in groupby(sorted(looks, key=_anchor), key=_anchor):
        group = list(some)
        of_day = {each.facts.account_id: each.facts for each in group}
        before = _rows(session, workspace_id, set(of_day), anchor)
        moved = {
            key for key, row in before.items() if yardstick_of(row.details) != of_day[key].yardstick
        }
        after = _rows(session, workspace_id, moved, group[0].facts.as_of) if moved else {}
        apart = {key: _apart(archive, of_day[key], before[key], row) for key, row in after.items()}
        for each in group:
            if (facts := apart.get(each.facts.account_id)) is not None:
                found[each.facts.account_id, each.key] = facts
    return found


def reasons(session: Session, workspace_id: str, looks: Sequence[Look]) -> list[Reason]:
    """Explain what opens, in the order given: by what moved since a window ago."""
    if not looks:
        return []
    as_of = looks[0].facts.as_of
    ids = {each.facts.account_id for each in looks}
    day_before, long_before, now = (
        _rows(session, workspace_id, ids, as_of - timedelta(days=days))
        for days in (1, DRIVEN_DAYS, 0)
    )
    archive = Archive(session, workspace_id)
    found = []
    for each in looks:
        key = each.facts.account_id
        earlier = day_before.get(key)
        previous = shown(each.rule, of_history(earlier)) if earlier else None
        before, after = archive.told(long_before.get(key) or earlier), archive.told(now.get(key))
        found.append(Reason(previous, _drivers(each, before, after)))
    return found


def of_history(row: HealthHistory) -> Facts:
    return Facts(
        account_id=row.account_id,
        as_of=row.as_of,
        status=Status(row.status),
        score=row.score,
        mrr_cents=row.mrr_cents,
        details=row.details,
    )


def _drivers(each: Look, before: Told | None, after: Told | None) -> Sequence[str]:
    if each.rule.kind is Signal.CHURN_RISK and each.facts.risk and each.facts.risk.reasons:
        return each.facts.risk.reasons[:MOST_DRIVERS]
    said = []
    if each.rule.kind is Signal.DAYS_SINCE_LAST_USE:
        said.append(f"It was last used on {each.facts.details['last_used_on']}.")
    if after is None:
        return said
    up = each.rule.kind in {Signal.HEALTH_SCORE, Signal.MEASURE} and each.rule.direction == "up"
    moved = drivers(before, after, Language.EN, most=MOST_DRIVERS - len(said), up=up)
    return [*said, *moved]


def _anchor(each: Look) -> date:
    return each.anchor


def _rows(
    session: Session, workspace_id: str, account_ids: set[str], day: date
) -> Mapping[str, HealthHistory]:
    return health.standings_on(session, workspace_id, sorted(account_ids), day=day)


def _apart(
    archive: Archive, facts: Facts, before: HealthHistory, after: HealthHistory
) -> Facts | None:
    one, other = archive.told(before), archive.told(after)
    if one is None or other is None or one.side is None:
        return None
    standing = own_standing(one, other)
    return None if standing is None else judged_so(facts, standing, one.side.card)
