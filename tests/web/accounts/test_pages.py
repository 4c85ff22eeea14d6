"""The list of accounts and the page of one account show what the API answers."""

import csv
import io
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from app.members.roles import Role
from tests.web.accounts.conftest import HOSTILE, SILENT, Company
from tests.web.conftest import Browser, path_of, text_of


def names_on(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/accounts/([^"?]+)">', page)


def test_the_list_has_the_accounts_of_the_api_in_its_order(
    company: Company, reader: Browser
) -> None:
    answer = company.api.get("/api/v1/accounts", params={"sort": "-mrr", "limit": 50}).json()

    page = reader.get("/accounts?sort=-mrr")

    assert names_on(page.text) == [item["account_id"] for item in answer["items"]]
    total = company.api.post("/api/v1/accounts/count", json={}).json()
    assert f"{total['count']} accounts, US${total['mrr_cents'] * 12 // 100:,} a year" in text_of(
        page
    )


def test_the_search_finds_names_and_ids(reader: Browser) -> None:
    assert names_on(reader.get("/accounts?q=C05").text) == [SILENT]
    assert names_on(reader.get("/accounts?q=sons").text) == ["c01"]
    assert "No account matches" in text_of(reader.get("/accounts?q=nothing"))


def test_a_filter_is_added_by_a_form_shown_as_a_chip_and_removed(reader: Browser) -> None:
    page = reader.get("/accounts?field=owner&op=eq&value=ann%40example.com")

    query = parse_qs(urlsplit(path_of(page)).query)
    assert query == {"filter": ['{"field":"owner","op":"eq","value":"ann@example.com"}']}
    assert names_on(page.text) == ["c00"]
    assert "Owner is ann@example.com" in text_of(page)

    second = reader.get(f"{path_of(page)}&field=mrr_cents&op=gte&value=1,000")
    assert "MRR is at least US$1,000" in text_of(second)
    assert names_on(second.text) == []
    removed = re.search(r'<a class="chip" href="([^"]+)" title', second.text)
    assert removed is not None
    assert "MRR is at least" in text_of(reader.get(removed[1].replace("&amp;", "&")))


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("field=mrr_cents&op=gte&value=much", "Write a number."),
        ("field=renewal_on&op=lte&value=soon", "Write a day such as"),
        ("field=band&op=eq&value=red", "no such value"),
        ("field=owner&op=eq&value=", "Write a value."),
        ("field=nothing&op=eq&value=1", "cannot be used here"),
    ],
)
def test_a_value_that_does_not_fit_is_explained_beside_the_form(
    reader: Browser, query: str, sentence: str
) -> None:
    page = reader.get(f"/accounts?{query}")

    assert page.status_code == 200
    assert sentence in text_of(page)


@pytest.mark.parametrize(
    "query", ["filter=%7B%22nope%22%3A1%7D", "filter=nothing", "segment=absent"]
)
def test_an_address_that_cannot_be_read_is_a_clear_page(reader: Browser, query: str) -> None:
    page = reader.get(f"/accounts?{query}")

    assert page.status_code in {404, 422}
    assert "Traceback" not in page.text


@pytest.mark.parametrize("query", ["cursor=x", "sort=nothing", "columns=,,x", "open=absent"])
def test_an_old_or_strange_address_shows_the_list(reader: Browser, query: str) -> None:
    assert len(names_on(reader.get(f"/accounts?{query}").text)) == 24


def test_columns_are_chosen_by_a_form(reader: Browser) -> None:
    page = reader.get("/accounts?column=plan&column=score")

    assert path_of(page) == "/accounts?columns=score%2Cplan"
    head = page.text.partition("</thead>")[0]
    assert ("Plan" in head, "Renewal</" in head.partition("<thead>")[2]) == (True, False)


def test_a_row_opens_in_place_with_reasons_and_suggestions(
    company: Company, reader: Browser
) -> None:
    signals = company.api.get(f"/api/v1/accounts/{SILENT}/signals").json()["items"]

    page = text_of(reader.get(f"/accounts?open={SILENT}"))

    assert signals
    assert all(each["sentence"] in page for each in signals)


def test_a_segment_is_saved_used_and_deleted(company: Company) -> None:
    browser = company.browser(Role.MEMBER)
    filtered = browser.get('/accounts?filter={"owner":"ann@example.com"}')

    saved = browser.send(filtered, "/accounts/segments", name="Ann's")

    assert path_of(saved) == "/accounts?segment=ann-s&done=saved"
    assert names_on(saved.text) == ["c00"]
    stored = company.api.get("/api/v1/segments/ann-s").json()
    assert (stored["name"], stored["count"]) == ("Ann's", 1)
    deleted = browser.send(saved, "/accounts/segments/delete")
    assert path_of(deleted) == "/accounts?done=deleted"
    assert company.api.get("/api/v1/segments/ann-s").status_code == 404


def test_the_file_is_that_of_the_api(company: Company, reader: Browser) -> None:
    file = reader.get("/accounts.csv?sort=account_id")
    api = company.api.get("/api/v1/accounts", headers={"Accept": "text/csv"})

    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert len(rows) == 24
    assert rows == list(csv.DictReader(io.StringIO(api.text)))


def test_the_measures_of_an_account_are_those_of_the_api(company: Company, reader: Browser) -> None:
    health = company.api.get("/api/v1/accounts/c07/health").json()

    page = reader.get("/accounts/c07")

    assert f"{health['value']:.1f}" in text_of(page)
    assert page.text.count('class="chart strip"') == sum(
        each["score"] is not None for each in health["measures"]
    )
    for each in health["measures"]:
        if each["points"] is not None:
            assert f"{each['points']:.1f}" in text_of(page)


def drawn_points(page: str, title: str) -> list[float]:
    """Return the labels of a waterfall as numbers: start, steps, end."""
    svg = next(each for each in re.findall(r"<svg.*?</svg>", page, re.DOTALL) if title in each)
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)[1::2]
    return [float(each.replace("\N{MINUS SIGN}", "-").replace(",", "")) for each in texts]


