from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from app.core.filters import matching
from app.core.filters.matching import And, Condition, FieldType, Filter, FilterError, Op

FIELDS: Mapping[str, FieldType] = {
    "segment": FieldType.TEXT,
    "band": FieldType.TEXT,
    "score": FieldType.NUMBER,
    "excluded": FieldType.BOOLEAN,
    "renewal_on": FieldType.DAY,
    "measures.*": FieldType.NUMBER,
}
TODAY = date(2026, 3, 18)


def read(raw: object, *, moving_days: bool = True) -> Filter:
    bands = {"band": ("at_risk", "healthy")}
    return matching.parse_filter(raw, FIELDS, choices=bands, moving_days=moving_days)


def holds(raw: object, **values: Any) -> bool:  # noqa: ANN401
    """Whether it lets something with these values through; a dot is written as two underscores."""
    there = {name.replace("__", "."): value for name, value in values.items()}
    return matching.matches(matching.resolve_relative_days(read(raw), TODAY), there.get)


def test_the_short_form_says_the_same_as_the_long_one() -> None:
    long = {"field": "segment", "op": "eq", "value": "smb"}

    assert read({"segment": "smb"}) == read(long) == Condition("segment", Op.EQ, "smb")
    assert read({"field": "segment", "value": "smb"}) == read(long)
    assert read({"segment": ["smb", "mid"]}) == Condition("segment", Op.IN, ("smb", "mid"))
    assert read({"segment": None}) == Condition("segment", Op.IS_NULL, value=True)
    assert read({"segment": "smb", "score": 5}) == And((read(long), read({"score": 5})))


def test_an_empty_filter_lets_everything_through() -> None:
    assert read({}) == matching.MATCH_ALL
    assert holds({})


def test_conditions_are_joined_with_and_or_and_not() -> None:
    wanted = {"or": [{"and": [{"segment": "smb"}, {"score": 5}]}, {"not": {"excluded": False}}]}

    assert holds(wanted, segment="smb", score=5, excluded=False)
    assert holds(wanted, segment="mid", score=5, excluded=True)
    assert not holds(wanted, segment="mid", score=5, excluded=False)


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


@pytest.mark.parametrize(("op", "value", "found", "expected"), COMPARED)
def test_numbers_are_compared(op: str, value: object, found: object, expected: bool) -> None:  # noqa: FBT001
    assert holds({"field": "score", "op": op, "value": value}, score=found) is expected


@pytest.mark.parametrize("op", ["eq", "ne", "lt", "lte", "gt", "gte"])
@pytest.mark.parametrize("unknown", [None, float("nan")])
def test_what_is_unknown_meets_no_condition_and_so_meets_its_opposite(
    op: str, unknown: object
) -> None:
    wanted = {"field": "score", "op": op, "value": 5}

    assert not holds(wanted, score=unknown)
    assert holds({"not": wanted}, score=unknown)
    assert not holds({"not": {"not": wanted}}, score=unknown)


