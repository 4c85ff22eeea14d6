from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest
from fastapi.testclient import TestClient

from app.core.pagination import InvalidCursorError, Paging, PositionType, encode_cursor

AT = datetime(2026, 3, 4, 5, 6, 7, 890, UTC)


@pytest.mark.parametrize(
    ("place", "kinds"),
    [(7, [int]), ((AT, "b"), [datetime, str]), ((date(2026, 3, 4), 2), [date, int])],
)
def test_a_list_goes_on_where_the_page_before_ended(
    place: object, kinds: Sequence[PositionType]
) -> None:
    page = Paging(1, None).page(["a", "b"], str.upper, lambda _: place)

    assert page.items == ["A"]
    assert Paging(1, page.next_cursor).after(*kinds) == place


def test_the_last_page_leads_nowhere() -> None:
    assert Paging(2, None).page(["a", "b"], str.upper, len).next_cursor is None


def test_the_first_page_begins_nowhere() -> None:
    assert Paging(2, None).after(str) is None


@pytest.mark.parametrize("part", [7, "soon", "2026-03-04T05:06:07"])
def test_a_cursor_with_a_moment_that_is_none_is_not_ours(part: object) -> None:
    with pytest.raises(InvalidCursorError):
        Paging(1, encode_cursor(part)).after(datetime)


@pytest.mark.parametrize("name", ["limit", "cursor"])
def test_a_page_is_asked_for_once(client: TestClient, name: str) -> None:
    answer = client.get(f"/api/v1/users?{name}=1&{name}=2")

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [f"/query/{name}"]
