"""Health scores of other companies, written as scorecards, give the same numbers."""

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.features.values import AccountFeatures
from app.health.definition.measures import EventsSource, TraitSource
from app.health.definition.scorecard import Band, Scorecard
from app.health.scoring import service
from app.health.scoring.assess import Assessment, HealthStatus, assess_accounts
from tests import factories
from tests.health.builders import AS_OF, make_account, make_context
from tests.health.crowd import NOW

FOLDER = Path(__file__).parents[2] / "data" / "scorecards"


def load_json(name: str) -> Any:  # noqa: ANN401
    return json.loads((FOLDER / f"{name}.json").read_text())


MATTERMOST, POSTHOG, ANALYTICS = (
    Scorecard.model_validate(load_json(name))
    for name in ("mattermost", "posthog", "posthog_analytics")
)
Example = Mapping[str, Any]


def examples(name: str) -> pytest.MarkDecorator:
    found = load_json(f"{name}_examples")
    return pytest.mark.parametrize("example", found, ids=[each["note"] for each in found])


def assess_one(scorecard: Scorecard, account: AccountFeatures) -> Assessment:
    [found] = assess_accounts(make_context(scorecard), [account], AS_OF)
    return found


def rounded(score: float) -> int:
    """Round half away from zero, like Snowflake."""
    return int(Decimal(repr(score)).quantize(Decimal(1), ROUND_HALF_UP))


def days_ago(days: int | None) -> str | None:
    return None if days is None else (AS_OF - timedelta(days=days)).isoformat()


def key(scorecard: Scorecard, measure: str) -> str:
    [source] = [each.source for each in scorecard.default.measures if each.name == measure]
    return source.key


def mattermost_traits(inputs: Example) -> dict[str, Any]:
    return {
        "last_task_on": days_ago(inputs["days_since_last_task"]),
        "risk_statuses": inputs["risk_statuses"],
        "reference_status": "Completed" if inputs["has_completed_reference"] else "Asked",
    }


def mattermost_account(inputs: Example) -> AccountFeatures:
    return make_account(
        first_used_on=None,
        first_paid_on=AS_OF - timedelta(days=inputs["tenure_days"]),
        renewal_on=AS_OF + timedelta(days=inputs["days_to_license_end"]),
        counts={key(MATTERMOST, "tickets"): inputs["count_tickets_prev_90"]},
        traits=mattermost_traits(inputs),
    )


@examples("mattermost")
def test_mattermosts_formula_gives_its_number(example: Example) -> None:
    found = assess_one(MATTERMOST, mattermost_account(example["inputs"]))

    assert rounded(found.score or 0) == example["expected"]
    assert sum(each["points"] for each in found.details["measures"]) == pytest.approx(
        example["sum"] - 10 * example["inputs"]["has_completed_reference"]
    )


@pytest.mark.parametrize("score", [20, 21.25, 48.75, 50, 51.25, 75, 76.25, 82.5, 100])
def test_mattermosts_bands_match_its_rounded_score(score: float) -> None:
    """High risk up to 50, medium risk up to 75."""
    whole = rounded(score)
    expected = Band.AT_RISK if whole <= 50 else Band.WATCH if whole <= 75 else Band.HEALTHY

    assert MATTERMOST.default.band(score) is expected


def test_an_account_without_a_licence_has_no_score() -> None:
    expired = make_account(renewal_on=None, traits=mattermost_traits(NO_TROUBLE))

    assert assess_one(MATTERMOST, expired).score is None


NO_TROUBLE: Example = {
    "days_since_last_task": 3,
    "risk_statuses": [],
    "has_completed_reference": False,
}


def test_mattermosts_formula_gives_its_numbers_from_stored_facts(session: Session) -> None:
    """The licence is a subscription, tickets are events; tasks, risks and references are traits."""
    factories.scorecard(session, MATTERMOST.model_dump(mode="json"))
    wanted = load_json("mattermost_examples")
    for place, example in enumerate(wanted):
        store_licence(session, f"a{place:02}", example["inputs"])

    ids = [f"a{place:02}" for place in range(len(wanted))]
    found = service.refresh(session, "acme", ids, as_of=AS_OF, now=NOW)

    assert [row.status for row in found] == [HealthStatus.OK] * len(wanted)
    assert [rounded(row.score or 0) for row in found] == [each["expected"] for each in wanted]


