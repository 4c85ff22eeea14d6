"""Where and why accounts leave: what goes with it, said as that and no more."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.accounts.tables import ProductFeature
from app.engagement.tables import OnboardingStep
from app.interventions.catalogue import shipped
from app.reports import churn_statements as statements
from app.reports.asked import Asked
from app.reports.association import Association, Held, associate, tenures
from app.reports.cause_schemas import (
    ChurnCausesOut,
    Finding,
    PaidDays,
    ReasonGiven,
    TenureShare,
    What,
)
from app.reports.queries import figures, names

SIGNAL_DAYS, USE_DAYS, SIGN_UP_DAYS = 90, 28, 7
CLEAR = 0.05
ANSWERED_AS = {
    What.FEATURE_UNUSED: "paid_feature_unused",
    What.ONBOARDING_STEP: "onboarding_stuck",
}


@dataclass(frozen=True, slots=True)
class Condition:
    what: What
    key: str
    name: str
    accounts: int
    held: Held


def churn_causes(session: Session, asked: Asked) -> ChurnCausesOut:
    stays = figures(session, asked.workspace_id, statements.STAYED, asked)
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
            ReasonGiven.model_validate(row)
            for row in figures(session, asked.workspace_id, statements.REASONS, asked)
        ],
        currency=asked.currency,
    )


def _conditions(session: Session, asked: Asked, stays: Sequence[Row[Any]]) -> Iterator[Condition]:
    """Set each thing against all paid days on which it did not hold; steps against the finished."""
    workspace_id = asked.workspace_id
    days = sum(int(row.days) for row in stays)
    left = sum(row.left_on is not None for row in stays)
    after = statements.AFTER_SIGNALS
    for row in figures(session, workspace_id, after, asked, within=SIGNAL_DAYS):
        held = Held(int(row.days), row.left, days - int(row.days), left - row.left)
        yield Condition(What.SIGNAL, row.key, row.key, row.accounts, held)
    features = figures(session, workspace_id, statements.WITH_FEATURES, asked, within=USE_DAYS)
    used = {row.key: row for row in features}
    for key, name in names(session, workspace_id, ProductFeature).items():
        _, use, who_left = _counts(used.get(key))
        held = Held(days - use, left - who_left, use, who_left)
        always = used[key].always if key in used else 0
        yield Condition(What.FEATURE_UNUSED, key, name, len(stays) - always, held)
    steps = figures(session, workspace_id, statements.AT_STEPS, asked)
    at = {row.key: row for row in steps}
    _, finished_days, finished_left = _counts(at.get(""))
    for key, name in names(session, workspace_id, OnboardingStep).items():
        accounts, stuck, who_left = _counts(at.get(key))
        held = Held(stuck, who_left, finished_days, finished_left)
        yield Condition(What.ONBOARDING_STEP, key, name, accounts, held)


def _counts(row: Row[Any] | None) -> tuple[int, int, int]:
    return (row.accounts, int(row.days), row.left) if row else (0, 0, 0)


def _finding(condition: Condition, said: Association) -> Finding:
    held = condition.held
    answered = ANSWERED_AS.get(condition.what, condition.key)
    return Finding(
        **asdict(said),
        what=condition.what,
        key=condition.key,
        name=condition.name,
        n=condition.accounts,
        held=PaidDays(paid_days=held.days, left=held.left),
        otherwise=PaidDays(paid_days=held.other_days, left=held.other_left),
        is_clear=said.q_value is not None and said.q_value <= CLEAR,
        sentence=_sentence(condition, said),
        playbook=next((key for key, each in shipped().items() if answered in each.signals), None),
    )


SUBJECTS = {
    What.SIGNAL: "{name} in the last 90 days",
    What.FEATURE_UNUSED: "No use of {name} for 28 days",
    What.ONBOARDING_STEP: "Not having done {name}",
}


def _sentence(condition: Condition, said: Association) -> str:
    """Say "goes with" only: what is seen together need not be cause and effect."""
    subject = SUBJECTS[condition.what].format(name=condition.name)
    if said.lift is None:
        return f"{subject}: too little is known to say what goes with it."
    high = "more" if said.high is None else f"{said.high:.1f}"
    return f"{subject} goes with {said.lift:.1f} times the churn (95 %: {said.low:.1f} to {high})."
