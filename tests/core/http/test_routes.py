"""A declared route says the same as a route of FastAPI, and is built when it is needed."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Query, Response
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from app.core.http.routes import DeclaredRoute
from app.core.schemas import ResponseModel
from app.main import ROUTERS

ADDED_BY_BUILDING = {"description", "app", "form_limits"}


class Greeting(ResponseModel):
    text: str


def greet(name: str, times: int = Query(1, le=3)) -> Greeting:
    """Greet somebody."""
    return Greeting(text=" ".join([name] * times))


def empty() -> Response:
    return Response(status_code=204)


def stated(route: APIRoute) -> dict[str, Any]:
    return {name: vars(route)[name] for name in vars(route) if name not in ADDED_BY_BUILDING}


@pytest.mark.parametrize("endpoint", [greet, empty])
def test_it_states_what_a_route_of_fastapi_states(endpoint: Callable[..., object]) -> None:
    declared = stated(DeclaredRoute("/greetings/{name}", endpoint, methods=["post"]))
    full = stated(APIRoute("/greetings/{name}", endpoint, methods=["post"]))

    assert declared.pop("_options") == {"methods": ["post"]}
    for name in ("tags", "dependencies", "responses"):  # None is none of them
        assert declared.pop(name) is None
        assert full.pop(name) in ([], {})
    assert declared.items() <= full.items()


def test_it_is_built_once_something_asks_for_more() -> None:
    route = DeclaredRoute("/greetings/{name}", greet)
    assert "dependant" not in vars(route)

    assert [field.name for field in route.dependant.path_params] == ["name"]
    assert route.description == "Greet somebody."
    assert route.response_model is Greeting
    with pytest.raises(AttributeError):
        _ = route.nonsense


def test_an_included_router_answers_with_it() -> None:
    router = APIRouter(route_class=DeclaredRoute)
    router.add_api_route("/greetings/{name}", greet, status_code=201)
    app = FastAPI()
    app.include_router(router, prefix="/v9")
    client = TestClient(app)

    assert client.get("/v9/greetings/kim?times=2").json() == {"text": "kim kim"}
    assert client.get("/v9/greetings/kim").status_code == 201
    assert client.get("/v9/greetings/kim?times=4").status_code == 422
    assert client.post("/v9/greetings/kim").status_code == 405
    assert client.get("/openapi.json").json()["paths"].keys() == {"/v9/greetings/{name}"}


def test_the_model_of_each_answer_is_the_one_that_fastapi_finds() -> None:
    for route in (each for router in ROUTERS for each in router.routes):
        assert isinstance(route, DeclaredRoute)
        declared = vars(route)["response_model"]
        assert (route.path, route.response_field is None) == (route.path, declared is None)
        assert route.response_model == declared
