"""Tools about the workspace: reports, trials of scorecards and rules, the trace of an event."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from app.alerts.endpoints import backtest_alert_rule
from app.alerts.schemas import AlertRuleBacktestIn, AlertRuleBacktestOut
from app.core.languages import Language
from app.core.schemas import NO_NUL, Id, RequestModel, ResponseModel
from app.health.versions.endpoints import ScorecardSimulationOut
from app.health.versions.endpoints import simulate_scorecard as simulate
from app.lifecycle.event_trace_endpoints import trace_event as trace
from app.lifecycle.schemas import EventTrace
from app.mcp.account_tools import NO_OTHER_DAYS
from app.mcp.tools import Answer, Call, PeriodIn, tool
from app.reports import endpoints as reports
from app.reports.kpi import ReportQuery, parse_report_query


class ReportName(StrEnum):
    ARR_AT_RISK = "arr_at_risk"
    REVENUE_RETENTION = "revenue_retention"
    NPS = "nps"
    TIME_TO_FIRST_VALUE = "time_to_first_value"
    LIFETIME_VALUE = "lifetime_value"
    COHORTS = "cohorts"
    DISTRIBUTION = "distribution"
    FEEDBACK = "feedback"
    CHURN_CAUSES = "churn_causes"
    CALIBRATION = "calibration"


REPORTS: Mapping[ReportName, Callable[[Call, ReportQuery], ResponseModel]] = {
    ReportName.ARR_AT_RISK: lambda call, query: reports.get_arr_at_risk(call.session, query),
    ReportName.REVENUE_RETENTION: lambda call, query: reports.get_revenue_retention(
        call.session, query
    ),
    ReportName.NPS: lambda call, query: reports.get_nps(call.session, query),
    ReportName.TIME_TO_FIRST_VALUE: lambda call, query: reports.get_time_to_first_value(
        call.session, query
    ),
    ReportName.LIFETIME_VALUE: lambda call, query: reports.get_lifetime_value(call.session, query),
    ReportName.COHORTS: lambda call, query: reports.get_cohorts(call.session, query),
    ReportName.DISTRIBUTION: lambda call, query: reports.get_distribution(call.session, query),
    ReportName.FEEDBACK: lambda call, query: reports.get_feedback_report(call.session, query),
    ReportName.CHURN_CAUSES: lambda call, query: reports.get_churn_causes(
        call.session, query, Language.EN
    ),
    ReportName.CALIBRATION: lambda call, query: reports.get_revenue_at_risk_calibration(
        call.session, query
    ),
}


class ReportIn(PeriodIn):
    name: ReportName


class ReportAnswer(Answer):
    name: ReportName
    report: dict[str, Any] = Field(
        description="As `GET /api/v1/reports/…` answers it (docs/reports.md)."
    )


@tool("Get a report")
def report(call: Call, arguments: ReportIn) -> ReportAnswer:
    """Return a report over all accounts.

    There are ARR at risk by renewal quarter, revenue retention and churn, NPS, time to first value,
    lifetime value, cohorts, bands over time, feedback by topic, what goes with churn (associations,
    not causes), and predicted beside observed churn (calibration). Each figure has its numerator,
    its denominator, and what it leaves out.
    """
    query = parse_report_query(
        caller=call.caller,
        now=call.now,
        other=NO_OTHER_DAYS,
        until=arguments.until,
        since=arguments.since,
    )
    answer = REPORTS[arguments.name](call, query).model_dump(mode="json")
    return ReportAnswer(as_of=call.now, link=f"{call.address}/", name=arguments.name, report=answer)


class SimulateScorecardIn(RequestModel):
    version: Annotated[int, Field(ge=1, le=2**31 - 1, description="A version of the scorecard.")]


class SimulationAnswer(Answer):
    simulation: ScorecardSimulationOut


@tool("Simulate a scorecard")
def simulate_scorecard(call: Call, arguments: SimulateScorecardIn) -> SimulationAnswer:
    """Return what would change today if another version of the scorecard were active.

    Nothing is stored and no score changes.
    """
    simulation = simulate(arguments.version, call.session, call.caller, call.now)
    return SimulationAnswer(as_of=call.now, link=call.link(), simulation=simulation)


class BacktestRuleIn(AlertRuleBacktestIn):
    key: Id = Field(description="The key of an alert rule.", examples=["health_at_risk"])


class BacktestAnswer(Answer):
    backtest: AlertRuleBacktestOut


@tool("Backtest an alert rule")
def backtest_rule(call: Call, arguments: BacktestRuleIn) -> BacktestAnswer:
    """Return how an alert rule would have done on past days.

    That is how many alerts, and which of the accounts that churned it would have named, how long
    before.
    """
    backtest = backtest_alert_rule(arguments.key, arguments, call.session, call.caller, call.now)
    return BacktestAnswer(as_of=call.now, link=call.link(), backtest=backtest)


class TraceEventIn(RequestModel):
    message_id: Annotated[str, Field(min_length=1, max_length=300, pattern=NO_NUL)]


class TraceAnswer(Answer):
    trace: EventTrace


@tool("Trace an event")
def trace_event(call: Call, arguments: TraceEventIn) -> TraceAnswer:
    """Return what became of an event that a product sent.

    It was accepted, waits for its account, or was refused, with the reason; and whether the newest
    score of its account counts it.
    """
    found = trace(call.session, call.caller, arguments.message_id)
    return TraceAnswer(as_of=call.now, link=call.link(), trace=found)
