"""Pages and acts in a real browser: by keyboard, without scripts, and how few clicks they take."""

import pytest
from playwright.sync_api import Browser, Page, expect

from app.members.roles import Role
from tests.browser.conftest import NewPage, Site
from tests.web.accounts.conftest import HOSTILE, SILENT

MARK = "window.isSameDocument = true"
IS_SAME = "window.isSameDocument === true"


def test_a_newcomer_explains_an_account_and_accepts_a_suggestion_in_four_clicks(
    new_page: NewPage, site: Site
) -> None:
    """The printed link is the first click; then sign in, the first account, accept."""
    page = new_page(None)
    page.goto(site.link())
    page.get_by_role("button", name="Sign in").click()
    page.locator("li[data-row] h2 a").first.click()
    expect(page.get_by_role("heading", name="What to do")).to_be_visible()
    expect(page.locator(".chart.strip").first).to_be_visible()
    if page.get_by_role("button", name="Accept").count() == 0:
        page.goto(f"/accounts/{SILENT}")
    page.get_by_role("button", name="Accept").first.click()
    expect(page.get_by_role("status")).to_contain_text("Accepted.")


def test_the_list_is_used_by_keyboard_only(new_page: NewPage) -> None:
    page = new_page()
    first, second = (page.locator("tbody th a").nth(at).inner_text() for at in (0, 1))

    page.keyboard.press("j")
    expect(page.locator("tr.current th")).to_have_text(first)
    page.keyboard.press("j")
    expect(page.locator("tr.current th")).to_have_text(second)
    page.keyboard.press("e")
    expect(page.locator("tr.inside")).to_be_visible()
    expect(page.locator("tr.current th")).to_have_text(second)
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(first)
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url("**/members")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/accounts")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).not_to_be_visible()


def test_a_key_does_nothing_while_typing_or_with_a_modifier(new_page: NewPage) -> None:
    page = new_page()
    page.keyboard.press("Control+j")
    expect(page.locator("tr.current")).to_have_count(0)
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()

    page.keyboard.type("je?c05")

    expect(page.locator("[data-search]")).to_have_value("je?c05")
    expect(page.locator("tr.current")).to_have_count(0)


def test_today_is_opened_and_used_by_keyboard(new_page: NewPage) -> None:
    page = new_page()
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url("**/today")
    first = page.locator("li[data-row] h2 a").first.inner_text()
    page.keyboard.press("j")
    expect(page.locator("li.current h2 a")).to_have_text(first)

    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text(first)


def test_a_suggestion_is_dismissed_by_keyboard(new_page: NewPage, site: Site) -> None:
    [suggestion, *_] = site.api.get("/api/v1/suggestions").json()["items"]
    page = new_page(Role.MEMBER)
    page.goto(f"/accounts/{suggestion['account_id']}")

    page.keyboard.press("d")
    page.keyboard.type("They know.")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("Dismissed.")
    stored = site.api.get(f"/api/v1/interventions/{suggestion['id']}").json()
    assert stored["state"] in {"dismissed", "suggested"}


def test_everything_works_without_scripts(new_page: NewPage, site: Site) -> None:
    page = new_page(Role.ADMIN, java_script_enabled=False)
    page.get_by_label("Name or id").fill("C05")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("tbody th a")).to_have_count(1)
    page.locator("tbody [data-open]").click()
    expect(page.locator("tr.inside")).to_be_visible()
    page.locator("tbody th a").first.click()
    page.get_by_role("link", name="Why this value").click()
    expect(page.locator(".chart.waterfall").first).to_be_visible()
    page.goto("/profile")
    page.get_by_label("Language").select_option("zh")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("已保存。")
    page.get_by_role("button", name="退出登录", exact=True).click()
    page.wait_for_url("**/sign-in")
    assert site.api.get("/api/v1/members").status_code == 200


def test_a_link_replaces_the_page_without_loading_it_anew_and_back_returns(
    new_page: NewPage,
) -> None:
    page = new_page()
    page.evaluate(MARK)
    page.get_by_label("Name or id").fill("C05")
    page.get_by_role("button", name="Find").click()
    page.wait_for_url("**/accounts?q=C05**")
    expect(page.locator("tbody th a")).to_have_count(1)
    page.locator("tbody th a").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("C05")
    assert page.evaluate(IS_SAME)
    assert page.title().startswith("C05")

    page.go_back()

    expect(page.locator("tbody th a")).to_have_count(1)
    expect(page.locator("[data-search]")).to_have_value("C05")


def test_opening_a_row_leaves_focus_and_place(new_page: NewPage) -> None:
    page = new_page(viewport={"width": 1200, "height": 500})
    opener = page.locator("tbody [data-open]").nth(12)
    opener.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")

    opener.focus()
    page.keyboard.press("Enter")

    expect(page.locator("tr.inside")).to_be_visible()
    assert page.evaluate("document.activeElement.matches('[data-open]')")
    assert abs(page.evaluate("scrollY") - before) < 40


def test_markup_in_a_name_runs_nothing(new_page: NewPage) -> None:
    page = new_page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))

    page.goto("/accounts/c01")

    assert HOSTILE in page.get_by_role("heading", level=1).inner_text()
    assert page.locator("main img").count() == 0
    assert dialogs == []


def test_the_page_is_refused_in_a_frame(chromium: Browser, site: Site) -> None:
    page = chromium.new_page()
    with page.expect_console_message(lambda line: "frame-ancestors" in line.text):
        page.set_content(f'<iframe src="{site.url}/sign-in"></iframe>')

    assert "Sign in" not in page.frames[-1].content()
    page.close()


def test_print_has_no_navigation_and_no_buttons(new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"/accounts/{SILENT}")

    page.emulate_media(media="print")

    expect(page.locator("header.top")).to_be_hidden()
    assert all(not each.is_visible() for each in page.locator("button").all())


@pytest.mark.parametrize("width", [390, 1280])
def test_the_link_of_a_new_member_is_shown_and_signs_in(new_page: NewPage, width: int) -> None:
    page = new_page(viewport={"width": width, "height": 800})
    page.goto("/members")
    page.get_by_label("E-mail address").fill(f"new-{width}@example.com")
    page.get_by_role("button", name="Invite").click()
    link = page.locator("#link").inner_text()

    other: Page = new_page(None)
    other.goto(link)
    other.get_by_role("button", name="Sign in").click()

    other.wait_for_url("**/today")
