"""Hostile requests to every route: each answer is documented, and nothing leaks or hangs."""

import random
from collections.abc import Iterator
from itertools import islice

import pytest
from fastapi.testclient import TestClient

from app.core.db import SessionFactory
from tests.hostile.answers import faults, send
from tests.hostile.conftest import OTHER, Tenants, rows_digest
from tests.hostile.requests import HostileRequest, RequestMaker
from tests.hostile.whole_requests import bad_bodies, bad_headers, bad_heads
from tests.other_tenant import id_for
from tests.test_openapi import OPERATIONS

VALUES, WHOLES = 8, 5
"""How many requests a route gets with hostile values, and how many that are strange as a whole."""


def drawn(maker: RequestMaker, factor: int) -> Iterator[HostileRequest]:
    yield from islice(maker.bad_values(), VALUES * factor)
    valid = maker.valid()
    others = [*bad_headers(valid), *bad_heads(valid)]
    if valid.body:
        others += bad_bodies(valid)
    yield from maker.draw.sample(others, k=min(len(others), WHOLES * factor))


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_answer_is_documented_and_has_nothing_of_another_tenant(
    ours: TestClient, sessions: SessionFactory, tenants: Tenants, name: str, factor: int
) -> None:
    draw = random.Random(name)  # noqa: S311 - the same requests in each run
    maker = RequestMaker(name, id_for(ours, name), tenants.own_key, tenants.secrets, draw)
    before = rows_digest(sessions, OTHER)

    for request in drawn(maker, factor):
        answer = send(ours, request)
        assert faults(request, answer, tenants.secrets) == [], (request, answer)

    assert rows_digest(sessions, OTHER) == before
