import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar, cast

import httpx
import pytest
from customer_health import AsyncClient, Client
from fastapi.testclient import TestClient

T = TypeVar("T")
RunAsync = Callable[[Callable[[AsyncClient], Awaitable[T]]], T]


def key_of(client: TestClient) -> str:
    return client.headers["Authorization"].removeprefix("Bearer ")


def in_process(client: TestClient, key: str) -> Client:
    """Return the Python client for the app in this process."""
    return Client(key, "http://testserver", http=cast("Any", client))


@pytest.fixture
def api(client: TestClient) -> Iterator[Client]:
    with in_process(client, key_of(client)) as api:
        yield api


@pytest.fixture
def run_async(client: TestClient) -> RunAsync[T]:
    """Run a function of the asynchronous Python client, for the app in this process."""

    async def run(function: Callable[[AsyncClient], Awaitable[T]]) -> T:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(client.app)) as http:
            return await function(AsyncClient(key_of(client), "http://testserver", http=http))

    return lambda function: asyncio.run(run(function))
