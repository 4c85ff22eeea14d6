"""Make semantic track calls, and read the resulting engagement."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.engagement.queries import load_engagement
from app.engagement.snapshot import Engagement
from tests.conftest import NOW
from tests.events.calls import track

DAY = timedelta(days=1)
TODAY = NOW.date()


def semantic_call(
    name: str,
    message_id: str,
    *,
    days: float = 0,
    **properties: Any,  # noqa: ANN401
) -> dict[str, Any]:
    """Make a track call of ada in account a1, some days ago.

    ``userId`` and ``context`` replace those of the call.
    """
    call = {key: properties.pop(key) for key in ("userId", "context") if key in properties}
    at = (NOW - days * DAY).isoformat()
    return track(message_id, event=name, timestamp=at, properties=properties, **call)


def days_ago(days: int) -> date:
    return TODAY - days * DAY


def engagement_of(session: Session, as_of: date = TODAY, account_id: str = "a1") -> Engagement:
    session.expire_all()
    return load_engagement(session, "acme", [account_id], as_of=as_of, now=NOW)[account_id]
