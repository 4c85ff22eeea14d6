"""Workflows of one tenant, generated from the OpenAPI document, beside the data of another one.

The links between operations are those that Schemathesis infers: an id of one answer is in the next
request.
"""

from collections import Counter
from typing import Any

import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import Case, Response
from schemathesis.specs.openapi.checks import (
    ensure_resource_availability,
    positive_data_acceptance,
    use_after_free,
)
from sqlalchemy import Connection

from app.core.db import SessionFactory
from tests.hostile.answers import leaks
from tests.hostile.conftest import OTHER, Tenants, rows_digest

WORKFLOWS, STEPS = 8, 25
MORE_THAN_A_SCHEMA_SAYS: list[Any] = [
    positive_data_acceptance,  # rules that a schema cannot express: tests/test_openapi.py
    ensure_resource_availability,  # a draft or an alert may be gone by its own rules
    use_after_free,  # an erasure is a job: its account is readable until it ends
]


def test_workflows_of_a_tenant_conform_and_touch_nothing_of_another_tenant(
    app: FastAPI, ours: TestClient, sessions: SessionFactory, tenants: Tenants, factor: int
) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    schema.config.generation.update(with_security_parameters=False)
    machine: Any = schema.as_state_machine()
    answered: Counter[str] = Counter()

    connection: Connection = sessions.kw["bind"]

    class Workflow(machine):  # type: ignore[misc]
        def setup(self) -> None:
            super().setup()
            self.savepoint = connection.begin_nested()

        def teardown(self) -> None:
            """Undo the workflow: Hypothesis expects that each one begins alike."""
            self.savepoint.rollback()
            super().teardown()

        def get_call_kwargs(self, case: "Case[Any]") -> dict[str, Any]:
            del case
            return {"headers": {"Authorization": ours.headers["Authorization"]}}

        def validate_response(self, response: Response, case: "Case[Any]", **options: Any) -> None:  # noqa: ANN401
            case.validate_response(response, excluded_checks=MORE_THAN_A_SCHEMA_SAYS, **options)
            sent = f"{response.request.url} {response.request.body!r}".encode()
            assert leaks(sent, response.content, tenants.secrets) == []
            answered[str(response.status_code)[0]] += 1

    before = rows_digest(sessions, OTHER)
    run_state_machine_as_test(
        Workflow,
        settings=settings(
            max_examples=WORKFLOWS * factor,
            stateful_step_count=STEPS,
            phases=[Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

    assert answered["2"] > WORKFLOWS, answered  # otherwise nothing was tried
    assert rows_digest(sessions, OTHER) == before
