"""The version of a review for the customer: what helps it, and what a person has approved."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.conftest import NOW
from tests.reports.review.scenario import APPROVED, get, intervention

INTERNAL = (
    *("kim@vendor.example", "SECRET NOTE", "right_size", "Right-size the plan", "Propose to"),
    *(
        "low_value_per_dollar",
        "at_risk",
        "at risk",
        "band",
        "score",
        "412",
        "enterprise-7",
        "0.8765",
        "88 %",
    ),
    *("risk", "250.00", "25000", "2026-05-02", "for what you pay", "for each 100", "% of them"),
    *("Also for you: a smaller plan.", "No better so far", "Double the price"),
)
"""Internal names, notes, playbooks, signals, bands, scores, peers, segments, and what nobody chose.

The money of unused features, offers that nobody approved, failures and goals about the price.
"""


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("form", ["json", "html"])
def test_nothing_internal_is_in_the_customer_version(client: TestClient, form: str) -> None:
    path, params = "/api/v1/accounts/a1/review", {"format": form, "lang": "en"}

    ours = client.get(path, params=params).text
    theirs = client.get(path, params=params | {"audience": "customer"}).text

    assert "kim@vendor.example" in ours
    assert "SECRET NOTE" in ours
    assert [word for word in INTERNAL if word in theirs] == []
    assert "You pay for what you use." in theirs
    assert "We show you Campaigns on Monday." in theirs
    assert "Campaigns" in theirs
    assert "2026-06-01" in theirs


@pytest.mark.usefixtures("acme")
def test_the_customer_version_has_plain_counts_and_only_what_was_approved(
    client: TestClient,
) -> None:
    theirs = get(client, audience="customer")

    assert theirs["counts"][0] == {"what": "people", "count": 1, "total": 1}
    assert theirs["unused"] == [{"name": "Campaigns", "cents": None}]
    assert theirs["peers"] == []
    assert [step["message"] for step in theirs["next_steps"]] == [APPROVED["message"]]
    assert [each["succeeded"] for each in theirs["done"]] == [None, True]
    assert {m["per_dollar"] for point in theirs["value"] for m in point["measures"]} == {None}
    assert [goal["title"] for goal in theirs["goals"]] == ["Send more"]


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("signal", ["nps_detractor", "csat_low"])
def test_interventions_on_one_persons_answer_are_not_in_the_customer_version(
    client: TestClient, session: Session, signal: str
) -> None:
    texts = {"name": "Close the loop", "next_step": "Call.", "message": "You gave us 3 of 10."}
    columns = {"signal": signal, "details": {"texts": {"en": texts}}}
    intervention(session, 4, "accepted", playbook="close_feedback_loop", **columns)
    intervention(session, 5, "done", done_at=NOW - timedelta(days=1), outcomes={}, **columns)
    session.commit()

    ours, theirs = get(client), get(client, audience="customer")

    assert (len(ours["next_steps"]), len(ours["done"])) == (3, 3)
    assert (len(theirs["next_steps"]), len(theirs["done"])) == (1, 2)
    assert "3 of 10" not in str(theirs)
