"""Members write notes, tasks and sentiment on the page of an account; its timeline shows them."""

import re
from typing import Any

import pytest
from httpx2 import Response

from app.members.roles import Role
from app.web.accounts.work_view import GROUPS, PAGE_SIZE
from tests.web.accounts.conftest import HOSTILE, SILENT, Company
from tests.web.conftest import Browser, path_of, text_of

PAGE = "/accounts/c02?tab=timeline"
ACTS = "/accounts/c02/"


@pytest.fixture
def member(company: Company) -> Browser:
    return company.browser(Role.MEMBER)


def stored(company: Company, kind: str) -> list[Any]:
    items: list[Any] = company.api.get(f"/api/v1/accounts/c02/{kind}").json()["items"]
    return items


def write(browser: Browser, **fields: str) -> str:
    """Write a note; return its id."""
    answer = browser.send(browser.get(PAGE), f"{ACTS}notes", **fields)
    assert path_of(answer) == f"{PAGE}&done=saved", text_of(answer)
    return str(re.findall(r"note=(note_\w+)", answer.text)[0])


def test_a_call_is_logged_by_the_member_with_its_time_and_participants(
    company: Company, member: Browser
) -> None:
    write(
        member,
        kind="call",
        text=f"They need {HOSTILE}",
        at="2026-03-17T09:30",
        participants="ann@acme.example, Kim Lee,",
    )

    [note] = [each for each in stored(company, "notes") if each["kind"] == "call"]
    assert note["author"] == company.members[-1]
    assert (note["at"], note["text"]) == ("2026-03-17T09:30:00Z", f"They need {HOSTILE}")
    assert note["participants"] == ["ann@acme.example", "Kim Lee"]
    page = member.get(f"{PAGE}&note={note['id']}")
    assert f'{company.members[-1]} logged a call: "They need {HOSTILE}".' in text_of(page)
    assert "<img" not in page.text
    newest = company.api.get("/api/v1/audit-entries").json()["items"][0]
    assert (newest["action"], newest["actor"][:11]) == ("note.created", "member:mem_")


def test_an_own_note_is_changed_and_deleted_and_one_of_others_only_read(company: Company) -> None:
    ann, ben = company.browser(Role.MEMBER), company.browser(Role.MEMBER)
    note_id = write(ann, text="First text.")
    page = ann.get(f"{PAGE}&note={note_id}")
    theirs = ben.get(f"{PAGE}&note={note_id}")

    changed = ann.send(page, f"notes/{note_id}", text="Second text.", kind="meeting")

    assert 'logged a meeting: "Second text' in text_of(changed)
    note = company.api.get(f"/api/v1/notes/{note_id}").json()
    assert (note["version"], note["kind"], note["at"]) == (2, "meeting", "2026-03-29T12:00:00Z")
    assert "First text." in text_of(theirs)
    assert f"notes/{note_id}" not in theirs.text
    csrf = csrf_of(theirs)
    for path in (f"notes/{note_id}", f"notes/{note_id}/delete"):
        refused = ben.client.post(f"{ACTS}{path}", data={"csrf": csrf, "text": "Third."})
        assert refused.status_code == 403
        assert "Only its author" in text_of(refused)
    deleted = ann.send(page, f"notes/{note_id}/delete")
    assert path_of(deleted) == f"{PAGE}&done=deleted"
    assert company.api.get(f"/api/v1/notes/{note_id}").status_code == 404


def test_a_task_is_created_changed_finished_opened_again_and_deleted(
    company: Company, member: Browser
) -> None:
    fields = {"title": "Send <b>the offer</b>", "due_on": "2026-03-20"}
    page = member.send(member.get(PAGE), f"{ACTS}tasks", **fields)
    [task] = stored(company, "tasks")
    path = f"tasks/{task['id']}"
    assert (task["owner"], task["due_on"]) == (company.members[-1], "2026-03-20")
    assert "Send <b>the offer</b>" in text_of(page)
    assert "due 20 Mar 2026 Overdue" in text_of(page)

    form = {"csrf": csrf_of(page), "title": "Call", "owner": "", "due_on": "2026-04-02"}
    member.client.post(f"{ACTS}{path}", data=form)
    [task] = stored(company, "tasks")
    assert (task["title"], task["owner"], task["due_on"]) == ("Call", None, "2026-04-02")

    finished = member.send(member.get(PAGE), path)
    assert "Done." in text_of(finished)
    [task] = stored(company, "tasks")
    assert (task["done_at"], task["done_by"]) == ("2026-03-29T12:00:00Z", company.members[-1])
    assert "No task is open." in text_of(finished)
    opened = member.send(finished, path)
    assert stored(company, "tasks")[0]["done_at"] is None
    member.send(opened, f"{path}/delete")
    assert stored(company, "tasks") == []


