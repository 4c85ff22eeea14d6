import pytest

from app.imports.mapping import ColumnMapping, MappingError

COLUMNS = ["id", "plan", "units", "quantity"]
FIELDS = ("account_id", "plan", "seats", "user_id")


def read(pairs: list[str], row: list[str], **lookups: dict[str, str]) -> dict[str, str]:
    mapping = ColumnMapping.parse(pairs, lookups).for_columns(COLUMNS, FIELDS)
    return mapping.reader(COLUMNS)(row)


def test_a_field_takes_a_column_and_is_left_out_where_it_is_blank() -> None:
    pairs = ["account_id=id", "plan=plan"]

    assert read(pairs, ["7", "pro", "", ""]) == {"account_id": "7", "plan": "pro"}
    assert read(pairs, ["7", "", "", ""]) == {"account_id": "7"}


def test_a_template_is_filled_from_the_row() -> None:
    pairs = ["account_id=100%-{id}", "user_id={id}:{plan}"]

    assert read(pairs, ["7", "pro", "", ""]) == {"account_id": "100%-7", "user_id": "7:pro"}


def test_a_condition_looks_at_another_column() -> None:
    pairs = ["seats=quantity[units=users]"]

    assert read(pairs, ["7", "", "users", "5"]) == {"seats": "5"}
    assert read(pairs, ["7", "", "searches", "5"]) == {}


def test_a_lookup_translates_a_column_wherever_it_is_used() -> None:
    pairs = ["plan=plan", "account_id=x{plan}"]
    found = read(pairs, ["7", "1", "", ""], plan={"1": "pro"})

    assert found == {"plan": "pro", "account_id": "xpro"}
    assert read(pairs, ["7", "2", "", ""], plan={"1": "pro"})["plan"] == "2"


def test_without_a_mapping_columns_named_like_fields_are_taken() -> None:
    assert read([], ["7", "pro", "", ""]) == {"plan": "pro"}


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        (["account_id"], "'account_id' is not field=column."),
        (["account_id=nope"], "no column 'nope'; it has id, plan, units, quantity"),
        (["account_id={nope}"], "no column 'nope'"),
        (["account_id=id[nope=1]"], "no column 'nope'"),
        (["account_id=id["], "is no column, template"),
        (["colour=id"], "'colour' is none of account_id"),
        (["plan=id", "plan=plan"], "'plan' is mapped twice"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(pairs: list[str], reason: str) -> None:
    with pytest.raises(MappingError, match=reason.replace("[", r"\[")):
        read(pairs, ["", "", "", ""])


def test_a_lookup_of_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(MappingError, match="no column 'nope'"):
        read(["plan=plan"], ["", "", "", ""], nope={})
