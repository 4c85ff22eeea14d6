from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from app.engagement.snapshot import (
    AffectingIncident,
    Engagement,
    Feedback,
    GoalProgress,
    GoalStatus,
    Onboarding,
    OpenTicket,
    StepProgress,
    SurveyAnswer,
    SurveyAnswers,
    TicketCounts,
    TierPosition,
)
from app.signals.detect import detect_signals
from app.signals.inputs import FailedInvoices, SignalInputs
from app.signals.signal import Severity, Signal
from app.signals.thresholds import DEFAULT_THRESHOLDS, SignalThresholds
from tests.signals.builders import activity, days_ago, detected, inputs, score_inputs, signals_named


def at(day: date) -> datetime:
    return datetime.combine(day, time(9), UTC)


def with_engagement(**values: Any) -> SignalInputs:  # noqa: ANN401
    return inputs(engagement=Engagement("a1", **values))


def severities(signals: Sequence[Signal]) -> list[Severity]:
    return [each.severity for each in signals]


DONE = StepProgress("account", "Account", None, at(days_ago(30)), 2.0, 9)
STEP = StepProgress("contacts", "Contacts", None, None, 3.0, 9)


@pytest.mark.parametrize(
    ("days", "step", "severity"),
    [
        (7, STEP, None),
        (8, STEP, Severity.MEDIUM),
        (15, STEP, Severity.HIGH),
        (8, replace(STEP, peers_median_days=4.0), None),
        (9, replace(STEP, peers_median_days=4.0), Severity.MEDIUM),
        (4, replace(STEP, target_days=3, peers_median_days=None), Severity.MEDIUM),
        (40, replace(STEP, done_at=at(days_ago(2))), None),
    ],
)
def test_onboarding_is_stuck_when_a_step_takes_longer_than_its_target_and_its_peers(
    days: int, step: StepProgress, severity: Severity | None
) -> None:
    onboarding = Onboarding(days_ago(40), [DONE, step], days)

    signals = signals_named("onboarding_stuck", with_engagement(onboarding=onboarding))

    assert severities(signals) == ([severity] if severity else [])
    for each in signals:
        assert (each.key, each.since) == ("contacts", days_ago(days))
        assert (each.evidence["done"], each.evidence["steps"]) == (1, 2)


@pytest.mark.parametrize(("age", "level"), [(120, "high"), (121, "low"), (365, "low"), (366, "")])
def test_onboarding_that_never_ends_is_low_after_120_days_for_a_year(age: int, level: str) -> None:
    onboarding = Onboarding(days_ago(age), [STEP], 90)

    signals = signals_named("onboarding_stuck", with_engagement(onboarding=onboarding))

    assert severities(signals) == ([level] if level else [])


@pytest.mark.parametrize(("days", "is_open"), [(6, False), (7, True), (90, True), (91, False)])
def test_first_value_is_late_a_week_after_signing_up(days: int, *, is_open: bool) -> None:
    account = inputs(signed_up_on=days_ago(days))

    assert bool(signals_named("first_value_late", account)) is is_open
    done = replace(account, activity=activity(key_action_on=days_ago(1)))
    assert not signals_named("first_value_late", done)


LATE = TicketCounts(opened=5, late=1, first_reply_minutes=90.0, late_since=at(days_ago(4)))


def test_support_is_slow_when_a_first_reply_comes_later_than_the_standard() -> None:
    [signal] = signals_named("support_slow", with_engagement(tickets={28: LATE}))

    assert (signal.severity, signal.since) == (Severity.MEDIUM, days_ago(4))
    assert signal.evidence["first_reply_hours"] == 1.5
    assert severities(
        signals_named("support_slow", with_engagement(tickets={28: replace(LATE, late=2)}))
    ) == ["high"]
    assert not signals_named("support_slow", with_engagement(tickets={28: TicketCounts(opened=5)}))


def test_support_stays_slow_until_a_reply_comes_in_time() -> None:
    """Nobody has written for four weeks; within the quarter three replies were late."""
    late = replace(LATE, late=3, late_since=at(days_ago(70)), is_newest_late=True)

    quiet = with_engagement(tickets={28: TicketCounts(), 90: late})

    [signal] = signals_named("support_slow", quiet)

    assert (signal.severity, signal.since) == (Severity.MEDIUM, days_ago(70))
    assert (signal.evidence["late"], signal.evidence["days"]) == (3, 90)
    in_time = {28: TicketCounts(opened=1), 90: replace(late, is_newest_late=False)}
    assert not signals_named("support_slow", with_engagement(tickets=in_time))


