"""Adoption of product features over HTTP."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from app.accounts.catalog_queries import list_plans, list_product_features
from app.accounts.queries import get
from app.accounts.tables import ProductFeature
from app.core.db import ReadSessionDep
from app.core.pagination import PagingDep
from app.core.schemas import Id, problem_responses
from app.health.adoption import queries
from app.health.adoption.adoption import Adoption, AdoptionGrouping, AdoptionStatus
from app.health.adoption.schemas import (
    AccountAdoptionOut,
    AdoptionCounts,
    AdoptionGroup,
    AdoptionOut,
)
from app.health.definition.entitlement import Offer
from app.workspaces.auth import Reader

MAX_GROUPS = 100

router = APIRouter(
    prefix="/api/v1", tags=["health"], responses=problem_responses(401, 403, 404, 422)
)

FilterText = Annotated[str | None, Query(max_length=500, pattern=r"^[^\x00]*$")]


@router.get("/product-features/{key}/adoption", summary="Get the adoption of a product feature")
def get_product_feature_adoption(
    *,
    key: Id,
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
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
    plans_without = plans_without_feature(session, caller.workspace_id, key)
    counts, rows = queries.load_adoption(
        session,
        caller.workspace_id,
        key,
        use,
        plans_without=plans_without,
        segment=segment,
        plan=plan,
        after=paging.position(int, str),
        limit=paging.fetch_limit,
    )
    accounts, next_cursor = paging.cut(rows, lambda row: (row.money, row.account_id))
    return AdoptionOut(
        key=key,
        name=feature.name,
        use=use,
        total=AdoptionCounts.model_validate(_groups(counts, AdoptionGrouping.ALL)[0]),
        by_segment=[
            AdoptionGroup.model_validate(row) for row in _groups(counts, AdoptionGrouping.SEGMENT)
        ],
        by_plan=[
            AdoptionGroup.model_validate(row) for row in _groups(counts, AdoptionGrouping.PLAN)
        ],
        items=[AccountAdoptionOut.model_validate(row) for row in accounts],
        next_cursor=next_cursor,
    )


def _groups(counts: Sequence[Adoption], by: AdoptionGrouping) -> Sequence[Adoption]:
    return [row for row in counts if row.by is by][:MAX_GROUPS]


def plans_without_feature(session: Session, workspace_id: str, key: str) -> list[str]:
    """Return the keys of the plans that do not include a product feature."""
    weights = {
        feature.key: feature.weight for feature in list_product_features(session, workspace_id)
    }
    features = {plan.key: plan.product_features for plan in list_plans(session, workspace_id)}
    included = Offer(weights, features).included
    return [plan for plan, keys in included.items() if key not in keys]
