"""Notes, tasks and the owner's view in a real browser: by keyboard only, and without scripts."""

from playwright.sync_api import expect

from app.members.roles import Role
from tests.browser.conftest import NewPage, Site


def test_a_note_is_written_by_keyboard_only(new_page: NewPage, site: Site) -> None:
    page = new_page(Role.MEMBER)
    page.goto("/accounts/c04")
    page.keyboard.press("n")
    expect(page.get_by_label("Note", exact=True)).to_be_focused()

    page.keyboard.type("They j k a s d ? asked for <b>more</b> seats.")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.get_by_role("button", name="Save").first.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("Saved.")
    expect(page.locator(".timeline li").first).to_contain_text("asked for <b>more</b> seats")
    expect(page.get_by_label("Note", exact=True)).to_have_value("")
    [note] = site.api.get("/api/v1/accounts/c04/notes").json()["items"]
    assert note["text"] == "They j k a s d ? asked for <b>more</b> seats."


def test_tasks_and_the_view_work_without_scripts(new_page: NewPage) -> None:
    page = new_page(Role.MEMBER, java_script_enabled=False, viewport={"width": 390, "height": 800})
    page.goto("/accounts/c06")
    page.get_by_text("State your view").click()
    page.get_by_label("2", exact=True).check()
    page.get_by_label("Why", exact=True).fill("Nobody answers.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("2 of 5")
    page.get_by_role("link", name="Timeline").click()
    page.get_by_label("Task").fill("Call them")
    page.get_by_label("Due").fill("2026-04-02")
    page.get_by_role("button", name="Save").last.click()
    page.get_by_role("button", name="Done: Call them").click()
    expect(page.get_by_role("status")).to_contain_text("Done.")
    page.get_by_role("button", name="Open this task again").click()
    expect(page.get_by_role("button", name="Done: Call them")).to_be_visible()


def test_alerts_are_snoozed_and_calls_logged_on_today_by_keyboard(
    new_page: NewPage, site: Site
) -> None:
    page = new_page(Role.MEMBER)
    page.goto("/today")
    row = page.locator("li[data-row]").filter(has=page.locator("[data-act=snooze]")).first
    index = row.evaluate("each => [...document.querySelectorAll('[data-row]')].indexOf(each)")
    for _ in range(index + 1):
        page.keyboard.press("j")
    account = page.locator("li.current h2 a").get_attribute("href") or ""

    page.keyboard.press("n")
    page.keyboard.type("They stay.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    notes = site.api.get(f"/api/v1{account}/notes", params={"kind": "call"}).json()["items"]
    assert [each["text"] for each in notes] == ["They stay."]
    assert page.locator("li.current h2 a").get_attribute("href") == account

    page.keyboard.press("s")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The snooze is set")
    alerts = site.api.get("/api/v1/alerts", params={"account_id": notes[0]["account_id"]}).json()
    to_do = [each for each in alerts["items"] if each["acknowledged_at"] is None]
    assert to_do
    assert all(each["snoozed_until"] for each in to_do)
