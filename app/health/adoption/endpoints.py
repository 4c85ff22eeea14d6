"""Adoption of product features over HTTP."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from app.accounts.catalog.tables import Plan, ProductFeature
from app.accounts.queries import get
from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.http.routes import DeclaredRoute
from app.core.pagination import PagingDep
from app.core.row_queries import list_all_rows
from app.core.schemas import Id, problem_responses
from app.engagement.first_event import find_first_event_day, load_known_days
from app.health.adoption import queries
from app.health.adoption.schemas import AdoptionOut, AdoptionStatus
from app.health.definition.entitlement import Offer
from app.health.definition.scorecard_queries import get_active_scorecard
from app.workspaces.auth import Reader

MAX_GROUPS = 100

router = APIRouter(
    prefix="/api/v1",
    tags=["health"],
    responses=problem_responses(401, 403, 404, 422),
    route_class=DeclaredRoute,
)

FilterText = Annotated[
    str | None, Query(max_length=500, pattern=r"^[^\x00]*$", examples=["enterprise"])
]


@router.get("/product-features/{key}/adoption", summary="Get the adoption of a product feature")
def get_product_feature_adoption(
    *,
    key: Id,
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    now: Now,
    use: Annotated[
        AdoptionStatus, Query(description="Which accounts to list.")
    ] = AdoptionStatus.UNUSED,
    segment: FilterText = None,
    plan: FilterText = None,
) -> AdoptionOut:
    """Return how many accounts are entitled to a product feature, use it, or pay without using it.

    `items` lists the accounts of one status, those with the most money at stake first; `segment`
    and `plan` filter the list. The counts cover all accounts.
    """
    feature = get(session, caller.workspace_id, ProductFeature, key)
    known_from = _known_from(session, feature, as_of=now.date())
    plans_without = plans_without_feature(session, caller.workspace_id, key)
    groups, accounts = queries.load_adoption(
        session,
        caller.workspace_id,
        key,
        use,
        paging,
        plans_without=plans_without,
        window_days=get_active_scorecard(session, caller.workspace_id)[1].window_days,
        known_from=known_from,
        now=now,
        segment=segment,
        plan=plan,
    )
    return AdoptionOut(
        key=key,
        name=feature.name,
        use=use,
        known_from=known_from,
        total=groups["all"][0],
        by_segment=groups["segment"][:MAX_GROUPS],
        by_plan=groups["plan"][:MAX_GROUPS],
        items=accounts.rows,
        next_cursor=accounts.next_cursor,
    )


def _known_from(session: Session, feature: ProductFeature, *, as_of: date) -> date | None:
    """Return the day before which use of a product feature is unknown; None without any event."""
    workspace_id, names = feature.workspace_id, {feature.key: feature.event_names}
    first = find_first_event_day(session, workspace_id, as_of=as_of)
    if first is None:
        return None
    days = load_known_days(session, workspace_id, names, as_of=as_of, first_event_on=first)
    return days[feature.key]


def plans_without_feature(session: Session, workspace_id: str, key: str) -> list[str]:
    """Return the keys of the plans that do not include a product feature."""
    features = list_all_rows(session, workspace_id, ProductFeature)
    plans = list_all_rows(session, workspace_id, Plan)
    weights = {feature.key: feature.weight for feature in features}
    included = Offer(weights, {plan.key: plan.product_features for plan in plans}).included
    return [plan for plan, keys in included.items() if key not in keys]
