"""The next refresh updates the texts of a suggestion from account, evidence and playbook."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.interventions.playbooks import service
from app.tables import Account, AccountSignal, HealthScore, Intervention
from app.workspaces.service import Actor
from tests import factories
from tests.conftest import NOW
from tests.interventions.scenario import create_account, open_signal, refresh


@pytest.fixture(autouse=True)
def _suggestion(session: Session) -> None:
    """Create a suggestion that answers a price rise."""
    factories.workspace(session)
    create_account(session, "a1", name="Acme Ltd")
    open_signal(session, "a1", "price_rise", before_cents=49900, after_cents=59900, currency="EUR")
    refresh(session)


def details(session: Session) -> Mapping[str, Any]:
    session.expire_all()
    return session.scalars(select(Intervention)).one().details


def test_a_new_account_name_appears_in_the_texts(session: Session) -> None:
    session.execute(update(Account).values(name="Acme Inc"))

    refresh(session)

    assert details(session)["texts"]["en"]["next_step"].startswith("Propose to Acme Inc")
    assert "Acme Inc" in details(session)["texts"]["zh"]["next_step"]


def test_new_evidence_appears_in_the_texts(session: Session) -> None:
    evidence = {"before_cents": 49900, "after_cents": 69900, "currency": "EUR"}
    session.execute(update(AccountSignal).values(evidence=evidence))

    refresh(session)

    assert "from 499 EUR to 699 EUR" in details(session)["texts"]["en"]["message"]
    assert details(session)["evidence"] == evidence


def test_a_changed_playbook_appears_in_the_texts(session: Session) -> None:
    texts = service.get(session, "acme", "right_size").playbook.model_dump()["texts"]
    texts["en"]["next_step"] = "Call {{ account }} {today}."
    kim = Actor("acme", "kim@acme.example", NOW)
    service.patch(session, kim, "right_size", {"texts": texts})

    refresh(session)

    assert details(session)["texts"]["en"]["next_step"] == "Call Acme Ltd {today}."


def test_a_new_value_does_not_change_the_texts(session: Session) -> None:
    before = details(session)
    session.execute(update(HealthScore).values(mrr_cents=500_00))

    changed = refresh(session)

    after = details(session)
    assert changed == 1
    assert after["effect"]["arr_cents"] == 12 * 500_00
    assert {**after, "effect": None} == {**before, "effect": None}
