"""Fill a workspace with accounts and their history inside the database, and score them."""

from dataclasses import asdict, dataclass

from app import pipeline
from app.accounts.refresh_queue import Priority, mark_all_due
from app.core.db import transaction
from bench.rig.rig import Rig, Tenant, now

LOOK_BACK_DAYS = 56


@dataclass(frozen=True, slots=True)
class Volume:
    """How many accounts, and how much history each has on average.

    ``users`` times ``uses`` rows of usage, and ``reached`` rows of reach.
    """

    accounts: int
    users: int = 20
    uses: int = 35
    reached: int = 300


ACCOUNTS = """
INSERT INTO account (workspace_id, account_id, segment, end_customers)
SELECT :id, 'a' || a, 'segment ' || a % 3, 400 FROM generate_series(0, :accounts - 1) AS a
"""
SUBSCRIPTIONS = """
INSERT INTO subscription (
    workspace_id, account_id, subscription_id, starts_on, known_on, plan, mrr_cents, currency,
    seats, source
)
SELECT :id, 'a' || a, 'main', CAST(:today AS date) - 300, CAST(:today AS date) - 300, 'basic',
       10000 + 5000 * (a % 40), 'USD', 10 + a % 50, 'bench'
FROM generate_series(0, :accounts - 1) AS a
"""
NAMES = """
INSERT INTO event_name (workspace_id, name, is_view, first_seen_at)
SELECT :id, 'Event ' || n, false, now() FROM generate_series(0, 19) AS n
"""
FIRST_USES = """
INSERT INTO first_use (workspace_id, account_id, known_on, day)
SELECT :id, 'a' || a, CAST(:today AS date) - 200, CAST(:today AS date) - 200
FROM generate_series(0, :accounts - 1) AS a
"""
# Four equal groups of accounts have 40, 70, 100 and 190 % of the average number of users. The step
# of 37 days is coprime with the look-back, so that the days of a user differ.
USAGE = """
INSERT INTO daily_usage (
    workspace_id, account_id, day, known_on, user_id, is_anonymous, event_name, events
)
SELECT :id, 'a' || a, day, day, 'a' || a || '-u' || u, false, 'Event ' || (k + u * a) % 20,
       1 + (a + k) % 5
FROM generate_series(0, :accounts - 1) AS a,
     generate_series(0, :users * (ARRAY[4, 7, 10, 19])[1 + a % 4] / 10 - 1) AS u,
     generate_series(0, :uses - 1) AS k,
     LATERAL (SELECT CAST(:today AS date) - (k * 37 + u * 11 + a * 5) % :days AS day) AS d
"""
REACH = """
INSERT INTO daily_reach (workspace_id, account_id, day, known_on, end_customer_id)
SELECT :id, 'a' || a, day, day, 'c' || e % (:reached / 2)
FROM generate_series(0, :accounts - 1) AS a, generate_series(0, :reached - 1) AS e,
     LATERAL (SELECT CAST(:today AS date) - (e * 13 + a) % :days AS day) AS d
ON CONFLICT DO NOTHING
"""

# Each account has two tickets, one survey response, one feedback item without an answer, and three
# of four onboarding steps completed; every fourth account has a goal.
TICKETS = """
INSERT INTO ticket (workspace_id, ticket_id, account_id, opened_at, closed_at)
SELECT :id, 't' || a || '-' || n, 'a' || a, at, at + interval '2 days'
FROM generate_series(0, :accounts - 1) AS a, generate_series(0, 1) AS n,
     LATERAL (SELECT CAST(:today AS timestamptz) - make_interval(days => 3 + a % 60 + 60 * n)
              AS at) AS opened
"""
TICKET_MOMENTS = """
INSERT INTO ticket_moment (workspace_id, ticket_id, kind, at, known_on)
SELECT t.workspace_id, t.ticket_id, k.kind, m.at, CAST(m.at AS date)
FROM ticket t, unnest(ARRAY['opened', 'replied', 'closed']) WITH ORDINALITY AS k (kind, n),
     LATERAL (SELECT t.opened_at + (k.n - 1) * interval '1 day' AS at) AS m
WHERE t.workspace_id = :id
"""
RESPONSES = """
INSERT INTO survey_response (workspace_id, response_id, account_id, kind, score, at, known_on)
SELECT :id, 'r' || a, 'a' || a, 'nps', a % 11, CAST(:today AS date) - 20, CAST(:today AS date) - 20
FROM generate_series(0, :accounts - 1) AS a
"""
FEEDBACK = """
INSERT INTO feedback_item (workspace_id, feedback_id, account_id, kind, topic, at, known_on)
SELECT :id, 'f' || a, 'a' || a, 'request', 'export', CAST(:today AS date) - 5,
       CAST(:today AS date) - 5
FROM generate_series(0, :accounts - 1) AS a
"""
STEPS = """
INSERT INTO onboarding_step (workspace_id, key, name, position, event_names)
SELECT :id, 's' || n, 'Step ' || n, n, ARRAY['Step ' || n] FROM generate_series(0, 3) AS n
"""
COMPLETIONS = """
INSERT INTO onboarding_completion (workspace_id, account_id, step_key, known_on, done_at)
SELECT :id, 'a' || a, 's' || n, CAST(:today AS date) - 200 + n, CAST(:today AS date) - 200 + n
FROM generate_series(0, :accounts - 1) AS a, generate_series(0, 2) AS n
"""
GOALS = """
INSERT INTO goal (
    workspace_id, goal_id, account_id, title, metric, baseline, target, starts_on, due_on, known_on)
SELECT :id, 'g' || a, 'a' || a, 'More people', 'active_users', 5, 50, CAST(:today AS date) - 90,
       CAST(:today AS date) + 90, CAST(:today AS date) - 90
FROM generate_series(0, :accounts - 1, 4) AS a
"""
USE = (ACCOUNTS, SUBSCRIPTIONS, NAMES, FIRST_USES, USAGE, REACH)
ENGAGEMENT = (TICKETS, TICKET_MOMENTS, RESPONSES, FEEDBACK, STEPS, COMPLETIONS, GOALS)


def fill(rig: Rig, tenant: Tenant, volume: Volume) -> None:
    """Give a workspace a history until today, and leave the tables vacuumed and analyzed."""
    values = {"id": tenant.id, "today": now().date(), "days": LOOK_BACK_DAYS}
    rig.run(*USE, *ENGAGEMENT, **values, **asdict(volume))
    rig.maintain()


def score_accounts(rig: Rig, tenant: Tenant) -> None:
    """Score every account of a workspace."""
    with transaction(rig.sessions) as session:
        mark_all_due(session, tenant.id, priority=Priority.SWEEP)
    while pipeline.refresh_due(rig.sessions, now=now()):
        pass
