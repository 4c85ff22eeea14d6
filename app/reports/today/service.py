"""Load a page of the accounts that need something now."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.alerts.rules import BUILT_IN_RULES
from app.core.languages import Language
from app.core.pagination import Page, Paging
from app.interventions.suggestion_text import texts_in
from app.reports.today import queries
from app.reports.today.schemas import TodayAccount
from app.reports.today.sentences import Facts, why_sentence


def load_page(
    session: Session,
    workspace_id: str,
    *,
    owner: str | None,
    paging: Paging,
    now: datetime,
    language: Language,
    with_people: bool = True,
) -> Page[TodayAccount]:
    """Load one page: two statements for the first one, three for others.

    ``with_people``: whether sentences name people of accounts.
    """
    rows, snapshot = queries.list_accounts(
        session, workspace_id, owner=owner, paging=paging, now=now
    )
    ids = [row.account_id for row in rows[: paging.limit]]
    facts: dict[str, dict[str, list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for fact in queries.load_facts(session, workspace_id, ids, now=now):
        without = {} if with_people else {"user_name": None}
        facts[fact.account_id][fact.kind].append({**fact.fact, **without})
    features = {each["key"]: each["name"] for each in facts[""]["feature"]}
    return paging.page(
        rows,
        lambda row: _account(row, _named(facts[row.account_id]), features, now.date(), language),
        lambda row: (*row[-2:], *(snapshot.cursor_parts() if snapshot else ())),
    )


def _named(facts: Facts) -> Facts:
    """Add the names of built-in rules, which are not stored."""
    names = {key: rule.name for key, rule in BUILT_IN_RULES.items()}
    pending = [
        {**each, "name": each["name"] or names.get(each["rule"], each["rule"])}
        for each in facts.get("pending", ())
    ]
    return {**facts, "pending": pending}


def _account(
    row: Row[Any], facts: Facts, features: Mapping[str, str], today: date, language: Language
) -> TodayAccount:
    return TodayAccount.from_row(
        row,
        days_to_notice=_days_until(row.notice_on, today),
        days_to_renewal=_days_until(row.renewal_on, today),
        why=why_sentence(facts, features, language),
        next_step=_next_step(facts, language),
        alerts=facts.get("alert", ()),
        pending=facts["pending"],
        tasks=facts.get("task", ()),
    )


def _days_until(day: str | None, today: date) -> int | None:
    return (date.fromisoformat(day) - today).days if day else None


def _next_step(facts: Facts, language: Language) -> Mapping[str, Any] | None:
    suggestions = facts.get("suggestion")
    if not suggestions:
        return None
    [first] = suggestions
    texts = texts_in(first["texts"] or {}, language)
    title = texts.get("name", first["playbook"])
    return {**first, "title": title, "next_step": texts.get("next_step", "")}
