"""A custom scorecard, from stored data to the written score."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.health.scoring import service
from app.health.scoring.assess import Assessment
from app.tables import Account, Benchmark, ExchangeRate
from tests import factories
from tests.health.builders import AS_OF
from tests.health.crowd import NOW, crowd, name_events

OURS: dict[str, Any] = {
    "name": "Ours",
    "rules": [
        {
            "name": "gold",
            "when": {"traits.tier": "gold"},
            "card": {
                "measures": [
                    {
                        "name": "csat",
                        "source": {"trait": "csat"},
                        "transform": {"kind": "linear_bounded", "at_0": 0, "at_100": 5},
                    }
                ]
            },
        }
    ],
    "default": {
        "measures": [
            {
                "name": "depth",
                "source": {"metric": "depth"},
                "transform": {"kind": "percentile"},
                "group": "use",
            },
            {
                "name": "calm",
                "source": {"events": ["Ticket Created"], "days": 90},
                "transform": {"kind": "percentile"},
                "direction": "lower_is_better",
                "group": "support",
            },
        ],
        "groups": {"use": 3, "support": 1},
        "adjustments": [
            {
                "when": {"field": "days_to_renewal", "op": "lt", "value": 14},
                "at_most": 20,
                "reason": "The renewal is near.",
            }
        ],
    },
}


@pytest.fixture(autouse=True)
def peers(session: Session) -> list[str]:
    ids = crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    for key in ids:
        for month in range(7):
            day = AS_OF - timedelta(days=30 * month)
            factories.usage(
                session,
                day,
                account_id=key,
                user_id="help",
                event_name="Ticket Created",
                events=int(key[1:]),
            )
    factories.scorecard(session, OURS, version=7)
    return ids


def refresh(session: Session, *account_ids: str) -> list[Assessment]:
    return service.refresh(session, "acme", account_ids, as_of=AS_OF, now=NOW)


def measures_by_name(found: Assessment) -> dict[str, Any]:
    return {each["name"]: each for each in found.details["measures"]}


def test_accounts_are_scored_by_the_active_version(session: Session) -> None:
    [few, many] = refresh(session, "a002", "a024")

    assert {few.details["scorecard_version"], few.details["card"]} == {7, "default"}
    assert set(measures_by_name(few)) == {"depth", "calm"}
    assert measures_by_name(few)["calm"]["raw"] == 6, "three days of two tickets within 90 days"
    assert measures_by_name(few)["calm"]["score"] > measures_by_name(many)["calm"]["score"]
    assert [each["effective_weight"] for each in few.details["measures"]] == [0.75, 0.25]


def test_a_rule_on_a_trait_selects_another_card(session: Session) -> None:
    session.execute(
        update(Account)
        .where(Account.account_id == "a002")
        .values(traits={"tier": "gold", "csat": "4"})
    )

    [found] = refresh(session, "a002")

    assert (found.details["card"], found.score) == ("gold", 80)
    assert found.details["inputs"].traits == {"tier": "gold", "csat": "4"}


def test_an_adjustment_is_applied_with_its_reason(session: Session) -> None:
    [before] = refresh(session, "a002")
    factories.subscription(
        session,
        "a002",
        mrr_cents=0,
        subscription_id="next",
        renewal_on=AS_OF + timedelta(days=13),
    )

    [found] = refresh(session, "a002")

    assert before.score is not None
    assert (found.score, found.details["adjustments"]) == (
        min(20, before.score),
        ["The renewal is near."],
    )


def test_one_benchmark_ranks_the_sources_of_all_cards(session: Session, peers: list[str]) -> None:
    refresh(session, *peers)

    [row] = session.scalars(select(Benchmark)).all()

    assert set(row.config[""]["measures"]) == {
        *("breadth", "depth", "reach", "Ticket Created in 90 days")
    }


def test_a_price_in_another_currency_uses_its_rate(session: Session) -> None:
    rate = ExchangeRate(
        workspace_id="acme",
        currency="EUR",
        starts_on=factories.LONG_AGO.date(),
        rate=Decimal("1.1"),
    )
    session.add(rate)
    session.flush()
    factories.subscription(session, "a002", mrr_cents=100_00, currency="EUR", subscription_id="eu")

    [found] = refresh(session, "a002")

    assert (found.mrr_cents, found.details["price_cents"]) == (310_00, 310_00)
    assert (found.details["price_status"], found.details["currency"]) == ("priced", "USD")
