from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest
from fastapi.testclient import TestClient

from app.core.pagination import InvalidCursorError, Paging, PositionType, encode_cursor

AT = datetime(2026, 3, 4, 5, 6, 7, 890, UTC)


@pytest.mark.parametrize(
    ("position", "types"),
    [(7, [int]), ((AT, "b"), [datetime, str]), ((date(2026, 3, 4), 2), [date, int])],
)
def test_a_page_starts_after_the_previous_one(
    position: object, types: Sequence[PositionType]
) -> None:
    page = Paging(1, None).page(["a", "b"], str.upper, lambda _: position)

    assert page.items == ["A"]
    assert Paging(1, page.next_cursor).position(*types) == position


def test_the_last_page_has_no_cursor() -> None:
    assert Paging(2, None).page(["a", "b"], str.upper, len).next_cursor is None


def test_the_first_page_has_no_position() -> None:
    assert Paging(2, None).position(str) is None


@pytest.mark.parametrize("part", [7, "soon", "2026-03-04T05:06:07"])
def test_a_cursor_with_an_invalid_time_is_refused(part: object) -> None:
    with pytest.raises(InvalidCursorError):
        Paging(1, encode_cursor(part)).position(datetime)


@pytest.mark.parametrize("name", ["limit", "cursor"])
def test_paging_parameters_cannot_be_repeated(client: TestClient, name: str) -> None:
    answer = client.get(f"/api/v1/users?{name}=1&{name}=2")

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [f"/query/{name}"]