@pytest.mark.parametrize(
    ("op", "value", "found", "expected"),
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
def test_a_trait_may_hold_anything_and_is_compared_with_its_own_kind(
    op: str,
    value: object,
    found: object,
    expected: bool,  # noqa: FBT001
) -> None:
    assert holds({"field": "traits.x", "op": op, "value": value}, traits__x=found) is expected


def test_days_move_with_today() -> None:
    soon = {"and": [
        {"field": "renewal_on", "op": "gte", "value": {"days_ago": 0}},
        {"field": "renewal_on", "op": "in", "value": [{"days_ahead": 30}, "2026-04-01"]},
    ]}  # fmt: skip

    assert holds(soon, renewal_on=date(2026, 4, 17))
    assert holds(soon, renewal_on="2026-04-01")
    assert not holds(soon, renewal_on=date(2026, 4, 18))
    assert not holds(soon, renewal_on=None)


def test_whole_days_are_whole_however_they_are_written() -> None:
    assert read({"renewal_on": {"days_ago": 30.0}}) == read({"renewal_on": {"days_ago": 30}})


def test_days_that_move_are_not_compared_before_they_are_fixed() -> None:
    with pytest.raises(TypeError):
        matching.matches(read({"renewal_on": {"days_ago": 1}}), {"renewal_on": TODAY}.get)


def test_the_fields_of_a_filter_are_known() -> None:
    wanted = {"or": [{"segment": "a"}, {"not": {"measures.reach": 1}}, {"traits.x": 1}]}

    assert matching.fields_of(read(wanted)) == {"segment", "measures.reach", "traits.x"}


def nested(levels: int) -> object:
    return {"not": nested(levels - 1)} if levels else {"segment": "smb"}


def many(conditions: int, values: int = 1) -> object:
    asked = ["smb"] * values
    return {"and": [{"segment": asked} for _ in range(conditions)]}


WRONG: list[tuple[object, str]] = [
    (None, ""),
    ([], ""),
    ("segment", ""),
    ({"and": []}, "/and"),
    ({"or": {}}, "/or"),
    ({"or": [{"segment": "smb"}, 5]}, "/or/1"),
    ({"not": [{"segment": "smb"}]}, "/not"),
    ({"and": [{"segment": "smb"}], "segment": "smb"}, ""),
    ({"segmint": "smb"}, "/segmint"),
    ({"a/b~c": "smb"}, "/a~1b~0c"),
    ({"traits.": 1}, "/traits."),
    ({"traits": 1}, "/traits"),
    ({"traits.\x00": 1}, "/traits.\x00"),
    ({"measures.*.x\ud800": 1}, "/measures.*.x\ud800"),
    ({"field": 5, "value": 5}, "/field"),
    ({"field": "score"}, ""),
    ({"field": "score", "value": 5, "unit": "%"}, "/unit"),
    ({"field": "score", "op": "like", "value": 5}, "/op"),
    ({"field": "score", "op": ["eq"], "value": 5}, "/op"),
    ({"field": "score", "op": "contains", "value": "5"}, "/op"),
    ({"field": "excluded", "op": "lt", "value": True}, "/op"),
    ({"field": "traits.x", "op": "lt", "value": True}, "/op"),
    ({"field": "band", "op": "gt", "value": "at_risk"}, "/op"),
    ({"field": "band", "value": "red"}, "/value"),
    ({"field": "band", "op": "in", "value": ["healthy", "red"]}, "/value/1"),
    ({"field": "score", "op": "in", "value": 5}, "/value"),
    ({"field": "score", "op": "in", "value": []}, "/value"),
    ({"field": "score", "op": "in", "value": [5, None]}, "/value/1"),
    ({"field": "score", "op": "is_null", "value": 1}, "/value"),
    ({"score": "5"}, "/score"),
    ({"score": True}, "/score"),
    ({"score": float("nan")}, "/score"),
    ({"score": float("inf")}, "/score"),
    ({"score": 2**53 + 1}, "/score"),
    ({"score": 10**400}, "/score"),
    ({"segment": 5}, "/segment"),
    ({"segment": "a\x00"}, "/segment"),
    ({"segment": "\ud800"}, "/segment"),
    ({"segment": "a" * 1001}, "/segment"),
    ({"excluded": "true"}, "/excluded"),
    ({"renewal_on": "tomorrow"}, "/renewal_on"),
    ({"renewal_on": "2026-02-30"}, "/renewal_on"),
    ({"renewal_on": "20260301"}, "/renewal_on"),
    ({"renewal_on": 20260301}, "/renewal_on"),
    ({"renewal_on": {"days_ago": -1}}, "/renewal_on"),
    ({"renewal_on": {"days_ago": True}}, "/renewal_on"),
    ({"renewal_on": {"days_ago": 1, "days_ahead": 1}}, "/renewal_on"),
    ({"renewal_on": {"weeks_ago": 1}}, "/renewal_on"),
    ({"renewal_on": {"days_ago": 36_501}}, "/renewal_on"),
    ({"renewal_on": {"days_ago": 1.5}}, "/renewal_on"),
    ({"renewal_on": {"days_ago": float("nan")}}, "/renewal_on"),
    ({"renewal_on": {"days_ago": "1"}}, "/renewal_on"),
    ({"renewal_on": {}}, "/renewal_on"),
    ({"score": {"days_ago": 1}}, "/score"),
    (nested(8), "/not" * 8),
    (many(101), "/and"),
    ({"and": [many(51), many(50)]}, "/and/1/and/49/segment"),
    (many(2, 501), "/and/1/segment/499"),
]


@pytest.mark.parametrize(("raw", "pointer"), WRONG, ids=lambda each: repr(each)[:60])
def test_of_a_filter_that_is_wrong_it_is_said_where_and_why(raw: object, pointer: str) -> None:
    with pytest.raises(FilterError) as refused:
        read(raw)

    assert refused.value.pointer == pointer
    assert str(refused.value).endswith((".", "?"))


@pytest.mark.parametrize("raw", [nested(7), many(100), many(1, 1000), many(100, 10)])
def test_up_to_the_limits_a_filter_is_read(raw: object) -> None:
    assert holds(raw, segment="smb") is (raw != nested(7))


def test_a_close_name_is_proposed() -> None:
    with pytest.raises(FilterError, match="Did you mean segment"):
        read({"segmnt": "smb"})


@pytest.mark.parametrize("raw", [{"renewal_on": {"days_ago": 1}}, {"traits.x": {"days_ago": 1}}])
def test_days_that_move_are_only_where_they_are_allowed(raw: object) -> None:
    with pytest.raises(FilterError):
        read(raw, moving_days=False)