def store_licence(session: Session, account_id: str, inputs: Example) -> None:
    factories.account(session, account_id, traits=mattermost_traits(inputs))
    factories.subscription(
        session,
        account_id,
        starts_on=AS_OF - timedelta(days=inputs["tenure_days"]),
        renewal_on=AS_OF + timedelta(days=inputs["days_to_license_end"]),
    )
    for back in (90, 91):
        events = inputs["count_tickets_prev_90"] if back == 90 else 7
        if events:
            day = AS_OF - timedelta(days=back)
            factories.usage(
                session, day, account_id=account_id, event_name="Ticket Created", events=events
            )


FROM_DAYS = {"last_meeting": "days_since_meeting", "last_ticket": "days_since_ticket"}
FROM_EVENTS = {"tickets": "tickets_created_30d", "docs_visited": "docs_visited_7d"}


def posthog_account(inputs: Example) -> AccountFeatures:
    traits = {name: value for name, value in inputs.items() if value is not None}
    days = {
        f"{measure}_on": days_ago(inputs[name])
        for measure, name in FROM_DAYS.items()
        if inputs[name] is not None
    }
    return make_account(
        last_used_on=AS_OF - timedelta(days=inputs["days_since_last_seen_in_product"]),
        counts={key(POSTHOG, measure): inputs[name] for measure, name in FROM_EVENTS.items()},
        traits=traits | days,
    )


@examples("posthog")
def test_posthogs_formula_gives_its_number_and_label(example: Example) -> None:
    found = assess_one(POSTHOG, posthog_account(example["inputs"]))
    labels = {"Poor": Band.AT_RISK, "Concerning": Band.WATCH, "Healthy": Band.HEALTHY}

    assert (found.score or 0) / 10 == pytest.approx(float(Fraction(example["expected"])), abs=1e-5)
    assert found.band is labels[example["label"]]


def test_every_input_of_posthogs_formula_is_used() -> None:
    [first, *_] = load_json("posthog_examples")
    traits_used = {each.source.trait for each in measures_of(POSTHOG, TraitSource)}
    by_other_means = {"days_since_last_seen_in_product", *FROM_EVENTS.values(), *FROM_DAYS.values()}

    days = {f"{measure}_on" for measure in FROM_DAYS}
    assert traits_used - days == set(first["inputs"]) - by_other_means
    assert len(measures_of(POSTHOG, EventsSource)) == len(FROM_EVENTS)


def measures_of(scorecard: Scorecard, kind: type[Any]) -> list[Any]:
    return [each for each in scorecard.default.measures if isinstance(each.source, kind)]


@pytest.mark.parametrize(
    ("pct", "points"), [(4.99, 100), (5, 100), (5.01, 50), (20, 50), (20.01, 0)]
)
def test_posthogs_limits_apply_between_whole_numbers_too(pct: float, points: float) -> None:
    account = make_account(traits={"event_count_30d_pct_decrease": pct})

    [details] = [
        each
        for each in assess_one(POSTHOG, account).details["measures"]
        if each["name"] == "events_decrease"
    ]
    assert details["score"] == points


def embeddedness(example: Example) -> float:
    """Return the setup score before the cap at 12: products with a baseline and what uses them."""
    weights = {each.name: each.weight for each in ANALYTICS.default.measures}
    parts = {"flags": (2, 20), "dwh": (3, 10), "dests": (3, 5), "transf": (2, 5), "exports": (1, 3)}
    built = sum(
        weight * (1 + min(example["infra"].get(name, 0) / most, 1))
        for name, (weight, most) in parts.items()
        if example["infra"].get(name, 0) > 0
    )
    return float(built + sum(weights[product] for product in example["baseline_wau"]))


@examples("posthog_analytics")
def test_posthogs_planned_formula_gives_its_number(example: Example) -> None:
    used = example["current_wau"]
    ratios = {
        f"{product}_of_baseline": used.get(product, 0) / baseline
        for product, baseline in example["baseline_wau"].items()
    }

    found = assess_one(
        ANALYTICS, make_account(traits={**ratios, "embeddedness": embeddedness(example)})
    )

    [*_, stickiness] = found.details["measures"]
    assert stickiness["score"] / 10 == pytest.approx(example["stickiness"], abs=1e-4)
    if example["expected"] is None:
        assert (found.score, found.status) == (None, HealthStatus.INSUFFICIENT_DATA)
    else:
        assert (found.score or 0) / 10 == pytest.approx(example["expected"], abs=1e-4)
