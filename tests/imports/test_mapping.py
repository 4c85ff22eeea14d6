import pytest

from app.imports.mapping import ColumnMapping, MappingError

COLUMNS = ["id", "plan", "units", "quantity"]
FIELDS = ("account_id", "plan", "seats", "user_id")


def read(pairs: list[str], row: list[str], **lookups: dict[str, str]) -> dict[str, str]:
    mapping = ColumnMapping.parse(pairs, lookups).for_columns(COLUMNS, FIELDS)
    return mapping.reader(COLUMNS)(row)


def test_a_field_is_read_from_a_column_and_left_out_if_blank() -> None:
    pairs = ["account_id=id", "plan=plan"]

    assert read(pairs, ["7", "pro", "", ""]) == {"account_id": "7", "plan": "pro"}
    assert read(pairs, ["7", "", "", ""]) == {"account_id": "7"}


def test_a_template_is_filled_from_the_row() -> None:
    pairs = ["account_id=100%-{id}", "user_id={id}:{plan}"]

    assert read(pairs, ["7", "pro", "", ""]) == {"account_id": "100%-7", "user_id": "7:pro"}


def test_a_condition_tests_another_column() -> None:
    pairs = ["seats=quantity[units=users]"]

    assert read(pairs, ["7", "", "users", "5"]) == {"seats": "5"}
    assert read(pairs, ["7", "", "searches", "5"]) == {}


def test_a_lookup_translates_every_use_of_a_column() -> None:
    pairs = ["plan=plan", "account_id=x{plan}"]
    fields = read(pairs, ["7", "1", "", ""], plan={"1": "pro"})

    assert fields == {"plan": "pro", "account_id": "xpro"}
    assert read(pairs, ["7", "2", "", ""], plan={"1": "pro"})["plan"] == "2"


def test_without_a_mapping_columns_named_like_fields_are_used() -> None:
    assert read([], ["7", "pro", "", ""]) == {"plan": "pro"}


@pytest.mark.parametrize("spelling", ["Account_ID", "accountId", "ACCOUNT ID", "account-id"])
def test_without_a_mapping_a_column_of_another_spelling_is_the_field(spelling: str) -> None:
    """The exact name wins: the other ``PLAN`` is a column of its own."""
    columns = [spelling, "plan", "PLAN", "Renewal"]
    mapping = ColumnMapping.parse([]).for_columns(columns, FIELDS)

    fields = mapping.reader(columns)(["7", "pro", "old", "x"])

    assert fields == {"account_id": "7", "plan": "pro"}


def test_two_columns_of_other_spellings_are_refused() -> None:
    reason = "The columns 'Plan' and 'PLAN' could both be 'plan': map one of them."
    with pytest.raises(MappingError, match=reason):
        ColumnMapping.parse([]).for_columns(["account_id", "Plan", "PLAN"], FIELDS)


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        (["account_id"], "The mapping 'account_id' must have the form field=column."),
        (["account_id=nope"], "no column 'nope'; it has id, plan, units, quantity"),
        (["account_id={nope}"], "no column 'nope'"),
        (["account_id=id[nope=1]"], "no column 'nope'"),
        (["account_id=id["], "must be a column, a {template}"),
        (["colour=id"], "'colour' is not a field. The fields are account_id"),
        (["plan=id", "plan=plan"], "'plan' is mapped twice"),
        (["plan=" + "{id}" * 101], "The templates name 101 columns: 100 can be."),
    ],
)
def test_an_invalid_mapping_is_refused(pairs: list[str], reason: str) -> None:
    with pytest.raises(MappingError, match=reason.replace("[", r"\[")):
        read(pairs, ["", "", "", ""])


def test_a_lookup_of_an_unknown_column_is_refused() -> None:
    with pytest.raises(MappingError, match="no column 'nope'"):
        read(["plan=plan"], ["", "", "", ""], nope={})
