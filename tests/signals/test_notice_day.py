"""The last day of notice is one day in signals, lists, the envelope, the review and the history."""

from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app import pipeline
from app.health.scoring.scoring_context import load_definition
from app.signals.config import SignalConfig
from app.signals.service import put_config
from app.signals.thresholds import SignalThresholds
from app.tables import Due
from app.workspaces.service import Actor
from tests import factories
from tests.conftest import NOW

RENEWAL = date(2026, 4, 20)


def notice_days(session: Session, days: int) -> None:
    config = SignalConfig(thresholds=SignalThresholds(notice_days=days))
    put_config(session, Actor("acme", "test", NOW), config)


def refresh(session: Session) -> None:
    pipeline.refresh(session, "acme", ["a1"], as_of=NOW.date(), now=NOW)
    session.expire_all()


@pytest.mark.parametrize(
    ("contract", "setting", "notice_on"),
    [
        (None, 30, "2026-03-21"),  # 2026-04-20 less 30 days
        (None, 45, "2026-03-06"),  # less 45 days
        (None, 0, "2026-04-20"),
        (60, 45, "2026-02-19"),  # the contract names it
        (0, 45, "2026-04-20"),  # the contract names it: until the renewal
    ],
)
def test_the_day_of_notice_is_the_same_everywhere(
    client: TestClient, session: Session, contract: int | None, setting: int, notice_on: str
) -> None:
    factories.account(session)
    factories.subscription(session, renewal_on=RENEWAL, notice_days=contract)
    notice_days(session, setting)
    refresh(session)
    session.commit()

    def get(path: str, **params: Any) -> Any:  # noqa: ANN401
        return client.get(f"/api/v1{path}", params=params).json()

    envelope, review = get("/accounts/a1/health"), get("/accounts/a1/review")
    equal = f'{{"field": "notice_on", "op": "eq", "value": "{notice_on}"}}'
    listed = [*get("/accounts")["items"], *get("/accounts", filter=equal)["items"]]
    signals = [s for s in get("/signals")["items"] if s["signal"] == "renewal_near"]
    assert [each["notice_on"] for each in listed] == [notice_on] * 2
    assert envelope["notice_on"] == review["notice_on"] == notice_on
    assert all(each["evidence"]["notice_by"] == notice_on for each in signals)


def test_a_new_notice_period_marks_accounts_and_keeps_the_score_definition(
    session: Session,
) -> None:
    factories.account(session)
    factories.subscription(session, renewal_on=RENEWAL)
    refresh(session)
    before = load_definition(session, "acme")
    notice_days(session, 90)

    assert session.query(Due).count() == 1
    after = load_definition(session, "acme")
    assert (after.digest, after.ranking_digest) == (before.digest, before.ranking_digest)
    assert (before.spec.notice_days, after.spec.notice_days) == (30, 90)


def test_a_definition_that_was_stored_before_keeps_its_digest(session: Session) -> None:
    factories.account(session)
    definition = load_definition(session, "acme")

    assert "notice_days" not in definition.to_json()["lens"]
    assert type(definition).from_json(definition.to_json()).digest == definition.digest
