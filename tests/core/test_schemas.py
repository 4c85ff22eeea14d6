from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ValidationError

from app.core.schemas import Count, Day, JsonObject, Timestamp, add_problems, problem_responses


class Sample(BaseModel):
    day: Day = date(2026, 1, 1)
    time: Timestamp = datetime(2026, 1, 1, tzinfo=UTC)
    count: Count = 0
    object: JsonObject = {}


@pytest.mark.parametrize("count", [5, 5.0])
def test_a_whole_number_may_have_a_decimal_point(count: float) -> None:
    assert Sample(count=count).count == 5


@pytest.mark.parametrize("count", [5.5, "5", True, -1, 2**54])
def test_an_invalid_count_is_refused(count: Any) -> None:  # noqa: ANN401
    with pytest.raises(ValidationError):
        Sample(count=count)


@pytest.mark.parametrize("day", [0, "0", "2026-1-1", "2026-02-30", "2026-01-01T00:00:00", True])
def test_an_invalid_day_is_refused(day: Any) -> None:  # noqa: ANN401
    with pytest.raises(ValidationError, match=r"Must be a day in the form YYYY-MM-DD\."):
        Sample(day=day)


@pytest.mark.parametrize(
    "time", ["2026-02-30T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01T25:00:00Z", "01/02/2026", 5]
)
def test_an_invalid_time_is_refused_with_what_to_write(time: Any) -> None:  # noqa: ANN401
    with pytest.raises(ValidationError, match="Must be a time with a zone"):
        Sample(time=time)


def test_bounds_are_documented() -> None:
    count = Sample.model_json_schema()["properties"]["count"]

    assert (count["type"], count["minimum"], count["maximum"]) == ("integer", 0, 2**53)


def test_documented_problems_refer_to_a_schema() -> None:
    app = FastAPI(responses=problem_responses(404))
    app.add_api_route("/samples", lambda: None, response_model=Sample)
    document = app.openapi()

    add_problems(document)

    problem = document["paths"]["/samples"]["get"]["responses"]["404"]
    name = problem["content"]["application/problem+json"]["schema"]["$ref"].rpartition("/")[2]
    assert {"code", "message", "detail"} <= set(document["components"]["schemas"][name]["required"])
