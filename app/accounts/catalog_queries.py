"""Read plans and product features."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.accounts.tables import Plan, ProductFeature
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page

CatalogRow = TypeVar("CatalogRow", Plan, ProductFeature)


def list_catalog_page(
    session: Session, workspace_id: str, table: type[CatalogRow], paging: Paging
) -> RowPage[CatalogRow]:
    """Return one page of rows, ordered by key."""
    return fetch_page(session, _catalog(workspace_id, table), table.key, paging=paging)


def list_plans(session: Session, workspace_id: str) -> Sequence[Plan]:
    """Return all plans, ordered by key."""
    return session.scalars(_catalog(workspace_id, Plan).order_by(Plan.key)).all()


def list_product_features(session: Session, workspace_id: str) -> Sequence[ProductFeature]:
    """Return all product features, ordered by key."""
    rows = _catalog(workspace_id, ProductFeature).order_by(ProductFeature.key)
    return session.scalars(rows).all()


def _catalog(workspace_id: str, table: type[CatalogRow]) -> Select[CatalogRow]:
    return select(table).where(table.workspace_id == workspace_id)
