import pytest

from app.core.filters.parser import FilterError
from app.core.filters.tree import And, Condition, Op, fields_of
from tests.core.filters.test_matching import is_match, parse


def test_the_short_form_means_the_same_as_the_long_one() -> None:
    long = {"field": "segment", "op": "eq", "value": "smb"}

    assert parse({"segment": "smb"}) == parse(long) == Condition("segment", Op.EQ, "smb")
    assert parse({"field": "segment", "value": "smb"}) == parse(long)
    assert parse({"segment": ["smb", "mid"]}) == Condition("segment", Op.IN, ("smb", "mid"))
    assert parse({"segment": None}) == Condition("segment", Op.IS_NULL, value=True)
    assert parse({"segment": "smb", "score": 5}) == And((parse(long), parse({"score": 5})))


def test_a_whole_number_of_days_may_have_a_decimal_point() -> None:
    assert parse({"renewal_on": {"days_ago": 30.0}}) == parse({"renewal_on": {"days_ago": 30}})


def test_the_fields_of_a_filter_are_listed() -> None:
    raw = {"or": [{"segment": "a"}, {"not": {"measures.reach": 1}}, {"traits.x": 1}]}

    assert fields_of(parse(raw)) == {"segment", "measures.reach", "traits.x"}


def nested(levels: int) -> object:
    return {"not": nested(levels - 1)} if levels else {"segment": "smb"}


def many(conditions: int, values: int = 1) -> object:
    segments = ["smb"] * values
    return {"and": [{"segment": segments} for _ in range(conditions)]}


INVALID: list[tuple[object, str]] = [
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


@pytest.mark.parametrize(("raw", "pointer"), INVALID, ids=lambda each: repr(each)[:60])
def test_an_invalid_filter_is_refused_with_a_pointer_and_a_sentence(
    raw: object, pointer: str
) -> None:
    with pytest.raises(FilterError) as error:
        parse(raw)

    assert error.value.pointer == pointer
    assert str(error.value).endswith((".", "?"))


@pytest.mark.parametrize("raw", [nested(7), many(100), many(1, 1000), many(100, 10)])
def test_a_filter_at_the_limits_is_accepted(raw: object) -> None:
    assert is_match(raw, segment="smb") is (raw != nested(7))


def test_a_similar_field_name_is_suggested() -> None:
    with pytest.raises(FilterError, match="Did you mean segment"):
        parse({"segmnt": "smb"})


@pytest.mark.parametrize("raw", [{"renewal_on": {"days_ago": 1}}, {"traits.x": {"days_ago": 1}}])
def test_relative_days_are_accepted_only_where_they_are_allowed(raw: object) -> None:
    with pytest.raises(FilterError):
        parse(raw, relative_days=False)
