"""What an account got for its money between two days, what was done about it, and what comes next.

It is made whole for ourselves; the customer's version is cut out of it (review_schemas).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.queries import get_account
from app.accounts.tables import ProductFeature
from app.core.languages import Language
from app.engagement import queries as engagement
from app.engagement.schemas import GoalProgressOut
from app.engagement.snapshot import MINUTE, Engagement, standard_minutes
from app.health.scoring.queries import find_history_row
from app.interventions.suggestion_text import texts_in
from app.interventions.tables import Intervention
from app.reports.queries import load_names
from app.reports.review import queries
from app.reports.review.schemas import (
    InternalAccountReview,
    InternalPeerPercentile,
    InternalReviewIntervention,
    InternalReviewNextStep,
    InternalReviewPoint,
    MeasureLevel,
    ReviewAudience,
    ReviewChurnRisk,
    ReviewFeature,
    ReviewPerson,
    ReviewSupport,
)

USAGE_SOURCES = ("reach", "depth", "breadth", "events", "active_days")
"""Sources that an account may see. Others may be made of what we think of it."""


@dataclass(frozen=True, slots=True)
class ReviewPeriod:
    since: date
    until: date

    @property
    def moments(self) -> dict[str, datetime]:
        days = {"since": self.since, "before": self.until + timedelta(days=1)}
        return {name: datetime.combine(day, time.min, UTC) for name, day in days.items()}


def build_review(
    session: Session,
    workspace_id: str,
    account_id: str,
    span: ReviewPeriod,
    *,
    now: datetime,
    currency: str,
    language: Language,
) -> InternalAccountReview:
    account = get_account(session, workspace_id, account_id)
    last = find_history_row(session, workspace_id, account_id, day=span.until)
    details: Mapping[str, Any] = last.details if last else {}
    known = engagement.load_engagement(
        session, workspace_id, [account_id], as_of=span.until, now=now
    )[account_id]
    risk = queries.find_churn_risk(session, workspace_id, account_id, day=span.until)
    called = load_names(session, workspace_id, ProductFeature)
    return InternalAccountReview(
        audience=ReviewAudience.INTERNAL,
        account_id=account_id,
        name=account.name,
        plan=last.details.get("inputs", {}).get("plan") if last else account.plan,
        since=span.since,
        until=span.until,
        currency=details.get("currency") or currency,
        value=_value(session, workspace_id, account_id, span),
        used=[called.get(key, key) for key in details.get("inputs", {}).get("adopted", ())],
        unused=[
            ReviewFeature(name=called.get(each["key"], each["key"]), cents=each["cents"])
            for each in (details.get("entitlement") or {}).get("unused", ())
        ],
        goals=[GoalProgressOut.model_validate(goal) for goal in known.goals],
        people=_people(session, workspace_id, known),
        support=_support(session, workspace_id, account_id, span),
        done=[
            _done(row, language)
            for row in queries.list_completed_interventions(
                session, workspace_id, account_id, **span.moments
            )
        ],
        peers=_peers(details.get("measures", ())),
        next_steps=[
            _next_step(row, language)
            for row in queries.list_upcoming_interventions(
                session, workspace_id, account_id, before=span.moments["before"]
            )
        ],
        owner=account.owner,
        segment=account.segment,
        score=last.score if last else None,
        band=last.band if last else None,
        churn_risk=ReviewChurnRisk.model_validate(risk) if risk else None,
        nps_mean=known.nps.mean,
        csat_mean=known.csat.mean,
    )


def _value(
    session: Session, workspace_id: str, account_id: str, span: ReviewPeriod
) -> list[InternalReviewPoint]:
    rows = queries.list_weekly_history(
        session, workspace_id, account_id, since=span.since, until=span.until
    )
    return [
        InternalReviewPoint(
            day=row.as_of,
            price_cents=row.price_cents,
            score=row.score,
            band=row.band,
            measures=[
                MeasureLevel(measure=each["source"], raw=each["raw"], per_dollar=each["per_dollar"])
                for each in row.measures or ()
                if each.get("source") in USAGE_SOURCES
            ],
        )
        for row in rows
    ]


def _peers(measures: Sequence[Mapping[str, Any]]) -> list[InternalPeerPercentile]:
    """Take what was ranked among others: only for that there is a median of theirs."""
    return [
        InternalPeerPercentile(
            measure=each["source"],
            percentile=round(each["score"]),
            median=each["median"],
            points_missed=each.get("points_missed"),
        )
        for each in measures
        if each.get("source") in USAGE_SOURCES
        and each.get("median") is not None
        and each.get("score") is not None
    ]


def _people(session: Session, workspace_id: str, known: Engagement) -> list[ReviewPerson]:
    roles = {
        user_id: [
            role
            for role, some in (("champion", known.champions), ("sponsor", known.sponsors))
            if user_id in some
        ]
        for user_id in sorted({*known.champions, *known.sponsors})
    }
    called = queries.load_user_names(session, workspace_id, roles)
    return [ReviewPerson(name=called.get(key, key), roles=some) for key, some in roles.items()]


def _support(
    session: Session, workspace_id: str, account_id: str, span: ReviewPeriod
) -> ReviewSupport:
    tickets = queries.list_tickets(session, workspace_id, account_id, **span.moments)
    waits = [
        (standard_minutes(each.channel, each.priority), (at - each.opened_at) / MINUTE)
        for each in tickets
        if each.opened_at and (at := each.replied_at or each.closed_at)
    ]
    return ReviewSupport(
        opened=len(tickets),
        closed=sum(each.closed_at is not None for each in tickets),
        in_time=sum(waited <= standard for standard, waited in waits),
        median_reply_minutes=median(waited for _, waited in waits) if waits else None,
    )


def _done(row: Intervention, language: Language) -> InternalReviewIntervention:
    texts = texts_in(row.details.get("texts", {}), language)
    newest = row.outcomes[max(row.outcomes, key=int)] if row.outcomes else {}
    return InternalReviewIntervention(
        id=row.id,
        playbook=row.playbook,
        title=texts.get("name", row.playbook),
        signal=row.signal,
        done_on=(row.done_at or row.changed_at).date(),
        message=texts.get("message", "").partition("\n\n")[0],
        succeeded=newest.get("succeeded"),
        assignee=row.assignee,
        notes=row.notes,
        outcomes=row.outcomes,
    )


def _next_step(row: Intervention, language: Language) -> InternalReviewNextStep:
    texts = texts_in(row.details.get("texts", {}), language)
    return InternalReviewNextStep(
        id=row.id,
        playbook=row.playbook,
        title=texts.get("name", row.playbook),
        next_step=texts.get("next_step", ""),
        message=texts.get("message", ""),
        signal=row.signal,
        value_cents=row.value_cents,
        link=row.details.get("link"),
        faq=row.details.get("faq"),
    )