def test_a_waiting_ticket_is_in_the_evidence_with_its_hours() -> None:
    waiting = OpenTicket("t1", "ada", None, None, at(days_ago(2)), None, 1800, 1440)

    [signal] = signals_named(
        "support_slow", with_engagement(tickets={28: LATE}, open_tickets=[waiting])
    )

    assert signal.evidence["waiting_hours"] == 30
    assert signal.evidence["ticket_id"] == "t1"


@pytest.mark.parametrize(
    ("week", "month", "is_open"), [(3, 3, True), (2, 2, False), (6, 12, True), (5, 12, False)]
)
def test_a_surge_is_far_more_tickets_than_usual(week: int, month: int, *, is_open: bool) -> None:
    tickets = {7: TicketCounts(opened=week), 28: TicketCounts(opened=month)}

    assert bool(signals_named("ticket_surge", with_engagement(tickets=tickets))) is is_open


def survey(*scores: float) -> SurveyAnswers:
    people = [
        SurveyAnswer(f"r{n}", f"u{n}", score, at(days_ago(n))) for n, score in enumerate(scores)
    ]
    return SurveyAnswers(people)


@pytest.mark.parametrize(
    ("scores", "names"),
    [
        ((3, 10), {"nps_detractor", "nps_promoter"}),
        ((8, 9), {"nps_passive", "nps_promoter"}),
        ((8, 6), {"nps_detractor"}),
        ((7,), {"nps_passive"}),
        ((), set()),
    ],
)
def test_nps_signals_follow_the_answers(scores: Sequence[float], names: set[str]) -> None:
    assert set(detected(with_engagement(nps=survey(*scores)))) == names


def test_a_detractor_who_is_a_champion_is_more_severe() -> None:
    [medium] = signals_named("nps_detractor", with_engagement(nps=survey(9, 4)))
    [high] = signals_named("nps_detractor", with_engagement(nps=survey(9, 4), champions=["u1"]))

    assert (medium.severity, high.severity) == (Severity.MEDIUM, Severity.HIGH)
    assert medium.evidence == {"people": 1, "answers": 2, "score": 4, "user_id": "u1"}
    assert medium.since == days_ago(1)


@pytest.mark.parametrize(("scores", "is_open"), [((3, 3), True), ((2, 5), False), ((), False)])
def test_csat_is_low_when_the_mean_answer_is_low(scores: Sequence[float], *, is_open: bool) -> None:
    assert bool(signals_named("csat_low", with_engagement(csat=survey(*scores)))) is is_open


REQUEST = Feedback(
    "f1", "ada", "request", "exports", None, None, None, "open", at(days_ago(8)), None, None, 8
)


@pytest.mark.parametrize(
    ("item", "severity"),
    [
        (REQUEST, Severity.LOW),
        (replace(REQUEST, kind="complaint"), Severity.MEDIUM),
        (replace(REQUEST, kind="praise"), None),
        (replace(REQUEST, age_days=6), None),
        (replace(REQUEST, age_days=1, due_on=days_ago(1)), Severity.LOW),
        (replace(REQUEST, age_days=1, due_on=days_ago(0)), None),
    ],
)
def test_feedback_is_unanswered_after_a_week_or_past_its_due_day(
    item: Feedback, severity: Severity | None
) -> None:
    signals = signals_named("feedback_unanswered", with_engagement(unanswered=[item]))

    assert severities(signals) == ([severity] if severity else [])


def test_a_shipped_request_is_a_signal_for_a_month() -> None:
    def shipped(days: int) -> Sequence[Signal]:
        item = replace(REQUEST, status="shipped", resolved_at=at(days_ago(days)))
        return signals_named("request_shipped", with_engagement(resolved=[item]))

    [signal] = shipped(29)
    assert (signal.key, signal.since, signal.evidence["is_told"]) == ("f1", days_ago(29), False)
    assert not shipped(30)


