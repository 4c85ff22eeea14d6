"""No page has a violation of WCAG 2.2 AA: both languages, light and dark, wide and narrow."""

import pytest
from playwright.sync_api import Page

from app.members.roles import Role
from tests.browser.conftest import NewPage, Site
from tests.web.accounts.conftest import SILENT

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = [
    "/today",
    "/accounts",
    f"/accounts?open={SILENT}",
    "/accounts?field=owner&op=eq&value=ann%40example.com",
    "/accounts?q=nothing",
    f"/accounts/{SILENT}",
    f"/accounts/{SILENT}?tab=why&since=2026-03-01&until=2026-03-29",
    "/accounts/c03?tab=timeline&write=call",
    f"/accounts/{SILENT}?tab=people",
    f"/accounts/{SILENT}?tab=timeline&show=health",
    "/accounts/nobody",
    "/alerts",
    "/alerts?state=resolved&severity=low",
    "/members",
    "/profile",
]
NARROW = {"width": 390, "height": 800}


def violations(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    found = page.evaluate("tags => axe.run(document, {runOnly: tags})", TAGS)["violations"]
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_pages_have_no_violation(new_page: NewPage, axe: str, language: str, scheme: str) -> None:
    page = new_page(color_scheme=scheme, locale=language, bypass_csp=True)
    for path in PAGES:
        page.goto(path)
        assert violations(page, axe) == [], path


def test_narrow_pages_have_no_violation_and_do_not_scroll_sideways(
    new_page: NewPage, axe: str
) -> None:
    page = new_page(viewport=NARROW, has_touch=True, bypass_csp=True)
    for path in PAGES:
        page.goto(path)
        assert violations(page, axe) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], path


def test_pages_without_a_session_have_no_violation(new_page: NewPage, site: Site, axe: str) -> None:
    page = new_page(None, bypass_csp=True)
    for path in ("/sign-in", site.link(Role.VIEWER)):
        page.goto(path)
        assert violations(page, axe) == [], path
