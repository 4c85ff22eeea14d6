"""Plain functions that send semantic events and look at what they did."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.engagement.queries import standing
from app.engagement.values import Engagement
from tests.conftest import NOW
from tests.events.calls import track

DAY = timedelta(days=1)
TODAY = NOW.date()


def told(name: str, message_id: str, *, days: float = 0, **said: Any) -> dict[str, Any]:  # noqa: ANN401
    """A track call of ada in account a1, so many days ago; small letters are properties."""
    call = {name: said.pop(name) for name in ("userId", "context") if name in said}
    at = (NOW - days * DAY).isoformat()
    return track(message_id, event=name, timestamp=at, properties=said, **call)


def on(days: int) -> date:
    return TODAY - days * DAY


def seen(session: Session, as_of: date = TODAY, account_id: str = "a1") -> Engagement:
    session.expire_all()
    return standing(session, "acme", [account_id], as_of=as_of, now=NOW)[account_id]
