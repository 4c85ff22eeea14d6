"""The API does what its OpenAPI document says, and the document is complete."""

import json
import re
from collections.abc import Iterator
from typing import Any, cast
from uuid import uuid4

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance

from clients.generation.python_code import ROOT, python_files
from clients.generation.typescript import TYPES, is_stale
from tests.conftest import shared_app

DOCUMENT: dict[str, Any] = shared_app().openapi()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
API = [name for name in OPERATIONS if OPERATIONS[name].get("security")]
EXAMPLES = 6

# Routes with rules that a schema cannot express; they answer 422 with pointers.
MORE_RULES = {
    "POST /api/v1/alert-rules/preview",  # signal, operator and thresholds must fit
    "PUT /api/v1/alert-rules/{key}",
    "POST /api/v1/alerts/{alert_id}/snooze",  # the time must be in the future
    "PUT /api/v1/playbooks/{key}",  # known signals and template fields
    "PATCH /api/v1/playbooks/{key}",  # known parts of a playbook
    "POST /api/v1/experiments",  # shares leave room for a control, known fields in filters
    "GET /api/v1/accounts/{account_id}/health/explanation",  # the days must be in order
    "GET /api/v1/accounts/{account_id}/review",  # the days must be past and in order
    *(name for name in OPERATIONS if name.startswith("GET /api/v1/reports/")),  # the same
    "POST /api/v1/scorecards",  # unique names, known fields in filters
    "POST /api/v1/scorecards/{version}/restate",  # the days must be past
    "PUT /api/v1/accounts/{account_id}/health/override",  # it expires within a year
    "POST /api/v1/imports",  # the columns of the file
    "PUT /api/v1/plans/{key}",  # shares of a price add up to at most 1
    "GET /api/v1/ingest/stats",
    "POST /v1/logs",  # at least one log record
    "POST /api/v1/events/validate",  # the body must be of the dialect
    "GET /api/v1/changes",  # the feed begins at a time that is not ahead
    "PUT /api/v1/tickets/{ticket_id}",  # times between 1990 and 2100
    "PUT /api/v1/survey-responses/{response_id}",  # a score that fits the kind, times
    "PUT /api/v1/feedback-items/{feedback_id}",  # times
    "PUT /api/v1/incidents/{incident_id}",  # times
    "POST /api/v1/accounts/{account_id}/notes",  # times between 1990 and now
    "PATCH /api/v1/notes/{note_id}",  # the same
    "PUT /api/v1/digests/{owner}",  # the name of a time zone
    "PUT /api/v1/goals/{goal_id}",  # the days must be in order, a trait for the trait metric
    "PUT /api/v1/loyalty-tiers/{key}",  # a trait for the trait metric
    "PUT /api/v1/signal-settings",  # known signals
    "PUT /api/v1/reply-standards",  # names that differ by more than case
    "POST /api/v1/webhook-endpoints",  # a public URL, a valid filter
    "PATCH /api/v1/webhook-endpoints/{endpoint_id}",  # the same
    "POST /api/v1/webhook-endpoints/{endpoint_id}/recover",  # the times must be in order
}

every_operation = pytest.mark.parametrize("name", OPERATIONS)


