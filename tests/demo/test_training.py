"""The line on the model that the demo prints."""

from typing import Any

from sqlalchemy.orm import Session

from app.demo.training import describe_model
from tests import factories


def card(**figures: float) -> dict[str, Any]:
    values = {name: {"value": value, "low": None, "high": None} for name, value in figures.items()}
    checks = [("unseen_time", True), ("calibration_slope", False), ("better_than_chance", False)]
    return {
        "unseen": {"figures": values},
        "checks": [{"name": name, "passed": passed} for name, passed in checks],
    }


def test_an_active_model_is_described_by_what_it_reached_on_later_time(session: Session) -> None:
    factories.churn_model(session, card=card(auc=0.804, observed_over_expected=1.136))
    factories.churn_model(session, "shadow", card=card(auc=0.5, observed_over_expected=3.0))

    assert describe_model(session, "acme") == (
        "version 1, trusted: on later time AUC 0.80, churned/predicted 1.14"
    )


def test_a_shadow_is_described_by_the_checks_that_it_failed(session: Session) -> None:
    factories.churn_model(session, "shadow", card=card(auc=0.5, observed_over_expected=3.0))

    assert describe_model(session, "acme") == (
        "none, churn risk uses the rules: version 1 failed calibration_slope, better_than_chance"
    )


def test_without_any_model_nothing_was_trained(session: Session) -> None:
    factories.workspace(session, "acme")

    assert describe_model(session, "acme") == (
        "none, churn risk uses the rules: nothing was trained"
    )
