from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.health.scoring import service
from app.health.scoring.assess import Assessment
from tests import factories
from tests.health.builders import AS_OF
from tests.health.crowd import NOW
from tests.lock_waits import wait_until_blocked

LATER, TOMORROW = NOW + timedelta(hours=1), NOW + timedelta(days=1)


def refresh(session: Session, *account_ids: str, now: datetime = NOW) -> list[Assessment]:
    return service.refresh(session, "acme", account_ids, as_of=now.date(), now=now)


def test_the_later_of_two_concurrent_refreshes_sees_what_the_earlier_saw(
    committed: SessionFactory,
) -> None:
    with transaction(committed) as session:
        factories.account(session, "a1")
        refresh(session, "a1")

    with ThreadPoolExecutor(1) as threads, transaction(committed) as second:
        with transaction(committed) as first:
            factories.usage(first, AS_OF)
            refresh(first, "a1")
            waiting = threads.submit(refresh, second, "a1", now=LATER)
            wait_until_blocked(first)
        [found] = waiting.result(timeout=120)

    assert found.details["last_used_on"] == AS_OF


@pytest.mark.parametrize("scored_before", [False, True])
def test_accounts_are_locked_in_key_order_so_that_refreshes_never_deadlock(
    committed: SessionFactory, *, scored_before: bool
) -> None:
    with transaction(committed) as session:
        for account_id in ("a1", "a2"):
            factories.account(session, account_id)
        refresh(session, *(("a1", "a2") if scored_before else ()))

    with ThreadPoolExecutor(1) as threads, transaction(committed) as second:
        with transaction(committed) as first:
            refresh(first, "a1")
            waiting = threads.submit(refresh, second, "a2", "a1")
            wait_until_blocked(first)
            assert len(refresh(first, "a2")) == 1
        assert len(waiting.result(timeout=120)) == 2
