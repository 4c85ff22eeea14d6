"""Ids beyond 64 bits that are sent as JSON numbers keep their exact digits, as texts."""

import json

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.events import calls
from tests.events.calls import BATCH, track

FIRST, SECOND = "12345678901234567890123", "12345678901234567890124"


def send(client: TestClient, accounts: list[str], user: str = '"ada"') -> list[str]:
    """Send one track call for each account id, as JSON text. Return the warnings."""
    events = [
        json.dumps(track(f"m{n}", userId="USER", context={"groupId": "HERE"}))
        .replace('"HERE"', account)
        .replace('"USER"', user)
        for n, account in enumerate(accounts)
    ]
    body = f'{{"batch": [{",".join(events)}]}}'
    return calls.warnings(calls.checked_receipt(client.post(BATCH, content=body), len(accounts)))


def test_two_long_account_ids_are_two_accounts(client: TestClient, session: Session) -> None:
    assert send(client, [FIRST, SECOND]) == ["number_too_large"] * 2

    accounts = calls.text_rows(session, "SELECT account_id FROM account ORDER BY 1")
    assert accounts == [(FIRST,), (SECOND,)]


def test_a_number_and_a_text_with_the_same_digits_are_one_id(
    client: TestClient, session: Session
) -> None:
    send(client, [FIRST, f'"{FIRST}"', "7", "7.0", '"7"'], user=SECOND)

    accounts = calls.text_rows(session, "SELECT account_id FROM account ORDER BY 1")
    assert accounts == [(FIRST,), ("7",)]
    assert {used[2] for used in calls.usage(session)} == {SECOND}


@pytest.mark.parametrize("number", ["12345678901234567890.0", "1.2345678901234567890e19", "1e300"])
def test_an_id_whose_digits_are_lost_in_a_decimal_number_is_refused(
    client: TestClient, session: Session, number: str
) -> None:
    send(client, [number, '"a1"'])

    assert calls.text_rows(session, "SELECT account_id FROM account") == [("a1",)]
    assert calls.text_rows(session, "SELECT code FROM quarantined_event") == [
        ("invalid_account_id",)
    ]
