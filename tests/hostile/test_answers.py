"""The checks of answers find what they look for."""

import pytest

from tests.hostile.answers import Answer, faults
from tests.hostile.requests import HostileRequest

NAME = "GET /api/v1/users"
REQUEST = HostileRequest("GET", b"/api/v1/users/known")
PROBLEM = (
    b'{"type":"/problems/x","title":"x","status":401,"detail":"x","code":"x","message":"x",'
    b'"request_id":"x"}'
)
HEADERS = {"content-type": "application/problem+json", "www-authenticate": "Bearer"}


def faults_of(answer: Answer) -> list[str]:
    return faults(REQUEST, answer, [b"canary", b"known"])


def test_a_documented_problem_has_no_fault() -> None:
    assert faults_of(Answer(NAME, 401, HEADERS, PROBLEM)) == []
    assert faults_of(Answer(NAME, 200, {"content-type": "application/json"}, b'"known"')) == []


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(NAME, 500, HEADERS, PROBLEM.replace(b"401", b"500")), "status 500"),
        (Answer(NAME, 413, HEADERS, PROBLEM.replace(b"401", b"413")), "status 413"),
        (Answer("", 200, {}, b""), "status 200"),
        (Answer(NAME, 200, {}, b"the canary"), "leak b'canary'"),
        (Answer(NAME, 200, {"x": "a\nb"}, b""), "header x"),
        (Answer(NAME, 401, {"content-type": HEADERS["content-type"]}, PROBLEM), "no www-auth"),
        (Answer(NAME, 401, {**HEADERS, "content-type": "text/plain"}, PROBLEM), "content type"),
        (Answer(NAME, 403, HEADERS, PROBLEM), "contradicts itself"),
        (Answer(NAME, 401, HEADERS, PROBLEM.replace(b'"code"', b'"c"')), "no code"),
    ],
)
def test_a_fault_of_an_answer_is_found(answer: Answer, fault: str) -> None:
    assert [each for each in faults_of(answer) if each.startswith(fault)]
