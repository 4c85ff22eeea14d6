from typing import Any

import pytest
from pydantic import ValidationError

from app.interventions.playbooks.catalogue import shipped_playbooks
from app.interventions.playbooks.definition import Playbook

GOOD = shipped_playbooks()["right_size"].model_dump(mode="json")


def with_change(path: str, value: object) -> dict[str, Any]:
    document: dict[str, Any] = Playbook.model_validate(GOOD).model_dump(mode="json")
    *parents, last = path.strip("/").split("/")
    target = document
    for parent in parents:
        target = target[parent]
    target[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        ("/signals", ["price_rise", "nonsense"], "/signals/1"),
        ("/also", ["nonsense"], "/also/0"),
        ("/audience/filter", {"nonsense": 1}, "/audience/filter/nonsense"),
        ("/link", "https://x/{{ nonsense }}", "/link"),
        ("/faq", "{% if x %}", "/faq"),
        ("/texts/en/next_step", "Ask {{ nonsense }}.", "/texts/en/next_step"),
        ("/texts/en/next_step", "Ask {{ seats }}.", "/texts/en/next_step"),
        ("/texts/en/messages/default/gets", "{{ seats }}", "/texts/en/messages/default/gets"),
        ("/texts/en/messages/price_rise/gets", "{{ idle }}", "/texts/en/messages/price_rise/gets"),
        ("/texts/en/messages/price_rise/step", "{{ x", "/texts/en/messages/price_rise/step"),
        ("/texts/en/messages/dormant", {"gets": "a", "step": "b"}, "/texts/en/messages/dormant"),
        ("/texts/en/messages", {}, "/texts/en/messages"),
        ("/promises", {"nonsense": {"en": "x"}}, "/promises/nonsense"),
        ("/promises", {"smaller_plan": {"en": "{{ idle }}"}}, "/promises/smaller_plan/en"),
    ],
)
def test_an_invalid_part_is_reported_with_a_pointer(path: str, value: object, pointer: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Playbook.model_validate(with_change(path, value))

    [error] = caught.value.errors()
    assert error["ctx"]["error"].pointer == pointer


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/signals", []),
        ("/texts", {}),
        ("/texts/fr", GOOD["texts"]["en"]),
        ("/channel", "pigeon"),
        ("/uplift", 1.1),
        ("/cost_cents", -1),
        ("/nonsense", 1),
    ],
)
def test_an_invalid_playbook_is_rejected(path: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Playbook.model_validate(with_change(path, value))


def test_a_shipped_playbook_can_be_sent_back_unchanged() -> None:
    for playbook in shipped_playbooks().values():
        assert Playbook.model_validate(playbook.model_dump(mode="json")) == playbook