@pytest.mark.parametrize("account_id", [SILENT, "c00", "c01", "c07", "c23"])
@pytest.mark.parametrize("title", ["What moved the value", "is made of"])
def test_the_drawn_bars_add_up_exactly(reader: Browser, account_id: str, title: str) -> None:
    page = reader.get(f"/accounts/{account_id}?tab=why&since=2026-03-01&until=2026-03-29").text

    start, *steps, end = drawn_points(page, title)

    assert round(start + sum(steps), 1) == end
    assert steps


def test_the_rows_of_a_change_add_up_to_the_difference(company: Company, reader: Browser) -> None:
    path = f"/api/v1/accounts/{SILENT}/health/explanation?since=2026-03-01&until=2026-03-29"
    explanation = company.api.get(path).json()
    rows = explanation["change"]["rows"]
    before, after = (explanation[name]["value"] for name in ("before", "after"))

    assert round(sum(row["shown_points"] for row in rows), 1) == round(
        round(after, 1) - round(before, 1), 1
    )
    page = text_of(reader.get(f"/accounts/{SILENT}?tab=why&since=2026-03-01&until=2026-03-29"))
    assert all(row["sentence"] in page for row in rows)


@pytest.mark.parametrize(
    "query", ["since=2026-03-29&until=2026-03-01", "since=x", "until=1800-01-01"]
)
def test_any_days_can_be_compared(reader: Browser, query: str) -> None:
    assert reader.get(f"/accounts/{SILENT}?tab=why&{query}").status_code == 200


def test_the_history_has_the_scores_and_the_alerts(company: Company, reader: Browser) -> None:
    alerts = company.api.get("/api/v1/alerts", params={"account_id": SILENT}).json()["items"]

    page = reader.get(f"/accounts/{SILENT}?tab=why")

    assert 'class="chart history"' in page.text
    assert alerts
    assert all(f'The alert "{each["rule_name"]}" opened.' in text_of(page) for each in alerts)


