from typing import Any

import pytest

from app.core.filters.openapi import FilterLanguage, filter_schemas
from app.core.filters.parser import parse_filter
from app.core.filters.tree import FieldType

FIELDS = {
    "name": FieldType.TEXT,
    "external_ids.*": FieldType.TEXT,
    "score": FieldType.NUMBER,
    "excluded": FieldType.BOOLEAN,
    "renewal_on": FieldType.DAY,
    "health.band": FieldType.TEXT,
}
CHOICES = {"health.band": ("at_risk", "watch")}
EXAMPLE = {"and": [{"name": "acme"}, {"score": 5}]}
LANGUAGE = FilterLanguage("AccountFilter", FIELDS, EXAMPLE, choices=CHOICES)
SCHEMAS = filter_schemas(LANGUAGE)
FORMS = ("Shorthand", "And", "Or", "Not")
CONDITIONS = ("HealthBand", "Text", "Number", "Boolean", "Day", "AnyType")


def test_a_filter_is_one_of_few_named_forms() -> None:
    names = [*FORMS, *(f"{condition}Condition" for condition in CONDITIONS)]

    assert list(SCHEMAS) == ["AccountFilter", *(f"AccountFilter{name}" for name in names)]
    assert [each["$ref"] for each in SCHEMAS["AccountFilter"]["anyOf"]] == [
        f"#/components/schemas/AccountFilter{name}" for name in names
    ]


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("HealthBand", {"health.band"}),
        ("Text", {"name"}),
        ("Number", {"score"}),
        ("Boolean", {"excluded"}),
        ("Day", {"renewal_on"}),
        ("AnyType", set()),
    ],
)
def test_the_fields_of_a_condition_are_those_of_its_type(condition: str, names: set[str]) -> None:
    field = SCHEMAS[f"AccountFilter{condition}Condition"]["properties"]["field"]

    assert {name for schema in field["anyOf"] for name in schema.get("enum", [])} == names


def examples() -> list[Any]:
    return [each for schema in SCHEMAS.values() for each in schema.get("examples", [])]


@pytest.mark.parametrize("example", examples(), ids=str)
def test_every_example_is_a_valid_filter(example: Any) -> None:  # noqa: ANN401
    assert parse_filter(example, FIELDS, choices=CHOICES)


def values_of(form: dict[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(form["properties"]["op"]["enum"], form["properties"]["value"])


def test_a_field_with_choices_takes_no_other_value_and_no_order() -> None:
    forms = SCHEMAS["AccountFilterHealthBandCondition"]["anyOf"]
    by_op = {op: value for form in forms for op, value in values_of(form).items()}

    assert by_op.keys() == {"eq", "ne", "in", "not_in", "is_null"}
    assert by_op["eq"] == by_op["in"]["items"] == {"type": "string", "enum": ["at_risk", "watch"]}
