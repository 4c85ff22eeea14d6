"""Send calls with httpx, and repeat them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, Self

import httpx

from customer_health.calls import Call
from customer_health.retries import Outcome, Retries, read_answer

TIMEOUT_SECONDS = 30.0
AGENT = "customer-health-client/0.1.0"


class _Settings:
    """What both callers are made of. ``url`` is the address of the service, without a path."""

    def __init__(self, api_key: str, url: str, retries: Retries) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}", "User-Agent": AGENT}
        self._retries = retries

    def _request(self, call: Call) -> dict[str, Any]:
        return {
            "method": call.method,
            "url": self._url + call.target(),
            "content": call.content(),
            "headers": self._headers | call.headers(),
        }


class Caller(_Settings):
    """``http``: a client of your own, for proxies, certificates or limits; you close it."""

    def __init__(
        self,
        api_key: str,
        url: str,
        *,
        retries: Retries = Retries(),  # noqa: B008 - it is frozen
        http: httpx.Client | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        super().__init__(api_key, url, retries)
        self._own = httpx.Client(timeout=TIMEOUT_SECONDS) if http is None else None
        self._http = http or self._own or httpx.Client()
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._own:
            self._own.close()

    def send(self, call: Call) -> Any:  # noqa: ANN401 - any JSON
        """Send a call until it has an answer; return its JSON or raise its problem."""
        for attempt in count(1):
            outcome = self._outcome(call)
            wait = self._retries.wait_after(call, attempt, outcome)
            if wait is None:
                break
            self._sleep(wait)
        return read_answer(call, outcome)

    def _outcome(self, call: Call) -> Outcome:
        try:
            return self._http.request(**self._request(call))
        except httpx.TransportError as error:
            return error


class AsyncCaller(_Settings):
    """``http``: a client of your own, for proxies, certificates or limits; you close it."""

    def __init__(
        self,
        api_key: str,
        url: str,
        *,
        retries: Retries = Retries(),  # noqa: B008 - it is frozen
        http: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        super().__init__(api_key, url, retries)
        self._own = httpx.AsyncClient(timeout=TIMEOUT_SECONDS) if http is None else None
        self._http = http or self._own or httpx.AsyncClient()
        self._sleep = sleep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        if self._own:
            await self._own.aclose()

    async def send(self, call: Call) -> Any:  # noqa: ANN401 - any JSON
        """Send a call until it has an answer; return its JSON or raise its problem."""
        for attempt in count(1):
            outcome = await self._outcome(call)
            wait = self._retries.wait_after(call, attempt, outcome)
            if wait is None:
                break
            await self._sleep(wait)
        return read_answer(call, outcome)

    async def _outcome(self, call: Call) -> Outcome:
        try:
            return await self._http.request(**self._request(call))
        except httpx.TransportError as error:
            return error
