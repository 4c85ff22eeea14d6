from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from app.core.filters.matching import matches
from app.core.filters.parser import parse_filter
from app.core.filters.tree import MATCH_ALL, FieldType, Filter, resolve_relative_days

FIELDS: Mapping[str, FieldType] = {
    "segment": FieldType.TEXT,
    "band": FieldType.TEXT,
    "score": FieldType.NUMBER,
    "excluded": FieldType.BOOLEAN,
    "renewal_on": FieldType.DAY,
    "measures.*": FieldType.NUMBER,
}
TODAY = date(2026, 3, 18)


def parse(raw: object, *, relative_days: bool = True) -> Filter:
    bands = {"band": ("at_risk", "healthy")}
    return parse_filter(raw, FIELDS, choices=bands, relative_days=relative_days)


def is_match(raw: object, **values: Any) -> bool:  # noqa: ANN401
    """Whether a filter matches these values of fields; ``__`` in a name stands for a dot."""
    fields = {name.replace("__", "."): value for name, value in values.items()}
    return matches(resolve_relative_days(parse(raw), TODAY), fields.get)


def test_an_empty_filter_matches_everything() -> None:
    assert parse({}) == MATCH_ALL
    assert is_match({})


def test_conditions_are_joined_with_and_or_and_not() -> None:
    raw = {"or": [{"and": [{"segment": "smb"}, {"score": 5}]}, {"not": {"excluded": False}}]}

    assert is_match(raw, segment="smb", score=5, excluded=False)
    assert is_match(raw, segment="mid", score=5, excluded=True)
    assert not is_match(raw, segment="mid", score=5, excluded=False)


COMPARED: list[tuple[str, object, object, bool]] = [
    ("lt", 5, 4.9, True),
    ("lt", 5, 5, False),
    ("lte", 5, 5, True),
    ("gt", 5, 5, False),
    ("gte", 5, 5.0, True),
    ("eq", 5, 5.0, True),
    ("ne", 5, 4, True),
    ("in", [4, 5], 5, True),
    ("not_in", [4, 5], 6, True),
    ("not_in", [4, 5], 5, False),
    ("is_null", True, None, True),
    ("is_null", False, 0, True),
    ("is_null", False, float("nan"), False),
]


@pytest.mark.parametrize(("op", "value", "actual", "expected"), COMPARED)
def test_numbers_are_compared(op: str, value: object, actual: object, expected: bool) -> None:  # noqa: FBT001
    assert is_match({"field": "score", "op": op, "value": value}, score=actual) is expected


@pytest.mark.parametrize("op", ["eq", "ne", "lt", "lte", "gt", "gte"])
@pytest.mark.parametrize("unknown", [None, float("nan")])
def test_an_unknown_value_matches_no_condition_and_so_matches_its_negation(
    op: str, unknown: object
) -> None:
    raw = {"field": "score", "op": op, "value": 5}

    assert not is_match(raw, score=unknown)
    assert is_match({"not": raw}, score=unknown)
    assert not is_match({"not": {"not": raw}}, score=unknown)


@pytest.mark.parametrize(
    ("op", "value", "actual", "expected"),
    [
        ("contains", "CME", "Acme Ltd", True),
        ("contains", "é", "É", False),
        ("contains", "", "anything", True),
        ("contains", "vip", ["vip", "eu"], True),
        ("contains", "VIP", ["vip", "eu"], False),
        ("contains", "vip", {"vip": 1}, False),
        ("starts_with", "ac", "Acme Ltd", True),
        ("starts_with", "cme", "Acme Ltd", False),
        ("starts_with", "vip", ["vip"], False),
        ("eq", "acme", "Acme", False),
        ("lt", "b", "B", True),
        ("eq", 1, True, False),
        ("ne", 1, True, True),
        ("lt", 1, "0", False),
        ("gte", {"days_ago": 7}, "2026-03-11T08:00:00Z", True),
        ("gte", {"days_ago": 7}, "2026-03-10", False),
        ("gte", {"days_ago": 7}, "long ago", False),
        ("lt", {"days_ahead": 1}, "2026-03-18", True),
    ],
)
def test_a_trait_is_compared_only_with_values_of_its_own_type(
    op: str,
    value: object,
    actual: object,
    expected: bool,  # noqa: FBT001
) -> None:
    assert is_match({"field": "traits.x", "op": op, "value": value}, traits__x=actual) is expected


def test_relative_days_move_with_today() -> None:
    soon = {"and": [
        {"field": "renewal_on", "op": "gte", "value": {"days_ago": 0}},
        {"field": "renewal_on", "op": "in", "value": [{"days_ahead": 30}, "2026-04-01"]},
    ]}  # fmt: skip

    assert is_match(soon, renewal_on=date(2026, 4, 17))
    assert is_match(soon, renewal_on="2026-04-01")
    assert not is_match(soon, renewal_on=date(2026, 4, 18))
    assert not is_match(soon, renewal_on=None)


def test_relative_days_cannot_be_compared_before_they_are_resolved() -> None:
    with pytest.raises(TypeError):
        matches(parse({"renewal_on": {"days_ago": 1}}), {"renewal_on": TODAY}.get)