def test_the_history_has_the_incidents(company: Company, reader: Browser) -> None:
    company.api.put(
        "/api/v1/incidents/inc-7",
        json={"title": "Queue <b>", "account_ids": [SILENT], "declared_at": "2026-03-10T09:00:00Z"},
    )

    page = reader.get(f"/accounts/{SILENT}?tab=why")

    sentence = 'X The incident "Queue <b>" began, which affected the account.'
    assert f"10 Mar 2026 {sentence}" in text_of(page)


def test_a_suggestion_is_accepted_by_a_member_and_named_in_the_audit_log(company: Company) -> None:
    [suggestion, *_] = company.api.get("/api/v1/suggestions").json()["items"]
    browser = company.browser(Role.MEMBER)
    page = browser.get(f"/accounts/{suggestion['account_id']}")

    answer = browser.send(page, f"{suggestion['id']}/accept")

    assert "Accepted." in text_of(answer)
    stored = company.api.get(f"/api/v1/interventions/{suggestion['id']}").json()
    assert (stored["state"], stored["assignee"]) == ("accepted", company.members[-1])
    newest = company.api.get("/api/v1/audit-entries").json()["items"][0]
    assert newest["actor"].startswith("member:mem_")


def test_a_suggestion_is_dismissed_with_a_reason(company: Company) -> None:
    suggestion = company.api.get("/api/v1/suggestions").json()["items"][-1]
    browser = company.browser(Role.MEMBER)
    page = browser.get(f"/accounts?open={suggestion['account_id']}")

    refused = browser.send(page, f"{suggestion['id']}/dismiss", reason=" ")
    answer = browser.send(page, f"{suggestion['id']}/dismiss", reason="They know.")

    assert refused.status_code == 422
    assert path_of(answer) == f"/accounts?open={suggestion['account_id']}&done=dismissed"
    stored = company.api.get(f"/api/v1/interventions/{suggestion['id']}").json()
    assert (stored["state"], stored["reason"]) == ("dismissed", "They know.")


def test_a_viewer_sees_no_buttons_and_cannot_act(company: Company, reader: Browser) -> None:
    [suggestion, *_] = company.api.get("/api/v1/suggestions").json()["items"]
    page = reader.get(f"/accounts/{suggestion['account_id']}")

    assert "/accept" not in page.text
    path = f"/accounts/{suggestion['account_id']}/suggestions/{suggestion['id']}/accept"
    assert reader.client.post(path, data={"a": "b"}).status_code == 403


def test_markup_in_a_name_is_shown_as_text(reader: Browser) -> None:
    for path in ("/accounts", "/accounts/c01", "/accounts/c01?tab=why", "/accounts?open=c01"):
        page = reader.get(path)
        assert "<img" not in page.text
        assert HOSTILE in text_of(page)


def test_an_unknown_account_is_a_clear_page(reader: Browser) -> None:
    page = reader.get("/accounts/nobody")

    assert page.status_code == 404
    assert "No account nobody" in text_of(page)


def test_an_old_id_leads_to_the_account(company: Company, reader: Browser) -> None:
    company.api.put("/api/v1/accounts/old-id", json={"name": "Renamed"})
    company.api.post("/api/v1/accounts/old-id/rename", json={"account_id": "new id?"})
    company.world.work()

    assert "Renamed" in text_of(reader.get("/accounts/old-id"))
    assert 'href="/accounts/new%20id%3F"' in reader.get("/accounts?q=new").text
    assert "Renamed" in text_of(reader.get("/accounts/new%20id%3F"))
    company.api.delete("/api/v1/accounts/new%20id%3F")
    company.world.work()


def test_pages_are_light(reader: Browser) -> None:
    for path in ("/accounts", "/accounts/c07", "/accounts/c07?tab=why"):
        answer = reader.get(path, headers={"Accept-Encoding": "gzip"})
        assert int(answer.headers["content-length"]) <= 120_000
        assert answer.headers["content-encoding"] == "gzip"


def test_a_workspace_without_accounts_says_how_to_fill_it(company: Company) -> None:
    company.world.client("empty")

    page = company.browser(Role.ADMIN, "empty").get("/accounts")

    assert "There is no account yet" in text_of(page)
    assert "http://testserver/v1/track" in page.text
    assert "import accounts accounts.csv --workspace empty" in page.text
