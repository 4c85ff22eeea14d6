"""Build the review of an account: what it got for its price, what was done, what comes next.

The review is for internal use; ``schemas.for_customer`` cuts the customer's version out of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.catalog.tables import Plan, ProductFeature
from app.accounts.queries import get_account
from app.core.languages import Language
from app.core.row_queries import load_names
from app.engagement import queries as engagement
from app.engagement.reply_standards.standards import MINUTE
from app.engagement.snapshot import Engagement
from app.health.scoring.queries import find_history_row
from app.interventions.suggestion_text import texts_in
from app.interventions.tables import Intervention
from app.reports.review import queries
from app.reports.review.schemas import (
    InternalAccountReview,
    InternalPeerPercentile,
    InternalReviewIntervention,
    InternalReviewNextStep,
    InternalReviewPoint,
    MeasureLevel,
    ReviewAudience,
    ReviewFeature,
    ReviewPerson,
    ReviewSupport,
    UsageCount,
)

USAGE_SOURCES = ("reach", "depth", "breadth", "events", "active_days")
"""Measure sources that an account may see; other sources may be internal opinions about it."""


@dataclass(frozen=True, slots=True)
class ReviewPeriod:
    """The first and the last day of a review."""

    since: date
    until: date

    @property
    def instants(self) -> dict[str, datetime]:
        """The start of the first day and the end of the last, as arguments of queries."""
        days = {"since": self.since, "before": self.until + timedelta(days=1)}
        return {name: datetime.combine(day, time.min, UTC) for name, day in days.items()}


def build_review(
    session: Session,
    workspace_id: str,
    account_id: str,
    period: ReviewPeriod,
    *,
    now: datetime,
    currency: str,
    language: Language,
) -> InternalAccountReview:
    account = get_account(session, workspace_id, account_id)
    last = find_history_row(session, workspace_id, account_id, day=period.until)
    details: Mapping[str, Any] = last.details if last else {}
    snapshot = engagement.load_engagement(
        session, workspace_id, [account_id], as_of=period.until, now=now
    )[account_id]
    risk = queries.find_churn_risk(session, workspace_id, account_id, day=period.until)
    feature_names = load_names(session, workspace_id, ProductFeature)
    plan = last.details.get("inputs", {}).get("plan") if last else account.plan
    return InternalAccountReview.from_row(
        account,
        audience=ReviewAudience.INTERNAL,
        plan=plan,
        plan_name=load_names(session, workspace_id, Plan).get(plan or "", plan),
        since=period.since,
        until=period.until,
        currency=details.get("currency") or currency,
        value=_value(session, workspace_id, account_id, period),
        renewal_on=details.get("renewal_on"),
        notice_on=details.get("notice_on"),
        counts=_counts(details, queries.count_users(session, workspace_id, account_id)),
        used=[feature_names.get(key, key) for key in details.get("inputs", {}).get("adopted", ())],
        unused=[
            ReviewFeature(name=feature_names.get(each["key"], each["key"]), cents=each["cents"])
            for each in (details.get("entitlement") or {}).get("unused", ())
        ],
        goals=snapshot.goals,
        people=_people(session, workspace_id, snapshot),
        support=_support(session, workspace_id, account_id, period),
        done=[
            _intervention(row, language)
            for row in queries.list_completed_interventions(
                session, workspace_id, account_id, **period.instants
            )
        ],
        peers=_peers(details.get("measures", ())),
        next_steps=[
            _next_step(row, language)
            for row in queries.list_upcoming_interventions(
                session, workspace_id, account_id, before=period.instants["before"]
            )
        ],
        score=last.score if last else None,
        band=last.band if last else None,
        churn_risk=risk,
        nps_mean=snapshot.nps.mean,
        csat_mean=snapshot.csat.mean,
    )


def _value(
    session: Session, workspace_id: str, account_id: str, period: ReviewPeriod
) -> list[InternalReviewPoint]:
    rows = queries.list_weekly_history(
        session, workspace_id, account_id, since=period.since, until=period.until
    )
    return [
        InternalReviewPoint.from_row(
            row,
            day=row.as_of,
            measures=[
                MeasureLevel(measure=each["source"], raw=each["raw"], per_dollar=each["per_dollar"])
                for each in row.measures or ()
                if each.get("source") in USAGE_SOURCES
            ],
        )
        for row in rows
    ]


def _counts(details: Mapping[str, Any], known_people: int) -> list[UsageCount]:
    """Return how many people, product features and end customers are active, and of how many.

    A total that is unknown, or smaller than the count, is left out.
    """
    inputs = details.get("inputs", {})
    used, unused = inputs.get("adopted"), (details.get("entitlement") or {}).get("unused")
    found = {
        "people": (inputs.get("active_users"), known_people),
        "features": (used and len(used), unused and len(used or ()) + len(unused)),
        "end_customers": (inputs.get("reached"), inputs.get("end_customers")),
    }
    return [
        UsageCount.model_validate(
            {"what": what, "count": count, "total": total if total and total >= count else None}
        )
        for what, (count, total) in found.items()
        if count
    ]


def _peers(measures: Sequence[Mapping[str, Any]]) -> list[InternalPeerPercentile]:
    """Return the usage measures that were ranked among peers; only these have a median."""
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


def _people(session: Session, workspace_id: str, snapshot: Engagement) -> list[ReviewPerson]:
    users_by_role = {"champion": snapshot.champions, "sponsor": snapshot.sponsors}
    roles = {
        user_id: [role for role, users in users_by_role.items() if user_id in users]
        for user_id in sorted({*snapshot.champions, *snapshot.sponsors})
    }
    names = queries.load_user_names(session, workspace_id, roles)
    return [ReviewPerson(name=names.get(key, key), roles=each) for key, each in roles.items()]


def _support(
    session: Session, workspace_id: str, account_id: str, period: ReviewPeriod
) -> ReviewSupport:
    """Summarize the tickets opened within the period, as they were known on its last day."""
    since = period.instants["since"]
    tickets = engagement.list_tickets(
        session, workspace_id, account_id, since=since, until=period.until
    )
    waits = [
        (each.reply_time, each.waited_minutes(at)) for each in tickets if (at := each.answered_at)
    ]
    return ReviewSupport(
        opened=len(tickets),
        closed=sum(not each.is_open for each in tickets),
        in_time=sum(waited * MINUTE <= standard for standard, waited in waits),
        median_reply_minutes=median(waited for _, waited in waits) if waits else None,
    )


def _intervention(row: Intervention, language: Language) -> InternalReviewIntervention:
    texts = texts_in(row.details.get("texts", {}), language)
    newest = row.outcomes[max(row.outcomes, key=int)] if row.outcomes else {}
    return InternalReviewIntervention.from_row(
        row,
        title=texts.get("name", row.playbook),
        done_on=(row.done_at or row.changed_at).date(),
        message=texts.get("message", "").partition("\n\n")[0],
        succeeded=newest.get("succeeded"),
    )


def _next_step(row: Intervention, language: Language) -> InternalReviewNextStep:
    texts = texts_in(row.details.get("texts", {}), language)
    return InternalReviewNextStep.from_row(
        row,
        title=texts.get("name", row.playbook),
        next_step=texts.get("next_step", ""),
        message=texts.get("message", ""),
        link=row.details.get("link"),
        faq=row.details.get("faq"),
    )