def test_the_view_of_the_owner_stands_beside_the_value(company: Company, member: Browser) -> None:
    before = member.get("/accounts/c02")
    health = company.api.get("/api/v1/accounts/c02/health").json()

    page = member.send(before, "/sentiment", value="5", reason="The new director likes it.")

    assert path_of(page) == "/accounts/c02?done=saved"
    sentiment = company.api.get("/api/v1/accounts/c02/sentiment").json()
    assert (sentiment["value"], sentiment["author"]) == (5, company.members[-1])
    shown = text_of(page)
    assert "5 of 5 today" in shown
    assert "The new director likes it." in shown
    assert ("better than the value" in shown) == (sentiment["agreement"] == "optimistic")
    assert company.api.get("/api/v1/accounts/c02/health").json() == health


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("notes", {"text": " "}),
        ("notes", {"text": "Later.", "at": "2026-04-30T10:00"}),
        ("notes", {"text": "When?", "at": "soon"}),
        ("notes", {"text": "What?", "kind": "letter"}),
        ("tasks", {"title": ""}),
        ("tasks", {"title": "When?", "due_on": "soon"}),
        ("sentiment", {"value": "6", "reason": "Very good."}),
        ("sentiment", {"value": "x", "reason": "Unclear."}),
        ("sentiment", {"value": "2", "reason": " "}),
    ],
)
def test_a_form_that_does_not_fit_says_so_and_stores_nothing(
    company: Company, member: Browser, path: str, fields: dict[str, str]
) -> None:
    before = company.api.get("/api/v1/audit-entries").json()["items"]
    form = {"csrf": csrf_of(member.get(PAGE)), **fields}

    assert member.client.post(f"{ACTS}{path}", data=form).status_code == 422
    assert company.api.get("/api/v1/audit-entries").json()["items"] == before


@pytest.mark.parametrize("path", ["notes", "tasks", "sentiment"])
def test_a_viewer_reads_and_writes_nothing(reader: Browser, path: str) -> None:
    page = reader.get(PAGE)

    assert page.status_code == 200
    assert '<form method="post" action="/accounts' not in page.text
    form = {"csrf": csrf_of(page), "text": "A note.", "title": "A task", "value": "2"}
    answer = reader.client.post(f"{ACTS}{path}", data={**form, "reason": "Because."})
    assert answer.status_code == 403


@pytest.mark.parametrize("group", ["everything", "health", "contract", "strange"])
def test_the_timeline_is_that_of_the_api(company: Company, reader: Browser, group: str) -> None:
    kinds = list(GROUPS.get(group, ()))
    items = company.api.get(
        f"/api/v1/accounts/{SILENT}/timeline", params={"kind": kinds, "limit": PAGE_SIZE}
    ).json()["items"]

    page = reader.get(f"/accounts/{SILENT}?tab=timeline&show={group}")

    assert items
    assert page.text.count("<time ") == len(items)
    assert all(" ".join(each["sentence"].split()) in text_of(page) for each in items)


def test_the_timeline_has_pages(reader: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.accounts.work_view.PAGE_SIZE", 2)
    first = reader.get(f"/accounts/{SILENT}?tab=timeline")
    following = first.text.partition('" rel="next"')[0].rpartition('href="')[2]

    second = reader.get(following.replace("&amp;", "&"))

    assert first.text.count("<time ") == second.text.count("<time ") == 2
    assert "First page" in text_of(second)
    strange = reader.get(f"/accounts/{SILENT}?tab=timeline&cursor=x")
    assert path_of(strange) == f"/accounts/{SILENT}?tab=timeline"


def test_the_people_are_those_of_the_api(company: Company, reader: Browser) -> None:
    body = {"account_id": "c02", "name": HOSTILE, "email": "ada@c02.example", "role": "Champion"}
    company.api.put("/api/v1/users/c02-ada", json=body)
    items = company.api.get("/api/v1/accounts/c02/people").json()["items"]

    page = reader.get("/accounts/c02?tab=people")

    assert items[0]["roles"] == ["champion"]
    assert page.text.count('<th scope="row">') == len(items)
    shown = text_of(page)
    assert f"{HOSTILE} ada@c02.example champion" in shown
    assert all((each["name"] or each["email"] or each["user_id"]) in shown for each in items)
    assert "<img" not in page.text


def test_an_account_without_people_says_how_they_become_known(
    company: Company, reader: Browser
) -> None:
    company.api.put("/api/v1/accounts/lonely", json={"name": "Lonely"})

    page = reader.get("/accounts/lonely?tab=people")
    company.api.delete("/api/v1/accounts/lonely")
    company.world.work()

    assert "No person of this account is known." in text_of(page)
    assert '"context":{"groupId":"lonely"}' in text_of(page)


def csrf_of(page: Response) -> str:
    return str(re.findall(r'name="csrf" value="([^"]+)"', page.text)[0])
