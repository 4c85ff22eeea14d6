"""Plans and product features over HTTP."""

from fastapi import APIRouter

from app.accounts import catalog, queries
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


@router.put("/plans/{key}")
def put_plan(key: Id, body: PlanIn, session: SessionDep, change: AccountActor) -> PlanOut:
    """Create or replace a plan. Every account is scored again."""
    plan, _ = catalog.put(session, change, Plan, key, body.columns(key))
    return PlanOut.model_validate(plan)


@router.get("/plans/{key}")
def get_plan(key: Id, session: ReadSessionDep, caller: Reader) -> PlanOut:
    """Show a plan."""
    plan = queries.get(session, caller.workspace_id, Plan, key)
    return PlanOut.model_validate(plan)


@router.delete("/plans/{key}", status_code=204)
def delete_plan(key: Id, session: SessionDep, change: AccountActor) -> None:
    """Delete a plan. Accounts that have it are entitled to every product feature."""
    catalog.delete(session, change, Plan, key)


@router.get("/plans")
def list_plans(session: ReadSessionDep, caller: Reader, paging: PagingDep) -> Page[PlanOut]:
    """List plans by key."""
    found = queries.list_catalog_page(session, caller.workspace_id, Plan, paging)
    return found.to_page(PlanOut.model_validate)


@router.put("/product-features/{key}")
def put_product_feature(
    key: Id, body: ProductFeatureIn, session: SessionDep, change: AccountActor
) -> ProductFeatureOut:
    """Create or replace a product feature. Every account is scored again."""
    product_feature, _ = catalog.put(session, change, ProductFeature, key, body.columns(key))
    return ProductFeatureOut.model_validate(product_feature)


@router.get("/product-features/{key}")
def get_product_feature(key: Id, session: ReadSessionDep, caller: Reader) -> ProductFeatureOut:
    """Show a product feature."""
    product_feature = queries.get(session, caller.workspace_id, ProductFeature, key)
    return ProductFeatureOut.model_validate(product_feature)


@router.delete("/product-features/{key}", status_code=204)
def delete_product_feature(key: Id, session: SessionDep, change: AccountActor) -> None:
    """Delete a product feature. Plans that name it keep the rest."""
    catalog.delete(session, change, ProductFeature, key)


@router.get("/product-features")
def list_product_features(
    session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[ProductFeatureOut]:
    """List product features by key."""
    found = queries.list_catalog_page(session, caller.workspace_id, ProductFeature, paging)
    return found.to_page(ProductFeatureOut.model_validate)
