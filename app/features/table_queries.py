from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.features.queries import has_excluded_users
from app.features.statements import PLAN_FOR_MANY_ROWS
from app.features.table import ChurnEligibility, FeatureTable, Floats, TableSpec, derive_features
from app.features.table_statements import counts_statement

AccountDay = tuple[str, date]
"""An account, and the day that it is looked at from the end of."""

BATCH_SIZE = 5_000
LAPSE_DAYS = 28
"""Not paying for so long and then again is no new start."""


def load_feature_table(
    session: Session, workspace_id: str, moments: Sequence[AccountDay], *, lens: TableSpec
) -> FeatureTable:
    """Describe accounts, each as of the end of a day, in the order of ``moments``.

    Reads only what was known on the day. Serving and training both ask here.
    """
    session.execute(PLAN_FOR_MANY_ROWS)
    statement = counts_statement(
        reach=lens.reach.kind,
        some_users_excluded=has_excluded_users(session, workspace_id),
    )
    names = lens.names
    table = FeatureTable(
        [account_id for account_id, _ in moments],
        [day for _, day in moments],
        names,
        np.full((len(moments), len(names)), np.nan),
        ChurnEligibility.blank(len(moments)),
    )
    for places in _chunks(table.days):
        values = _values(workspace_id, table, places, lens)
        _fill(table, places, session.execute(statement, values).all(), lens)
    return table


def _chunks(days: Sequence[date]) -> Iterator[list[int]]:
    """Group what lies in one month: one statement then reads few months of usage."""
    order = sorted(range(len(days)), key=days.__getitem__)
    for _, month in groupby(order, key=lambda place: days[place].replace(day=1)):
        places = list(month)
        for start in range(0, len(places), BATCH_SIZE):
            yield places[start : start + BATCH_SIZE]


def _values(
    workspace_id: str, table: FeatureTable, places: Sequence[int], lens: TableSpec
) -> dict[str, Any]:
    days = [table.days[place] for place in places]
    values: dict[str, Any] = {
        "workspace_id": workspace_id,
        "account_ids": [table.account_ids[place] for place in places],
        "days": days,
        "first_day": min(days),
        "last_day": max(days),
        "product_events": [event_name for event_name, _ in lens.product.events],
        "product_features": [key for _, key in lens.product.events],
        "base_currency": lens.base_currency,
        "silence_days": lens.silence_days,
        "lapse_days": LAPSE_DAYS,
    }
    if lens.reach.kind == "events":
        values["reach_events"] = list(lens.reach.events)
    return values


def _fill(
    table: FeatureTable, places: Sequence[int], rows: Sequence[Row[Any]], lens: TableSpec
) -> None:
    """Put the rows of one statement, which come in the order of ``places``, where they belong."""
    names = rows[0]._fields
    columns: Mapping[str, Sequence[Any]] = dict(zip(names, zip(*rows, strict=True), strict=True))
    features = derive_features(
        {name: _floats(found) for name, found in columns.items() if name not in LIST_COLUMNS}
    )
    table.x[places] = np.hstack([features, _by_name(columns, lens.event_names)])
    table.standing.pays[places] = columns["pays"]
    table.standing.has_paid[places] = columns["has_paid"]
    table.standing.excluded[places] = columns["excluded"]
    table.standing.mrr_cents[places] = _floats(columns["mrr_cents"])


LIST_COLUMNS = ("event_names", "event_counts")


def _floats(column: Sequence[Any]) -> Floats:
    return np.array(column, dtype=float)


def _by_name(columns: Mapping[str, Sequence[Any]], event_names: Sequence[str]) -> Floats:
    """Count the events of 84 days by their names, rows by names."""
    places = {name: place for place, name in enumerate(event_names)}
    counts = np.zeros((len(columns["event_names"]), len(event_names)))
    for row, (names, found) in enumerate(
        zip(*(columns[name] for name in LIST_COLUMNS), strict=True)
    ):
        for name, count in zip(names or (), found or (), strict=True):
            if name in places:
                counts[row, places[name]] = count
    return counts
