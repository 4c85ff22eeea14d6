"""A newer period of one subscription ends the older one; counts and warnings say the truth."""

from itertools import permutations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.core.pagination import Paging
from app.imports import queries
from app.imports.kinds import ImportKind
from app.imports.plan import ImportPlan
from app.imports.schemas import ImportOut
from app.tables import Job, Subscription
from tests import factories
from tests.events import calls
from tests.imports.files import run_import

HEADER = b"account_id,subscription_id,mrr,starts_on,ends_on\n"
NO_ID = b"account_id,plan,mrr,starts_on\n"
RISE = (b"rise,s,100,2026-01-01,\n", b"rise,s,150,2026-02-01,\n", b"rise,s,175,2026-03-01,\n")


@pytest.fixture(autouse=True)
def _workspace(session: Session) -> None:
    factories.workspace(session)


def load(
    sessions: SessionFactory, *rows: bytes, header: bytes = HEADER, inclusive_ends: bool = False
) -> Job:
    plan = ImportPlan(ImportKind.SUBSCRIPTIONS, inclusive_ends=inclusive_ends)
    return run_import(sessions, plan, header + b"".join(rows))


def mrr(client: TestClient, account_id: str, on: str, known_on: str = "2026-03-18") -> int:
    """The cents of an account; it pays in US dollars."""
    params = {"on": on, "known_on": known_on}
    answer = client.get(f"/api/v1/accounts/{account_id}/mrr", params=params)
    cents: int = answer.json()["mrr_cents"].get("USD", 0)
    return cents


def counts(job: Job) -> tuple[int, int, int]:
    done = job.progress
    return done["stored"], done["duplicates"], done["rejected"]


def warnings(job: Job) -> dict[str, int]:
    return {each.code: each.rows for each in ImportOut.from_job(job).warnings}


def messages(session: Session, job: Job) -> list[tuple[int, str, str]]:
    rows = queries.list_errors(session, "acme", job.id, Paging(1000, None)).rows
    return [(row.line, row.code, row.message) for row in rows]


@pytest.mark.parametrize("order", list(permutations(RISE)))
def test_a_newer_period_ends_the_older_one_in_one_file(
    sessions: SessionFactory, client: TestClient, order: tuple[bytes, ...]
) -> None:
    job = load(sessions, *order)

    assert (counts(job), warnings(job)) == ((3, 0, 0), {})
    days = ("2026-01-31", "2026-02-01", "2026-03-01")
    assert [mrr(client, "rise", day) for day in days] == [100_00, 150_00, 175_00]
    assert mrr(client, "rise", "2026-03-18", known_on="2026-02-27") == 150_00


@pytest.mark.parametrize("order", list(permutations(RISE)))
def test_a_newer_period_ends_the_older_one_across_imports(
    sessions: SessionFactory, client: TestClient, order: tuple[bytes, ...]
) -> None:
    for row in order:
        assert counts(load(sessions, row)) == (1, 0, 0)

    days = ("2026-01-31", "2026-02-01", "2026-03-01")
    assert [mrr(client, "rise", day) for day in days] == [100_00, 150_00, 175_00]
    assert counts(load(sessions, *RISE)) == (0, 3, 0)


def test_an_own_earlier_end_stays(sessions: SessionFactory, client: TestClient) -> None:
    """The next period begins after the grace of renewals, so that the gap is not paid."""
    load(sessions, b"a,s,100,2026-01-01,2026-01-15\n", b"a,s,150,2026-03-01,\n")

    days = ("2026-01-14", "2026-01-15", "2026-03-01")
    assert [mrr(client, "a", day) for day in days] == [100_00, 0, 150_00]


def test_a_period_and_terms_of_the_api_end_each_other(
    sessions: SessionFactory, client: TestClient
) -> None:
    terms = {"account_id": "a", "mrr_cents": 150_00, "starts_on": "2026-02-01"}
    client.put("/api/v1/subscriptions/s", json=terms)

    load(sessions, b"a,s,100,2026-01-01,\n", b"a,s,175,2026-03-01,\n")

    days = ("2026-01-31", "2026-02-01", "2026-03-01")
    assert [mrr(client, "a", day) for day in days] == [100_00, 150_00, 175_00]


def test_imported_terms_end_those_of_group_calls(
    sessions: SessionFactory, client: TestClient
) -> None:
    group = calls.group("m1", "a", traits={"mrr": 40})
    calls.ingest(client, group)

    load(sessions, b"a,s,100,2026-01-01,\n")

    assert mrr(client, "a", "2026-03-18") == 100_00


def test_a_corrected_price_replaces_the_price_and_its_end(
    sessions: SessionFactory, client: TestClient
) -> None:
    load(sessions, *RISE[:2])
    assert counts(load(sessions, b"rise,s,110,2026-01-01,\n")) == (1, 0, 0)

    assert [mrr(client, "rise", day) for day in ("2026-01-31", "2026-02-01")] == [110_00, 150_00]


def test_two_products_from_one_day_without_ids_are_refused_and_name_each_other(
    sessions: SessionFactory, session: Session
) -> None:
    job = load(
        sessions,
        b"a,base,100,2026-01-01\n",
        b"b,base,70,2026-01-01\n",
        b"a,add-on,50,2026-01-01\n",
        header=NO_ID,
    )

    found = messages(session, job)
    assert [(line, code) for line, code, _ in found] == [
        (2, "conflicting_periods"),
        (4, "conflicting_periods"),
    ]
    assert ["line 4" in found[0][2], "line 2" in found[1][2]] == [True, True]
    assert counts(job) == (1, 0, 2)
    assert [row.account_id for row in session.query(Subscription)] == ["b"]


