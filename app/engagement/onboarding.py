"""Record onboarding steps that are done because an event happened or the account has a trait.

Each refresh reads recent usage for them, so that ingestion does not have to.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.engagement.queries import list_onboarding_steps, store_pace
from app.engagement.snapshot_statements import DROP_PACE
from app.jobs import service as jobs
from app.jobs.service import ClaimedJob

KIND = "onboarding"
LOOK_BACK = timedelta(days=56)
"""How much usage a refresh reads. Older usage is read once, by a job."""
BACKFILL_BATCH = 200

RECORD_COMPLETIONS = text("""
WITH missing AS MATERIALIZED (
    SELECT a.account_id, s.key, s.event_names, a.traits ->> s.trait AS trait, a.traits_at
    FROM onboarding_step s JOIN account a ON a.workspace_id = s.workspace_id
    WHERE s.workspace_id = :workspace_id AND a.account_id = ANY(CAST(:account_ids AS text[]))
      AND (s.event_names <> '{}' OR s.trait IS NOT NULL)
      AND NOT EXISTS (
          SELECT FROM onboarding_completion c
          WHERE c.workspace_id = :workspace_id AND c.account_id = a.account_id
            AND c.step_key = s.key AND c.known_on <= :as_of)
),
done AS (
    SELECT m.account_id, m.key, u.known_on, CAST(u.day AS timestamptz) AS done_at
    FROM missing m
    JOIN daily_usage u ON u.workspace_id = :workspace_id AND u.account_id = m.account_id
        AND u.event_name = ANY(m.event_names)
    WHERE u.day > :since AND u.day <= :as_of AND u.known_on <= :as_of
    UNION ALL
    SELECT account_id, key, CAST(traits_at AS date), traits_at FROM missing
    WHERE CAST(traits_at AS date) <= :as_of
      AND coalesce(lower(trait), '') NOT IN ('', '0', 'false', 'null', 'no')
)
INSERT INTO onboarding_completion AS c (workspace_id, account_id, step_key, known_on, done_at)
SELECT DISTINCT ON (account_id, key) :workspace_id, account_id, key, known_on, done_at
FROM done ORDER BY account_id, key, done_at, known_on
ON CONFLICT (workspace_id, account_id, step_key, known_on)
DO UPDATE SET done_at = least(c.done_at, excluded.done_at)
""")

NEXT_ACCOUNTS = text("""
SELECT account_id FROM account WHERE workspace_id = :workspace_id AND account_id > :after
ORDER BY account_id LIMIT :limit
""")


def refresh(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    *,
    as_of: date,
    unchanged: Collection[str] = (),
) -> None:
    """Record the steps that accounts have done, as it was known on a day. Idempotent.

    ``unchanged`` accounts have nothing new since the last refresh except usage of that day, so only
    that day is read for them.
    """
    others = [key for key in account_ids if key not in unchanged]
    for ids, days in ((others, LOOK_BACK), (sorted(unchanged), timedelta(days=1))):
        if ids:
            _record_completions(session, workspace_id, ids, as_of=as_of, look_back=days)
    store_pace(session, workspace_id, as_of=as_of)


def _record_completions(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    *,
    as_of: date,
    look_back: timedelta,
) -> None:
    session.execute(
        RECORD_COMPLETIONS,
        {
            "workspace_id": workspace_id,
            "account_ids": list(account_ids),
            "as_of": as_of,
            "since": as_of - look_back,
        },
    )


def enqueue_backfill(session: Session, workspace_id: str, *, actor: str, now: datetime) -> None:
    """Enqueue a job that reads all usage, for a new step or after an import of history."""
    if any(step.event_names for step in list_onboarding_steps(session, workspace_id)):
        jobs.enqueue(session, workspace_id, KIND, {}, actor=actor, now=now)


def backfill_page(sessions: SessionFactory, job: ClaimedJob, now: datetime) -> bool:
    """Read all usage of the next accounts; return whether there may be more accounts."""
    with transaction(sessions) as session:
        values = {"after": job.position.get("after", ""), "limit": BACKFILL_BATCH}
        workspace = {"workspace_id": job.workspace_id}
        ids = session.scalars(NEXT_ACCOUNTS, workspace | values).all()
        if not ids:
            return False
        everything = timedelta(days=now.date().toordinal() - 1)
        _record_completions(session, job.workspace_id, ids, as_of=now.date(), look_back=everything)
        session.execute(DROP_PACE, workspace)
        progress = {"accounts": job.progress.get("accounts", 0) + len(ids)}
        jobs.checkpoint(session, job, position={"after": ids[-1]}, progress=progress, now=now)
    return len(ids) == BACKFILL_BATCH
