"""A workspace whose accounts use less and less before they fall silent, for end-to-end training."""

from datetime import date, timedelta

import numpy as np
from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.tables import Account, DailyUsage, FirstUse
from tests import factories
from tests.conftest import NOW

START = date(2025, 7, 7)
WEEKS = (NOW.date() - START).days // 7 + 1
FADES_FOR = 8
QUIET_SHARE = 0.2


def create_fading_workspace(
    session: Session, *, accounts: int = 60, leave: int = 24, workspace_id: str = "acme"
) -> None:
    """Create accounts; ``leave`` of them fall silent in turn, each after weeks of less use."""
    factories.workspace(session, workspace_id)
    random = np.random.default_rng(4)
    ids = [f"a{n:03}" for n in range(accounts)]
    ends = [7 + n * (WEEKS - 13) // max(leave, 1) if n < leave else 10**6 for n in range(accounts)]
    usage = [
        {"account_id": account_id, "day": START + timedelta(days=7 * week + n % 5), "events": count}
        for n, account_id in enumerate(ids)
        for week in range(min(ends[n], WEEKS))
        if (count := _count(random, ends[n] - week)) > 0
    ]
    owner = {"workspace_id": workspace_id}
    session.execute(insert(Account), [{**owner, "account_id": each} for each in ids])
    session.execute(
        insert(DailyUsage),
        [
            {**owner, **row, "known_on": row["day"], "event_name": "Export", "user_id": "ada"}
            | {"is_anonymous": False}
            for row in usage
            if isinstance(row["day"], date) and row["day"] < NOW.date()
        ],
    )
    first = [START + timedelta(days=n % 5) for n in range(accounts)]
    session.execute(
        insert(FirstUse),
        [
            {**owner, "account_id": each, "known_on": day, "day": day}
            for each, day in zip(ids, first, strict=True)
        ],
    )


def _count(random: np.random.Generator, weeks_left: int) -> int:
    """Draw a week's events. Accounts that stay are quiet for a while too: nothing is certain."""
    is_quiet = weeks_left <= FADES_FOR or random.random() < QUIET_SHARE
    return int(random.poisson(random.uniform(2, 20) if is_quiet else random.uniform(5, 40)))