def test_products_with_ids_add_up(sessions: SessionFactory, client: TestClient) -> None:
    """100 + 50 = 150: the column of the product is the id of the subscription."""
    mapping = ("account_id=account_id", "mrr=mrr", "starts_on=starts_on", "subscription_id=plan")
    rows = b"a,base,100,2026-01-01\na,add-on,50,2026-01-01\n"

    run_import(sessions, ImportPlan(ImportKind.SUBSCRIPTIONS, mapping=mapping), NO_ID + rows)

    assert mrr(client, "a", "2026-03-18") == 150_00


def test_equal_lines_are_one_period_and_a_duplicate(
    sessions: SessionFactory, client: TestClient
) -> None:
    job = load(sessions, *[b"a,s,100,2026-01-01,\n"] * 3, b"a,s,150,2026-02-01,\n")

    assert counts(job) == (2, 2, 0)
    assert mrr(client, "a", "2026-03-18") == 150_00


def test_a_line_known_later_is_a_correction_not_a_conflict(
    sessions: SessionFactory, client: TestClient
) -> None:
    rows = (b"a,s,100,2026-01-01,2026-01-01\n", b"a,s,120,2026-01-01,2026-02-10\n")
    job = load(sessions, *rows, header=b"account_id,subscription_id,mrr,starts_on,known_on\n")

    assert counts(job) == (2, 0, 0)
    assert [
        mrr(client, "a", "2026-03-01", known_on=day) for day in ("2026-02-09", "2026-02-10")
    ] == [
        100_00,
        120_00,
    ]


def test_products_that_shorten_each_other_are_warned_of(sessions: SessionFactory) -> None:
    side_by_side = load(
        sessions, b"a,base,100,2026-01-01\n", b"a,add-on,50,2026-02-01\n", header=NO_ID
    )
    overlap = load(sessions, b"b,s,100,2026-01-01,2027-01-01\n", b"b,s,150,2026-02-01,2027-02-01\n")

    assert warnings(side_by_side) == {"shortened_periods": 1}
    assert warnings(overlap) == {"shortened_periods": 1}


@pytest.mark.parametrize(
    ("inclusive_ends", "last_paid", "unpaid"),
    [(False, "2025-12-30", "2025-12-31"), (True, "2025-12-31", "2026-01-01")],
)
def test_an_import_says_whether_its_ends_are_inclusive(
    sessions: SessionFactory,
    client: TestClient,
    inclusive_ends: bool,  # noqa: FBT001
    last_paid: str,
    unpaid: str,
) -> None:
    row = b"a,s,100,2025-01-01,2025-12-31\n"
    job = load(sessions, row, inclusive_ends=inclusive_ends)

    assert [mrr(client, "a", day) for day in (last_paid, unpaid)] == [100_00, 0]
    assert warnings(job) == ({} if inclusive_ends else {"ends_look_inclusive": 1})


def test_ends_that_are_first_days_look_exclusive(sessions: SessionFactory) -> None:
    rows = (b"a,s,100,2025-01-01,2026-01-01\n", b"b,s,100,2025-02-01,2025-03-01\n")

    assert warnings(load(sessions, *rows, inclusive_ends=True)) == {"ends_look_exclusive": 2}
    assert warnings(load(sessions, *rows)) == {}


def test_one_other_end_is_no_reason_to_warn(sessions: SessionFactory) -> None:
    rows = (b"a,s,100,2025-01-01,2025-12-31\n", b"b,s,100,2025-02-01,2025-03-15\n")

    assert warnings(load(sessions, *rows)) == {}


def test_a_paid_day_may_be_the_first_and_the_last(
    sessions: SessionFactory, client: TestClient
) -> None:
    row = b"a,s,100,2026-03-18,2026-03-18\n"

    assert counts(load(sessions, row)) == (0, 0, 1)
    assert counts(load(sessions, row, inclusive_ends=True)) == (1, 0, 0)
    assert [mrr(client, "a", day) for day in ("2026-03-18", "2026-03-19")] == [100_00, 0]


def test_inclusive_ends_are_for_subscriptions_only(client: TestClient) -> None:
    answer = client.post(
        "/api/v1/imports?kind=accounts&inclusive_ends=true", content=b"account_id\na\n"
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_mapping")


def test_a_correction_counts_after_the_api_has_cut_the_period(
    sessions: SessionFactory, client: TestClient
) -> None:
    """The contract of 100 runs to 31 December; 120 from 1 July on cuts it; it was 110 in truth."""
    contract = b"a,s,100,2025-01-01,2025-12-31\n"
    load(sessions, contract, inclusive_ends=True)
    terms = {"account_id": "a", "mrr_cents": 120_00, "starts_on": "2025-07-01"}
    client.put("/api/v1/subscriptions/s", json=terms)

    again = load(sessions, contract, b"a,s,90,2024-01-01,2024-12-31\n", inclusive_ends=True)
    assert counts(again) == (1, 1, 0)
    corrected = contract.replace(b"100", b"110")
    assert counts(load(sessions, corrected, inclusive_ends=True)) == (1, 0, 0)

    days = ("2024-12-31", "2025-06-30", "2025-07-01", "2026-01-01")
    assert [mrr(client, "a", day) for day in days] == [90_00, 110_00, 120_00, 120_00]
