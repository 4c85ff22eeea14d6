"""Where and why accounts leave: what goes with it, said as that and no more."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.accounts.tables import ProductFeature
from app.engagement.tables import OnboardingStep
from app.interventions.playbooks.catalogue import shipped_playbooks
from app.reports.churn_causes import statements
from app.reports.churn_causes.association import Association, ExposureCounts, associate, tenures
from app.reports.churn_causes.schemas import (
    ChurnCausesOut,
    ChurnFinding,
    ChurnReason,
    FindingKind,
    PaidDays,
    TenureShare,
)
from app.reports.kpi import ReportQuery
from app.reports.queries import load_names, load_report_rows

SIGNAL_DAYS, USE_DAYS, SIGN_UP_DAYS = 90, 28, 7
CLEAR_Q_VALUE = 0.05
PLAYBOOK_SIGNALS = {
    FindingKind.FEATURE_UNUSED: "paid_feature_unused",
    FindingKind.ONBOARDING_STEP: "onboarding_stuck",
}


@dataclass(frozen=True, slots=True)
class ObservedCondition:
    what: FindingKind
    key: str
    name: str
    accounts: int
    held: ExposureCounts


def churn_causes(session: Session, asked: ReportQuery) -> ChurnCausesOut:
    stays = load_report_rows(session, asked.workspace_id, statements.STAYED, asked)
    ages = [row.tenure for row in stays if row.left_on is not None]
    found = list(_conditions(session, asked, stays))
    said = associate(each.held for each in found)
    pairs = sorted(
        zip(found, said, strict=True),
        key=lambda pair: (1 if pair[1].q_value is None else pair[1].q_value, -pair[0].held.left),
    )
    early = sum(age <= SIGN_UP_DAYS for age in ages)
    return ChurnCausesOut(
        left=asked.kpi(
            "left",
            "accounts that pay no more / accounts that paid at some time",
            numerator=len(ages),
            denominator=len(stays),
            n=len(stays),
        ),
        within_7_days=asked.kpi(
            "within_7_days_of_signup",
            "who left within 7 days of the start / who left",
            numerator=early,
            denominator=len(ages),
            n=len(ages),
        ),
        median_days=asked.kpi(
            "median_days_to_churn",
            "median days from the start to the first day not paid, of who left",
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
        findings=[_finding(condition, one) for condition, one in pairs],
        reasons=[
            ChurnReason.model_validate(row)
            for row in load_report_rows(
                session, asked.workspace_id, statements.CHURN_REASONS, asked
            )
        ],
        currency=asked.currency,
    )


def _conditions(
    session: Session, asked: ReportQuery, stays: Sequence[Row[Any]]
) -> Iterator[ObservedCondition]:
    """Set each thing against all paid days on which it did not hold; steps against the finished."""
    workspace_id = asked.workspace_id
    days = sum(int(row.days) for row in stays)
    left = sum(row.left_on is not None for row in stays)
    after = statements.SIGNAL_EXPOSURE
    for row in load_report_rows(session, workspace_id, after, asked, within=SIGNAL_DAYS):
        held = ExposureCounts(int(row.days), row.left, days - int(row.days), left - row.left)
        yield ObservedCondition(FindingKind.SIGNAL, row.key, row.key, row.accounts, held)
    features = load_report_rows(
        session, workspace_id, statements.FEATURE_USE_EXPOSURE, asked, within=USE_DAYS
    )
    used = {row.key: row for row in features}
    for key, name in load_names(session, workspace_id, ProductFeature).items():
        _, use, who_left = _counts(used.get(key))
        held = ExposureCounts(days - use, left - who_left, use, who_left)
        always = used[key].always if key in used else 0
        yield ObservedCondition(FindingKind.FEATURE_UNUSED, key, name, len(stays) - always, held)
    steps = load_report_rows(session, workspace_id, statements.ONBOARDING_EXPOSURE, asked)
    at = {row.key: row for row in steps}
    _, finished_days, finished_left = _counts(at.get(""))
    for key, name in load_names(session, workspace_id, OnboardingStep).items():
        accounts, stuck, who_left = _counts(at.get(key))
        held = ExposureCounts(stuck, who_left, finished_days, finished_left)
        yield ObservedCondition(FindingKind.ONBOARDING_STEP, key, name, accounts, held)


def _counts(row: Row[Any] | None) -> tuple[int, int, int]:
    return (row.accounts, int(row.days), row.left) if row else (0, 0, 0)


def _finding(condition: ObservedCondition, said: Association) -> ChurnFinding:
    held = condition.held
    answered = PLAYBOOK_SIGNALS.get(condition.what, condition.key)
    return ChurnFinding(
        **asdict(said),
        what=condition.what,
        key=condition.key,
        name=condition.name,
        n=condition.accounts,
        held=PaidDays(paid_days=held.days, left=held.left),
        otherwise=PaidDays(paid_days=held.unexposed_days, left=held.unexposed_churned),
        is_clear=said.q_value is not None and said.q_value <= CLEAR_Q_VALUE,
        sentence=_sentence(condition, said),
        playbook=next(
            (key for key, each in shipped_playbooks().items() if answered in each.signals), None
        ),
    )


SENTENCE_SUBJECTS = {
    FindingKind.SIGNAL: "{name} in the last 90 days",
    FindingKind.FEATURE_UNUSED: "No use of {name} for 28 days",
    FindingKind.ONBOARDING_STEP: "Not having done {name}",
}


def _sentence(condition: ObservedCondition, said: Association) -> str:
    """Say "goes with" only: what is seen together need not be cause and effect."""
    subject = SENTENCE_SUBJECTS[condition.what].format(name=condition.name)
    if said.lift is None:
        return f"{subject}: too little is known to say what goes with it."
    high = "more" if said.high is None else f"{said.high:.1f}"
    return f"{subject} goes with {said.lift:.1f} times the churn (95 %: {said.low:.1f} to {high})."
