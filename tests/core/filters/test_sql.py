"""SQL and Python find the same rows for every filter."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

from app.core.filters.matching import matches
from app.core.filters.parser import FilterError, parse_filter
from app.core.filters.sql import sql_condition
from app.core.filters.tree import FieldType, Filter, Not, resolve_relative_days
from app.tables import Account
from tests import factories

FIELDS: Mapping[str, FieldType] = {
    "segment": FieldType.TEXT,
    "account_id": FieldType.TEXT,
    "employees": FieldType.NUMBER,
    "excluded": FieldType.BOOLEAN,
    "started_on": FieldType.DAY,
}
TODAY = date(2026, 3, 18)

TEXTS = ("", "a", "A", "smb", "SMB", "Ä", "ä", "z", "%", "_", "it's", "2026-03-18", "2026-99-99T1")
NUMBERS = (0, 1, -1, 1.0, 0.1, 1.5, 2**53 + 1, -(2**62), 1e300, 5e-324)
DAYS = tuple(TODAY + timedelta(days=days) for days in (-400, -1, 0, 1))

texts = st.sampled_from(TEXTS) | st.text("aAbB%_\\é", max_size=3)
small = st.sampled_from((0, -1, 1.0, 0.1, 2**53)) | st.integers(-3, 3) | st.floats(-3, 3)
numbers = st.sampled_from(NUMBERS) | small
days = st.sampled_from(DAYS)
scalars = st.none() | st.booleans() | texts | numbers
traits = st.dictionaries(
    st.sampled_from(["x", "y's"]),
    scalars | st.lists(scalars, max_size=3) | st.dictionaries(texts, scalars, max_size=2),
)
rows = st.fixed_dictionaries(
    {
        "segment": st.none() | texts,
        "employees": st.none() | st.integers(-3, 3) | st.just(2**53 + 1),
        "excluded": st.booleans(),
        "started_on": st.none() | days,
        "traits": traits,
    }
)

day_values = days.map(str) | st.sampled_from([{"days_ago": 1}, {"days_ahead": 0}])
VALUES: Mapping[FieldType | None, st.SearchStrategy[Any]] = {
    FieldType.TEXT: texts,
    FieldType.NUMBER: small,
    FieldType.BOOLEAN: st.booleans(),
    FieldType.DAY: day_values,
    None: st.booleans() | texts | small | day_values,
}


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(st.sampled_from([*FIELDS, "traits.x", "traits.y's", "traits.none"]))
    kind = FIELDS.get(field)
    op = draw(st.sampled_from(ops_of(kind)))
    if op == "is_null":
        return {"field": field, "op": op, "value": draw(st.booleans())}
    if op in {"contains", "starts_with"}:
        kind = FieldType.TEXT
    values = VALUES[kind]
    if op in {"lt", "lte", "gt", "gte"}:
        values = values.filter(lambda value: not isinstance(value, bool))
    if op in {"in", "not_in"}:
        values = st.lists(values, min_size=1, max_size=3)
    return {"field": field, "op": op, "value": draw(values)}


def ops_of(kind: FieldType | None) -> list[str]:
    ops = ["eq", "ne", "in", "not_in", "is_null"]
    if kind is not FieldType.BOOLEAN:
        ops += ["lt", "lte", "gt", "gte"]
    if kind in {FieldType.TEXT, None}:
        ops += ["contains", "starts_with"]
    return ops


raw_filters = st.recursive(
    conditions(),
    lambda inner: (
        st.fixed_dictionaries({"not": inner})
        | st.fixed_dictionaries({"and": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries({"or": st.lists(inner, min_size=1, max_size=3)})
    ),
    max_leaves=6,
)


def parse(raw: object) -> Filter:
    return resolve_relative_days(parse_filter(raw, FIELDS, relative_days=True), TODAY)


def column_of(field: str) -> ColumnElement[Any]:
    if field.startswith("traits."):
        return Account.traits[field.removeprefix("traits.")]
    column: ColumnElement[Any] = Account.__table__.columns[field]
    return column


def value_of(row: Mapping[str, Any], field: str) -> object:
    if field.startswith("traits."):
        return row["traits"].get(field.removeprefix("traits."))
    return row[field]


EMPTY: Mapping[str, Any] = {
    "segment": None,
    "employees": None,
    "excluded": False,
    "started_on": None,
    "traits": {},
}


def ids_in_sql(session: Session, filter_: Filter) -> set[str]:
    query = select(Account.account_id).where(sql_condition(filter_, column_of))
    return set(session.scalars(query))


def store(session: Session, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Replace all accounts by these rows; return them by account id."""
    session.execute(delete(Account))
    ids = {f"a{number}": row for number, row in enumerate(rows)}
    session.execute(
        insert(Account),
        [{"workspace_id": "acme", "account_id": key, **row} for key, row in ids.items()],
    )
    return {key: {"account_id": key, **row} for key, row in ids.items()}


