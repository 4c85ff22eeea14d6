"""Insert many accounts with the same usage over months, in bulk."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.health.scoring.assess import month_ends
from app.tables import Account, DailyReach, DailyUsage, EventName, FirstUse
from tests import factories
from tests.health.builders import AS_OF, LONG_AGO

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
EVERY_MONTH: Sequence[date] = (AS_OF, *month_ends(AS_OF, 7))


def name_events(session: Session, *names: str, is_view: bool = False) -> None:
    """Register event names, as ingestion does when it first sees them."""
    for name in names:
        row = EventName(
            workspace_id="acme", name=name, is_view=is_view, first_seen_at=factories.LONG_AGO
        )
        session.add(row)
    session.flush()


def crowd(
    session: Session,
    numbers: Iterable[int],
    *,
    segment: str | None = None,
    days: Sequence[date] = EVERY_MONTH,
    event_names: Sequence[str] = ("Export", "Share"),
    pays: bool = True,
) -> list[str]:
    """Insert accounts; account n has n users on two days up to each day and pays $100 n a month."""
    factories.workspace(session)
    ids = [f"a{number:03}" for number in numbers]
    session.execute(
        insert(Account),
        [{"workspace_id": "acme", "account_id": key, "segment": segment} for key in ids],
    )
    for key in ids:
        _use(session, key, int(key[1:]), days, event_names)
        if pays:
            cents = int(key[1:]) * 100_00
            factories.subscription(session, key, mrr_cents=cents, seats=100)
    return ids


def _use(
    session: Session, key: str, users: int, days: Sequence[date], event_names: Sequence[str]
) -> None:
    of_account = {"workspace_id": "acme", "account_id": key}
    on = [day - timedelta(days=back) for day in days for back in (0, 1)]
    session.execute(
        insert(DailyUsage),
        [
            {
                **of_account,
                "day": day,
                "known_on": day,
                "user_id": f"{key}-{user}",
                "is_anonymous": False,
                "event_name": name,
                "events": 1,
            }
            for day in on
            for name in event_names
            for user in range(min(users, 9))
        ],
    )
    session.execute(
        insert(DailyReach),
        [
            {**of_account, "day": day, "known_on": day, "end_customer_id": f"c{number}"}
            for day in on
            for number in range(users)
        ],
    )
    session.execute(insert(FirstUse), [{**of_account, "known_on": LONG_AGO, "day": LONG_AGO}])
