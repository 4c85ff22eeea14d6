"""The adoption of a product feature over HTTP: counts, statuses and lists of accounts."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.pagination import encode_cursor
from app.tables import HealthScore, Plan, ProductFeature
from tests import factories
from tests.conftest import NOW

SSO = "/api/v1/product-features/sso/adoption"


@pytest.fixture(autouse=True)
def catalog(session: Session) -> None:
    factories.workspace(session)
    for key in ("sso", "api"):
        session.add(ProductFeature(workspace_id="acme", key=key, name=key.upper(), event_names=[]))
    for key, included in (("pro", []), ("basic", ["api"])):
        session.add(Plan(workspace_id="acme", key=key, name=key, product_features=included))
    session.commit()


def add_scored_account(
    session: Session,
    account_id: str,
    *,
    cents: int | None = None,
    status: str = "ok",
    workspace_id: str = "acme",
    **inputs: Any,  # noqa: ANN401
) -> None:
    """Add an account on the plan pro that pays $100, with the inputs of its score."""
    stored = {
        "plan": "pro",
        "segment": "smb",
        "pays": True,
        "adopted": [],
        "adopted_before": [],
        "feature_exceptions": {},
        **inputs,
    }
    unused = [{"key": "api", "share": 0.1, "cents": 7}]
    if cents is not None:
        unused.append({"key": "sso", "share": 0.5, "cents": cents})
    factories.account(session, account_id, workspace_id=workspace_id, name=account_id.title())
    session.add(
        HealthScore(
            workspace_id=workspace_id,
            account_id=account_id,
            status=status,
            mrr_cents=100_00 if stored["pays"] else 0,
            details={"inputs": stored, "entitlement": {"unused": unused}},
        )
    )
    session.commit()


def get_adoption(client: TestClient, **params: Any) -> Any:  # noqa: ANN401
    answer = client.get(SSO, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed_account_ids(client: TestClient, **params: Any) -> list[str]:  # noqa: ANN401
    return [item["account_id"] for item in get_adoption(client, **params)["items"]]


@pytest.fixture
def accounts(session: Session) -> None:
    add_scored_account(session, "idle", cents=40_00)
    add_scored_account(session, "big_idle", cents=90_00, segment="enterprise")
    add_scored_account(session, "user", adopted=["sso"], adopted_before=["sso", "api"])
    add_scored_account(session, "beginner", adopted=["sso"], segment=None)
    add_scored_account(session, "quitter", adopted_before=["sso"], cents=50_00)
    add_scored_account(session, "trial", pays=False, cents=0)
    add_scored_account(session, "basic", plan="basic")
    add_scored_account(
        session, "granted", plan="basic", feature_exceptions={"sso": True}, cents=10_00
    )
    add_scored_account(session, "denied", feature_exceptions={"sso": False})
    add_scored_account(session, "cheat", plan="basic", adopted=["sso"])
    add_scored_account(session, "no_plan", plan=None, adopted=["sso"], adopted_before=["sso"])
    add_scored_account(session, "gone", status="churned", cents=900_00)
    add_scored_account(session, "test", status="excluded", adopted=["sso"])
    factories.account(session, "unscored")
    session.commit()


@pytest.mark.usefixtures("accounts")
def test_accounts_are_counted_by_entitlement_and_use(client: TestClient) -> None:
    assert get_adoption(client)["total"] == {
        "entitled": 8,
        "paying": 7,
        "adopted": 3,
        "adopted_before": 3,
        "adopted_share": 0.375,
        "adopted_share_before": 0.375,
        "gained": 1,
        "lost": 1,
        "unused": 4,
        "value_leak_cents": 190_00,
        "unentitled": 1,
    }


@pytest.mark.usefixtures("accounts")
def test_counts_are_grouped_by_segment_and_plan_largest_first(client: TestClient) -> None:
    adoption = get_adoption(client)

    assert [
        (each["name"], each["entitled"], each["adopted"]) for each in adoption["by_segment"]
    ] == [
        ("smb", 6, 2),
        ("enterprise", 1, 0),
        (None, 1, 1),
    ]
    assert [(each["name"], each["entitled"], each["adopted"]) for each in adoption["by_plan"]] == [
        ("pro", 6, 2),
        ("basic", 1, 0),
        (None, 1, 1),
    ]
    assert [each["value_leak_cents"] for each in adoption["by_plan"]] == [180_00, 10_00, 0]


@pytest.mark.usefixtures("accounts")
def test_accounts_that_pay_without_use_are_listed_by_price(client: TestClient) -> None:
    adoption = get_adoption(client)

    assert (adoption["key"], adoption["name"], adoption["use"]) == ("sso", "SSO", "unused")
    assert [(each["account_id"], each["value_leak_cents"]) for each in adoption["items"]] == [
        ("big_idle", 90_00),
        ("quitter", 50_00),
        ("idle", 40_00),
        ("granted", 10_00),
    ]
    assert adoption["items"][0] == {
        "account_id": "big_idle",
        "name": "Big_Idle",
        "segment": "enterprise",
        "plan": "pro",
        "mrr_cents": 100_00,
        "adopted": False,
        "adopted_before": False,
        "value_leak_cents": 90_00,
    }


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize(
    ("use", "account_ids"),
    [
        ("adopted", ["beginner", "no_plan", "user"]),
        ("gained", ["beginner"]),
        ("lost", ["quitter"]),
        ("unentitled", ["cheat"]),
    ],
)
def test_accounts_of_other_statuses_are_listed(
    client: TestClient, use: str, account_ids: list[str]
) -> None:
    assert listed_account_ids(client, use=use) == account_ids


@pytest.mark.usefixtures("accounts")
def test_the_list_is_filtered_by_segment_and_plan(client: TestClient) -> None:
    assert listed_account_ids(client, segment="enterprise") == ["big_idle"]
    assert listed_account_ids(client, plan="basic") == ["granted"]
    assert listed_account_ids(client, plan="basic", segment="enterprise") == []


@pytest.mark.parametrize("use", ["unused", "adopted"])
def test_pages_contain_each_account_once_even_with_equal_money(
    client: TestClient, session: Session, use: str
) -> None:
    for number in range(7):
        adopted = ["sso"] if use == "adopted" else []
        add_scored_account(session, f"a{number}", cents=100 * (number // 3), adopted=adopted)
    page = get_adoption(client, limit=2, use=use)
    adoption = [item["account_id"] for item in page["items"]]
    while page["next_cursor"]:
        page = get_adoption(client, limit=2, use=use, cursor=page["next_cursor"])
        adoption += [item["account_id"] for item in page["items"]]

    assert adoption == listed_account_ids(client, use=use)
    assert len(adoption) == len(set(adoption)) == 7


def test_without_any_score_the_answer_is_empty(client: TestClient) -> None:
    adoption = get_adoption(client)

    assert (adoption["items"], adoption["by_plan"], adoption["total"]["adopted_share"]) == (
        [],
        [],
        None,
    )


def test_an_unknown_product_feature_is_not_found(client: TestClient) -> None:
    answer = client.get("/api/v1/product-features/fax/adoption")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"use": "everything"}, 422),
        ({"limit": 0}, 422),
        ({"segment": "a\x00"}, 422),
        ({"cursor": "W10"}, 404),
        ({"cursor": encode_cursor("1", "a")}, 404),
    ],
)
def test_invalid_parameters_are_refused(
    client: TestClient, params: dict[str, Any], status: int
) -> None:
    assert client.get(SSO, params=params).status_code == status


def test_accounts_of_another_workspace_are_not_counted(
    client: TestClient, session: Session
) -> None:
    other = factories.workspace(session, "other").id
    add_scored_account(session, "theirs", cents=1, workspace_id=other)

    assert (get_adoption(client)["items"], get_adoption(client)["total"]["entitled"]) == ([], 0)


def test_a_product_feature_with_special_characters_in_its_key_works(
    client: TestClient, session: Session
) -> None:
    odd = "a'b\"{c},d:e"
    client.put(f"/api/v1/product-features/{odd}", json={"event_names": ["x"]})
    add_scored_account(session, "a1", adopted=[odd], feature_exceptions={odd: True})

    adoption = client.get(f"/api/v1/product-features/{odd}/adoption", params={"use": "adopted"})

    assert [item["account_id"] for item in adoption.json()["items"]] == ["a1"]


def test_a_refreshed_account_has_the_adoption_of_its_use_and_price(
    client: TestClient, session: Session
) -> None:
    """Two product features share $100; one is used on two days."""
    client.put("/api/v1/product-features/api", json={"event_names": ["Call"], "weight": 3})
    factories.account(session, "a1")
    factories.subscription(session, "a1", mrr_cents=100_00, plan="pro")
    for day in (1, 2):
        factories.usage(session, NOW.date() - timedelta(days=day), event_name="Call")
    session.commit()

    health = client.post("/api/v1/accounts/a1/health/refresh").json()

    assert health["entitlement"]["value_leak_cents"] == 25_00
    assert [
        (each["account_id"], each["value_leak_cents"]) for each in get_adoption(client)["items"]
    ] == [("a1", 25_00)]
    used = client.get("/api/v1/product-features/api/adoption", params={"use": "gained"}).json()
    assert [each["account_id"] for each in used["items"]] == ["a1"]
    assert used["total"]["adopted_share"] == 1