def goal(progress: GoalStatus) -> GoalProgress:
    return GoalProgress(
        "g1", "More reach", "reach", 100, 200, days_ago(60), days_ago(-30), 120, 0.2, progress
    )


@pytest.mark.parametrize(
    ("progress", "name"),
    [
        (GoalStatus.OFF_TRACK, "goal_off_track"),
        (GoalStatus.ACHIEVED, "goal_achieved"),
        (GoalStatus.ON_TRACK, None),
        (GoalStatus.UNKNOWN, None),
    ],
)
def test_goal_signals_follow_the_progress(progress: GoalStatus, name: str | None) -> None:
    account = replace(with_engagement(goals=[goal(progress)]), share_with_goals=1.0)

    assert set(detected(account)) == ({name} if name else set())


def test_a_goal_is_missing_only_where_other_accounts_have_one() -> None:
    assert signals_named("goal_missing", inputs(share_with_goals=0.5))
    assert not signals_named("goal_missing", inputs(share_with_goals=0.49))
    assert not signals_named("goal_missing", inputs())


@pytest.mark.parametrize(("days", "years"), [(365, 1), (371, 1), (372, None), (730, 2), (3, None)])
def test_a_full_year_is_a_milestone_for_a_week(days: int, years: int | None) -> None:
    since = replace(score_inputs().features, first_paid_on=days_ago(days))

    signals = signals_named("milestone", inputs(since))

    assert [each.evidence["years"] for each in signals] == ([years] if years else [])


def test_a_reached_number_of_events_is_a_milestone() -> None:
    [signal] = signals_named("milestone", inputs(milestones_passed={1000: days_ago(2)}))

    assert (signal.since, signal.evidence) == (days_ago(2), {"count": 1000})


@pytest.mark.parametrize(
    ("value", "is_open"), [(89, False), (90, True), (100, False), (None, False)]
)
def test_a_tier_is_near_when_little_is_missing(value: float | None, *, is_open: bool) -> None:
    tier = TierPosition(None, None, "gold", "Gold", "mrr", 100, value)

    assert bool(signals_named("tier_near", with_engagement(tier=tier))) is is_open


def test_only_a_happy_account_is_ready_for_a_referral() -> None:
    happy = replace(with_engagement(nps=survey(10)), score=score_inputs(health=80.0))
    waiting = OpenTicket("t1", None, None, None, at(days_ago(2)), None, 1800, 1440)

    assert signals_named("referral_ready", happy)
    for unhappy in (
        replace(happy, score=score_inputs(health=69.0)),
        replace(happy, score=score_inputs()),
        replace(happy, engagement=replace(happy.engagement, open_tickets=[waiting])),
        replace(happy, engagement=replace(happy.engagement, nps=survey(10, 2))),
        replace(happy, failed_invoices=[FailedInvoices("USD", 1, 100, days_ago(1))]),
    ):
        assert not signals_named("referral_ready", unhappy)


def test_an_incident_is_more_severe_until_an_apology_was_sent() -> None:
    incident = AffectingIncident("i1", "Outage", at(days_ago(3)), None, None)
    apologized = replace(incident, incident_id="i2", apology_sent_at=at(days_ago(1)))

    signals = signals_named("incident_affected", with_engagement(incidents=[incident, apologized]))

    assert severities(signals) == [Severity.MEDIUM, Severity.LOW]
    assert [each.key for each in signals] == ["i1", "i2"]
    assert signals[1].evidence["apology_sent_on"] == days_ago(1).isoformat()


def test_a_threshold_changes_when_a_signal_opens() -> None:
    account = with_engagement(onboarding=Onboarding(days_ago(40), [DONE, STEP], 8))

    assert not signals_named("onboarding_stuck", account, SignalThresholds(step_days=10))


def test_signals_are_ordered_by_severity_and_then_causes_before_consequences() -> None:
    incident = AffectingIncident("i1", "Outage", at(days_ago(3)), None, None)
    account = replace(
        with_engagement(nps=survey(9), incidents=[incident]),
        activity=activity(weeks=(5, *[40] * 12)),
        failed_invoices=[FailedInvoices("USD", 1, 100, days_ago(1))],
    )

    names = [each.name for each in detect_signals(account, DEFAULT_THRESHOLDS)]

    assert names == ["payment_failed", "incident_affected", "usage_drop_vs_self", "nps_promoter"]
