"""The protocol as agents speak it: both revisions, keys, refusals."""

import json
from typing import Any

import jsonschema
import pytest
from fastapi.testclient import TestClient
from mcp import Client
from mcp_types import ListToolsResult

from app.mcp.server import MAX_BODY_BYTES, TOOLS
from tests.mcp.agent import Agent, Mode

CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
ACCEPT = {"Accept": "application/json, text/event-stream"}


async def list_tools(connected: Client) -> tuple[str, ListToolsResult]:
    return connected.protocol_version, await connected.list_tools()


@pytest.mark.parametrize(("mode", "revision"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
def test_both_revisions_have_all_tools(api: TestClient, mode: Mode, revision: str) -> None:
    spoken, listed = Agent(api, mode).use(list_tools)

    assert spoken == revision
    assert [each.name for each in listed.tools] == list(TOOLS)
    for each in listed.tools:
        assert each.description
        assert each.title
        assert each.annotations is not None
        assert each.annotations.read_only_hint
        assert each.annotations.destructive_hint is False
        jsonschema.Draft202012Validator.check_schema(each.input_schema)
        assert each.output_schema is not None
        assert {"as_of", "link"} <= each.output_schema["properties"].keys()


def test_an_output_schema_has_no_examples_but_keeps_fields_of_that_name(api: TestClient) -> None:
    _, listed = Agent(api).use(list_tools)

    text = json.dumps([each.output_schema for each in listed.tools])
    assert '"examples": [' not in text
    assert '"title": {' in text  # a task has a title


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_an_answer_fits_its_schema_in_both_revisions(api: TestClient, mode: Mode) -> None:
    agent = Agent(api, mode)
    _, listed = agent.use(list_tools)
    schemas = {each.name: each.output_schema for each in listed.tools}

    questions: dict[str, dict[str, Any]] = {
        "find_accounts": {},
        "account_brief": {"account_id": "c05"},
        "explain_change": {"account_id": "c05"},
        "at_risk": {},
        "today": {},
        "suggestions": {},
        "changes_since": {},
        "report": {"name": "cohorts"},
        "simulate_scorecard": {"version": 1},
        "backtest_rule": {"key": "health_at_risk"},
        "trace_event": {"message_id": "nothing"},
    }
    assert questions.keys() == TOOLS.keys()
    for name, arguments in questions.items():
        result = agent.call(name, **arguments)
        assert not result.is_error, (name, result.content)
        jsonschema.validate(result.structured_content, schemas[name])
        [content] = result.content
        assert json.loads(getattr(content, "text")) == result.structured_content  # noqa: B009


def test_a_key_is_needed(api: TestClient) -> None:
    for headers in ({}, {"Authorization": "Bearer hk_nonsense"}):
        answer = TestClient(api.app, headers=headers).post("/mcp", json=CALL, headers=ACCEPT)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_api_key")


def test_a_key_that_may_not_read_is_refused(api: TestClient) -> None:
    key = api.post("/api/v1/api-keys", json={"name": "writer", "scopes": ["ingest:write"]}).json()
    headers = {"Authorization": f"Bearer {key['key']}"} | ACCEPT

    answer = api.post("/mcp", json=CALL, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "key_scope")


def test_there_is_no_stream_and_no_session_to_end(api: TestClient) -> None:
    assert api.get("/mcp", headers=ACCEPT).status_code == 405
    assert api.delete("/mcp").status_code == 405


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, "invalid_input: The arguments are invalid.\n/account_id: Field required"),
        ({"account_id": "nobody"}, "not_found: No account nobody in this workspace."),
        ({"account_id": "theirs"}, "not_found: No account theirs in this workspace."),
        ({"account_id": 7}, "/account_id: Input should be a valid string"),
        ({"account_id": "c05", "since": "lately"}, "/since: Must be a day in the form YYYY-MM-DD."),
        (
            {"account_id": "c05", "since": "2026-03-02", "until": "2026-03-01"},
            "`since` must not be later than `until`.",
        ),
    ],
)
def test_a_wrong_argument_is_an_error_that_an_agent_can_act_on(
    agent: Agent, arguments: dict[str, Any], expected: str
) -> None:
    result = agent.call("explain_change", **arguments)

    assert result.is_error
    assert result.structured_content is None
    assert expected in "".join(getattr(each, "text", "") for each in result.content)


def test_an_unknown_tool_names_the_known_ones(agent: Agent) -> None:
    result = agent.call("delete_everything")

    assert result.is_error
    assert "Use one of find_accounts, account_brief" in str(result.content)


def test_a_large_body_is_refused(api: TestClient) -> None:
    body = json.dumps(CALL | {"params": {"x": "y" * MAX_BODY_BYTES}})

    answer = api.post("/mcp", content=body, headers=ACCEPT | {"Content-Type": "application/json"})

    assert answer.status_code == 413


@pytest.mark.parametrize("body", ["", "[]", "{", '"text"', '{"jsonrpc": "2.0"}', "null"])
def test_what_is_no_request_is_refused(api: TestClient, body: str) -> None:
    headers = ACCEPT | {"Content-Type": "application/json", "MCP-Protocol-Version": "2026-07-28"}

    answer = api.post("/mcp", content=body, headers=headers)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] < 0
