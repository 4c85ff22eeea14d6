"""Lists whose rows come once each while the values that sort them change."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.changes.snapshots import ListSnapshot
from app.core.db import SessionFactory, create_session_factory, transaction
from app.core.pagination import InvalidCursorError, encode_cursor
from app.core.settings import Settings
from app.main import Storage, create_app
from app.tables import HealthScore, Intervention, ProductFeature, ScoreOverride
from tests import factories
from tests.conftest import NOW

NUMBERS = range(8)
SUGGESTIONS, OVERRIDES = "/api/v1/suggestions", "/api/v1/health-overrides"


@pytest.fixture
def reader(committed: SessionFactory) -> Iterator[TestClient]:
    """A client; ``acme`` has suggestions of 700, 600 … 0 cents, and overrides 35, 30 … 0 off."""
    with transaction(committed) as session:
        key = factories.api_key(session, factories.workspace(session))
        for number in NUMBERS:
            add_account(session, f"a{number}", number)
        session.flush()
        set_values(session, lambda number: 7 - number)
    autocommitting = committed.kw["bind"].execution_options(isolation_level="AUTOCOMMIT")
    storage = Storage(committed, create_session_factory(autocommitting))
    app = create_app(storage, Settings(_env_file=None), lambda: NOW)
    with TestClient(app, headers={"Authorization": f"Bearer {key}"}) as client:
        yield client


def add_account(session: Session, account_id: str, number: int) -> None:
    ids = {"workspace_id": "acme", "account_id": account_id}
    factories.account(session, account_id)
    session.add(HealthScore(**ids, status="overridden", score=40.0, details={}))
    session.add(
        ScoreOverride(
            **ids,
            value=40.0,
            reason="x",
            author="x",
            created_at=NOW,
            expires_at=NOW + timedelta(days=9),
        )
    )
    session.add(
        Intervention(
            **ids,
            id=f"i{number}",
            playbook="wake_dormant",
            state="suggested",
            value_cents=0.0,
            details={},
            created_at=NOW,
            changed_at=NOW,
        )
    )


def set_values(session: Session, rank: Callable[[int], int]) -> None:
    """Set what suggestions are worth, and computed scores that differ from 40 by 5 x the rank."""
    for number in NUMBERS:
        session.get_one(Intervention, ("acme", f"i{number}")).value_cents = 100.0 * rank(number)
        details = {"machine": {"value": 40.0 - 5 * rank(number)}}
        session.get_one(HealthScore, ("acme", f"a{number}")).details = details


ORDERS: dict[str, Callable[[int], int]] = {
    "reversed": lambda number: number,
    "all equal": lambda _: 3,
    "rotated": lambda number: (number + 3) % 8,
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("path", [SUGGESTIONS, OVERRIDES])
def test_each_row_comes_once_in_the_order_of_the_first_page(
    reader: TestClient, committed: SessionFactory, path: str, order: Callable[[int], int]
) -> None:
    first = reader.get(path, params={"limit": 4}).json()
    with transaction(committed) as session:
        set_values(session, order)
    second = reader.get(path, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    with transaction(committed) as session:
        set_values(session, lambda number: 7 - order(number))
    third = reader.get(path, params={"limit": 9, "cursor": second["next_cursor"]}).json()

    pages = (first, second, third)
    assert [item["account_id"] for page in pages for item in page["items"]] == [
        f"a{number}" for number in NUMBERS
    ]
    assert third["next_cursor"] is None


def test_the_difference_shown_is_that_of_now(reader: TestClient, committed: SessionFactory) -> None:
    first = reader.get(OVERRIDES, params={"limit": 4}).json()
    with transaction(committed) as session:
        set_values(session, lambda number: number)
    rest = reader.get(OVERRIDES, params={"cursor": first["next_cursor"]}).json()

    assert [item["difference"] for item in first["items"]] == [35, 30, 25, 20]
    assert [item["difference"] for item in rest["items"]] == [20, 25, 30, 35]


PARTS: tuple[Any, ...] = (100, 107, "2,5", 0, int(NOW.timestamp()))
BAD_PARTS = [
    (100, 107, "2,,5", 0, PARTS[4]),
    (100, 107, "-2", 0, PARTS[4]),
    (100, 107, "٢", 0, PARTS[4]),
    (100, 107, "x", 0, PARTS[4]),
    (100, 107, "9" * 11, 0, PARTS[4]),
    (100, 107, "2,5", 0, 0),
    (2**63 - 1, 107, "1", 0, PARTS[4]),
]


def test_a_snapshot_comes_back_from_a_cursor_as_it_was() -> None:
    snapshot = ListSnapshot.parse(PARTS, now=NOW)

    assert snapshot.running == (102, 105)
    assert snapshot.cursor_parts() == PARTS
    assert ListSnapshot.parse((1, 1, "", 0, PARTS[4]), now=NOW).running == ()


@pytest.mark.parametrize("parts", BAD_PARTS)
def test_a_bad_snapshot_is_refused(reader: TestClient, parts: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidCursorError):
        ListSnapshot.parse(parts, now=NOW)
    for path, position in ((SUGGESTIONS, (1.0, "i1")), (OVERRIDES, (1.0, 1))):
        answer = reader.get(path, params={"cursor": encode_cursor(*position, *parts)})
        assert (answer.status_code, answer.json()["code"]) == (404, "invalid_cursor")


@pytest.mark.parametrize(
    ("path", "position"), [(SUGGESTIONS, (350.0, "i1")), (OVERRIDES, (17.0, 1))]
)
def test_a_cursor_of_an_older_version_is_read(
    reader: TestClient, path: str, position: tuple[Any, ...]
) -> None:
    answer = reader.get(path, params={"cursor": encode_cursor(*position)})

    assert [item["account_id"] for item in answer.json()["items"]] == ["a4", "a5", "a6", "a7"]


@pytest.mark.parametrize("extreme", [2**63 - 1, -(2**63) + 1])
def test_a_forged_snapshot_changes_no_more_than_the_order(reader: TestClient, extreme: int) -> None:
    cursor = encode_cursor(1e9, "i1", extreme, extreme, "", extreme, PARTS[4])
    answer = reader.get(SUGGESTIONS, params={"cursor": cursor})

    assert answer.status_code == 200
    assert len(answer.json()["items"]) == len(NUMBERS)


ALERTS = "/api/v1/alerts"
ADOPTION = "/api/v1/product-features/sso/adoption"
LISTS = {
    "alerts": (ALERTS, {}),
    **{use: (ADOPTION, {"use": use}) for use in ("unused", "adopted", "gained", "lost")},
}


def set_money(session: Session, rank: Callable[[int], int], *, adopted: bool, before: bool) -> None:
    """Set the MRR, and what SSO costs, of accounts in a bad band, to the rank in dollars."""
    for number in NUMBERS:
        score = session.get_one(HealthScore, ("acme", f"a{number}"))
        money = 100 * rank(number)
        inputs: dict[str, Any] = {"plan": None, "segment": None, "pays": True}
        inputs |= {"adopted": ["sso"] * adopted, "adopted_before": ["sso"] * before}
        unused = [{"key": "sso", "share": 0.1, "cents": money}]
        score.mrr_cents, score.band, score.status = money, "at_risk", "ok"
        score.details = {
            "inputs": inputs | {"feature_exceptions": {}},
            "entitlement": {"unused": [] if adopted else unused},
        }


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("name", LISTS)
def test_alerts_and_adoption_come_once_each_in_the_order_of_the_first_page(
    reader: TestClient,
    committed: SessionFactory,
    name: str,
    order: Callable[[int], int],
) -> None:
    path, query = LISTS[name]
    use = {"adopted": name in {"adopted", "gained"}, "before": name in {"adopted", "lost"}}
    with transaction(committed) as session:
        session.add(ProductFeature(workspace_id="acme", key="sso", name="SSO", event_names=[]))
        for number in NUMBERS:
            factories.alert(session, f"a{number}")
        set_money(session, lambda number: 7 - number, **use)
    first = reader.get(path, params={**query, "limit": 4}).json()
    with transaction(committed) as session:
        set_money(session, order, **use)
    cursor = {"cursor": first["next_cursor"]}
    second = reader.get(path, params={**query, "limit": 2, **cursor}).json()
    with transaction(committed) as session:
        set_money(session, lambda number: 7 - order(number), **use)
    cursor = {"cursor": second["next_cursor"]}
    third = reader.get(path, params={**query, "limit": 9, **cursor}).json()

    shown = [item for page in (first, second, third) for item in page["items"]]
    assert [item["account_id"] for item in shown] == [f"a{number}" for number in NUMBERS]
    assert third["next_cursor"] is None


def test_a_score_that_is_deleted_and_comes_back_keeps_its_place(
    reader: TestClient, committed: SessionFactory
) -> None:
    """a0 comes first. It is scored from scratch and costs least now: it does not come again."""
    with transaction(committed) as session:
        session.add(ProductFeature(workspace_id="acme", key="sso", name="SSO", event_names=[]))
        set_money(session, lambda number: 9 - number, adopted=False, before=False)
    first = reader.get(ADOPTION, params={"limit": 4}).json()
    with transaction(committed) as session:
        session.delete(session.get_one(HealthScore, ("acme", "a0")))
    with transaction(committed) as session:
        session.add(HealthScore(workspace_id="acme", account_id="a0"))
        session.flush()
        set_money(session, lambda number: 9 - number if number else 1, adopted=False, before=False)
    query: dict[str, Any] = {"limit": 9, "cursor": first["next_cursor"]}
    rest = reader.get(ADOPTION, params=query).json()

    assert [item["account_id"] for item in rest["items"]] == ["a4", "a5", "a6", "a7"]
