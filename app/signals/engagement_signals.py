"""Signals from engagement: support, surveys, feedback, goals, incidents. Pure."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from app.engagement.snapshot import Feedback, GoalStatus, SurveyAnswer
from app.engagement.summaries import metric_currency
from app.signals.inputs import SignalInputs
from app.signals.signal import Severity, Signal, Signals, make_signal
from app.signals.thresholds import SignalThresholds

HIGH_SEVERITY_FACTOR = 2
QUARTER_DAYS, WINDOW_DAYS, WEEK_DAYS, YEAR_DAYS = 90, 28, 7, 365
WEEKS_BEFORE = WINDOW_DAYS // WEEK_DAYS - 1


def support_slow(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """First replies to tickets came later than the response-time standard, or are overdue.

    Within the last weeks; before, as long as the newest ticket of the quarter was one of them.
    """
    windows = inputs.engagement.tickets
    recent, quarter = windows.get(WINDOW_DAYS), windows.get(QUARTER_DAYS)
    if recent and recent.late >= thresholds.late_replies:
        counts, days = recent, WINDOW_DAYS
    elif quarter and quarter.late >= thresholds.late_replies and quarter.is_newest_late:
        counts, days = quarter, QUARTER_DAYS
    else:
        return
    if counts.late_since is None:
        return
    waiting = [ticket for ticket in inputs.engagement.open_tickets if ticket.is_late]
    is_frequent = counts.late >= HIGH_SEVERITY_FACTOR * thresholds.late_replies
    usual = counts.first_reply_minutes
    yield make_signal(
        "support_slow",
        Severity.HIGH if is_frequent and days == WINDOW_DAYS else Severity.MEDIUM,
        counts.late_since.date(),
        late=counts.late,
        tickets=counts.opened,
        days=days,
        waiting=len(waiting),
        waiting_hours=max((each.waiting_minutes / 60 for each in waiting), default=None),
        first_reply_hours=usual / 60 if usual is not None else None,
        ticket_id=waiting[0].ticket_id if waiting else None,
    )


def ticket_surge(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """Far more tickets in a week than in the three weeks before on average."""
    counts = inputs.engagement.tickets
    if WEEK_DAYS not in counts or WINDOW_DAYS not in counts:
        return
    now = counts[WEEK_DAYS].opened
    usual = (counts[WINDOW_DAYS].opened - now) / WEEKS_BEFORE
    if now >= max(thresholds.surge_tickets, thresholds.surge_times * usual):
        yield make_signal(
            "ticket_surge",
            Severity.LOW,
            inputs.as_of - timedelta(days=WEEK_DAYS - 1),
            tickets=now,
            usual=usual if inputs.is_window_known else None,
            days=WEEK_DAYS,
        )


def nps_detractor(inputs: SignalInputs, _: SignalThresholds) -> Signals:
    """A person is an NPS detractor; the severity is high for a champion or sponsor."""
    detractors = inputs.engagement.nps.detractors
    if detractors:
        lowest = min(detractors, key=lambda each: each.score)
        deciders = {*inputs.engagement.champions, *inputs.engagement.sponsors}
        is_decider = any(each.user_id in deciders for each in detractors)
        severity = Severity.HIGH if is_decider else Severity.MEDIUM
        yield _nps_signal("nps_detractor", severity, inputs, detractors, lowest)


def nps_passive(inputs: SignalInputs, _: SignalThresholds) -> Signals:
    """A person is an NPS passive, and the account has no detractor."""
    nps = inputs.engagement.nps
    if nps.passives and not nps.detractors:
        yield _nps_signal("nps_passive", Severity.INFO, inputs, nps.passives, nps.passives[0])


def nps_promoter(inputs: SignalInputs, _: SignalThresholds) -> Signals:
    """A person is an NPS promoter."""
    promoters = inputs.engagement.nps.promoters
    if promoters:
        yield _nps_signal("nps_promoter", Severity.INFO, inputs, promoters, promoters[0])


def _nps_signal(
    name: str,
    severity: Severity,
    inputs: SignalInputs,
    answers: Sequence[SurveyAnswer],
    example: SurveyAnswer,
) -> Signal:
    return make_signal(
        name,
        severity,
        min(each.at for each in answers).date(),
        people=len(answers),
        answers=len(inputs.engagement.nps.responses),
        score=example.score,
        user_id=example.user_id,
    )


def csat_low(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """The mean of the latest CSAT answers within 90 days is at or below the threshold."""
    csat = inputs.engagement.csat
    if csat.mean is not None and csat.mean <= thresholds.csat_score:
        low = [each for each in csat.responses if each.score <= thresholds.csat_score]
        yield make_signal(
            "csat_low",
            Severity.MEDIUM,
            min(each.at for each in low).date(),
            score=csat.mean,
            answers=len(csat.responses),
        )


def feedback_unanswered(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """A complaint or request waits too long for an answer, or is past its due day."""
    waiting = [
        each for each in inputs.engagement.unanswered if _is_waiting(each, inputs.as_of, thresholds)
    ]
    if not waiting:
        return
    has_complaint = any(each.kind == "complaint" for each in waiting)
    oldest = waiting[0]
    yield make_signal(
        "feedback_unanswered",
        Severity.MEDIUM if has_complaint else Severity.LOW,
        oldest.at.date(),
        items=len(waiting),
        days=max(each.age_days for each in waiting),
        feedback_id=oldest.feedback_id,
        kind=oldest.kind,
        topic=oldest.topic,
        user_id=oldest.user_id,
    )


def _is_waiting(item: Feedback, as_of: date, thresholds: SignalThresholds) -> bool:
    is_overdue = item.due_on is not None and item.due_on < as_of
    return item.kind != "praise" and (is_overdue or item.age_days >= thresholds.feedback_days)


def request_shipped(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """A request of the account was shipped: a reason to contact them."""
    for item in inputs.engagement.shipped_requests:
        shipped: datetime | None = item.resolved_at
        if shipped and (inputs.as_of - shipped.date()).days < thresholds.shipped_days:
            yield make_signal(
                "request_shipped",
                Severity.INFO,
                shipped.date(),
                key=item.feedback_id,
                topic=item.topic,
                product_feature=item.product_feature,
                user_id=item.user_id,
                **{"is_told": item.notified_at is not None},  # noqa: PIE804 - a key of the API
            )


def goal_off_track(inputs: SignalInputs, _: SignalThresholds) -> Signals:
    """A goal will not be reached at the current pace, or was not reached."""
    yield from _goal_signals(inputs, "goal_off_track", GoalStatus.OFF_TRACK, Severity.MEDIUM)


def goal_achieved(inputs: SignalInputs, _: SignalThresholds) -> Signals:
    """A goal is reached and not closed."""
    yield from _goal_signals(inputs, "goal_achieved", GoalStatus.ACHIEVED, Severity.INFO)


def _goal_signals(
    inputs: SignalInputs, name: str, progress: GoalStatus, severity: Severity
) -> Signals:
    for goal in inputs.engagement.goals:
        if goal.progress is progress:
            yield make_signal(
                name,
                severity,
                inputs.as_of,
                key=goal.goal_id,
                goal=goal.title,
                value=goal.value,
                baseline=goal.baseline,
                target=goal.target,
                share=goal.share,
                due_on=goal.due_on,
                metric=goal.metric,
                currency=goal.currency,
            )


def goal_missing(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """The account has no goal, and most paying accounts of the workspace have had one."""
    started_on, share = inputs.account.started_on, inputs.share_with_goals
    is_usual = share > 0 and share >= thresholds.goal_share
    if is_usual and inputs.account.pays and started_on and not inputs.engagement.goals:
        since = max(started_on, inputs.first_known_day)
        yield make_signal("goal_missing", Severity.LOW, since, started_on=started_on)


def milestone(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """A year since the first paid day is complete, or a number of milestone events is reached."""
    first = inputs.account.first_paid_on
    if first is not None and inputs.account.pays:
        years, days = divmod((inputs.as_of - first).days, YEAR_DAYS)
        if years and days < thresholds.milestone_days:
            since = inputs.as_of - timedelta(days=days)
            yield make_signal("milestone", Severity.INFO, since, key=f"year {years}", years=years)
    for count, day in inputs.milestones_passed.items():
        yield make_signal("milestone", Severity.INFO, day, key=f"events {count}", count=count)


def tier_near(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """The account has nearly reached the threshold of the next loyalty tier."""
    tier = inputs.engagement.tier
    if tier is None or not tier.next_threshold or tier.next_value is None:
        return
    if thresholds.tier_share * tier.next_threshold <= tier.next_value < tier.next_threshold:
        yield make_signal(
            "tier_near",
            Severity.INFO,
            inputs.as_of,
            key=tier.next_key or "",
            tier=tier.next_name,
            metric=tier.next_metric,
            currency=metric_currency(tier.next_metric, inputs.base_currency),
            value=tier.next_value,
            threshold=tier.next_threshold,
            missing=tier.missing,
        )


def referral_ready(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """A promoter, a high score, and no detractor, open feedback, late ticket or failed invoice."""
    engagement, health = inputs.engagement, inputs.score.health
    is_waiting = any(each.is_late for each in engagement.open_tickets)
    is_unhappy = (
        engagement.nps.detractors or engagement.unanswered or is_waiting or inputs.failed_invoices
    )
    promoters = engagement.nps.promoters
    if not promoters or is_unhappy or health is None or health < thresholds.referral_score:
        return
    yield make_signal(
        "referral_ready",
        Severity.INFO,
        promoters[0].at.date(),
        health=round(health, 1),
        score=promoters[0].score,
        user_id=promoters[0].user_id,
    )


def incident_affected(inputs: SignalInputs, _: SignalThresholds) -> Signals:
    """An incident affected the account; medium until an apology was sent, then low."""
    for incident in inputs.engagement.incidents:
        yield make_signal(
            "incident_affected",
            Severity.LOW if incident.apology_sent_at else Severity.MEDIUM,
            incident.declared_at.date(),
            key=incident.incident_id,
            title=incident.title,
            is_over=incident.ended_at is not None,
            apology_sent_on=incident.apology_sent_at.date() if incident.apology_sent_at else None,
            days=(inputs.as_of - incident.declared_at.date()).days,
        )