@pytest.fixture(scope="session")
def api(app: FastAPI) -> BaseSchema:
    """The document as Schemathesis reads it, once for all tests: none of them changes it."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    schema.config.generation.update(with_security_parameters=False)
    return schema


def modes(operation: dict[str, Any]) -> list[GenerationMode]:
    """In a path any text is a valid id: only a query or a body can violate the schema."""
    locations = [parameter["in"] for parameter in operation.get("parameters", [])]
    can_be_invalid = "query" in locations or "requestBody" in operation
    return list(GenerationMode) if can_be_invalid else [GenerationMode.POSITIVE]


@pytest.mark.parametrize(
    ("name", "mode"), [(name, mode) for name in OPERATIONS for mode in modes(OPERATIONS[name])]
)
def test_every_operation_conforms_to_its_schema_for_any_input(
    api: BaseSchema, client: TestClient, name: str, mode: GenerationMode
) -> None:
    """Run all default checks of Schemathesis on valid and on invalid input."""
    method, path = name.split()
    headers = {"Authorization": client.headers["Authorization"]}
    excluded: list[Any] = [positive_data_acceptance] if name in MORE_RULES else []

    @settings(
        max_examples=EXAMPLES,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=api[path][method].as_strategy(generation_mode=mode))
    def send(case: "Case[Any]") -> None:
        if mode is GenerationMode.POSITIVE and "Idempotency-Key" in (case.headers or {}):
            case.headers["Idempotency-Key"] = str(uuid4())  # a key is for one request
        case.call_and_validate(headers=headers, excluded_checks=excluded)

    send()


def test_the_document_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    assert DOCUMENT["info"]["description"]


@every_operation
def test_every_operation_has_a_summary_a_description_and_a_tag(name: str) -> None:
    operation = OPERATIONS[name]

    assert operation["summary"]
    assert operation["description"].rstrip().endswith(".")
    assert operation["tags"]


def test_every_operation_id_is_unique() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]

    assert len(set(names)) == len(names)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return cast("dict[str, Any]", DOCUMENT["components"]["schemas"][name] if name else schema)


def has_example(schema: dict[str, Any]) -> bool:
    """Whether a schema has an example, or all its parts have one."""
    schema = resolved(schema)
    if any(name in schema for name in ("example", "examples", "default", "const", "enum")):
        return True
    choices = schema.get("anyOf", schema.get("oneOf", schema.get("allOf", [])))
    if choices:
        return any(map(has_example, choices))
    if schema.get("type") == "array":
        return has_example(schema["items"])
    if "properties" in schema:
        return all(map(has_example, schema["properties"].values()))
    return schema.get("format") in {"date", "date-time"} or schema.get("type") in {
        "boolean",
        "null",
    }


@every_operation
def test_every_success_has_an_example(name: str) -> None:
    successes = {
        status: answer
        for status, answer in OPERATIONS[name]["responses"].items()
        if status.startswith("2")
    }

    assert successes
    for status, answer in successes.items():
        contents = answer.get("content", {})
        assert contents or status == "204"
        for content in contents.values():
            has_own = "example" in content or "examples" in content
            assert has_own or has_example(content["schema"]), content


@pytest.mark.parametrize("name", API)
def test_every_problem_of_an_operation_is_documented(name: str) -> None:
    operation = OPERATIONS[name]
    answers = operation["responses"]
    expected = {"401", "403", "422", "503"}
    if "{" in name:
        expected |= {"404"}
    if "requestBody" in operation:
        expected |= {"400", "408", "413", "415"}
    if "SDK ingestion" in operation["tags"] or name == "POST /api/v1/events":
        expected |= {"429"}

    assert expected <= set(answers)
    for status, answer in answers.items():
        if status != "304" and not status.startswith("2"):
            [media_type] = answer["content"]
            assert media_type == "application/problem+json"
            problem = resolved(answer["content"][media_type]["schema"])
            assert {"type", "title", "status", "detail", "code", "message"} <= set(
                problem["properties"]
            )
            [(code, example)] = problem_examples(answer)
            assert (example["status"], example["code"]) == (int(status), code)
            assert bool(example.get("errors")) == (status == "422")


def problem_examples(answer: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the examples of a problem by name; each refers to one of the components."""
    examples = answer["content"]["application/problem+json"]["examples"]
    names = {name: example["$ref"].rpartition("/")[2] for name, example in examples.items()}
    return [(name, DOCUMENT["components"]["examples"][names[name]]["value"]) for name in names]


def without_example(node: Any, at: str = "", *, has_one: bool = False) -> Iterator[str]:  # noqa: ANN401
    """Yield the places of texts with a pattern for which clients would show random letters."""
    if isinstance(node, list):
        for index, each in enumerate(node):
            yield from without_example(each, f"{at}/{index}", has_one=has_one)
    if isinstance(node, dict):
        has_one = has_one or bool(node.keys() & {"example", "examples", "default", "enum"})
        if node.get("type") == "string" and "pattern" in node and not has_one:
            yield at
        for key, each in node.items():
            is_part = key in {"schema", "anyOf", "oneOf", "allOf", "items"}
            yield from without_example(each, f"{at}/{key}", has_one=has_one and is_part)


@pytest.mark.parametrize("part", ["paths", "components"])
def test_every_text_with_a_pattern_has_an_example(part: str) -> None:
    assert list(without_example(DOCUMENT[part])) == []


def test_only_probes_and_signed_requests_need_no_key() -> None:
    probes = {"GET /health/live", "GET /health/ready", "GET /metrics"}
    signed = {"POST /v1/billing/stripe/{source_id}"}

    assert set(OPERATIONS) - set(API) == probes | signed


def test_the_documentation_page_loads_nothing_from_other_hosts(client: TestClient) -> None:
    page = client.get("/docs").text
    assets = re.findall(r'(?:src|href)="([^"]+)"', page)

    assert assets
    assert all(asset.startswith("/") for asset in assets)
    assert all(client.get(asset).status_code == 200 for asset in assets)


def test_the_generated_parts_of_the_clients_are_those_of_the_document() -> None:
    stale = [
        str(path)
        for path, text in python_files(DOCUMENT).items()
        if not (ROOT / path).exists() or (ROOT / path).read_text() != text
    ]

    if is_stale(DOCUMENT, ROOT):
        stale.append(str(TYPES))
    assert stale == [], "run `make clients`"


def test_every_reference_leads_somewhere() -> None:
    names = re.findall(r'"#/components/(\w+)/([^"]+)"', json.dumps(DOCUMENT))

    assert {
        (kind, name) for kind, name in names if name not in DOCUMENT["components"][kind]
    } == set()
