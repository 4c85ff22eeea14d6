"""The inbox in a real browser: by keyboard only, and without scripts."""

from playwright.sync_api import Page, expect

from app.members.roles import Role
from tests.browser.conftest import NewPage


def names(page: Page) -> list[str]:
    return list(page.locator("li[data-row] h2 a").all_inner_texts())


def test_alerts_are_worked_off_by_keyboard_only(new_page: NewPage) -> None:
    page = new_page(Role.MEMBER)
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.wait_for_url("**/alerts")
    before = names(page)
    assert len(before) >= 2

    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_role("status")).to_contain_text("Acknowledged.")
    expect(page.locator("li.current")).to_contain_text("acknowledged")
    page.keyboard.press("j")
    expect(page.locator("li.current h2 a")).to_have_text(before[1])

    page.keyboard.press("s")
    expect(page.locator("li.current [data-choose]")).to_be_checked()
    expect(page.get_by_label("For how long")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The snooze is set")
    expect(page.locator("li.current")).to_contain_text("snoozed until")
    expect(page.locator("[data-choose]:checked")).to_have_count(0)

    page.keyboard.press("x")
    page.get_by_label("What was wrong or right").focus()
    page.keyboard.press("Enter")
    expect(page.locator("li.current [data-choose]")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Rated.")
    expect(page.locator("li.current")).to_contain_text("useful")

    page.locator("li.current h2 a").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(before[1])


def test_alerts_are_resolved_without_scripts(new_page: NewPage) -> None:
    page = new_page(Role.MEMBER, java_script_enabled=False, viewport={"width": 390, "height": 800})
    page.get_by_role("link", name="Alerts").click()
    before = names(page)
    page.locator("[data-choose]").last.check()

    page.get_by_role("button", name="Resolve").click()

    expect(page.get_by_role("status")).to_contain_text("Resolved.")
    assert names(page) == before[:-1]
    page.get_by_role("link", name="Resolved", exact=True).click()
    assert names(page) == before[-1:]


def test_the_alerts_of_an_account_are_opened_by_key(new_page: NewPage) -> None:
    page = new_page(Role.MEMBER)
    page.goto("/accounts/c08")

    page.keyboard.press("s")

    page.wait_for_url("**/alerts?account=c08")
    assert set(names(page)) <= {"C08"}
