"""Tools about one account and lists of accounts."""

from typing import Annotated

from pydantic import Field

from app.accounts import aliases
from app.alerts.endpoints import list_alerts
from app.alerts.schemas import AlertOut
from app.changes.endpoints import list_changes
from app.changes.schemas import ChangesOut, ChangeType, FeedTime
from app.churn.schemas import ChurnRiskOut
from app.collaboration import queries as collaboration
from app.collaboration.schemas import TaskOut
from app.core.filters.tree import And, Condition, Filter, Op
from app.core.http.days import OtherDays
from app.core.languages import Language
from app.core.pagination import Page, Paging
from app.core.schemas import Id, JsonObject, RequestModel
from app.health.explanations.endpoints import get_health_explanation
from app.health.explanations.schemas import ExplanationOut
from app.interventions.endpoints import list_account_suggestions, list_suggestions
from app.interventions.schemas import SuggestionOut
from app.mcp.tools import AccountIn, Answer, Call, PageIn, PeriodIn, tool
from app.portfolio.account_list import load_account_page
from app.portfolio.churn_risk_endpoints import get_churn_risk
from app.portfolio.envelope import AccountHealthOut, read_envelope
from app.portfolio.schemas import SORT_DESCRIPTION, SORT_PATTERN, AccountListItem
from app.portfolio.segment_service import resolve_filter
from app.reports.at_risk import service as at_risk_service
from app.reports.at_risk.schemas import AccountAtRiskOut
from app.reports.timeline import service as timeline
from app.reports.timeline.schemas import TimelineEntry
from app.reports.today import service as today_service
from app.reports.today.schemas import TodayAccount

NO_OTHER_DAYS = OtherDays(None, None)
BRIEF_ROWS = 20
"""How many alerts, tasks and timeline entries a brief has; it says whether there are more."""

Owner = Annotated[
    Id | None, Field(description="Only accounts of this person.", examples=["kim@example.com"])
]