STORED: list[Any] = [
    *(None, True, False, 0, 1, 1.0, 0.1, -1, 2**53 + 1, 1e300),
    *("", "a", "A", "ab", "Ä", "z", "%", "1", "true", "2026-03-17", "2026-03-17T23:00Z"),
    *("2026-99-99", [], ["a"], ["A", 1, None], [["a"]], {}, {"a": "a"}),
]
OPERANDS: list[Any] = [True, 1, 0.1, 2**53, "", "a", "A", "%", "1", "2026-03-17", {"days_ago": 1}]
OPS = ("eq", "ne", "in", "not_in", "lt", "lte", "gt", "gte", "contains", "starts_with")


@pytest.mark.parametrize("operand", OPERANDS, ids=str)
@pytest.mark.parametrize("op", OPS)
def test_every_comparison_of_a_trait_has_the_same_result_in_both(
    session: Session,
    op: str,
    operand: Any,  # noqa: ANN401
) -> None:
    if (op in OPS[4:8] and operand is True) or (op in OPS[8:] and not isinstance(operand, str)):
        with pytest.raises(FilterError):
            parse({"field": "traits.x", "op": op, "value": operand})
        return
    factories.workspace(session)
    stored = store(session, [{**EMPTY, "traits": {"x": each}} for each in STORED])
    tree = parse(
        {"field": "traits.x", "op": op, "value": [operand] if op in {"in", "not_in"} else operand}
    )

    expected = {key for key, row in stored.items() if matches(tree, partial(value_of, row))}

    assert ids_in_sql(session, tree) == expected


@pytest.mark.parametrize("operand", ["", "a", "A", "Ä", "b"])
@pytest.mark.parametrize("op", OPS)
def test_every_comparison_of_a_text_has_the_same_result_in_both(
    session: Session, op: str, operand: str
) -> None:
    factories.workspace(session)
    texts = [None, "", "a", "A", "ä", "Ä", "ab", "Ba", "\U0001f600"]
    stored = store(session, [{**EMPTY, "segment": text} for text in texts])
    tree = parse(
        {"field": "segment", "op": op, "value": [operand] if op in {"in", "not_in"} else operand}
    )

    expected = {key for key, row in stored.items() if matches(tree, row.__getitem__)}

    assert ids_in_sql(session, tree) == expected


@settings(
    max_examples=150,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    rows=st.lists(rows, min_size=1, max_size=8), raws=st.lists(raw_filters, min_size=1, max_size=6)
)
def test_sql_and_python_match_the_same_rows(
    session: Session, rows: list[dict[str, Any]], raws: list[dict[str, Any]]
) -> None:
    factories.workspace(session)
    stored = store(session, rows)

    for raw in raws:
        tree = parse(raw)
        expected = {key for key, row in stored.items() if matches(tree, partial(value_of, row))}
        assert ids_in_sql(session, tree) == expected, raw
        assert ids_in_sql(session, Not(tree)) == stored.keys() - expected, raw


@pytest.mark.parametrize(
    "name", ["x') OR 1=1 --", '"', "'; DROP TABLE account; --", "%s", ":x", "{}"]
)
def test_the_name_of_a_trait_is_never_sql(session: Session, name: str) -> None:
    factories.account(session, "a1", traits={name: name})
    factories.account(session, "a2")

    assert ids_in_sql(session, parse({f"traits.{name}": name})) == {"a1"}
