"""When and why accounts churn: tenure, associations and stated reasons."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import cache, partial
from statistics import median
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.accounts.catalog.tables import ProductFeature
from app.accounts.excluded_users import is_excluded_user, without_excluded_users
from app.core.languages import Language
from app.core.row_queries import list_all_rows, load_names
from app.core.sql import load_sql
from app.engagement.first_event import first_event_day, load_known_days
from app.engagement.tables import OnboardingStep
from app.interventions.playbooks.catalogue import shipped_playbooks
from app.reports.churn_causes.association import Association, ExposureCounts, associate, tenures
from app.reports.churn_causes.schemas import (
    ChurnCausesOut,
    ChurnFinding,
    FindingKind,
    PaidDays,
    TenureShare,
)
from app.reports.churn_causes.sentences import finding_sentence, signal_title
from app.reports.kpi import ReportQuery
from app.reports.queries import load_later_changes, load_report_rows

SQL = load_sql(
    __file__,
    without_excluded_users=without_excluded_users(":known_on"),
    by_excluded_user=is_excluded_user("c.user_id"),
    first_event_day=first_event_day(":known_on"),
)

SIGNAL_DAYS, USE_DAYS, SIGN_UP_DAYS = 90, 28, 7
CLEAR_Q_VALUE = 0.05
LoadStays = Callable[[date], Sequence[Row[Any]]]
"""Loads the accounts that paid from a day on."""
PLAYBOOK_SIGNALS = {
    FindingKind.FEATURE_UNUSED: "paid_feature_unused",
    FindingKind.ONBOARDING_STEP: "onboarding_stuck",
}
"""The signal whose playbook acts on a condition. A condition that is a signal needs no entry."""


@dataclass(frozen=True, slots=True)
class ObservedCondition:
    """A condition on paid days. ``accounts``: how many met it on any paid day."""

    kind: FindingKind
    key: str
    name: str
    accounts: int
    counts: ExposureCounts


@dataclass(frozen=True, slots=True)
class Exposure:
    """Counts of one condition. ``accounts``: met it on any paid day. ``always``: on every paid day.

    ``days``: paid days on which it was met. ``churned``: accounts that churned right after one.
    """

    accounts: int = 0
    always: int = 0
    days: int = 0
    churned: int = 0


def churn_causes(session: Session, query: ReportQuery, language: Language) -> ChurnCausesOut:
    load_stays = cache(lambda day: _load_rows(session, query, "stays", observed_from=day))
    stays = load_stays(query.since)
    ages = [row.tenure for row in stays if row.left_on is not None]
    return ChurnCausesOut(
        left=query.kpi(
            "left",
            "accounts that no longer pay / accounts that paid at some time",
            numerator=len(ages),
            denominator=len(stays),
            n=len(stays),
        ),
        within_7_days=query.kpi(
            "within_7_days_of_signup",
            "accounts that churned within 7 days of the start / churned accounts",
            numerator=sum(age <= SIGN_UP_DAYS for age in ages),
            denominator=len(ages),
            n=len(ages),
        ),
        median_days=query.kpi(
            "median_days_to_churn",
            "median days from the start to the first day not paid, of churned accounts",
            unit="days",
            value=median(ages) if ages else None,
            numerator=None,
            denominator=None,
            n=len(ages),
        ),
        tenure=[
            TenureShare(days=days, left=left, share=left / len(ages) if ages else 0)
            for days, left in tenures(ages).items()
        ],
        findings=_findings(list(_conditions(session, query, language, load_stays)), language),
        reasons=_load_rows(session, query, "churn_reasons"),
        currency=query.currency,
        changed_by=load_later_changes(
            session, query.workspace_id, SQL, "conditions", query, of_fields=True
        ),
    )


def _conditions(
    session: Session, query: ReportQuery, language: Language, load_stays: LoadStays
) -> Iterator[ObservedCondition]:
    """Count each condition against all other paid days on which it is known whether it was met.

    An onboarding step is compared with the paid days on which all steps were done, of accounts that
    are not older than the first event.
    """
    [known] = _load_rows(session, query, "observed_from", use_days=USE_DAYS)
    load = partial(_load_exposures, session, query, observed_from=known.events)
    days, churned, _ = _totals(load_stays(known.events))
    for key, met in load("signal_exposure", within=SIGNAL_DAYS).items():
        counts = ExposureCounts(met.days, met.churned, days - met.days, churned - met.churned)
        name = signal_title(key, language)
        yield ObservedCondition(FindingKind.SIGNAL, key, name, met.accounts, counts)
    yield from _unused_features(session, query, load_stays, observed_from=known.use)
    load = partial(_load_exposures, session, query, observed_from=known.events)
    steps = load("onboarding_exposure", started_from=known.started_from)
    done = steps.get("", Exposure())
    for key, name in load_names(session, query.workspace_id, OnboardingStep).items():
        stuck = steps.get(key, Exposure())
        counts = ExposureCounts(stuck.days, stuck.churned, done.days, done.churned)
        yield ObservedCondition(FindingKind.ONBOARDING_STEP, key, name, stuck.accounts, counts)


def _unused_features(
    session: Session, query: ReportQuery, load_stays: LoadStays, *, observed_from: date
) -> Iterator[ObservedCondition]:
    """Compare the paid days without use of each product feature with those with it.

    Use is known for whole windows from the first day of the sources that report it.
    """
    features = list_all_rows(session, query.workspace_id, ProductFeature)
    before_use = timedelta(days=USE_DAYS - 1)
    days_known = load_known_days(
        session,
        query.workspace_id,
        {feature.key: feature.event_names for feature in features},
        as_of=query.known_on,
        first_event_on=max(observed_from, date.min + before_use) - before_use,
    )
    load = cache(partial(_load_used_features, session, query, load_stays))
    for feature in features:
        paid, used_features = load(max(observed_from, days_known[feature.key] + before_use))
        days, churned, paying = paid
        used = used_features.get(feature.key, Exposure())
        counts = ExposureCounts(days - used.days, churned - used.churned, used.days, used.churned)
        yield ObservedCondition(
            FindingKind.FEATURE_UNUSED, feature.key, feature.name, paying - used.always, counts
        )


def _load_used_features(
    session: Session, query: ReportQuery, load_stays: LoadStays, observed_from: date
) -> tuple[tuple[int, int, int], dict[str, Exposure]]:
    """Return the totals of the paid days from a day on, and the use of features on them."""
    used = _load_exposures(
        session, query, "feature_use_exposure", within=USE_DAYS, observed_from=observed_from
    )
    return _totals(load_stays(observed_from)), used


def _totals(stays: Sequence[Row[Any]]) -> tuple[int, int, int]:
    """Return the paid days of stays, and the accounts that churned and that paid then."""
    churned = sum(row.left_on is not None for row in stays)
    return sum(int(row.days) for row in stays), churned, sum(row.days > 0 for row in stays)


def _load_exposures(
    session: Session, query: ReportQuery, name: str, **values: object
) -> dict[str, Exposure]:
    rows = _load_rows(session, query, name, **values)
    return {row.key: Exposure(row.accounts, row.always, int(row.days), row.left) for row in rows}


def _load_rows(
    session: Session, query: ReportQuery, name: str, **values: object
) -> Sequence[Row[Any]]:
    """Execute a statement; without ``observed_from`` it covers the whole period."""
    values = {"observed_from": query.since, "started_from": date.min, **values}
    return load_report_rows(session, query.workspace_id, SQL, name, query, **values)


def _findings(conditions: Sequence[ObservedCondition], language: Language) -> list[ChurnFinding]:
    """Test the conditions. Order: lowest q-value first, then most churned accounts."""
    associations = associate(each.counts for each in conditions)
    pairs = sorted(
        zip(conditions, associations, strict=True),
        key=lambda pair: (
            1 if pair[1].q_value is None else pair[1].q_value,
            -pair[0].counts.exposed_churned,
        ),
    )
    return [_finding(condition, association, language) for condition, association in pairs]


def _finding(
    condition: ObservedCondition, association: Association, language: Language
) -> ChurnFinding:
    counts, q_value = condition.counts, association.q_value
    signal = PLAYBOOK_SIGNALS.get(condition.kind, condition.key)
    return ChurnFinding(
        **asdict(association),
        what=condition.kind,
        key=condition.key,
        name=condition.name,
        n=condition.accounts,
        held=PaidDays(paid_days=counts.exposed_days, left=counts.exposed_churned),
        otherwise=PaidDays(paid_days=counts.unexposed_days, left=counts.unexposed_churned),
        is_clear=q_value is not None and q_value <= CLEAR_Q_VALUE,
        sentence=finding_sentence(condition.kind, condition.name, association, language),
        playbook=next(
            (key for key, each in shipped_playbooks().items() if signal in each.signals), None
        ),
    )
