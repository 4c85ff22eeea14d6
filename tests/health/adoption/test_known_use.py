"""Adoption in the first weeks of a source: what was before its first event is unknown."""

from datetime import date, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.tables import HealthScore, ProductFeature, SourceEventName
from tests import factories
from tests.conftest import NOW
from tests.health.adoption.test_endpoints import (
    accounts,
    catalog,
    get_adoption,
    listed_account_ids,
)

__all__ = ["accounts", "catalog"]


def day(back: int) -> date:
    return NOW.date() - timedelta(days=back)


def add_sources(session: Session, *, web: int, mobile: int | None) -> None:
    """The web sends Home since ``web`` days, mobile sends Login (SSO) since ``mobile`` days."""
    session.get_one(ProductFeature, ("acme", "sso")).event_names = ["Login"]
    factories.first_use(session, day(web))
    rows = [("web", "Home", web), ("mobile", "Login", mobile)]
    for key_id, name, back in rows:
        if back is not None:
            columns = {"key_id": key_id, "name": name, "first_day": day(back)}
            session.add(SourceEventName(workspace_id="acme", **columns))
    for row in session.query(HealthScore):
        row.as_of = NOW.date()
    session.commit()


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize(
    ("web", "mobile", "known_from"),
    [  # two windows of 28 days begin 55 days ago
        (55, None, 55),
        (54, None, 54),
        (200, None, 200),
        (200, 55, 55),
        (200, 54, 54),
        (200, 10, 10),
        (10, 10, 10),
    ],
)
def test_use_before_the_first_event_of_a_source_is_unknown(
    client: TestClient,
    session: Session,
    web: int,
    mobile: int | None,
    known_from: int,
) -> None:
    before = get_adoption(client)["total"]
    add_sources(session, web=web, mobile=mobile)
    answer = get_adoption(client)

    total = answer["total"]
    assert answer["known_from"] == day(known_from).isoformat()
    if known_from >= 55:
        assert total == before
        assert (total["gained"], total["lost"]) == (1, 1)
        assert listed_account_ids(client, use="gained") == ["beginner"]
        return
    unknown = ("adopted_before", "adopted_share_before", "gained", "lost")
    assert total == before | dict.fromkeys(unknown)
    for group in answer["by_segment"]:
        assert all(group[name] is None for name in unknown)
    assert listed_account_ids(client, use="gained") == listed_account_ids(client, use="lost") == []
    adopted = get_adoption(client, use="adopted")["items"]
    assert {item["adopted_before"] for item in adopted} == {None}