class SelectionIn(PageIn):
    """A page of the accounts that match everything given."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="A part of the name of the account."
    )
    filter: JsonObject = Field(
        default_factory=dict,
        description='Fields and values, such as {"band": ["at_risk"], "segment": "smb"}, or'
        ' {"and": [{"field": "mrr_cents", "op": "gte", "value": 100000}]}; docs/lists.md.',
    )
    segment_key: Id | None = Field(None, description="The key of a saved segment.")
    owner: Owner = None

    def resolve(self, call: Call) -> Filter:
        parts = [resolve_filter(call.session, call.workspace_id, self.filter, key=self.segment_key)]
        if self.owner is not None:
            parts.append(Condition("owner", Op.EQ, self.owner))
        if self.name is not None:
            parts.append(Condition("name", Op.CONTAINS, self.name))
        return And(tuple(parts))


class FindAccountsIn(SelectionIn):
    sort: Annotated[str, Field(pattern=SORT_PATTERN, description=SORT_DESCRIPTION)] = "account_id"


class AccountsAnswer(Answer):
    accounts: Page[AccountListItem]


@tool("Find accounts")
def find_accounts(call: Call, arguments: FindAccountsIn) -> AccountsAnswer:
    """Find customer accounts by a part of the name or by a filter, in any order.

    Each has its value score (0-100), band, churn risk, money and dates. Use the account_id of a
    result for the other tools.
    """
    page = load_account_page(
        call.session,
        call.workspace_id,
        arguments.resolve(call),
        arguments.sort,
        arguments.paging,
        now=call.now,
    )
    return AccountsAnswer(as_of=call.now, link=call.link(), accounts=page)


class AccountBrief(Answer):
    """Everything about one account that a person would look up before talking to it."""

    health: AccountHealthOut
    churn_risk: ChurnRiskOut
    open_alerts: list[AlertOut]
    suggestions: list[SuggestionOut]
    open_tasks: list[TaskOut]
    timeline: list[TimelineEntry] = Field(description="Newest first.")
    left_out: list[str] = Field(
        description="Lists that have more entries than the brief shows.", examples=[["timeline"]]
    )


@tool("Brief on an account")
def account_brief(call: Call, arguments: AccountIn) -> AccountBrief:
    """Return the state of one account and why it is so.

    That is its score with drivers and signals, its churn risk with reasons, open alerts, suggested
    actions, open tasks and the newest entries of its timeline.
    """
    account_id = current_id(call, arguments.account_id)
    session, workspace_id, language = call.session, call.workspace_id, Language.EN
    paging = Paging(BRIEF_ROWS, None)
    _, health = read_envelope(session, workspace_id, account_id, language)
    alerts = list_alerts(session, call.caller, call.now, paging, account_id=account_id)
    tasks = collaboration.list_tasks(
        session, workspace_id, paging, account_id=account_id, done=False
    ).to_page(TaskOut.model_validate)
    entries = timeline.load_entries(
        session, workspace_id, account_id, kinds=[], paging=paging, now=call.now, language=language
    )
    cursors = {
        "open_alerts": alerts.next_cursor,
        "open_tasks": tasks.next_cursor,
        "timeline": entries.next_cursor,
    }
    return AccountBrief(
        as_of=call.now,
        link=call.link(account_id),
        health=health,
        churn_risk=get_churn_risk(session, call.caller, language, account_id),
        open_alerts=alerts.items,
        suggestions=list_account_suggestions(account_id, session, call.caller, language).items,
        open_tasks=tasks.items,
        timeline=entries.items,
        left_out=[name for name, cursor in cursors.items() if cursor],
    )


class ExplainChangeIn(AccountIn, PeriodIn):
    pass


class ChangeAnswer(Answer):
    explanation: ExplanationOut


@tool("Explain a change of the score")
def explain_change(call: Call, arguments: ExplainChangeIn) -> ChangeAnswer:
    """Explain what moved the score of an account between two days, in points that add up exactly.

    By default it compares today with 28 days ago.
    """
    account_id = current_id(call, arguments.account_id)
    explanation = get_health_explanation(
        call.session,
        call.caller,
        call.now,
        Language.EN,
        account_id,
        NO_OTHER_DAYS,
        arguments.since,
        arguments.until,
    )
    link = f"{call.link(account_id)}?tab=why"
    return ChangeAnswer(as_of=call.now, link=link, explanation=explanation)


class AtRiskAnswer(Answer):
    accounts: Page[AccountAtRiskOut]


@tool("List accounts at risk")
def at_risk(call: Call, arguments: SelectionIn) -> AtRiskAnswer:
    """List accounts at risk of leaving, the most revenue at risk first.

    Each has the measure that lowers its score most, its most severe open alert and what to do.
    """
    page = at_risk_service.load_page(
        call.session,
        call.workspace_id,
        arguments.resolve(call),
        paging=arguments.paging,
        now=call.now,
        language=Language.EN,
    )
    return AtRiskAnswer(as_of=call.now, link=call.link(), accounts=page)


class TodayIn(PageIn):
    owner: Owner = None


class TodayAnswer(Answer):
    accounts: Page[TodayAccount]


@tool("List what needs attention today")
def today(call: Call, arguments: TodayIn) -> TodayAnswer:
    """List the accounts that need something now, most money first: why, and the next step."""
    page = today_service.load_page(
        call.session,
        call.workspace_id,
        owner=arguments.owner,
        paging=arguments.paging,
        now=call.now,
        language=Language.EN,
    )
    return TodayAnswer(as_of=call.now, link=f"{call.address}/", accounts=page)


class SuggestionsIn(PageIn):
    owner: Owner = None
    playbook: Id | None = Field(None, description="Only suggestions of this playbook.")


class SuggestionsAnswer(Answer):
    suggestions: Page[SuggestionOut]


@tool("List suggested actions")
def suggestions(call: Call, arguments: SuggestionsIn) -> SuggestionsAnswer:
    """List what is suggested to do about accounts, the most valuable first, with the message."""
    page = list_suggestions(
        session=call.session,
        caller=call.caller,
        now=call.now,
        paging=arguments.paging,
        language=Language.EN,
        playbook=arguments.playbook,
        owner=arguments.owner,
    )
    return SuggestionsAnswer(as_of=call.now, link=f"{call.address}/", suggestions=page)


class ChangesSinceIn(RequestModel):
    since: FeedTime | None = Field(
        None, description="The first change at or after this time, at most 30 days ago."
    )
    types: list[ChangeType] = Field([], description="Only these types; all by default.")
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: str | None = Field(None, max_length=2000, description="`next_cursor` of an answer.")


class ChangesAnswer(Answer):
    changes: ChangesOut


@tool("List changes since a time")
def changes_since(call: Call, arguments: ChangesSinceIn) -> ChangesAnswer:
    """List what changed since a time or a cursor: scores, alerts, interventions, oldest first."""
    changes = list_changes(
        call.session,
        call.caller,
        call.now,
        ",".join(arguments.types) or None,
        None,
        arguments.since,
        None,
        arguments.limit,
        arguments.cursor,
    )
    return ChangesAnswer(as_of=call.now, link=f"{call.address}/", changes=changes)


def current_id(call: Call, account_id: str) -> str:
    """Return the id that an account has now: it may have been renamed or merged."""
    renamed = aliases.current_ids(call.session, call.workspace_id, [account_id])
    return renamed.get(account_id, account_id)
