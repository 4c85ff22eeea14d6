"""Signals from how we get on with an account: onboarding, support, goals, incidents. Pure."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from app.engagement.snapshot import Feedback, GoalStatus, SurveyAnswer
from app.signals.inputs import SignalInputs
from app.signals.signal import Severity, Signal, Signals, make_signal
from app.signals.thresholds import SignalThresholds

HIGH_SEVERITY_FACTOR = 2
WINDOW_DAYS, WEEK_DAYS, YEAR_DAYS = 28, 7, 365
WEEKS_BEFORE = WINDOW_DAYS // WEEK_DAYS - 1


def onboarding_stuck(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """A new account has been in a step for longer than it should take, and than peers took."""
    onboarding = facts.engagement.onboarding
    step = onboarding.current if onboarding else None
    if onboarding is None or step is None:
        return
    if (facts.as_of - onboarding.started_on).days > limits.onboarding_for_days:
        return
    peers = step.peers_median_days
    most = max(step.target_days or limits.step_days, limits.step_times * (peers or 0))
    days = onboarding.days_in_step
    if days > most:
        yield make_signal(
            "onboarding_stuck",
            Severity.HIGH if days > HIGH_SEVERITY_FACTOR * most else Severity.MEDIUM,
            facts.as_of - timedelta(days=days),
            key=step.key,
            step=step.name,
            days=days,
            peers_median_days=peers,
            peers=step.peers,
            target_days=step.target_days,
            done=sum(each.done_at is not None for each in onboarding.steps),
            steps=len(onboarding.steps),
        )


def first_value_late(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """Days after signing up, nobody has done what the product is bought for."""
    since = facts.signed_up_on
    if since is None or facts.activity.key_action_on is not None:
        return
    days = facts.days_since(since)
    if limits.first_value_days <= days <= limits.first_value_for_days:
        yield make_signal(
            "first_value_late",
            Severity.MEDIUM,
            since + timedelta(days=limits.first_value_days),
            signed_up_on=since,
            days=days,
        )


def support_slow(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """First replies came later than the standard, or have not come within it."""
    counts = facts.engagement.tickets.get(WINDOW_DAYS)
    if counts is None or counts.late < limits.late_replies or counts.late_since is None:
        return
    waiting = [ticket for ticket in facts.engagement.open_tickets if ticket.is_late]
    often, usual = (
        counts.late >= HIGH_SEVERITY_FACTOR * limits.late_replies,
        counts.first_reply_minutes,
    )
    yield make_signal(
        "support_slow",
        Severity.HIGH if often else Severity.MEDIUM,
        counts.late_since.date(),
        late=counts.late,
        tickets=counts.opened,
        days=WINDOW_DAYS,
        waiting=len(waiting),
        waiting_hours=max((each.waiting_minutes / 60 for each in waiting), default=None),
        first_reply_hours=usual / 60 if usual is not None else None,
        ticket_id=waiting[0].ticket_id if waiting else None,
    )


def ticket_surge(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """Far more tickets in a week than in the three weeks before, on average."""
    counts = facts.engagement.tickets
    if WEEK_DAYS not in counts or WINDOW_DAYS not in counts:
        return
    now = counts[WEEK_DAYS].opened
    usual = (counts[WINDOW_DAYS].opened - now) / WEEKS_BEFORE
    if now >= max(limits.surge_tickets, limits.surge_times * usual):
        yield make_signal(
            "ticket_surge",
            Severity.LOW,
            facts.as_of - timedelta(days=WEEK_DAYS - 1),
            tickets=now,
            usual=usual,
            days=WEEK_DAYS,
        )


def nps_detractor(facts: SignalInputs, _: SignalThresholds) -> Signals:
    """Somebody would not recommend the product; graver where it is who decides."""
    detractors = facts.engagement.nps.detractors
    if detractors:
        lowest = min(detractors, key=lambda each: each.score)
        deciders = {*facts.engagement.champions, *facts.engagement.sponsors}
        decides = any(each.user_id in deciders for each in detractors)
        yield _voices(
            "nps_detractor",
            Severity.HIGH if decides else Severity.MEDIUM,
            facts,
            detractors,
            lowest,
        )


def nps_passive(facts: SignalInputs, _: SignalThresholds) -> Signals:
    """Nobody speaks ill of the product, and somebody is lukewarm."""
    nps = facts.engagement.nps
    if nps.passives and not nps.detractors:
        yield _voices("nps_passive", Severity.INFO, facts, nps.passives, nps.passives[0])


def nps_promoter(facts: SignalInputs, _: SignalThresholds) -> Signals:
    """Somebody recommends the product."""
    promoters = facts.engagement.nps.promoters
    if promoters:
        yield _voices("nps_promoter", Severity.INFO, facts, promoters, promoters[0])


def _voices(
    name: str,
    severity: Severity,
    facts: SignalInputs,
    some: Sequence[SurveyAnswer],
    one: SurveyAnswer,
) -> Signal:
    return make_signal(
        name,
        severity,
        min(each.at for each in some).date(),
        people=len(some),
        answers=len(facts.engagement.nps.responses),
        score=one.score,
        user_id=one.user_id,
    )


def csat_low(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """People are not content on average, of their latest answers within 90 days."""
    csat = facts.engagement.csat
    if csat.mean is not None and csat.mean <= limits.csat_score:
        low = [each for each in csat.responses if each.score <= limits.csat_score]
        yield make_signal(
            "csat_low",
            Severity.MEDIUM,
            min(each.at for each in low).date(),
            score=csat.mean,
            answers=len(csat.responses),
        )


def feedback_unanswered(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """A complaint or request has waited for an answer for too long, or past its due day."""
    waiting = [each for each in facts.engagement.unanswered if _waits(each, facts.as_of, limits)]
    if not waiting:
        return
    complaint = any(each.kind == "complaint" for each in waiting)
    oldest = waiting[0]
    yield make_signal(
        "feedback_unanswered",
        Severity.MEDIUM if complaint else Severity.LOW,
        oldest.at.date(),
        items=len(waiting),
        days=max(each.age_days for each in waiting),
        feedback_id=oldest.feedback_id,
        kind=oldest.kind,
        topic=oldest.topic,
        user_id=oldest.user_id,
    )


def _waits(item: Feedback, as_of: date, limits: SignalThresholds) -> bool:
    overdue = item.due_on is not None and item.due_on < as_of
    return item.kind != "praise" and (overdue or item.age_days >= limits.feedback_days)


def request_shipped(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """What the account asked for is out: a reason to write."""
    for item in facts.engagement.shipped_requests:
        shipped: datetime | None = item.resolved_at
        if shipped and (facts.as_of - shipped.date()).days < limits.shipped_days:
            yield make_signal(
                "request_shipped",
                Severity.INFO,
                shipped.date(),
                key=item.feedback_id,
                topic=item.topic,
                product_feature=item.product_feature,
                user_id=item.user_id,
                is_told=item.told_at is not None,
            )


def goal_off_track(facts: SignalInputs, _: SignalThresholds) -> Signals:
    """At this pace a goal will not be reached, or was not."""
    yield from _goals(facts, "goal_off_track", GoalStatus.OFF_TRACK, Severity.MEDIUM)


def goal_achieved(facts: SignalInputs, _: SignalThresholds) -> Signals:
    """A goal is reached, and should be celebrated and closed."""
    yield from _goals(facts, "goal_achieved", GoalStatus.ACHIEVED, Severity.INFO)


def _goals(facts: SignalInputs, name: str, progress: GoalStatus, severity: Severity) -> Signals:
    for goal in facts.engagement.goals:
        if goal.progress is progress:
            yield make_signal(
                name,
                severity,
                facts.as_of,
                key=goal.goal_id,
                goal=goal.title,
                value=goal.value,
                baseline=goal.baseline,
                target=goal.target,
                share=goal.share,
                due_on=goal.due_on,
            )


def goal_missing(facts: SignalInputs, _: SignalThresholds) -> Signals:
    """Others have agreed on why they bought; of this account nobody has asked."""
    started_on = facts.account.started_on
    if facts.uses_goals and facts.account.pays and started_on and not facts.engagement.goals:
        yield make_signal("goal_missing", Severity.LOW, started_on, started_on=started_on)


def milestone(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """A year is full since the first paid day, or a round number of key events is passed."""
    first = facts.account.first_paid_on
    if first is not None and facts.account.pays:
        years, days = divmod((facts.as_of - first).days, YEAR_DAYS)
        if years and days < limits.milestone_days:
            since = facts.as_of - timedelta(days=days)
            yield make_signal("milestone", Severity.INFO, since, key=f"year {years}", years=years)
    for count, day in facts.passed.items():
        yield make_signal("milestone", Severity.INFO, day, key=f"events {count}", count=count)


def tier_near(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """Little is missing to the next rung of the ladder."""
    tier = facts.engagement.tier
    if tier is None or not tier.next_threshold or tier.next_value is None:
        return
    if limits.tier_share * tier.next_threshold <= tier.next_value < tier.next_threshold:
        yield make_signal(
            "tier_near",
            Severity.INFO,
            facts.as_of,
            key=tier.next_key or "",
            tier=tier.next_name,
            metric=tier.next_metric,
            value=tier.next_value,
            threshold=tier.next_threshold,
            missing=tier.missing,
        )


def referral_ready(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """Somebody recommends the product, nobody is unhappy, and the account gets much of it."""
    told, health = facts.engagement, facts.worth.health
    waits = any(each.is_late for each in told.open_tickets)
    unhappy = told.nps.detractors or told.unanswered or waits or facts.failed_invoices
    if (
        told.nps.promoters
        and not unhappy
        and health is not None
        and health >= limits.referral_score
    ):
        best: SurveyAnswer = told.nps.promoters[0]
        yield make_signal(
            "referral_ready",
            Severity.INFO,
            best.at.date(),
            health=round(health, 1),
            score=best.score,
            user_id=best.user_id,
        )


def incident_affected(facts: SignalInputs, _: SignalThresholds) -> Signals:
    """Something went wrong on our side; until an apology was sent it is the graver."""
    for incident in facts.engagement.incidents:
        yield make_signal(
            "incident_affected",
            Severity.LOW if incident.apology_sent_at else Severity.MEDIUM,
            incident.declared_at.date(),
            key=incident.incident_id,
            title=incident.title,
            is_over=incident.ended_at is not None,
            apology_sent_on=incident.apology_sent_at.date() if incident.apology_sent_at else None,
            days=(facts.as_of - incident.declared_at.date()).days,
        )
