"""HTTP endpoints of plans and product features."""

from fastapi import APIRouter

from app.accounts import catalog, queries
from app.accounts.catalog_queries import list_catalog_page
from app.accounts.catalog_schemas import PlanIn, PlanOut, ProductFeatureIn, ProductFeatureOut
from app.accounts.tables import Plan, ProductFeature
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.workspaces.auth import AccountActor, Reader

router = APIRouter(
    prefix="/api/v1",
    tags=["catalog"],
    responses=problem_responses(400, 401, 403, 404, 422),
)


@router.put("/plans/{key}", summary="Create or replace a plan")
def put_plan(key: Id, body: PlanIn, session: SessionDep, actor: AccountActor) -> PlanOut:
    """Create the plan, or replace it. The same body again changes nothing.

    A change is audited, and every account is scored again in the background.
    """
    plan, _ = catalog.put(session, actor, Plan, key, body.columns(key))
    return PlanOut.model_validate(plan)


@router.get("/plans/{key}", summary="Get a plan")
def get_plan(key: Id, session: ReadSessionDep, caller: Reader) -> PlanOut:
    """Return one plan."""
    plan = queries.get(session, caller.workspace_id, Plan, key)
    return PlanOut.model_validate(plan)


@router.delete("/plans/{key}", status_code=204, summary="Delete a plan")
def delete_plan(key: Id, session: SessionDep, actor: AccountActor) -> None:
    """Delete the plan. Accounts on it are then entitled to every product feature.

    Every account is scored again in the background.
    """
    catalog.delete(session, actor, Plan, key)


@router.get("/plans", summary="List plans")
def list_plans(session: ReadSessionDep, caller: Reader, paging: PagingDep) -> Page[PlanOut]:
    """Return plans ordered by key, one page at a time."""
    plans = list_catalog_page(session, caller.workspace_id, Plan, paging)
    return plans.to_page(PlanOut.model_validate)


@router.put("/product-features/{key}", summary="Create or replace a product feature")
def put_product_feature(
    key: Id, body: ProductFeatureIn, session: SessionDep, actor: AccountActor
) -> ProductFeatureOut:
    """Create the product feature, or replace it. The same body again changes nothing.

    A change is audited, and every account is scored again in the background.
    """
    product_feature, _ = catalog.put(session, actor, ProductFeature, key, body.columns(key))
    return ProductFeatureOut.model_validate(product_feature)


@router.get("/product-features/{key}", summary="Get a product feature")
def get_product_feature(key: Id, session: ReadSessionDep, caller: Reader) -> ProductFeatureOut:
    """Return one product feature."""
    product_feature = queries.get(session, caller.workspace_id, ProductFeature, key)
    return ProductFeatureOut.model_validate(product_feature)


@router.delete("/product-features/{key}", status_code=204, summary="Delete a product feature")
def delete_product_feature(key: Id, session: SessionDep, actor: AccountActor) -> None:
    """Delete the product feature. Plans that include it keep their other product features.

    Every account is scored again in the background.
    """
    catalog.delete(session, actor, ProductFeature, key)


@router.get("/product-features", summary="List product features")
def list_product_features(
    session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[ProductFeatureOut]:
    """Return product features ordered by key, one page at a time."""
    features = list_catalog_page(session, caller.workspace_id, ProductFeature, paging)
    return features.to_page(ProductFeatureOut.model_validate)
