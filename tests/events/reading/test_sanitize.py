import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.events.reading.sanitize import MAX_INTEGER, nesting_depth, sanitize_json

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None, exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("value", "repaired", "warning"),
    [
        (math.nan, None, "non_finite_number"),
        (math.inf, None, "non_finite_number"),
        ([-math.inf, 1], [None, 1], "non_finite_number"),
        (MAX_INTEGER + 1, str(MAX_INTEGER + 1), "number_too_large"),
        ({"a": -(10**30)}, {"a": "-1" + "0" * 30}, "number_too_large"),
        ("a\x00b\x00", "ab", "nul_removed"),
        ({"a\x00": [1]}, {"a": [1]}, "nul_removed"),
        ("\ud800x", "\ufffdx", "lone_surrogate_replaced"),
        ({"\udfff": 1}, {"\ufffd": 1}, "lone_surrogate_replaced"),
    ],
)
def test_an_unstorable_value_is_replaced_with_a_warning(
    value: object, repaired: object, warning: str
) -> None:
    assert sanitize_json(value) == (repaired, frozenset({warning}))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1.5,
        1e308,
        MAX_INTEGER,
        -MAX_INTEGER,
        "é \U0001f600 \n",
        [],
        {"": {}},
    ],
)
def test_a_storable_value_is_unchanged_without_a_warning(value: object) -> None:
    assert sanitize_json(value) == (value, frozenset())


def test_every_kind_of_change_has_a_warning() -> None:
    found = sanitize_json({"a": math.nan, "b": "\x00", "c": ["\ud800", 10**40]})[1]

    assert found == {
        *("non_finite_number", "nul_removed"),
        *("lone_surrogate_replaced", "number_too_large"),
    }


@given(JSON)
def test_sanitized_values_are_storable_and_sanitizing_is_idempotent(value: Any) -> None:  # noqa: ANN401
    repaired, warnings = sanitize_json(value)

    assert b"\\u0000" not in orjson.dumps(repaired).replace(rb"\\", b"")
    assert sanitize_json(repaired) == (repaired, frozenset())
    assert warnings or repaired == value


@pytest.mark.parametrize(
    ("value", "levels"),
    [(1, 0), ("[[", 0), ({}, 1), ([1, [2], {"a": [3]}], 3), ({"a": {"b": []}}, 3)],
)
def test_nesting_depth_counts_objects_and_arrays(value: object, levels: int) -> None:
    assert nesting_depth(value) == levels


def test_nesting_depth_needs_no_recursion() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]

    assert nesting_depth(value) == 100_001
    while value:  # taken apart by hand: the interpreter frees nested lists by recursion
        value = value.pop()
