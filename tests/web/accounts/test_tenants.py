"""A member of another workspace sees and does nothing: generated over all routes of the page."""

import re
from typing import Any

import pytest

from app.members.roles import Role
from tests.web.accounts.conftest import SILENT, Company
from tests.web.conftest import parse
from tests.web.frame.test_safety import ACTS, PAGES, WITHOUT_SESSION

ACCOUNT_WORDS = (SILENT, "c00", "ann@example.com", "Acme", "acme", "member-acme", "admin-acme")


def ids_of(company: Company) -> dict[str, str]:
    """Return an id of the workspace ``acme`` for each part of a path."""
    suggestions = company.api.get("/api/v1/suggestions").json()["items"]
    members = company.api.get("/api/v1/members").json()["items"]
    alerts = company.api.get("/api/v1/alerts").json()["items"]
    return {
        "account_id": SILENT,
        "intervention_id": suggestions[0]["id"],
        "member_id": members[0]["id"],
        "alert_id": alerts[0]["id"],
        **{
            f"{kind}_id": company.api.get(f"/api/v1/{kind}s").json()["items"][-1]["id"]
            for kind in ("note", "task")
        },
    }


def filled(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda part: ids[part[1]], path)


def everything(company: Company) -> dict[str, Any]:
    """Return what the workspace ``acme`` has, without the audit entries of the test itself."""
    paths = (
        *("members", "segments", "suggestions", "interventions", "alerts?state=all"),
        *("notes", "tasks", "audit-entries?limit=1"),
    )
    return {path: company.api.get(f"/api/v1/{path}").json()["items"] for path in paths}


@pytest.mark.parametrize("path", sorted(set(PAGES) - WITHOUT_SESSION))
def test_a_page_has_nothing_of_another_workspace(company: Company, path: str) -> None:
    company.browser(Role.ADMIN)  # there is somebody to be seen
    theirs = company.browser(Role.ADMIN, "other")

    answer = theirs.get(filled(path, ids_of(company)))

    words = [word for word in ACCOUNT_WORDS if word != SILENT or "{account_id}" not in path]
    # As words of their own: a token may contain "c00".
    assert [word for word in words if re.search(rf"(?<![\w-]){word}(?![\w-])", answer.text)] == []
    no_page = {"/live": 406}  # a stream for scripts: tests/web/live
    assert answer.status_code == (404 if "{" in path else no_page.get(path, 200))


@pytest.mark.parametrize("path", ACTS)
def test_an_act_changes_nothing_of_another_workspace(company: Company, path: str) -> None:
    company.browser(Role.ADMIN)
    theirs = company.browser(Role.ADMIN, "other")
    forms = parse(theirs.get("/profile")).forms
    csrf = next(each.fields["csrf"] for each in forms if "csrf" in each.fields)
    ids, before = ids_of(company), everything(company)
    fields = {
        "csrf": csrf,
        "role": "viewer",
        "reason": "Because.",
        "name": "Segment",
        "segment": "theirs",
        f"alert:{ids['alert_id']}": "on",
        "act": "resolve",
        "text": "A note.",
        "title": "A task",
        "value": "2",
        "email": f"new-{len(company.members)}@example.com",
    }

    answer = theirs.client.post(filled(path, ids), data=fields)

    assert everything(company) == before
    if "{" in path:
        assert answer.status_code == 404
