"""Members by the command line."""

import pytest

from tests.cli.test_commands import database, refusal, run

__all__ = ["database"]
pytestmark = pytest.mark.usefixtures("quiet_logs", "database")


def test_members_are_invited_listed_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    run("workspace", "create", "Acme")
    link = run("member", "invite", "Kim@Example.com", "-w", "acme", "--role", "admin").strip()
    monkeypatch.setenv("HEALTH_PUBLIC_URL", "https://health.example.com")
    again = run("member", "link", "kim@example.com", "-w", "acme").strip()

    assert link.startswith("http://127.0.0.1:8000/sign-in/")
    assert again.startswith("https://health.example.com/sign-in/")
    [_, row] = run("member", "list", "-w", "acme").splitlines()
    assert row.split("\t")[1:] == ["kim@example.com", "Kim@Example.com", "admin", ""]

    run("member", "sign-out", "kim@example.com", "-w", "acme")
    run("member", "remove", "kim@example.com", "-w", "acme")
    assert "no member yet" in run("member", "list", "-w", "acme")


def test_an_unknown_member_is_named() -> None:
    run("workspace", "create", "Acme")

    for command in ("link", "sign-out", "remove"):
        sentence = refusal("member", command, "kim@example.com", "-w", "acme")
        assert sentence == "No member kim@example.com in this workspace."
    assert refusal("member", "invite", "kim", "-w", "acme").startswith("kim is no e-mail address")
