"""Which rows and columns an answer has as CSV, from its model. Pure.

The rows of a list are its ``items``. Another model names the path to its rows in ``csv_rows``:
``("cohorts", "cells")`` gives a row for each cell, with the columns of its cohort before it; ``()``
gives one row. An amount in cents has a column in units of the currency beside it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import pairwise
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from app.core.http.csv_text import value_at

CURRENCY, KPI_FIELDS = "currency", {"value", "unit", "currency"}
CENTS, HUNDREDTHS = "cents", Decimal("0.01")


def row_path(model: Any) -> tuple[str, ...] | None:  # noqa: ANN401 - any response model
    """Return the path to the rows of a model; None if it has no rows."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return None
    named: tuple[str, ...] | None = getattr(model, "csv_rows", None)
    is_list = "items" in model.model_fields and item_model(model, "items") is not None
    return ("items",) if named is None and is_list else named


def item_model(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """Return the model of the entries of a list field; None if they are no models."""
    arguments = get_args(model.model_fields[name].annotation)
    return _model_in(arguments[0]) if arguments else None


def _rows_model(model: type[BaseModel], name: str) -> type[BaseModel]:
    inner = item_model(model, name)
    if inner is None:
        raise TypeError(f"{model.__name__}.{name} has no rows: correct csv_rows.")
    return inner


def find_columns(model: Any) -> list[str]:  # noqa: ANN401 - any response model
    """Return the columns of a model's rows; empty if it has no rows."""
    path = row_path(model)
    if path is None:
        return []
    return list(_with_money(_plain_columns(model, path)))


def _plain_columns(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """Return the columns of rows without those in units, those of the entries above it first."""
    columns: list[str] = []
    for above, name in pairwise(("", *path)):
        columns = [f"{above}.{each}" for each in columns]
        model = _rows_model(model, name)
        columns += _columns(model, without=path)
    return columns if path else list(_columns(model))


def _columns(
    model: type[BaseModel], prefix: str = "", *, without: Collection[str] = ()
) -> Iterator[str]:
    """Yield the leaf fields of a model: a nested object has dotted columns, a list has one."""
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if name in without:
            continue
        if inner is None or inner is model:
            yield prefix + (field.serialization_alias or name)
        else:
            yield from _columns(inner, f"{prefix}{name}.")


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    """Return the model of an annotation, also of an optional one; None if it is no model."""
    if get_origin(annotation) in {Union, UnionType}:
        members = [each for each in get_args(annotation) if each is not type(None)]
        return _model_in(members[0]) if len(members) == 1 else None
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return annotation if is_model else None


def _with_money(columns: Sequence[str]) -> Iterator[str]:
    """Yield the columns; after the first amount comes the currency, if it has no column yet."""
    has_currency = CURRENCY in columns
    for column in columns:
        yield column
        if amount := amount_column(column, columns):
            yield amount
            if not has_currency and _currency_of(amount, columns) is None:
                has_currency = True
                yield CURRENCY


def amount_column(column: str, columns: Collection[str]) -> str | None:
    """Return the column in units of the currency beside a column; None for other columns.

    ``mrr_cents`` has ``mrr``. The value of a KPI has ``amount``, which is empty unless it is money.
    """
    parent, dot, name = column.rpartition(".")
    if name == "value" and {f"{parent}{dot}{field}" for field in KPI_FIELDS} <= set(columns):
        return f"{parent}{dot}amount"
    if name != CENTS and not name.endswith("_cents"):
        return None
    amount = parent + dot + ("amount" if name == CENTS else name.removesuffix("_cents"))
    return f"{amount}_amount" if amount in columns else amount


def _currency_of(amount: str, columns: Collection[str]) -> str | None:
    """Return the column with the currency of a KPI's amount; None for the currency of the row."""
    parent, dot, name = amount.rpartition(".")
    own = f"{parent}{dot}{CURRENCY}"
    return own if name == "amount" and own in columns else None


@dataclass(frozen=True, slots=True)
class CsvTable:
    """The path to the rows of an answer, their columns, and those in units by those in cents."""

    path: tuple[str, ...]
    columns: Sequence[str]
    amounts: Mapping[str, str]

    def rows(self, answer: Mapping[str, Any], base_currency: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of an answer: each column with its value."""
        is_money = CURRENCY in self.columns and any(each.endswith(CENTS) for each in self.amounts)
        for row in _rows(answer, self.path):
            cells = {column: value_at(row, column) for column in self.columns}
            if is_money and cells[CURRENCY] is None:
                cells[CURRENCY] = base_currency
            yield cells | {to: _amount(cells, column) for column, to in self.amounts.items()}


@cache
def find_table(model: Any) -> CsvTable | None:  # noqa: ANN401 - any response model
    """Return the table of a model; None if it has no rows."""
    path = row_path(model)
    if path is None:
        return None
    columns = find_columns(model)
    plain = set(_plain_columns(model, path))
    amounts = {each: amount_column(each, plain) for each in columns if each in plain}
    return CsvTable(path, columns, {each: to for each, to in amounts.items() if to})


def _rows(parent: Mapping[str, Any], path: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the entries at the end of a path, each with the entries above it under their names."""
    if not path:
        yield parent
        return
    name, *rest = path
    for entry in parent[name]:
        if not rest:
            yield entry
            continue
        for row in _rows(entry, rest):
            yield {**row, name: entry}


def _amount(cells: Mapping[str, Any], column: str) -> Any:  # noqa: ANN401 - a number or None
    """Return an amount in units of the currency. ``amount`` is the unit of KPIs that are in it."""
    value, parent = cells[column], column.removesuffix("value")
    unit = cells.get(f"{parent}unit", CENTS) if parent != column else CENTS
    if value is None or unit not in {CENTS, "amount"}:
        return None
    hundredths = Decimal(str(value)) / (100 if unit == CENTS else 1)
    return hundredths.quantize(HUNDREDTHS)
