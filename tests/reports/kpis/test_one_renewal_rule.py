"""Reports, scores, churn risk, goals and MRR of a day agree on whether a contract is renewed."""

from datetime import date, timedelta
from itertools import product

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.accounts.renewals import grace_days
from app.core.db import create_session_factory
from app.engagement.queries import MetricQuery, load_metric_value
from app.features.queries import load_account_features
from app.features.table import TableSpec
from app.features.table_queries import load_feature_table
from app.features.values import FeatureMap, FeatureSpec, ReachSource
from app.health.definition.score_definition import Definition
from app.health.scoring.scoring_context import load_definition
from tests import factories
from tests.conftest import NOW
from tests.reports.kpis.test_renewals import set_grace
from tests.reports.kpis.test_revenue import add_subscription, get_report

TODAY = NOW.date()
ENDED = TODAY - timedelta(days=3)


@pytest.fixture(autouse=True)
def _account(session: Session) -> None:
    factories.account(session, "a")


def figures(client: TestClient, session: Session, account_id: str, grace: int) -> dict[str, float]:
    """What the account pays today, by each part of the service."""
    set_grace(client, grace)
    session.info["renewal_grace_days"] = grace
    definition = load_definition(session, "acme")
    [scored] = load_account_features(
        session, "acme", [account_id], as_of=TODAY, spec=definition.spec
    )
    spec = TableSpec(FeatureMap([]), ReachSource(), "USD", (), 90, definition.spec.grace_days)
    table = load_feature_table(session, "acme", [(account_id, TODAY)], spec=spec)
    mrr = client.get(f"/api/v1/accounts/{account_id}/mrr").json()["mrr_cents"].get("USD", 0)
    query = MetricQuery(account_id, "mrr", (), None)
    goal = load_metric_value(session, "acme", query, as_of=TODAY)
    return {
        "score": scored.mrr_cents or 0,
        "score pays": 100_00 * scored.pays,
        "risk": max(0, table.eligibility.mrr_cents[0]) if table.eligibility.pays[0] else 0,
        "mrr": mrr,
        "goal": (goal or 0) * 100,
    }


def churned_share(client: TestClient, grace: int) -> float:
    """Logo churn of the days before the gap to today, of one account: 1 if it has churned."""
    set_grace(client, grace)
    period = {"since": str(ENDED - timedelta(days=30)), "until": str(TODAY)}
    churned: float = get_report(client, "revenue-retention", **period)["logo_churn"]["value"]
    return churned


@pytest.mark.parametrize(
    ("grace", "days", "subscription_id"), [*product((0, 4, 5, 31), (4, 5, 31), ("main", "next"))]
)
def test_a_renewal_holds_the_contract_in_every_figure_within_the_setting(
    client: TestClient, session: Session, grace: int, days: int, subscription_id: str
) -> None:
    """It ended three days ago and begins again so many days after the end: 100 until then, or 0."""
    known = {"known_on": date(2025, 1, 1)}
    add_subscription(session, "a", 100_00, starts_on=date(2025, 1, 1), ends_on=ENDED)
    begins = ENDED + timedelta(days=days)
    add_subscription(
        session, "a", 150_00, starts_on=begins, subscription_id=subscription_id, **known
    )
    session.commit()

    found = figures(client, session, "a", grace)

    assert found == dict.fromkeys(found, 100_00 if days <= grace else 0)
    assert churned_share(client, grace) == (days > grace)


@pytest.mark.parametrize("grace", [0, 31])
def test_free_terms_before_the_renewal_end_the_contract_in_every_figure(
    client: TestClient, session: Session, grace: int
) -> None:
    """Paid, then free since three days, then paid again in two days: nothing is paid today."""
    known = {"known_on": date(2025, 1, 1)}
    add_subscription(session, "a", 100_00, starts_on=date(2025, 1, 1), ends_on=ENDED)
    free_until = TODAY + timedelta(days=2)
    add_subscription(session, "a", 0, starts_on=ENDED, ends_on=free_until, **known)
    add_subscription(session, "a", 100_00, starts_on=free_until, **known)
    session.commit()

    found = figures(client, session, "a", grace)

    assert found == dict.fromkeys(found, 0)
    assert churned_share(client, grace) == 1


@pytest.mark.parametrize(("grace", "cents"), [(0, 0), (1, 100_00)])
def test_a_renewal_day_after_the_last_paid_day_holds_that_day_in_every_figure(
    client: TestClient, session: Session, grace: int, cents: int
) -> None:
    tomorrow = TODAY + timedelta(days=1)
    start = {"starts_on": date(2025, 1, 1), "known_on": date(2025, 1, 2)}
    add_subscription(session, "a", 100_00, **start, ends_on=TODAY, renewal_on=tomorrow)
    session.commit()

    found = figures(client, session, "a", grace)

    assert found == dict.fromkeys(found, cents)
    assert churned_share(client, grace) == (cents == 0)


def test_mrr_of_a_day_in_a_past_gap_is_what_was_renewed(
    client: TestClient, session: Session
) -> None:
    """The renewal of 1 January was recorded on that day: on 31 December it was not known yet."""
    contract = {"starts_on": date(2025, 1, 1), "ends_on": date(2025, 12, 31)}
    add_subscription(session, "a", 100_00, **contract)
    add_subscription(session, "a", 120_00, starts_on=date(2026, 1, 1))
    session.commit()

    def mrr(**days: str) -> dict[str, int]:
        found: dict[str, int] = client.get("/api/v1/accounts/a/mrr", params=days).json()[
            "mrr_cents"
        ]
        return found

    assert mrr(on="2025-12-31") == {"USD": 100_00}
    assert mrr(on="2026-01-01") == {"USD": 120_00}
    assert mrr(on="2025-12-31", known_on="2025-12-31") == {}


def test_another_setting_is_another_definition_and_the_default_keeps_its_hash(
    session: Session,
) -> None:
    def define(grace: int) -> Definition:
        session.info["renewal_grace_days"] = grace
        return load_definition(session, "acme")

    usual, other = define(31), define(10)

    assert "grace_days" not in usual.to_json()["lens"]
    assert usual.digest != other.digest
    assert usual.ranking_digest != other.ranking_digest
    assert Definition.from_json(other.to_json()).spec.grace_days == 10
    assert Definition.from_json(usual.to_json()).spec.grace_days == 31


def test_a_session_has_the_setting_of_its_process(session: Session) -> None:
    """Without it the default holds."""
    engine = session.connection().engine
    with create_session_factory(engine, renewal_grace_days=7)() as other:
        assert grace_days(other) == 7
    assert grace_days(session) == 31
    assert FeatureSpec(FeatureMap([]), ReachSource(), "USD", 28).grace_days == 31
