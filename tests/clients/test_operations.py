"""Operations, lists and errors of the Python client, against the app."""

import asyncio
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from customer_health import ApiError, AsyncClient, Client, models
from customer_health._generated.errors import BY_CODE
from customer_health.errors import (
    InvalidApiKeyError,
    InvalidCursorError,
    InvalidFilterError,
    NotFoundError,
    UnauthorizedError,
    UnprocessableEntityError,
)
from fastapi.testclient import TestClient

from tests.clients.conftest import RunAsync, in_process

ACCOUNTS = [f"account-{n}" for n in range(5)]


@pytest.fixture
def accounts(api: Client) -> list[str]:
    for name in ACCOUNTS:
        api.put_account(name, {"name": name.title(), "segment": "smb"})
    return ACCOUNTS


def test_a_list_is_an_iteration_over_all_pages(api: Client, accounts: list[str]) -> None:
    listed = api.list_accounts(limit=2, sort="account_id")

    assert [each["account_id"] for each in listed] == accounts
    assert [len(page["items"]) for page in listed.pages()] == [2, 2, 1]


def test_a_list_with_its_cursor_in_the_body_is_one_too(api: Client, accounts: list[str]) -> None:
    query: models.AccountQuery = {"filter": {"segment": "smb"}, "sort": "-account_id", "limit": 2}

    assert [each["account_id"] for each in api.query_accounts(query)] == accounts[::-1]
    assert "cursor" not in query


def test_the_asynchronous_client_does_the_same(
    run_async: RunAsync[list[str]], accounts: list[str]
) -> None:
    async def list_ids(api: AsyncClient) -> list[str]:
        first = await api.get_account(accounts[0])
        assert first["name"] == "Account-0"
        with pytest.raises(NotFoundError):
            await api.get_account("nobody-here")
        return [each["account_id"] async for each in api.list_accounts(limit=2)]

    assert sorted(run_async(list_ids)) == accounts


def test_filters_days_times_and_repeated_values_are_sent_as_the_api_reads_them(
    api: Client, accounts: list[str]
) -> None:
    some: models.AccountFilter = {"field": "account_id", "op": "in", "value": accounts[1:3]}

    assert [each["account_id"] for each in api.list_accounts(filter=some)] == accounts[1:3]
    mrr = api.get_account_mrr(accounts[0], on=date(2026, 3, 1))
    assert mrr["on"] == "2026-03-01"
    at = datetime(2026, 3, 17, 9, 30, tzinfo=UTC)
    note = api.create_note(accounts[0], {"text": "They renew.", "at": at.isoformat()})
    assert datetime.fromisoformat(note["at"]) == at
    [entry] = api.get_timeline(accounts[0], kind=["note", "task"])
    assert entry["id"] == note["id"]


@pytest.mark.parametrize("account_id", ["a b", "über?x=1#y", "..", ".", "100%", "a+b@c.example"])
def test_any_id_is_a_part_of_a_path(api: Client, account_id: str) -> None:
    api.put_account(account_id, {"name": "An odd id"})

    assert api.get_account(account_id)["account_id"] == account_id


def test_a_problem_is_an_exception_of_its_code_and_of_its_status(
    api: Client, client: TestClient
) -> None:
    with pytest.raises(NotFoundError) as missing:
        api.get_account("nobody-here")
    with pytest.raises(InvalidCursorError) as cursor:
        list(api.list_accounts(cursor="nonsense"))
    with pytest.raises(InvalidFilterError) as invalid:
        list(api.list_accounts(filter={"segmint": "smb"}))
    with pytest.raises(UnauthorizedError) as key:
        in_process(client, "hk_wrong").get_workspace()

    assert (missing.value.status, missing.value.code) == (404, "not_found")
    assert missing.value.detail == "No account nobody-here in this workspace."
    assert missing.value.request_id.startswith("req_")
    assert isinstance(cursor.value, NotFoundError)
    assert isinstance(invalid.value, UnprocessableEntityError)
    assert [each["pointer"] for each in invalid.value.errors] == ["/query/filter/segmint"]
    assert "Did you mean segment?" in str(invalid.value)
    assert type(key.value) is InvalidApiKeyError


def test_every_error_class_has_the_code_and_a_status_of_its_own() -> None:
    for code, each in BY_CODE.items():
        assert issubclass(each, ApiError)
        assert each.status >= 400
        assert each.code in {code, ""}  # a class of a status in general stands for its code
    assert BY_CODE["wrong_state"].status == 409


def test_a_post_is_carried_out_once_for_each_idempotency_key(
    api: Client, accounts: list[str]
) -> None:
    task: models.TaskIn = {"title": "Call them"}

    first = api.create_task(accounts[0], task, idempotency_key="task-of-march")
    again = api.create_task(accounts[0], task, idempotency_key="task-of-march")
    other = api.create_task(accounts[0], task)

    assert first["id"] == again["id"] != other["id"]
    assert len(list(api.list_account_tasks(accounts[0]))) == 2


def test_importing_the_client_loads_no_models() -> None:
    code = (
        "import sys, customer_health;"
        "print({'customer_health._generated.models', 'pydantic', 'app'} & set(sys.modules))"
    )
    folder = Path(sys.modules["customer_health"].__path__[0]).parent
    done = subprocess.run(  # noqa: S603 - Python itself
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "set()"


def test_a_client_closes_only_what_it_has_opened(client: TestClient) -> None:
    with in_process(client, "key-of-nobody"):
        pass
    own = Client("key-of-nobody", "http://testserver")
    own.close()

    assert client.get("/health/live").status_code == 200
    with pytest.raises(RuntimeError, match="closed"):
        own.get_workspace()


def test_an_own_asynchronous_client_is_closed_too() -> None:
    async def use_closed() -> None:
        async with AsyncClient("key-of-nobody", "http://testserver") as own:
            pass
        with pytest.raises(RuntimeError, match="closed"):
            await own.get_workspace()

    asyncio.run(use_closed())
