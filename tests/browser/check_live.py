"""Open pages show changes by themselves, and leave alone what somebody is doing."""

from playwright.sync_api import expect
from sqlalchemy import update

from app.accounts.tables import Account
from app.changes.queries import NewChange, record_changes
from app.core.db import transaction
from tests.browser.check_acts import IS_SAME, MARK
from tests.browser.conftest import NewPage, Site


def rename(site: Site, account_id: str, name: str) -> None:
    """Give an account another name, with a change in the feed, which a name alone is not."""
    with transaction(site.world.sessions) as session:
        session.execute(
            update(Account)
            .where(Account.workspace_id == "acme", Account.account_id == account_id)
            .values(name=name)
        )
        change = NewChange("score", account_id, {})
        record_changes(session, "acme", [change], now=site.world.now)


def test_an_open_account_and_the_list_show_a_change(new_page: NewPage, site: Site) -> None:
    account, accounts = new_page(), new_page()
    account.goto("/accounts/c07")
    for page in (account, accounts):
        page.evaluate(MARK)

    rename(site, "c07", "Renamed while open")

    expect(account.get_by_role("heading", level=1)).to_contain_text("Renamed while open")
    expect(accounts.get_by_role("link", name="Renamed while open", exact=True)).to_be_visible()
    assert account.evaluate(IS_SAME)
    assert accounts.evaluate(IS_SAME)


def test_what_somebody_writes_and_has_opened_stays(new_page: NewPage, site: Site) -> None:
    """The page waits until the field is empty again; the panel stays open after that."""
    page, other = new_page(), new_page()
    page.locator("details.filters summary").click()
    value = page.locator("details.filters input[name=value]")
    value.fill("half a wo")

    rename(site, "c08", "Renamed meanwhile")
    expect(other.get_by_role("link", name="Renamed meanwhile", exact=True)).to_be_visible()
    expect(value).to_have_value("half a wo")
    expect(page.get_by_role("link", name="Renamed meanwhile", exact=True)).to_have_count(0)

    value.fill("")
    page.keyboard.press("Tab")
    page.locator("h1").click()
    shown = page.get_by_role("link", name="Renamed meanwhile", exact=True)
    expect(shown).to_be_visible(timeout=20_000)
    expect(value).to_be_visible()
