import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.http.csv_text import (
    FORMULA_PREFIXES,
    format_cell,
    format_csv,
    prefers_csv,
    remove_formula_guard,
)

PREFERENCES = {
    "": False,
    "*/*": False,
    "text/csv": True,
    "TEXT/CSV; charset=utf-8": True,
    "text/csv, */*": True,
    "text/csv;q=0.5, */*;q=0.1": True,
    "text/csv;q=0.1, application/json": False,
    "application/json, text/csv": False,
    "text/csv, application/json": True,
    "application/json;q=0.9, text/csv;q=0.91": True,
    "text/*": True,
    "text/*, application/json": False,
    "text/*;q=0.2, application/json;q=0.1": True,
    "text/csv;q=0": False,
    "text/csv;q=0, text/*": False,
    "text/csv;q=high": False,
    "text/csv;q=2": False,
    "text/csv;q=nan": False,
    "text/csv;q=-1": False,
    "text/html": False,
    "text/html, application/xhtml+xml, */*;q=0.8": False,
    ";;,,;q=1": False,
}


@pytest.mark.parametrize("accept", PREFERENCES)
def test_csv_is_chosen_only_if_it_is_preferred_to_json(accept: str) -> None:
    assert prefers_csv(accept) is PREFERENCES[accept]


@given(st.text(max_size=50))
def test_any_accept_header_can_be_parsed(accept: str) -> None:
    assert prefers_csv(accept) in {True, False}


CELLS: list[tuple[Any, str]] = [
    (None, ""),
    (True, "true"),
    (-5, "-5"),
    (-0.5, "-0.5"),
    (2**53, "9007199254740992"),
    ("", ""),
    ("Acme", "Acme"),
    ("a,b", '"a,b"'),
    ('say "hi"', '"say ""hi"""'),
    ("two\r\nlines", '"two\r\nlines"'),
    ("émile 李", "émile 李"),
    ("=1+1", "'=1+1"),
    ("+49", "'+49"),
    ("-5", "'-5"),
    ("'-5", "''-5"),
    ("''=1", "'''=1"),
    ("'tis", "'tis"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1", "'\t=1"),
    ("\r=1", '"\'\r=1"'),
    ("\n=1", '"\'\n=1"'),
    ("＝1", "'＝1"),  # noqa: RUF001 - spreadsheets read it as =
    ("a=1", "a=1"),
    ([1, "a"], '"[1,""a""]"'),
    ({}, "{}"),
]


@pytest.mark.parametrize(("value", "text"), CELLS, ids=repr)
def test_a_value_is_one_cell_and_a_text_is_never_a_formula(value: object, text: str) -> None:
    assert format_csv(["a", "b"], [{"a": value, "b": 1}]) == f"a,b\r\n{text},1\r\n"


def test_a_nested_value_is_found_by_its_path() -> None:
    rows: list[dict[str, Any]] = [{"trend": {"d7": 1.5, "d28": None}}, {"trend": None}, {}]

    assert format_csv(["trend.d7", "trend.d28"], rows) == "trend.d7,trend.d28\r\n1.5,\r\n,\r\n,\r\n"


@given(st.text("'=+-@\ta", max_size=6))
def test_the_guard_of_a_text_is_removed_as_it_was_added(text: str) -> None:
    """An account `'+49` stays another account than `+49`."""
    assert remove_formula_guard(str(format_cell(text))) == text


values = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2)


@given(st.lists(st.fixed_dictionaries({"a": values, "b": values}), max_size=5))
def test_every_table_can_be_read_back(rows: list[dict[str, Any]]) -> None:
    parsed = list(csv.DictReader(io.StringIO(format_csv(["a", "b"], rows), newline="")))

    assert len(parsed) == len(rows)
    for row, parsed_row in zip(rows, parsed, strict=True):
        for name, value in row.items():
            assert parsed_row[name] == expected_cell(value)
            if isinstance(value, str):
                assert not parsed_row[name].startswith(FORMULA_PREFIXES)


def expected_cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        case str() if value.lstrip("'").startswith(FORMULA_PREFIXES):
            return f"'{value}"
    return str(value)
