"""The comparison finds what is planted: nothing passes that was lost, doubled or unexpected."""

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.faults.ledger import Evidence, Received, compare
from tests.faults.processes import unexpected_lines
from tests.faults.traffic import find_unexpected

GOOD = Evidence(
    acked={"e1": "a", "e2": "b"},
    sent={"e1", "e2", "e3"},
    stored=["e1", "e2", "e3"],  # e3: committed, but its answer did not arrive
    counted={"a": 2, "b": 1},
    stored_by_account={"a": 2, "b": 1},
    announced={"b"},
    messages={"m1": "b"},
    received=[Received("m1", "b"), Received("m1", "b")],
    recorded=["m1"],
)


def test_evidence_in_which_all_agrees_holds() -> None:
    outcome = compare(GOOD)

    assert outcome.held
    assert (outcome.acked, outcome.stored, outcome.counted, outcome.delivered) == (2, 3, 3, 1)


def test_a_scenario_in_which_nothing_was_acknowledged_does_not_hold() -> None:
    assert not compare(replace(GOOD, acked={})).held


@pytest.mark.parametrize(
    ("planted", "kind", "sentence"),
    [
        ({"stored": ["e1", "e3"]}, "lost", "event e2 was acknowledged, not stored"),
        ({"counted": {"a": 1, "b": 1}}, "lost", "counts miss 1 events of a"),
        ({"counted": {"a": 2}}, "lost", "counts miss 1 events of b"),
        ({"announced": {"a", "b"}}, "lost", "account a was never announced"),
        ({"messages": {"m1": "b", "m2": "a"}}, "lost", "message m2 was not delivered"),
        ({"stored": ["e1", "e2", "e2"]}, "doubled", "event e2 is stored twice"),
        ({"counted": {"a": 2, "b": 2}}, "doubled", "counts have 1 events too many of b"),
        ({"counted": {"a": 2, "b": 1, "c": 1}}, "doubled", "counts have 1 events too many of c"),
        (
            {
                "messages": {"m1": "b", "m2": "b"},
                "received": [Received("m1", "b"), Received("m2", "b")],
            },
            "doubled",
            "account b was announced twice",
        ),
        ({"recorded": ["m1", "m1"]}, "doubled", "message m1 is recorded twice"),
        ({"stored": ["e1", "e2", "e9"]}, "unexpected", "event e9 was never sent"),
        (
            {"received": [Received("m1", "b", verified=False)]},
            "unexpected",
            "message m1 has a wrong signature",
        ),
        (
            {"received": [Received("m1", "b"), Received("m9", "b")]},
            "unexpected",
            "message m9 is not recorded",
        ),
        ({"unexpected": ["the answer 500"]}, "unexpected", "the answer 500"),
    ],
)
def test_a_planted_fault_is_reported(planted: dict[str, object], kind: str, sentence: str) -> None:
    outcome = compare(replace(GOOD, **planted))  # type: ignore[arg-type]

    found = {name: getattr(outcome, name) for name in ("lost", "doubled", "unexpected")}
    assert sentence in found[kind]
    assert not outcome.held


PROBLEM = {"content-type": "application/problem+json"}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (httpx.Response(200, json={"accepted": 1, "duplicates": 1}), None),
        (
            httpx.Response(
                503, json={"code": "overloaded"}, headers=PROBLEM | {"retry-after": "2"}
            ),
            None,
        ),
        (httpx.Response(200, json={"accepted": 1}), "a receipt for 1 of 2 events"),
        (httpx.Response(500, json={"code": "internal_error"}), "the answer 500 internal_error"),
        (httpx.Response(502, text="<html>"), "the answer 502 None"),
        (
            httpx.Response(503, json={"code": "overloaded"}),
            "the answer 503 without Retry-After",
        ),
    ],
)
def test_an_answer_that_is_not_documented_is_reported(
    answer: httpx.Response, sentence: str | None
) -> None:
    assert find_unexpected(answer, 2) == sentence


def test_a_line_of_a_log_that_is_not_documented_is_reported(tmp_path: Path) -> None:
    log = tmp_path / "worker-1.log"
    log.write_text(
        '{"event": "database_error", "reason": "gone"}\n'
        '{"event": "refresh_failed", "exception": "Traceback\\nValueError"}\n'
        "Segmentation fault\n"
    )

    assert [*unexpected_lines(log, {"database_error"})] == [
        "worker-1 logged refresh_failed: ValueError",
        "worker-1 logged 'Segmentation fault'",
    ]
